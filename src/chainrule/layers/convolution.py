"""Conv2d: one kernel for all places. LocallyConnected2d: a kernel of its own for every place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array
from chainrule.equations import convolution, local
from chainrule.errors import ArgumentError
from chainrule.initializers import check_initialization, draw
from chainrule.layers.base import Context, Layer, Values, expect_map
from chainrule.shapes import (
    IntOrPair,
    PaddingArgument,
    Pair,
    ReceptiveField,
    Shape,
    Window,
    choice,
    integer,
    padding_sides,
    pair,
    product,
    shown,
)


class _Windowed(Layer):
    """What both convolutions share: channels in, channels out, and a window that slides over a padded map."""

    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair
    padding: Any
    dilation: Pair

    @property
    def window(self) -> Window:
        """The window that slides."""
        return Window(self.kernel_size, self.stride, self.padding, self.dilation)

    def output_shape(self, *shapes: Shape) -> Shape:
        _, rows, columns = expect_map(shapes[0], self.in_channels)
        return (self.out_channels, *self.window.output_size((rows, columns)))

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        return field.through(self.window)

    def working_numbers(self, *shapes: Shape, backward: bool = False) -> int:
        _, rows, columns = shapes[0]
        places = product(self.window.output_size((rows, columns)))
        return self.in_channels * (self.window.padded_pixels((rows, columns)) + places * product(self.kernel_size))


class Conv2d(_Windowed):
    """y[o, p, q] = sum_{d, i, j} w[o, d, i, j] x[d, p S + i D - P, q S + j D - P] + b[o] (S2-E08).

    x (n, in, h, w), weight (out, in / groups, kernel rows, kernel columns), bias (out,). As torch.nn.Conv2d; beyond it

    padding       int, (rows, columns), (top, bottom, left, right), "same" (ceil(n / stride) places) or "valid"
    mode          "correlation", or "convolution": the kernel is flipped before it slides (S0-A04, ERX-01)
    connections   bool (out, in): which input maps each filter sees, LeNet-5's Table I (S2-H03). Weights of missing
                  links are held at zero and not counted.
    """

    has_delta = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: PaddingArgument = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        mode: convolution.Convention = "correlation",
        connections: ArrayLike | None = None,
        initialization: str = "he",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.in_channels = integer("in_channels", in_channels, 1)
        self.out_channels = integer("out_channels", out_channels, 1)
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = pair("stride", stride, 1)
        self.padding = padding_sides(padding)
        self.dilation = pair("dilation", dilation, 1)
        self.groups = integer("groups", groups, 1)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
            )
        if not isinstance(bias, bool):
            raise ArgumentError(f"bias must be True or False, not {shown(bias)}")
        self.bias = bias
        choice("mode", mode, convolution.CONVENTIONS)
        self.mode: convolution.Convention = mode
        self.connections = None if connections is None else self._table(connections)
        self.initialization = check_initialization(initialization)

    def _table(self, connections: ArrayLike) -> Array:
        table = as_array(connections, "connections")
        if self.groups != 1:
            raise ArgumentError("connections and groups cannot be combined; write the groups into the table")
        if table.shape != (self.out_channels, self.in_channels) or not np.isin(table, (0, 1)).all():
            raise ArgumentError(
                f"connections must be a bool table (out_channels, in_channels) = "
                f"({self.out_channels}, {self.in_channels}), not {table.dtype} of shape {table.shape}"
            )
        return table.astype(bool)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        weight: Shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        arrays = {name: np.zeros(shape) for name, shape in self.parameter_shapes().items()}
        area, links = self._area(), self._links()
        weight = draw(
            self.initialization,
            rng,
            arrays["weight"].shape,
            area * links / self.out_channels,
            area * links / self.in_channels,
        )
        arrays["weight"] = self._masked(weight)
        return arrays

    def _options(self) -> dict[str, Any]:
        names = ("stride", "padding", "dilation", "groups", "mode")
        return {name: getattr(self, name) for name in names}

    def _masked(self, weight: Array) -> Array:
        """The weight with missing links at zero."""
        if self.connections is None:
            return weight
        return weight * self.connections[:, :, None, None]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        (x,) = xs
        weight = self._masked(parameters["weight"])
        return convolution.conv2d_forward(x, weight, parameters.get("bias"), **self._options()), x

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        weight = self._masked(parameters["weight"])
        return convolution.conv2d_backward_input(dy, weight, saved.shape[2:], **self._options())

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        dw = convolution.conv2d_backward_weight(dy, saved, self.kernel_size, **self._options())
        gradients = {"weight": self._masked(dw)}
        if self.bias:
            gradients["bias"] = convolution.conv2d_backward_bias(dy)
        return gradients

    def _area(self) -> int:
        return self.kernel_size[0] * self.kernel_size[1]

    def _links(self) -> int:
        """Pairs of an input and an output map that are connected."""
        if self.connections is not None:
            return int(self.connections.sum())
        return self.out_channels * self.in_channels // self.groups

    def parameter_counts(self, *shapes: Shape) -> dict[str, int]:
        return {"weight": self._links() * self._area()} | ({"bias": self.out_channels} if self.bias else {})

    def connection_count(self, *shapes: Shape) -> int:
        _, rows, columns = self.output_shape(*shapes)
        return rows * columns * sum(self.parameter_counts().values())

    def multiply_add_count(self, *shapes: Shape) -> int:
        _, rows, columns = self.output_shape(*shapes)
        return rows * columns * self._links() * self._area()


class LocallyConnected2d(_Windowed):
    """Convolution without shared weights (S2-H02): y[o, p, q] = sum w[o, p, q, d, i, j] x[d, ...] + b[o, p, q].

    weight (out, output rows, output columns, in, kernel rows, kernel columns), bias (out, output rows, output columns).
    Arguments as Conv2d's.
    """

    has_delta = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: PaddingArgument = 0,
        dilation: IntOrPair = 1,
        bias: bool = True,
        *,
        initialization: str = "he",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.in_channels = integer("in_channels", in_channels, 1)
        self.out_channels = integer("out_channels", out_channels, 1)
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = pair("stride", stride, 1)
        self.padding = padding_sides(padding)
        self.dilation = pair("dilation", dilation, 1)
        if not isinstance(bias, bool):
            raise ArgumentError(f"bias must be True or False, not {shown(bias)}")
        self.bias = bias
        self.initialization = check_initialization(initialization)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        maps = self.output_shape(*shapes)
        return {"weight": (*maps, self.in_channels, *self.kernel_size)} | ({"bias": maps} if self.bias else {})

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        arrays = {name: np.zeros(shape) for name, shape in self.parameter_shapes(*shapes).items()}
        area = self.kernel_size[0] * self.kernel_size[1]
        fans = (self.in_channels * area, self.out_channels * area)
        arrays["weight"] = draw(self.initialization, rng, arrays["weight"].shape, *fans)
        return arrays

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, tuple[Array, Pair]]:
        (x,) = xs
        size = (x.shape[2], x.shape[3])
        windows = convolution.windows_of(convolution.pad(x, self.window.sides(size)), self.window)
        return local.local_forward(windows, parameters["weight"], parameters.get("bias")), (windows, size)

    def backward_input(self, parameters: Values, dy: Array, saved: tuple[Array, Pair]) -> Array:
        _, size = saved
        sides = self.window.sides(size)
        padded = (size[0] + sides[0] + sides[1], size[1] + sides[2] + sides[3])
        flowing = local.local_backward_windows(dy, parameters["weight"])
        return convolution.crop(convolution.scatter_windows(flowing, self.window, padded), sides)

    def backward_parameters(self, parameters: Values, dy: Array, saved: tuple[Array, Pair]) -> dict[str, Array]:
        gradients = {"weight": local.local_backward_weight(dy, saved[0])}
        if self.bias:
            gradients["bias"] = local.local_backward_bias(dy)
        return gradients

    def connection_count(self, *shapes: Shape) -> int:
        return sum(self.parameter_counts(*shapes).values())

    def multiply_add_count(self, *shapes: Shape) -> int:
        return self.parameter_counts(*shapes)["weight"]


__all__ = ["Conv2d", "LocallyConnected2d"]
