"""What a layer costs, in numbers: places, participation, parameters, connections (S2-C01, S2-C02, S2-D01, S2-H02).

A connection is one multiplication by a weight or one added bias, counted as in LeNet-5's paper: at every
place anew, whether or not its weight is shared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.convolution import crop, scatter_windows, window_of
from chainrule.errors import ArgumentError
from chainrule.shapes import IntOrPair, PaddingArgument, Pair, Window, integer, pair


def placements(size: Pair, kernel_size: IntOrPair, stride: IntOrPair = 1, padding: PaddingArgument = 0) -> int:
    """Places of the kernel on the map: one multiply-and-sum each (S2-C01: 9 for 4x4 and F = 2, 676 for 28x28,
    F = 3)."""
    rows, columns = window_of(pair("kernel_size", kernel_size, 1), stride, padding).output_size(size)
    return rows * columns


def participation_map(
    size: Pair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
) -> NDArray[np.int64]:
    """How often each pixel takes part while the kernel moves over the map (S2-D01).

    It is the gradient of sum(outputs) by the input for a kernel of ones. A 0 marks a pixel that is never
    used.
    """
    window = window_of(pair("kernel_size", kernel_size, 1), stride, padding, dilation)
    sides = window.sides(size)
    padded = (size[0] + sides[0] + sides[1], size[1] + sides[2] + sides[3])
    inner = Window(window.kernel_size, window.stride, sides, window.dilation)
    ones = np.ones((*inner.output_size(size), *window.kernel_size), np.int64)
    return crop(scatter_windows(ones, window, padded), sides)


def ring_width(kernel_size: int) -> int:
    """(F - 1) / 2 outer rings of pixels are never a kernel centre (S2-C02, ER2-10)."""
    size = integer("kernel_size", kernel_size, 1)
    if size % 2 == 0:
        raise ArgumentError(f"a kernel of even size has no centre pixel; kernel_size is {size}")
    return (size - 1) // 2


def dense_parameters(inputs: int, outputs: int, bias: bool = True) -> int:
    """in * out weights, and a bias for each output: 784 -> 100 has 78500 (S3-N01)."""
    return integer("inputs", inputs, 1) * integer("outputs", outputs, 1) + (outputs if bias else 0)


def convolution_parameters(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int = 1, bias: bool = True
) -> int:
    """N (D F F / groups + 1): no size of a map occurs in it (S2-H01)."""
    rows, columns = pair("kernel_size", kernel_size, 1)
    channels = integer("in_channels", in_channels, 1)
    filters = integer("out_channels", out_channels, 1)
    if channels % integer("groups", groups, 1) or filters % groups:
        raise ArgumentError(f"groups ({groups}) must divide in_channels ({channels}) and out_channels ({filters})")
    return filters * (channels // groups * rows * columns + (1 if bias else 0))


def table_parameters(table: NDArray[np.bool_], kernel_size: IntOrPair, bias: bool = True) -> int:
    """F F for every cross of the connection table (out, in), and a bias for each output map (S2-H03)."""
    rows, columns = pair("kernel_size", kernel_size, 1)
    return int(np.count_nonzero(table)) * rows * columns + (len(table) if bias else 0)


def local_parameters(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, output_size: Pair, bias: bool = True
) -> int:
    """A kernel and a bias of its own for each of the places: the convolution's count times the places (S2-F09)."""
    rows, columns = pair("output_size", output_size, 1)
    return rows * columns * convolution_parameters(in_channels, out_channels, kernel_size, bias=bias)


def convolution_connections(parameters: int, output_size: Pair) -> int:
    """Every parameter acts once at every place: LeNet-5's C1 has 156 * 28 * 28 = 122304."""
    rows, columns = pair("output_size", output_size, 1)
    return parameters * rows * columns


def pool_connections(channels: int, kernel_size: IntOrPair, output_size: Pair, bias: bool = False) -> int:
    """Window area, plus one for the bias of a trainable pool, for each output: LeNet-5's S2 has 5880 or 4704."""
    (kh, kw), (rows, columns) = pair("kernel_size", kernel_size, 1), pair("output_size", output_size, 1)
    return integer("channels", channels, 1) * rows * columns * (kh * kw + (1 if bias else 0))
