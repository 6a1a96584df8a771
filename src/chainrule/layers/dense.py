"""Linear: every output sees every input. RBF: every output measures its distance to a centre."""

from __future__ import annotations

from typing import Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.equations import dense, rbf
from chainrule.errors import ArgumentError
from chainrule.initializers import check_initialization, draw
from chainrule.layers.base import Context, Layer, Values, expect_vector
from chainrule.shapes import ReceptiveField, Shape, Window, integer, shown


class _Dense(Layer):
    """What Linear and RBF share: a vector in, a vector out, every input connected to every output."""

    in_features: int
    out_features: int

    def output_shape(self, *shapes: Shape) -> Shape:
        expect_vector(shapes[0], self.in_features)
        return (self.out_features,)

    def connection_count(self, *shapes: Shape) -> int:
        return self.in_features * self.out_features

    def multiply_add_count(self, *shapes: Shape) -> int:
        return self.in_features * self.out_features

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        seen = field.through(Window(field.spread))
        return ReceptiveField(seen.size, seen.jump)


class Linear(_Dense):
    """y = x Wᵀ + b (S0-E20, S4-E38). x (n, in_features), weight (out, in), bias (out,) -> y (n, out_features).

    `bias="shared"` has one scalar for all outputs, as the network of S0 draws it (ERX-08); bias=False has none.
    Raises ArgumentError for sizes below 1.
    """

    has_delta = True

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool | Literal["shared"] = True,
        *,
        initialization: str = "he",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.in_features = integer("in_features", in_features, 1)
        self.out_features = integer("out_features", out_features, 1)
        if not isinstance(bias, bool) and str(bias) != "shared":
            raise ArgumentError(f'bias must be True, False or "shared", not {shown(bias)}')
        self.bias = bias
        self.initialization = check_initialization(initialization)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        weight: dict[str, Shape] = {"weight": (self.out_features, self.in_features)}
        if not self.bias:
            return weight
        return weight | {"bias": (1,) if self.bias == "shared" else (self.out_features,)}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        arrays = {name: np.zeros(shape) for name, shape in self.parameter_shapes().items()}
        arrays["weight"] = draw(self.initialization, rng, arrays["weight"].shape, self.in_features, self.out_features)
        return arrays

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        (x,) = xs
        return dense.linear_forward(x, parameters["weight"], parameters.get("bias")), x

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return dense.linear_backward_input(dy, parameters["weight"])

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        gradients = {"weight": dense.linear_backward_weight(dy, saved)}
        if self.bias == "shared":
            gradients["bias"] = dense.linear_backward_shared_bias(dy)
        elif self.bias:
            gradients["bias"] = dense.linear_backward_bias(dy)
        return gradients

    def connection_count(self, *shapes: Shape) -> int:
        return self.out_features * (self.in_features + bool(self.bias))


class RBF(_Dense):
    """y_o = sum_i (x_i - w_oi)², LeNet-5's output units. x (n, in), weight (out, in): one centre per row.

    The centres are random ±1 and frozen, as in LeNet-5; `net.unfreeze("rbf1.weight")` lets them be trained.
    A small y means that x is close to the centre; use it with `MAPLoss`.
    """

    gives_penalties = True
    frozen = ("weight",)

    def __init__(self, in_features: int, out_features: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.in_features = integer("in_features", in_features, 1)
        self.out_features = integer("out_features", out_features, 1)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        return {"weight": (self.out_features, self.in_features)}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        return {"weight": rng.choice([-1.0, 1.0], (self.out_features, self.in_features))}

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        (x,) = xs
        return rbf.rbf_forward(x, parameters["weight"]), x

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return rbf.rbf_backward_input(dy, saved, parameters["weight"])

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        return {"weight": rbf.rbf_backward_weight(dy, saved, parameters["weight"])}


__all__ = ["RBF", "Linear"]
