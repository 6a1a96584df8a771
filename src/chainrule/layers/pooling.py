"""Pooling layers: each map shrinks on its own. Only TrainablePool2d learns anything (ER2-07)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations import pooling
from chainrule.equations.convolution import crop, pad, scatter_windows, windows_of
from chainrule.errors import ArgumentError
from chainrule.layers.base import Context, Layer, Values, expect_map
from chainrule.shapes import (
    IntOrPair,
    PaddingArgument,
    Pair,
    ReceptiveField,
    Shape,
    Sides,
    Window,
    integer,
    number,
    padding_sides,
    pair,
    product,
)


class _Pool(Layer):
    """A window of kernel_size, moved by stride (its own size if not given), over each map of a padded input."""

    padding_value = 0.0
    lays_out = False
    """Whether forward copies each window; backward always does."""

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: PaddingArgument = 0,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair("stride", stride, 1)
        sides = padding_sides(padding)
        if sides == "same":
            raise ArgumentError('a pooling layer takes its padding as numbers, not "same"')
        self.padding: Sides = sides
        rows, columns = self.kernel_size
        if max(sides[:2]) > rows // 2 or max(sides[2:]) > columns // 2:
            raise ArgumentError(f"padding {sides} must be at most half the kernel size {self.kernel_size}")

    @property
    def window(self) -> Window:
        """The window that slides."""
        return Window(self.kernel_size, self.stride, self.padding)

    def hyperparameters(self) -> dict[str, Any]:
        values = super().hyperparameters()
        return values | {"stride": None if self.stride == self.kernel_size else self.stride}

    def output_shape(self, *shapes: Shape) -> Shape:
        channels, rows, columns = expect_map(shapes[0])
        return (channels, *self.window.output_size((rows, columns)))

    def connection_count(self, *shapes: Shape) -> int:
        return product(self.output_shape(*shapes)) * self.kernel_size[0] * self.kernel_size[1]

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        return field.through(self.window)

    def working_numbers(self, *shapes: Shape, backward: bool = False) -> int:
        channels, rows, columns = shapes[0]
        laid_out = product(self.output_shape(*shapes)) * product(self.kernel_size)
        return channels * self.window.padded_pixels((rows, columns)) + (laid_out if backward or self.lays_out else 0)

    def _windows(self, x: Array) -> Array:
        return windows_of(pad(x, self.padding, self.padding_value), self.window)

    def _gather(self, flowing: Array, size: Pair) -> Array:
        """Add what flows back through the windows, and cut off what fell on the padding."""
        top, bottom, left, right = self.padding
        padded = (size[0] + top + bottom, size[1] + left + right)
        return crop(scatter_windows(flowing, self.window, padded), self.padding)


def _size(x: Array) -> Pair:
    return (x.shape[2], x.shape[3])


class MaxPool2d(_Pool):
    """y = max of each window (S2-E38); the gradient goes to the winner, the first in row-major order among equals.

    Padding counts as minus infinity. As torch.nn.MaxPool2d.
    """

    padding_value = -math.inf
    lays_out = True

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, tuple[Array, Pair]]:
        (x,) = xs
        y, argmax = pooling.max_pool(self._windows(x))
        return y, (argmax, _size(x))

    def backward_input(self, parameters: Values, dy: Array, saved: tuple[Array, Pair]) -> Array:
        argmax, size = saved
        return self._gather(pooling.max_pool_backward(dy, argmax, self.kernel_size), size)


class _WeightedPool(_Pool):
    """Windows summed with fixed weights."""

    def working_numbers(self, *shapes: Shape, backward: bool = False) -> int:
        return product(self.kernel_size) + super().working_numbers(*shapes, backward=backward)

    def weights(self) -> Array:
        """(kernel rows, kernel columns), summing to 1."""
        raise NotImplementedError

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Pair]:
        (x,) = xs
        return pooling.weighted_pool(self._windows(x), self.weights().astype(x.dtype)), _size(x)

    def backward_input(self, parameters: Values, dy: Array, saved: Pair) -> Array:
        return self._gather(pooling.weighted_pool_backward(dy, self.weights().astype(dy.dtype)), saved)


class AvgPool2d(_WeightedPool):
    """y = mean of each window (S2-E40), padding counted as zeros, as torch.nn.AvgPool2d's count_include_pad=True."""

    def weights(self) -> Array:
        return pooling.mean_weights(self.kernel_size)


class GaussianPool2d(_WeightedPool):
    """y = Gaussian-weighted mean of each window (S2-F06); differs from AvgPool2d from 3x3 on (ER2-06)."""

    def __init__(
        self, kernel_size: IntOrPair, stride: IntOrPair | None = None, *, sigma: float, name: str | None = None
    ) -> None:
        super().__init__(kernel_size, stride, name=name)
        self.sigma = number("sigma", sigma, 0, open_low=True)

    def weights(self) -> Array:
        return pooling.gaussian_weights(self.kernel_size, self.sigma)

    def multiply_add_count(self, *shapes: Shape) -> int:
        return self.connection_count(*shapes)


class LPPool2d(_Pool):
    """y = (sum x^p)^(1/p) over each window; p = 2 is the L2 norm (S0-F05). As torch.nn.LPPool2d.

    A norm of 0 has no derivative; 0 is chosen (ER0-32). For odd p the root of a negative sum is the real one.
    """

    lays_out = True

    def __init__(
        self, norm_type: float, kernel_size: IntOrPair, stride: IntOrPair | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(kernel_size, stride, name=name)
        self.norm_type = number("norm_type", norm_type, 1)

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, tuple[Array, Array, Pair]]:
        (x,) = xs
        windows = self._windows(x)
        y = pooling.lp_pool(windows, self.norm_type)
        return y, (windows, y, _size(x))

    def backward_input(self, parameters: Values, dy: Array, saved: tuple[Array, Array, Pair]) -> Array:
        windows, y, size = saved
        return self._gather(pooling.lp_pool_backward(dy, windows, y, self.norm_type), size)


class TrainablePool2d(_Pool):
    """y_c = weight_c sum(window) + bias_c, LeNet-5's S2 and S4 (S2-F06). weight (channels,), bias (channels,).

    The weight is initialised to 1 / (kernel area), so that the layer starts out as mean pooling.
    """

    def __init__(
        self, channels: int, kernel_size: IntOrPair, stride: IntOrPair | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(kernel_size, stride, name=name)
        self.channels = integer("channels", channels, 1)

    def output_shape(self, *shapes: Shape) -> Shape:
        expect_map(shapes[0], self.channels)
        return super().output_shape(*shapes)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        return {"weight": (self.channels,), "bias": (self.channels,)}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        area = self.kernel_size[0] * self.kernel_size[1]
        return {"weight": np.full(self.channels, 1 / area), "bias": np.zeros(self.channels)}

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, tuple[Array, Pair]]:
        (x,) = xs
        windows = self._windows(x)
        return pooling.trainable_pool(windows, parameters["weight"], parameters["bias"]), (windows, _size(x))

    def backward_input(self, parameters: Values, dy: Array, saved: tuple[Array, Pair]) -> Array:
        windows, size = saved
        return self._gather(pooling.trainable_pool_backward(dy, windows, parameters["weight"])[0], size)

    def backward_parameters(self, parameters: Values, dy: Array, saved: tuple[Array, Pair]) -> dict[str, Array]:
        _, dweight, dbias = pooling.trainable_pool_backward(dy, saved[0], parameters["weight"])
        return {"weight": dweight, "bias": dbias}

    def connection_count(self, *shapes: Shape) -> int:
        return super().connection_count(*shapes) + product(self.output_shape(*shapes))

    def multiply_add_count(self, *shapes: Shape) -> int:
        return product(self.output_shape(*shapes))


class AdaptiveAvgPool2d(Layer):
    """Mean over windows chosen so that the output has `output_size`, whatever the input. As torch's."""

    def __init__(self, output_size: IntOrPair, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.output_size = pair("output_size", output_size, 1)

    def output_shape(self, *shapes: Shape) -> Shape:
        channels, _, _ = expect_map(shapes[0])
        return (channels, *self.output_size)

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Pair]:
        (x,) = xs
        return pooling.adaptive_mean_pool(x, self.output_size), _size(x)

    def backward_input(self, parameters: Values, dy: Array, saved: Any) -> Array:
        return pooling.adaptive_mean_pool_backward(dy, saved)

    def working_numbers(self, *shapes: Shape, backward: bool = False) -> int:
        channels, rows, columns = shapes[0]
        matrices = rows * self.output_size[0] + columns * self.output_size[1]
        return matrices + channels * self.output_size[0] * columns

    def connection_count(self, *shapes: Shape) -> int:
        # Windows end at i n / m: where that is no whole number, neighbours share a pixel; it is whole gcd times.
        covered = [n + m - math.gcd(n, m) for n, m in zip(shapes[0][1:], self.output_size, strict=True)]
        return shapes[0][0] * product(tuple(covered))

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        # A window begins at most (m - gcd) / m of a pixel before the end of its first one.
        widest = [-(-(n + m - math.gcd(n, m)) // m) for n, m in zip(shapes[0][1:], self.output_size, strict=True)]
        steps = [max(1, size // places) for size, places in zip(shapes[0][1:], self.output_size, strict=True)]
        return field.through(Window((widest[0], widest[1]), (steps[0], steps[1])))


__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "GaussianPool2d", "LPPool2d", "MaxPool2d", "TrainablePool2d"]
