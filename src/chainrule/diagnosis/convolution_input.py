"""Likely mistakes in dx of a convolution layer, one small function each."""

from __future__ import annotations

from itertools import product

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.convolution import CONV, Conv2dProblem
from chainrule.diagnosis.grids import Grid, input_sum
from chainrule.equations.convolution import crop, rot180
from chainrule.shapes import Pair


def dx_on(p: Conv2dProblem, grid: Grid, size: Pair | None = None, kernel: Array | None = None) -> Array:
    """dx by the right sum over another grid, map or kernel."""
    return input_sum(p.dy, p.kernel if kernel is None else kernel, grid, size or p.size, p.groups)


@CONV(
    "dx",
    "kernel_not_rotated",
    "The kernel was slid over dy without being rotated by 180°: dy ⋆_full w or dy ∗_full rot180(w) (ER4-20, ER1-06).",
)
def kernel_not_rotated(p: Conv2dProblem) -> Array | None:
    return p.input_gradient(p.dy, rot180(p.weight)) if p.mode == "correlation" else None


@CONV(
    "dx",
    "kernel_rotated_wrongly",
    "The kernel was rotated although the forward pass already flips it: dy ∗_full w (ER0-28, ERX-01).",
)
def kernel_rotated_wrongly(p: Conv2dProblem) -> Array | None:
    return p.input_gradient(p.dy, rot180(p.weight)) if p.mode == "convolution" else None


@CONV("dx", "kernel_flipped_on_one_axis", "The kernel was flipped on one axis only; rot180 flips both (S4-F02).")
def kernel_flipped_on_one_axis(p: Conv2dProblem) -> list[Array]:
    return [p.input_gradient(p.dy, w) for w in (p.weight[:, :, ::-1], p.weight[..., ::-1])]


@CONV("dx", "kernel_transposed", "The kernel's rows and columns were exchanged: transposing is not rotating by 180°.")
def kernel_transposed(p: Conv2dProblem) -> list[Array] | None:
    if p.weight.shape[2] != p.weight.shape[3]:
        return None
    swapped = p.weight.swapaxes(2, 3)
    return [p.input_gradient(p.dy, swapped), p.input_gradient(p.dy, rot180(swapped))]


@CONV(
    "dx",
    "channels_not_exchanged",
    "The weight's in and out channels were not exchanged: filter n meets dy of channel n.",
)
def channels_not_exchanged(p: Conv2dProblem) -> Array | None:
    if p.weight.shape[0] != p.weight.shape[1]:
        return None
    return p.input_gradient(p.dy, p.weight.swapaxes(0, 1))


@CONV(
    "dx",
    "stride_zeros_not_restored",
    "The zeros between the entries of dy that the stride skipped were not restored (S2-E28).",
)
def stride_zeros_not_restored(p: Conv2dProblem) -> list[Array] | None:
    if p.window.stride == (1, 1):
        return None
    dense = Grid((1, 1), p.window.dilation, p.grid.origin)
    extent = p.window.extent
    small = (p.places[0] + extent[0] - 1, p.places[1] + extent[1] - 1)
    whole = dx_on(p, Grid((1, 1), p.window.dilation, (0, 0)), small)
    rows, columns = p.window.stride
    halves = [Grid(step, p.window.dilation, p.grid.origin) for step in ((1, columns), (rows, 1))]
    return [dx_on(p, grid) for grid in (dense, *halves)] + [whole, crop(whole, p.sides)]


@CONV(
    "dx",
    "trailing_zeros_missing",
    "The zeros behind the last entry of dy are missing; where the stride does not divide, they belong there (ER2-23).",
)
def trailing_zeros_missing(p: Conv2dProblem) -> list[Array] | None:
    reached = [(n - 1) * s + e for n, s, e in zip(p.places, p.window.stride, p.window.extent, strict=True)]
    rest = [n - r for n, r in zip(p.padded_size, reached, strict=True)]
    if not any(rest):
        return None
    short = dx_on(p, Grid(p.window.stride, p.window.dilation, (0, 0)), (reached[0], reached[1]))
    top, left = p.grid.origin
    late = [Grid(p.window.stride, p.window.dilation, (top - rest[0], left - rest[1]))]
    late.append(Grid(p.window.stride, p.window.dilation, (top - rest[0] // 2, left - rest[1] // 2)))
    made = [short, crop(short, p.sides)] + [dx_on(p, grid) for grid in late]
    return [a for a in made if a.size]


@CONV("dx", "padding_not_removed", "What fell on the padding was not cut off, or was cut off on one side only.")
def padding_not_removed(p: Conv2dProblem) -> list[Array] | None:
    if not any(p.sides):
        return None
    whole = dx_on(p, Grid(p.window.stride, p.window.dilation, (0, 0)), p.padded_size)
    rows, columns = p.size
    return [whole, whole[..., :rows, :columns], whole[..., whole.shape[2] - rows :, whole.shape[3] - columns :]]


@CONV(
    "dx",
    "padding_sides_exchanged",
    "The padding's sides were mixed up: top with bottom, left with right, or rows with columns.",
)
def padding_sides_exchanged(p: Conv2dProblem) -> list[Array]:
    return [dx_on(p, Grid(p.window.stride, p.window.dilation, origin)) for origin in exchanged_origins(p)]


@CONV("dx", "off_by_one", "dx is shifted by one pixel: the padding is off by one.")
def off_by_one(p: Conv2dProblem) -> list[Array]:
    return [dx_on(p, Grid(p.window.stride, p.window.dilation, origin)) for origin in neighbouring_origins(p)]


@CONV("dx", "dilation_ignored", "The dilation was ignored in the backward pass.")
def dilation_ignored(p: Conv2dProblem) -> list[Array] | None:
    if p.window.dilation == (1, 1):
        return None
    return [dx_on(p, Grid(p.window.stride, spacing, p.grid.origin)) for spacing in without_one(p.window.dilation)]


@CONV("dx", "stride_and_dilation_exchanged", "Stride and dilation were exchanged in the backward pass.")
def stride_and_dilation_exchanged(p: Conv2dProblem) -> Array | None:
    if p.window.stride == p.window.dilation:
        return None
    return dx_on(p, Grid(p.window.dilation, p.window.stride, p.grid.origin))


@CONV("dx", "groups_ignored", "The groups were ignored: filters pass gradients to channels that they do not see.")
def groups_ignored(p: Conv2dProblem) -> list[Array] | None:
    if p.groups == 1:
        return None
    everywhere = np.tile(input_sum(p.dy, p.kernel, p.grid, p.size, 1), (1, p.groups, 1, 1))
    first = everywhere.copy()
    first[:, p.weight.shape[1] :] = 0
    return [everywhere, first, everywhere[:, : p.weight.shape[1]]]


@CONV("dx", "groups_interleaved", "Every g-th filter was taken for a group; a group's filters stand side by side.")
def groups_interleaved(p: Conv2dProblem) -> Array | None:
    if p.groups in (1, len(p.weight)):
        return None
    dealt = interleaved(len(p.weight), p.groups)
    return p.input_gradient(p.dy[:, dealt], p.weight[dealt])


@CONV(
    "dx",
    "overlaps_overwritten",
    "Where windows overlap, their contributions were assigned instead of added (= instead of +=).",
)
def overlaps_overwritten(p: Conv2dProblem) -> Array:
    return input_sum(p.dy, p.kernel, p.grid, p.size, p.groups, overwrite=True)


@CONV("dx", "one_filter_only", "Only one filter's contribution is there: the filters were not summed (S2-E30, ER2-27).")
def one_filter_only(p: Conv2dProblem) -> list[Array] | None:
    if p.weight.shape[0] == 1:
        return None
    made = []
    for kept in (-1, 0):
        alone = np.zeros_like(p.dy)
        alone[:, kept] = p.dy[:, kept]
        made.append(p.input_gradient(alone, p.weight))
    return made


@CONV(
    "dx",
    "loop_ends_early",
    "The loops over the places end one row or column early: range(H - 1) leaves out the last.",
)
def loop_ends_early(p: Conv2dProblem) -> list[Array]:
    return [p.input_gradient(shorter, p.weight) for shorter in without_the_last(p.dy)]


@CONV(
    "dx",
    "valid_instead_of_full",
    "A valid convolution was taken where a full one belongs: dy was not padded by F - 1 (S4-F03).",
)
def valid_instead_of_full(p: Conv2dProblem) -> Array | None:
    eh, ew = p.window.extent
    rows, columns = p.padded_size[0] - 2 * (eh - 1), p.padded_size[1] - 2 * (ew - 1)
    if p.window.extent == (1, 1) or rows < 1 or columns < 1:
        return None
    return dx_on(p, Grid(p.window.stride, p.window.dilation, (eh - 1, ew - 1)), (rows, columns))


@CONV(
    "dx",
    "slope_of_the_layer_before",
    "dx was multiplied by an f'; f' of the layer before belongs to that layer (S1-E12).",
)
def slope_of_the_layer_before(p: Conv2dProblem) -> list[Array]:
    dx = p.input_gradient(p.dy, p.weight)
    return [dx * (p.x > 0), dx * p.x * (1 - p.x), dx * (1 - p.x * p.x)]


@CONV(
    "dx",
    "updated_weights",
    "dx was computed with weights that are already updated; gradients come first, then the update (S0-A02, ER0-14).",
    fitted="a learning rate",
)
def updated_weights(p: Conv2dProblem) -> Array:
    return -p.input_gradient(p.dy, p.weight_gradient(p.dy, p.x))


def interleaved(filters: int, groups: int) -> list[int]:
    """The filters in the order of somebody who deals them out like cards: 0, g, 2g, ..., 1, g + 1, ..."""
    return [o for group in range(groups) for o in range(group, filters, groups)]


def without_one(pair: Pair) -> list[Pair]:
    """A stride or dilation that was forgotten on both axes, and on one of them."""
    return [(1, 1), (1, pair[1]), (pair[0], 1)]


def without_the_last(dy: Array) -> list[Array]:
    """dy with zeros in its last row, in its last column, and in both."""
    made = []
    for rows, columns in ((1, 0), (0, 1), (1, 1)):
        shorter = dy.copy()
        shorter[:, :, dy.shape[2] - rows :] = 0
        shorter[..., dy.shape[3] - columns :] = 0
        made.append(shorter)
    return made


def neighbouring_origins(p: Conv2dProblem) -> list[Pair]:
    """The right origin moved by one pixel in the eight directions; (0, 0) is a padding that was forgotten."""
    top, left = p.grid.origin
    around = [(top + a, left + b) for a, b in product((-1, 0, 1), repeat=2) if a or b]
    return [origin for origin in around if origin != (0, 0)]


def exchanged_origins(p: Conv2dProblem) -> list[Pair]:
    """The origins of somebody who mixes up the sides of the padding."""
    top, bottom, left, right = p.sides
    mixed = [(bottom, left), (top, right), (bottom, right), (left, top)]
    return [origin for origin in dict.fromkeys(mixed) if origin != (top, left)]
