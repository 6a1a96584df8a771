"""Conv2d and Linear as the one kind of convolution that the kernels know."""

from __future__ import annotations

from chainrule.engines.native.axes import Axis, backward_axis, forward_axis
from chainrule.engines.native.records.convolution import Kernels
from chainrule.graph import Step
from chainrule.layers import Conv2d, Linear
from chainrule.shapes import Pair, Window

_ONE = forward_axis(1, 1, 1, 1, 0, 1)


class Geometry:
    """Channels of a group, and axes forward and backward."""

    def __init__(self, step: Step) -> None:
        layer = step.layer
        self.rotated, self.mask = False, None
        if isinstance(layer, Linear):
            self.groups, self.inputs, self.outputs = 1, layer.in_features, layer.out_features
            self.rows = self.columns = _ONE
            self.rows_back = self.columns_back = _ONE
            return
        assert isinstance(layer, Conv2d)
        self.groups = layer.groups
        self.inputs, self.outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        size = (step.input_shapes[0][1], step.input_shapes[0][2])
        (self.rows, self.columns), (self.rows_back, self.columns_back) = axes(layer.window, size)
        self.rotated = layer.mode == "convolution" and self.taps > 1
        self.mask = layer.connections

    @property
    def taps(self) -> int:
        return self.rows.kernel * self.columns.kernel

    @property
    def kernels(self) -> Kernels:
        """As the forward pass and the weight gradient walk them."""
        return Kernels(in_=self.inputs, out=self.outputs, rows=self.rows, columns=self.columns)

    @property
    def dense(self) -> bool:
        """Whether each input has one weight for each output, used once."""
        one = all(axis.size == axis.source_size == axis.kernel == 1 for axis in (self.rows, self.columns))
        return one and self.groups == 1 and self.mask is None

    @property
    def plain(self) -> bool:
        """Whether kernels are stored as they are used, all of them."""
        return not self.rotated and self.mask is None

    @property
    def links(self) -> tuple[int, ...] | None:
        """The connection table as the core takes it."""
        return None if self.mask is None else tuple(int(link) for link in self.mask.reshape(-1))


def axes(window: Window, size: Pair) -> tuple[tuple[Axis, Axis], tuple[Axis, Axis]]:
    """(rows, columns) of a sliding window, for the forward pass and for the input gradient."""
    top, _, left, _ = window.sides(size)
    out = window.output_size(size)
    numbers = [
        (size[k], out[k], window.kernel_size[k], window.stride[k], before, window.dilation[k])
        for k, before in ((0, top), (1, left))
    ]
    forward = (forward_axis(*numbers[0]), forward_axis(*numbers[1]))
    return forward, (backward_axis(*numbers[0]), backward_axis(*numbers[1]))
