"""Cross-correlation, convolution, and the three gradients of a convolution layer.

Two sliding operations, always kept apart (S0-C02):

    cross-correlation   (a ⋆ w)[x, y] = sum_ij a[x + i, y + j] w[i, j]        S0-E01
    true convolution    (a ∗ w)[x, y] = sum_ij a[x - i, y - j] w[i, j]        S0-E02

and (a ∗ w) = (a ⋆ rot180 w). What the field calls a convolution layer is cross-correlation,
`mode="correlation"`; `mode="convolution"` flips the kernel first. Entries outside an array count as zero.
Indices start at 0.

Arrays are (n, channels, rows, columns); weights (out_channels, in_channels / groups, kernel rows, kernel
columns).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chainrule.arrays import Array
from chainrule.errors import ShapeError
from chainrule.shapes import IntOrPair, PaddingArgument, Pair, Sides, Window, choice, padding_sides, pair

Convention = Literal["correlation", "convolution"]
CONVENTIONS = ("correlation", "convolution")


def rot180(w: Array) -> Array:
    """Rotate a kernel by 180 degrees: flip up-down, then left-right (S4-F02, S0-F04). A view."""
    return w[..., ::-1, ::-1]


def pad(a: Array, sides: Sides, value: float = 0.0) -> Array:
    """Surround the last two axes with `value`: (top, bottom, left, right) rows and columns."""
    if not any(sides):
        return a
    top, bottom, left, right = sides
    return np.pad(a, [(0, 0)] * (a.ndim - 2) + [(top, bottom), (left, right)], constant_values=value)


def crop(a: Array, sides: Sides) -> Array:
    """Undo `pad`: the adjoint of padding with zeros. A view."""
    top, bottom, left, right = sides
    return a[..., top : a.shape[-2] - bottom, left : a.shape[-1] - right]


def zero_restore(dy: Array, stride: Pair, size: Pair) -> Array:
    """The map of `size` that stride 1 would have made, with zeros at the places that the stride skipped.

    restored[x S, y S] = dy[x, y], else 0 (S2-E28). Zeros also follow the last entry where the stride does not
    divide the map (ER2-23).
    """
    if stride == (1, 1) and dy.shape[-2:] == size:
        return dy
    restored = np.zeros((*dy.shape[:-2], *size), dy.dtype)
    restored[..., :: stride[0], :: stride[1]][..., : dy.shape[-2], : dy.shape[-1]] = dy
    return restored


def window_of(
    kernel_size: Pair, stride: IntOrPair = 1, padding: PaddingArgument = 0, dilation: IntOrPair = 1
) -> Window:
    """A checked window from the arguments of a layer."""
    return Window(
        pair("kernel_size", kernel_size, 1),
        pair("stride", stride, 1),
        padding_sides(padding),
        pair("dilation", dilation, 1),
    )


def windows_of(x: Array, window: Window) -> Array:
    """All windows of a map that is already padded: (..., output rows, output columns, kernel rows, kernel columns).

    A read-only view: out[..., p, q, i, j] = x[..., p S + i D, q S + j D].
    """
    views = sliding_window_view(x, window.extent, axis=(-2, -1))
    strided: Array = views[..., :: window.stride[0], :: window.stride[1], :: window.dilation[0], :: window.dilation[1]]
    return strided


def scatter_windows(values: Array, window: Window, size: Pair) -> Array:
    """Adjoint of `windows_of`: add every window's values back at the pixels that it covers.

    out[..., x, y] = sum of values[..., p, q, i, j] over all p S + i D = x, q S + j D = y. Overlaps add
    (ER1-16).
    """
    out = np.zeros((*values.shape[:-4], *size), values.dtype)
    rows, columns = values.shape[-4:-2]
    (sh, sw), (dh, dw) = window.stride, window.dilation
    for i in range(window.kernel_size[0]):
        for j in range(window.kernel_size[1]):
            out[..., i * dh : i * dh + rows * sh : sh, j * dw : j * dw + columns * sw : sw] += values[..., i, j]
    return out


def cross_correlate(
    a: Array, w: Array, mode: Literal["valid", "full", "same"] = "valid", stride: IntOrPair = 1
) -> Array:
    """Slide `w` over the last two axes of `a` and sum the products: a ⋆ w (S0-E01, S1-E05).

    "valid": only whole windows, n - F + 1 places. "full": every overlap, n + F - 1 places. "same": n places,
    an odd zero goes to the bottom and right.
    """
    choice("mode", mode, ("valid", "full", "same"))
    kernel = (w.shape[-2], w.shape[-1])
    if mode == "full":
        a = pad(a, (kernel[0] - 1, kernel[0] - 1, kernel[1] - 1, kernel[1] - 1))
    elif mode == "same":
        a = pad(a, Window(kernel, padding="same").sides((a.shape[-2], a.shape[-1])))
    if a.shape[-2] < kernel[0] or a.shape[-1] < kernel[1]:
        raise ShapeError(f"a kernel of {kernel} does not fit an array of {a.shape[-2:]}")
    result: Array = np.einsum("...xyij,ij->...xy", windows_of(a, Window(kernel, pair("stride", stride, 1))), w)
    return result


def convolve(a: Array, w: Array, mode: Literal["valid", "full", "same"] = "valid", stride: IntOrPair = 1) -> Array:
    """True convolution a ∗ w: cross-correlation with the kernel rotated by 180 degrees (S0-E02, S0-C02)."""
    return cross_correlate(a, rot180(w), mode, stride)


def _grouped_patches(x: Array, window: Window, groups: int) -> Array:
    """Windows of a padded batch as one matrix per group: (groups, n * places, channels/groups * kernel area)."""
    views = windows_of(x, window)
    n, channels, rows, columns, kh, kw = views.shape
    split = views.reshape(n, groups, channels // groups, rows, columns, kh, kw).transpose(1, 0, 3, 4, 2, 5, 6)
    return split.reshape(groups, n * rows * columns, channels // groups * kh * kw)


def _correlate_channels(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """sum over the channels of a group and the window, for every filter of the group, on a padded batch."""
    filters, per_group = weight.shape[:2]
    rows, columns = Window(window.kernel_size, window.stride, dilation=window.dilation).output_size(
        (x.shape[2], x.shape[3])
    )
    patches = _grouped_patches(x, window, groups)
    kernels = weight.reshape(groups, filters // groups, per_group * weight.shape[2] * weight.shape[3])
    y = patches @ kernels.transpose(0, 2, 1)
    split = y.reshape(groups, x.shape[0], rows, columns, filters // groups).transpose(1, 0, 4, 2, 3)
    return np.ascontiguousarray(split.reshape(x.shape[0], filters, rows, columns))


def _kernel(weight: Array, mode: Convention) -> Array:
    """The kernel as it slides: flipped in the convention of S0, as it is in that of S1 to S4 (ERX-01)."""
    return rot180(weight) if choice("mode", mode, CONVENTIONS) == "convolution" else weight


def conv2d_forward(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    mode: Convention = "correlation",
) -> Array:
    """y[n, o, p, q] = sum_{d, i, j} w[o, d, i, j] x[n, d, p S + i D - P, q S + j D - P] + b[o] (S2-E08, ER2-13).

    x (n, in, h, w) -> y (n, out, h', w'). With `groups`, filter o sees only the channels of its own group.
    """
    window = window_of(weight.shape[2:], stride, padding, dilation)
    padded = pad(x, window.sides((x.shape[2], x.shape[3])))
    y = _correlate_channels(padded, _kernel(weight, mode), window, groups)
    return y if bias is None else y + bias[:, None, None]


def conv2d_backward_input(
    dy: Array,
    weight: Array,
    input_size: Pair,
    *,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    mode: Convention = "correlation",
) -> Array:
    """dx = sum_o dy_o ∗_full w_o: the zero-restored sensitivity map, surrounded by zeros, under the rotated kernel.

    dx[n, d, x, y] = sum_{o, p, q, i, j} dy[n, o, p, q] w[o, d, i, j] over p S + i D - P = x, q S + j D - P =
    y (S2-E25, E28, E31; S1-E11; S0-E18; S4-E37). What fell on the padding is cut off at the end.
    """
    window = window_of(weight.shape[2:], stride, padding, dilation)
    sides = window.sides(input_size)
    eh, ew = window.extent
    padded = (input_size[0] + sides[0] + sides[1], input_size[1] + sides[2] + sides[3])
    restored = zero_restore(dy, window.stride, (padded[0] - eh + 1, padded[1] - ew + 1))
    filters, per_group, kh, kw = weight.shape
    grouped = _kernel(weight, mode).reshape(groups, filters // groups, per_group, kh, kw)
    transposed = rot180(grouped.swapaxes(1, 2)).reshape(groups * per_group, filters // groups, kh, kw)
    full = pad(restored, (eh - 1, eh - 1, ew - 1, ew - 1))
    dx = _correlate_channels(full, transposed, Window((kh, kw), dilation=window.dilation), groups)
    return crop(dx, sides)


def conv2d_backward_weight(
    dy: Array,
    x: Array,
    kernel_size: Pair,
    *,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    mode: Convention = "correlation",
) -> Array:
    """dw[o, d, i, j] = sum_{n, p, q} dy[n, o, p, q] x[n, d, p S + i D - P, q S + j D - P] (S2-E32..E35, S4-E28).

    At stride 1 this is x ⋆ dy (S4-E29 in the order of ER4-14). In the convention of S0 the result is rotated,
    which is its x rotated, ∗ dy (S0-E12).
    """
    window = window_of(kernel_size, stride, padding, dilation)
    padded = pad(x, window.sides((x.shape[2], x.shape[3])))
    n, filters, rows, columns = dy.shape
    patches = _grouped_patches(padded, window, groups)
    deltas = dy.reshape(n, groups, filters // groups, rows * columns).transpose(1, 2, 0, 3)
    dw = deltas.reshape(groups, filters // groups, n * rows * columns) @ patches
    return _kernel(dw.reshape(filters, x.shape[1] // groups, *kernel_size), mode)


def conv2d_backward_bias(dy: Array) -> Array:
    """db[o] = sum_{n, p, q} dy[n, o, p, q] (S1-E15, S2-E36, S4-E31, ER0-29)."""
    db: Array = dy.sum(axis=(0, 2, 3))
    return db
