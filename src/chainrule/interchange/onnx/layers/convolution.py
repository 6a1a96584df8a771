"""Conv2d and LocallyConnected2d."""

from __future__ import annotations

import numpy as np

from chainrule import layers
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.layers.windows import gathered, laid_out, sliding, spreading, weighted_spread
from chainrule.interchange.onnx.rules import Rule, rule
from chainrule.shapes import Pair, Window

_END = np.iinfo(np.int64).min
"""Where a slice ends that runs backwards and includes the first element."""


def _rot180(weight: Value) -> Value:
    """A kernel upside down and backwards (S4-F02)."""
    return weight.slice((-1, -1), (_END, _END), (2, 3), (-1, -1))


@rule(layers.Conv2d)
class _Conv2d(Rule[layers.Conv2d]):
    @property
    def size(self) -> Pair:
        """Rows and columns of the input."""
        return (self.shape[1], self.shape[2])

    def _turned(self, weight: Value) -> Value:
        """The kernel as it slides, or back: rotated by 180 degrees in the convention of S0 (ERX-01)."""
        return weight if self.layer.mode == "correlation" else _rot180(weight)

    def _masked(self, weight: Value) -> Value:
        """Missing links at zero."""
        table = self.layer.connections
        return weight if table is None else weight * table[:, :, None, None].astype(self.builder.dtype)

    def _kernel(self) -> Value:
        return self._turned(self._masked(self.values["weight"]))

    def forward(self) -> Value:
        # y[o, p, q] = sum w[o, d, i, j] x[d, p S + i D - P, q S + j D - P] + b[o] (S2-E08)
        options = sliding(self.layer.window, self.size, self.layer.groups)
        return self.op("Conv", self.x, self._kernel(), self.values.get("bias"), **options)

    def backward_input(self, dy: Value) -> Value:
        # dx = sum_o dy_o ∗_full w_o of the zero-restored map (S2-E25, E28, E31): Conv's adjoint
        if self.layer.groups > 1:
            return self._backward_groups(dy)
        return self.op("ConvTranspose", dy, self._kernel(), **spreading(self.layer.window, self.size))

    def _backward_groups(self, dy: Value) -> Value:
        """The same, step by step: ONNX's reference does not know ConvTranspose of several filters in several groups."""
        layer = self.layer
        (eh, ew), (top, bottom, left, right) = layer.window.extent, layer.window.sides(self.size)
        padded = (self.size[0] + top + bottom, self.size[1] + left + right)
        whole = (layer.out_channels, padded[0] - eh + 1, padded[1] - ew + 1)
        restored = weighted_spread(dy, whole, Window((1, 1), layer.stride), np.ones((1, 1)))
        per_group = (layer.out_channels // layer.groups, layer.in_channels // layer.groups)
        grouped = self._kernel().reshape(layer.groups, *per_group, *layer.kernel_size).transpose(0, 2, 1, 3, 4)
        kernel = _rot180(grouped.reshape(layer.in_channels, per_group[0], *layer.kernel_size))
        full = Window(layer.kernel_size, padding=(eh - 1, eh - 1, ew - 1, ew - 1), dilation=layer.dilation)
        dx = self.op("Conv", restored, kernel, **sliding(full, whole[1:], layer.groups))
        ends = (top + self.size[0], left + self.size[1])
        return dx if padded == self.size else dx.slice((top, left), ends, (2, 3), (1, 1))

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        gradients = {"weight": self._masked(self._turned(self._backward_kernel(dy)))}
        if self.layer.bias:
            gradients["bias"] = dy.sum(0, 2, 3)  # S2-E36
        return gradients

    def _backward_kernel(self, dy: Value) -> Value:
        """dw[o, d, i, j] = sum_{n, p, q} dy[n, o, p, q] x[n, d, p S + i D - P, q S + j D - P] (S2-E32..E35).

        That is a convolution itself, x[d, n] with kernels dy[o, n]: it steps by D, and its kernels have gaps of S.
        Where S left rows or columns over, it has more places than the kernel, which are cut off.
        """
        layer = self.layer
        per_group = layer.in_channels // layer.groups
        maps = self.x.transpose(1, 0, 2, 3)
        if layer.groups > 1:  # (in / groups, groups n, ...): the groups side by side as channels
            split = self.x.reshape(0, layer.groups, per_group, *self.size)
            maps = split.transpose(2, 1, 0, 3, 4).reshape(per_group, -1, *self.size)
        options = sliding(layer.window, self.size, layer.groups) | {
            "kernel_shape": self.step.shape[1:],
            "strides": layer.dilation if layer.dilation != (1, 1) else None,
            "dilations": layer.stride if layer.stride != (1, 1) else None,
        }
        found = self.op("Conv", maps, dy.transpose(1, 0, 2, 3), **options).transpose(1, 0, 2, 3)
        if self._places() != layer.kernel_size:
            found = found.slice((0, 0), layer.kernel_size, (2, 3), (1, 1))
        return found

    def _places(self) -> Pair:
        """Rows and columns that the convolution of `_backward_kernel` has."""
        top, bottom, left, right = self.layer.window.sides(self.size)
        padded = (self.size[0] + top + bottom, self.size[1] + left + right)
        axes = zip(padded, self.step.shape[1:], self.layer.stride, self.layer.dilation, strict=True)
        rows, columns = ((n - ((p - 1) * s + 1)) // d + 1 for n, p, s, d in axes)
        return rows, columns


@rule(layers.LocallyConnected2d)
class _LocallyConnected2d(Rule[layers.LocallyConnected2d]):
    """A dense layer for each of the P places: products of matrices, a batch of P of them."""

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """(filters, places, numbers under a window)."""
        filters, rows, columns = self.step.shape
        kernel = self.layer.kernel_size
        return filters, rows * columns, self.layer.in_channels * kernel[0] * kernel[1]

    def _windows(self) -> Value:
        """(P, n, in k): what each place sees of each sample."""
        _, places, seen = self._sizes
        return laid_out(self.x, self.shape, self.layer.window).reshape(-1, seen, places).transpose(2, 0, 1)

    def _weight(self) -> Value:
        """(out, P, in k)."""
        return self.values["weight"].reshape(*self._sizes)

    def _by_place(self, dy: Value, *axes: int) -> Value:
        filters, places, _ = self._sizes
        return dy.reshape(-1, filters, places).transpose(*axes)

    def forward(self) -> Value:
        # y[n, o, p, q] = sum w[o, p, q, d, i, j] x[n, d, p S + i D - P, q S + j D - P] + b[o, p, q]
        y = self._windows() @ self._weight().transpose(1, 2, 0)
        maps = y.transpose(1, 2, 0).reshape(-1, *self.step.shape)
        return maps + self.values["bias"] if self.layer.bias else maps

    def backward_input(self, dy: Value) -> Value:
        # sum_o dy[n, o, p, q] w[o, p, q, d, i, j], gathered at the pixels
        flowing = self._by_place(dy, 2, 0, 1) @ self._weight().transpose(1, 0, 2)
        area = self.layer.kernel_size[0] * self.layer.kernel_size[1]
        places = flowing.transpose(1, 2, 0).reshape(-1, area, *self.step.shape[1:])
        return gathered(places, self.shape, self.layer.window)

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        # dw[o, p, q, d, i, j] = sum_n dy[n, o, p, q] x[n, d, ...]: no sum over places
        dw = (self._by_place(dy, 2, 1, 0) @ self._windows()).transpose(1, 0, 2)
        kernel = (self.layer.in_channels, *self.layer.kernel_size)
        gradients = {"weight": dw.reshape(*self.step.shape, *kernel)}
        if self.layer.bias:
            gradients["bias"] = dy.sum(0)
        return gradients
