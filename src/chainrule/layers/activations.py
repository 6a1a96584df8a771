"""Activation layers: one number in, one number out, no parameters. Only softmax looks at several numbers at once."""

from __future__ import annotations

import math
from typing import ClassVar

from chainrule.arrays import Array
from chainrule.equations import activations
from chainrule.layers.base import Context, Layer, Values
from chainrule.shapes import Shape, number


class Activation(Layer):
    """What all have in common. One without options is called in texts as its class, in small letters."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


class _FromOutput(Activation):
    """An activation whose derivative is written in its output: only y is saved. dx = dy f'(x) (S4-E10)."""

    equation: ClassVar[str]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        y = activations.ACTIVATIONS[self.equation].function(xs[0])
        return y, y

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return dy * activations.ACTIVATIONS[self.equation].derivative_from_output(saved)


class ReLU(_FromOutput):
    """y = max(0, x); f'(x) = 1 for x > 0, else 0, also at 0 (S0-E37, ER1-16)."""

    equation = "relu"


class Sigmoid(_FromOutput):
    """y = 1 / (1 + exp(-x)); f'(x) = y (1 - y) (S0-E19, S0-E25)."""

    equation = "sigmoid"


class Tanh(_FromOutput):
    """y = tanh x; f'(x) = 1 - y²."""

    equation = "tanh"


class ScaledTanh(_FromOutput):
    """y = 1.7159 tanh(2/3 x), LeNet-5's squashing function."""

    equation = "scaled_tanh"


class LeakyReLU(Activation):
    """y = x for x > 0, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.01, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.negative_slope = number("negative_slope", negative_slope, -math.inf)

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        return activations.leaky_relu(xs[0], self.negative_slope), xs[0]

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return dy * activations.leaky_relu_derivative(saved, self.negative_slope)


class Softmax(Activation):
    """y_i = exp(x_i) / sum_j exp(x_j) over the features (n, c) or the channels (n, c, h, w).

    Leave it out when you train a classifier: CrossEntropyLoss takes logits and is exact where softmax saturates.
    """

    gives_probabilities = True

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        y = activations.softmax(xs[0])
        return y, y

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return activations.softmax_backward(dy, saved)


class Identity(Activation):
    """y = x."""

    def is_identity(self, training: bool) -> bool:
        return True

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, None]:
        return xs[0], None

    def backward_input(self, parameters: Values, dy: Array, saved: None) -> Array:
        return dy


__all__ = ["Identity", "LeakyReLU", "ReLU", "ScaledTanh", "Sigmoid", "Softmax", "Tanh"]
