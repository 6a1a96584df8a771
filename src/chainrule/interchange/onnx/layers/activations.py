"""Activations and dropout: derivatives are written in the output y where that is what `equations` does, else in x."""

from __future__ import annotations

from chainrule import layers
from chainrule.equations.activations import SCALED_TANH_AMPLITUDE, SCALED_TANH_SLOPE
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.rules import Rule, rule


@rule(layers.ReLU)
class _ReLU(Rule[layers.ReLU]):
    def forward(self) -> Value:
        return self.op("Relu", self.x)

    def backward_input(self, dy: Value) -> Value:
        return (self.y > 0.0).where(dy, 0.0)  # f'(0) = 0 (ER1-16)


@rule(layers.Sigmoid)
class _Sigmoid(Rule[layers.Sigmoid]):
    def forward(self) -> Value:
        return self.op("Sigmoid", self.x)

    def backward_input(self, dy: Value) -> Value:
        return dy * (self.y * (1.0 - self.y))  # S0-E25


@rule(layers.Tanh)
class _Tanh(Rule[layers.Tanh]):
    def forward(self) -> Value:
        return self.op("Tanh", self.x)

    def backward_input(self, dy: Value) -> Value:
        return dy * (1.0 - self.y * self.y)


@rule(layers.ScaledTanh)
class _ScaledTanh(Rule[layers.ScaledTanh]):
    def forward(self) -> Value:
        return self.op("Tanh", self.x * SCALED_TANH_SLOPE) * SCALED_TANH_AMPLITUDE

    def backward_input(self, dy: Value) -> Value:
        # f'(x) = S (A - y² / A)
        return dy * ((SCALED_TANH_AMPLITUDE - self.y * self.y / SCALED_TANH_AMPLITUDE) * SCALED_TANH_SLOPE)


@rule(layers.LeakyReLU)
class _LeakyReLU(Rule[layers.LeakyReLU]):
    def forward(self) -> Value:
        slope = self.layer.negative_slope
        if self.attribute_holds(slope):
            return self.op("LeakyRelu", self.x, alpha=slope)
        return (self.x > 0.0).where(self.x, self.x * slope)

    def backward_input(self, dy: Value) -> Value:
        return (self.x > 0.0).where(dy, dy * self.layer.negative_slope)


@rule(layers.Softmax)
class _Softmax(Rule[layers.Softmax]):
    def forward(self) -> Value:
        return self.op("Softmax", self.x, axis=1)

    def backward_input(self, dy: Value) -> Value:
        # dx_i = y_i (dy_i - sum_j dy_j y_j)
        return self.y * (dy - (dy * self.y).sum(1, keepdims=True))


@rule(layers.Identity)
class _Identity(Rule[layers.Identity]):
    def forward(self) -> Value:
        return self.x

    def backward_input(self, dy: Value) -> Value:
        return dy


@rule(layers.Dropout)
class _Dropout(Rule[layers.Dropout]):
    """The mask is an input of the file: True where a value is kept. In inference nothing is done."""

    def _masked(self, values: Value) -> Value:
        if not self.training:
            return values
        p = self.layer.p
        return self.values["mask"].where(values * (0.0 if p == 1 else 1 / (1 - p)), 0.0)

    def forward(self) -> Value:
        return self._masked(self.x)

    def backward_input(self, dy: Value) -> Value:
        return self._masked(dy)
