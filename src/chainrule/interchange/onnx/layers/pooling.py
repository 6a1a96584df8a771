"""Poolings: windows of maps, map by map."""

from __future__ import annotations

import numpy as np

from chainrule import layers
from chainrule.arrays import Array
from chainrule.equations import pooling
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.layers.windows import gathered, laid_out, sliding, weighted_spread, weighted_sums
from chainrule.interchange.onnx.rules import Rule, rule


@rule(layers.MaxPool2d)
class _MaxPool2d(Rule[layers.MaxPool2d]):
    """The gradient goes to where the runtime's MaxPool says the maximum stood: the first in row-major order where
    several are equal, in ONNX's reference and in ONNX Runtime."""

    def _pooled(self, x: Value) -> tuple[Value, ...]:
        options = sliding(self.layer.window, (self.shape[1], self.shape[2]))
        return self.builder.ops(2, "MaxPool", x, **options)

    def forward(self) -> Value:
        return self._pooled(self.x)[0]

    def _places(self) -> Value:
        """Where each maximum stood, among all numbers of the batch."""
        if self.layer.stride != (1, 1):
            return self._pooled(self.x)[1]
        # ONNX's reference miscounts where all steps are 1. Maps of one layer, of which no second is ever stepped to:
        layers = self.x.reshape(0, self.shape[0], 1, *self.shape[1:])
        top, bottom, left, right = self.layer.padding
        return self.builder.ops(
            2,
            "MaxPool",
            layers,
            kernel_shape=(1, *self.layer.kernel_size),
            strides=(2, 1, 1),
            pads=(0, top, left, 0, bottom, right),
        )[1]

    def backward_input(self, dy: Value) -> Value:
        # The winner gets the whole gradient; what several windows give to one pixel adds up (S2-E39, ER1-16).
        zeros = self.op("Expand", 0.0, self.x.op("Shape")).reshape(-1)
        places = self._places().reshape(-1)
        scattered = zeros.op("ScatterElements", places, dy.reshape(-1), reduction="add")
        return scattered.reshape(-1, *self.shape)


@rule(layers.AvgPool2d)
class _AvgPool2d(Rule[layers.AvgPool2d]):
    def forward(self) -> Value:
        options = sliding(self.layer.window, (self.shape[1], self.shape[2]))
        return self.op("AveragePool", self.x, **options, count_include_pad=1 if options["pads"] else None)

    def backward_input(self, dy: Value) -> Value:
        return weighted_spread(dy, self.shape, self.layer.window, self.layer.weights())  # dy / area each (S2-E41)


@rule(layers.GaussianPool2d)
class _GaussianPool2d(Rule[layers.GaussianPool2d]):
    def forward(self) -> Value:
        return weighted_sums(self.x, self.shape, self.layer.window, self.layer.weights())  # S2-F06

    def backward_input(self, dy: Value) -> Value:
        return weighted_spread(dy, self.shape, self.layer.window, self.layer.weights())


@rule(layers.LPPool2d)
class _LPPool2d(Rule[layers.LPPool2d]):
    """y = (sum x^p)^(1/p), the real root; |x| takes the place of x for a p that is no integer."""

    @property
    def _ones(self) -> Array:
        return np.ones(self.layer.kernel_size)

    def forward(self) -> Value:
        p = self.layer.norm_type
        base = self.x if p.is_integer() else self.x.op("Abs")
        total = weighted_sums(base**p, self.shape, self.layer.window, self._ones)
        return total if p == 1 else total.op("Sign") * total.op("Abs") ** (1 / p)

    def backward_input(self, dy: Value) -> Value:
        # dx = dy (x / y)^(p - 1), and 0 where y = 0 (ER0-32)
        p, window = self.layer.norm_type, self.layer.window
        if p == 1:
            return weighted_spread(dy, self.shape, window, self._ones)
        places = (-1, 1, *self.step.shape[1:])
        y, flowing = self.y.reshape(*places), dy.reshape(*places)
        zero = y.equals(0.0)
        ratio = laid_out(self.x, self.shape, window) / zero.where(1.0, y)
        slope = ratio ** (p - 1) if p.is_integer() else ratio.op("Sign") * ratio.op("Abs") ** (p - 1)
        return gathered(zero.where(0.0, flowing * slope), self.shape, window)


@rule(layers.TrainablePool2d)
class _TrainablePool2d(Rule[layers.TrainablePool2d]):
    @property
    def _ones(self) -> Array:
        return np.ones(self.layer.kernel_size)

    def _sums(self) -> Value:
        return weighted_sums(self.x, self.shape, self.layer.window, self._ones)

    def forward(self) -> Value:
        # y_c = weight_c sum(window) + bias_c (ER2-07)
        return self._sums() * self.values["weight"].reshape(-1, 1, 1) + self.values["bias"].reshape(-1, 1, 1)

    def backward_input(self, dy: Value) -> Value:
        weighted = dy * self.values["weight"].reshape(-1, 1, 1)
        return weighted_spread(weighted, self.shape, self.layer.window, self._ones)

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        return {"weight": (dy * self._sums()).sum(0, 2, 3), "bias": dy.sum(0, 2, 3)}  # W15


@rule(layers.AdaptiveAvgPool2d)
class _AdaptiveAvgPool2d(Rule[layers.AdaptiveAvgPool2d]):
    """y = R x Cᵀ with the averaging matrices of rows and columns."""

    def _matrices(self) -> tuple[Array, Array]:
        pairs = zip(self.shape[1:], self.layer.output_size, strict=True)
        rows, columns = (pooling.adaptive_mean_matrix(n, m).astype(self.builder.dtype) for n, m in pairs)
        return rows, columns

    def forward(self) -> Value:
        if self.layer.output_size == (1, 1):
            return self.op("GlobalAveragePool", self.x)
        rows, columns = self._matrices()
        return self.op("MatMul", self.op("MatMul", rows, self.x), columns.T)

    def backward_input(self, dy: Value) -> Value:
        # dx = Rᵀ dy C (S4-E39)
        rows, columns = self._matrices()
        return self.op("MatMul", self.op("MatMul", rows.T, dy), columns)
