"""Activation layers: one number in, one number out, no parameters. Only softmax looks at several numbers at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from chainrule.arrays import Array
from chainrule.equations import activations
from chainrule.expressions import Cases, Expr, Fn, Frac, Mul, Neg, Num, Pow, Rel, Sum, Sym, minus
from chainrule.layers.base import Context, Layer, Values
from chainrule.shapes import Shape, number


@dataclass(frozen=True)
class Curve:
    """y = f(x) for one number at a time, and f'(x): expressions in the letters x and y, from which explanations and
    exports are made."""

    function: Expr
    derivative: Expr
    sources: tuple[str, ...] = ()


X, Y = Sym("x"), Sym("y")
ABOVE, BELOW = Rel((X, Num(0)), ">"), Rel((X, Num(0)), "≤")
SIGMA = Frac(Num(1), Sum((Num(1), Fn("exp", (Neg(X),)))))


class Activation(Layer):
    """What all have in common. One without options is called in texts as its class, in small letters."""

    def curve(self) -> Curve | None:
        """What it does to one number; None where it looks at several at once."""
        return None

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


def is_curve(layer: Layer) -> bool:
    """Whether a layer's own class says in `curve` what it does to each number; a subclass may do something else."""
    return isinstance(layer, Activation) and "curve" in vars(type(layer))


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

    def curve(self) -> Curve:
        derivative = Cases(((Num(1), ABOVE), (Num(0), BELOW)))
        return Curve(Fn("max", (Num(0), X)), derivative, ("S0-E37", "ER1-16"))


class Sigmoid(_FromOutput):
    """y = 1 / (1 + exp(-x)); f'(x) = y (1 - y) (S0-E19, S0-E25)."""

    equation = "sigmoid"

    def curve(self) -> Curve:
        return Curve(SIGMA, Mul((Y, minus(Num(1), Y))), ("S0-E19", "S0-E25"))


class Tanh(_FromOutput):
    """y = tanh x; f'(x) = 1 - y²."""

    equation = "tanh"

    def curve(self) -> Curve:
        return Curve(Fn("tanh", (X,)), minus(Num(1), Pow(Y, Num(2))))


class ScaledTanh(_FromOutput):
    """y = 1.7159 tanh(2/3 x), LeNet-5's squashing function."""

    equation = "scaled_tanh"

    def curve(self) -> Curve:
        amplitude, slope = Num(activations.SCALED_TANH_AMPLITUDE), Frac(Num(2), Num(3))
        derivative = Mul((slope, minus(amplitude, Frac(Pow(Y, Num(2)), amplitude))))
        return Curve(Mul((amplitude, Fn("tanh", (Mul((slope, X)),)))), derivative)


class LeakyReLU(Activation):
    """y = x for x > 0, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.01, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.negative_slope = number("negative_slope", negative_slope, -math.inf)

    def curve(self) -> Curve:
        slope = Num(self.negative_slope)
        return Curve(Cases(((X, ABOVE), (Mul((slope, X)), BELOW))), Cases(((Num(1), ABOVE), (slope, BELOW))))

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

    def curve(self) -> Curve:
        return Curve(X, Num(1))

    def is_identity(self, training: bool) -> bool:
        return True

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, None]:
        return xs[0], None

    def backward_input(self, parameters: Values, dy: Array, saved: None) -> Array:
        return dy


__all__ = ["Identity", "LeakyReLU", "ReLU", "ScaledTanh", "Sigmoid", "Softmax", "Tanh"]
