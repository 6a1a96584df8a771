"""Windows over maps, out of convolutions whose kernels are constants.

Each map is taken for a sample of one channel, so one small kernel serves any number of channels. The adjoint of a
convolution is ConvTranspose with the same kernel: what `scatter_windows` does, overlaps added, padding cut off.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.interchange.onnx.builder import Value
from chainrule.shapes import Pair, Shape, Window


def sliding(window: Window, size: Pair, groups: int = 1) -> dict[str, Any]:
    """A window over maps of `size` as the attributes of Conv; those that say nothing are left out."""
    top, bottom, left, right = window.sides(size)
    return {
        "kernel_shape": window.kernel_size,
        "strides": window.stride if window.stride != (1, 1) else None,
        "dilations": window.dilation if window.dilation != (1, 1) else None,
        "pads": (top, left, bottom, right) if top + bottom + left + right else None,
        "group": groups if groups != 1 else None,
    }


def spreading(window: Window, size: Pair, groups: int = 1) -> dict[str, Any]:
    """The same as the attributes of ConvTranspose, whose output has `size` again: `output_padding` brings back the rows
    and columns at the end that no window reached (ER2-23)."""
    top, bottom, left, right = window.sides(size)
    padded = (size[0] + top + bottom, size[1] + left + right)
    unreached = tuple((n - extent) % s for n, extent, s in zip(padded, window.extent, window.stride, strict=True))
    return sliding(window, size, groups) | {"output_padding": unreached if any(unreached) else None}


def weighted_sums(x: Value, shape: Shape, window: Window, weights: Array) -> Value:
    """sum_ij g_ij x_ij over each window of maps of `shape` (channels, rows, columns): (n, channels, p, q)."""
    channels, rows, columns = shape
    kernel = weights.astype(x.builder.dtype)[None, None]
    sums = x.reshape(-1, 1, rows, columns).op("Conv", kernel, **sliding(window, (rows, columns)))
    return sums.reshape(-1, channels, *window.output_size((rows, columns)))


def weighted_spread(dy: Value, shape: Shape, window: Window, weights: Array) -> Value:
    """Its adjoint: each pixel collects g_ij dy from the windows that cover it."""
    channels, rows, columns = shape
    kernel = weights.astype(dy.builder.dtype)[None, None]
    flowing = dy.reshape(-1, 1, *window.output_size((rows, columns)))
    spread = flowing.op("ConvTranspose", kernel, **spreading(window, (rows, columns)))
    return spread.reshape(-1, channels, rows, columns)


def _one_by_one(x: Value, window: Window) -> Array:
    """(k, 1, rows, columns) kernels, each of which looks at one of the k places of a window."""
    area = window.kernel_size[0] * window.kernel_size[1]
    return np.eye(area, dtype=x.builder.dtype).reshape(area, 1, *window.kernel_size)


def laid_out(x: Value, shape: Shape, window: Window) -> Value:
    """All windows of maps, place by place: (n channels, k, p, q)."""
    _, rows, columns = shape
    return x.reshape(-1, 1, rows, columns).op("Conv", _one_by_one(x, window), **sliding(window, (rows, columns)))


def gathered(flowing: Value, shape: Shape, window: Window) -> Value:
    """The adjoint of `laid_out`: what flows back to each place of each window is added up at its pixel (ER1-16)."""
    channels, rows, columns = shape
    options = spreading(window, (rows, columns))
    return flowing.op("ConvTranspose", _one_by_one(flowing, window), **options).reshape(-1, channels, rows, columns)
