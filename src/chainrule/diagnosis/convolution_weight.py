"""Likely mistakes in dweight of a convolution layer, one small function each."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.convolution import CONV, Conv2dProblem
from chainrule.diagnosis.convolution_input import (
    exchanged_origins,
    interleaved,
    neighbouring_origins,
    without_one,
    without_the_last,
)
from chainrule.diagnosis.grids import Grid, weight_sum
from chainrule.equations.convolution import conv2d_forward, pad, rot180


def dw_on(p: Conv2dProblem, grid: Grid, x: Array | None = None, dy: Array | None = None) -> Array:
    """dweight by the right sum over another grid or other operands."""
    kernel = (p.weight.shape[2], p.weight.shape[3])
    total = weight_sum(p.dy if dy is None else dy, p.x if x is None else x, grid, kernel, p.groups)
    return p.as_slid(total)


@CONV(
    "dweight",
    "operands_exchanged",
    "The result is rotated by 180°: dy ⋆ x or dy ∗ rot180(x) was computed; x slides under dy: x ⋆ dy (ER4-14, ER4-15).",
)
def operands_exchanged(p: Conv2dProblem) -> Array | None:
    return rot180(p.weight_gradient(p.dy, p.x)) if p.mode == "correlation" else None


@CONV(
    "dweight",
    "result_not_turned",
    "x ⋆ dy was not rotated by 180°; with a forward pass that flips the kernel it must be (S0-E12, ERX-01).",
)
def result_not_turned(p: Conv2dProblem) -> Array | None:
    return rot180(p.weight_gradient(p.dy, p.x)) if p.mode == "convolution" else None


@CONV("dweight", "flipped_on_one_axis", "The result is flipped on one axis of the kernel.")
def flipped_on_one_axis(p: Conv2dProblem) -> list[Array]:
    dw = p.weight_gradient(p.dy, p.x)
    return [dw[:, :, ::-1], dw[..., ::-1]]


@CONV(
    "dweight", "stride_ignored", "The stride was ignored: neighbouring entries of dy meet neighbouring pixels (S2-E37)."
)
def stride_ignored(p: Conv2dProblem) -> list[Array] | None:
    if p.window.stride == (1, 1):
        return None
    return [dw_on(p, Grid(step, p.window.dilation, p.grid.origin)) for step in without_one(p.window.stride)]


@CONV(
    "dweight",
    "stride_between_taps",
    "The stride was put between the taps of dw; it belongs between the entries of dy (their zeros, S2-E37).",
)
def stride_between_taps(p: Conv2dProblem) -> Array | None:
    if p.window.stride == p.window.dilation:
        return None
    return dw_on(p, Grid(p.window.dilation, p.window.stride, p.grid.origin))


@CONV(
    "dweight", "trailing_zeros_missing", "dw is too large: the zeros behind the last entry of dy are missing (ER2-23)."
)
def trailing_zeros_missing(p: Conv2dProblem) -> Array | None:
    reached = [(n - 1) * s + 1 for n, s in zip(p.places, p.window.stride, strict=True)]
    if p.window.dilation != (1, 1):
        return None
    kernel = (p.padded_size[0] - reached[0] + 1, p.padded_size[1] - reached[1] + 1)
    if kernel == p.weight.shape[2:]:
        return None
    total = weight_sum(p.dy, pad(p.x, p.sides), Grid(p.window.stride, (1, 1), (0, 0)), kernel, p.groups)
    return rot180(total) if p.mode == "convolution" else total


@CONV("dweight", "padding_forgotten", "x was not padded as in the forward pass.")
def padding_forgotten(p: Conv2dProblem) -> Array | None:
    if p.grid.origin == (0, 0):
        return None
    return dw_on(p, Grid(p.window.stride, p.window.dilation, (0, 0)))


@CONV(
    "dweight",
    "padding_sides_exchanged",
    "The padding's sides were mixed up: top with bottom, left with right, or rows with columns.",
)
def padding_sides_exchanged(p: Conv2dProblem) -> list[Array]:
    return [dw_on(p, Grid(p.window.stride, p.window.dilation, origin)) for origin in exchanged_origins(p)]


@CONV(
    "dweight",
    "off_by_one",
    "x and dy are shifted by one pixel against each other: an index or a padding is off by one (ER1-10).",
)
def off_by_one(p: Conv2dProblem) -> list[Array]:
    return [dw_on(p, Grid(p.window.stride, p.window.dilation, origin)) for origin in neighbouring_origins(p)]


@CONV("dweight", "dilation_ignored", "The dilation was ignored in the backward pass.")
def dilation_ignored(p: Conv2dProblem) -> list[Array] | None:
    if p.window.dilation == (1, 1):
        return None
    return [dw_on(p, Grid(p.window.stride, spacing, p.grid.origin)) for spacing in without_one(p.window.dilation)]


@CONV("dweight", "groups_ignored", "The groups were ignored: filters were applied to channels of other groups.")
def groups_ignored(p: Conv2dProblem) -> list[Array] | None:
    if p.groups == 1:
        return None
    kernel, per_group = (p.weight.shape[2], p.weight.shape[3]), p.weight.shape[1]
    dense = weight_sum(p.dy, p.x, p.grid, kernel, 1)
    rotated = rot180(dense) if p.mode == "convolution" else dense
    summed = rotated.reshape(len(rotated), p.groups, per_group, *kernel).sum(axis=1)
    return [rotated, rotated[:, :per_group], summed]


@CONV("dweight", "groups_interleaved", "Every g-th filter was taken for a group; a group's filters stand side by side.")
def groups_interleaved(p: Conv2dProblem) -> Array | None:
    if p.groups in (1, len(p.weight)):
        return None
    dealt = interleaved(len(p.weight), p.groups)
    dw = np.empty_like(p.weight)
    dw[dealt] = p.weight_gradient(p.dy[:, dealt], p.x)
    return dw


@CONV(
    "dweight", "one_sample_only", "Only one sample's contribution is there: the batch was not summed (= instead of +=)."
)
def one_sample_only(p: Conv2dProblem) -> list[Array] | None:
    if len(p.x) == 1:
        return None
    return [p.weight_gradient(p.dy[kept], p.x[kept]) for kept in (slice(-1, None), slice(0, 1))]


@CONV(
    "dweight",
    "one_place_only",
    "Only one place's contribution is there: the places were not summed (= instead of +=, S0-E07).",
)
def one_place_only(p: Conv2dProblem) -> list[Array] | None:
    if p.places == (1, 1):
        return None
    made = []
    for kept in ((-1, -1), (0, 0)):
        alone = np.zeros_like(p.dy)
        alone[:, :, *kept] = p.dy[:, :, *kept]
        made.append(p.weight_gradient(alone, p.x))
    return made


@CONV(
    "dweight",
    "loop_ends_early",
    "The loops over the places end one row or column early: range(H - 1) leaves out the last.",
)
def loop_ends_early(p: Conv2dProblem) -> list[Array]:
    return [p.weight_gradient(shorter, p.x) for shorter in without_the_last(p.dy)]


@CONV(
    "dweight",
    "output_instead_of_input",
    "dy was multiplied by the layer's output; it is its input that belongs there (ER1-10).",
)
def output_instead_of_input(p: Conv2dProblem) -> list[Array] | None:
    if p.weight.shape[0] != p.x.shape[1]:
        return None
    y = conv2d_forward(p.x, p.weight, **p.options())
    return [dw_on(p, p.grid, v) for v in (y, np.maximum(y, 0))]


@CONV(
    "dweight", "kernel_instead_of_input", "The kernel was used in its own gradient; the input belongs there (ER1-09)."
)
def kernel_instead_of_input(p: Conv2dProblem) -> Array:
    return np.asarray(p.weight * p.dy.sum(axis=(0, 2, 3))[:, None, None, None])


@CONV(
    "dweight",
    "weight_decay_left_in",
    "Weight decay was added to the gradient: λ W belongs to the update, not to dL/dW.",
    fitted="a weight decay",
)
def weight_decay_left_in(p: Conv2dProblem) -> Array:
    return p.weight


@CONV("dweight", "not_summed_over_the_batch", "dweight was not summed over the batch.")
def not_summed_over_the_batch(p: Conv2dProblem) -> Array:
    return np.stack([p.weight_gradient(p.dy[n : n + 1], p.x[n : n + 1]) for n in range(len(p.x))])


@CONV("dweight", "summed_over_filters", "dy was summed over the filters: every filter has the same gradient.")
def summed_over_filters(p: Conv2dProblem) -> Array | None:
    if p.weight.shape[0] == 1:
        return None
    return p.weight_gradient(np.broadcast_to(p.dy.sum(axis=1, keepdims=True), p.dy.shape), p.x)
