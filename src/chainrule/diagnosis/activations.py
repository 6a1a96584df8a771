"""The right gradient of an activation, and likely mistakes in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth
from chainrule.diagnosis.upstream import FORMULA, Upstream
from chainrule.equations.activations import leaky_relu_derivative, softmax, softmax_backward

ACTIVATION: Suspects[Any] = Suspects()
SOFTMAX: Suspects[SoftmaxProblem] = Suspects()
LEAKY: Suspects[LeakyProblem] = Suspects()


@dataclass(frozen=True)
class ActivationProblem(Problem):
    """y = f(x) for one number at a time."""

    above: Upstream

    suspects: ClassVar[Suspects[Any]] = ACTIVATION

    def truths(self) -> dict[str, Truth]:
        return {"dx": Truth(self.above.dz(), np.abs(self.above.dy), 4, (), *FORMULA)}

    def counts(self) -> Mapping[str, int]:
        return {"the batch size": len(self.above.z)}

    def upstream(self) -> Iterator[tuple[str, str, Problem]]:
        for key, sentence, dz in self.above.mistakes():
            yield key, sentence, _Fixed(dz)


@dataclass(frozen=True)
class _Fixed(Problem):
    """A dx that is already known."""

    dx: Array

    def truths(self) -> dict[str, Truth]:
        return {"dx": Truth(self.dx, np.abs(self.dx), 1, (), "", "")}


@dataclass(frozen=True)
class LeakyProblem(Problem):
    """y = x for x > 0, else slope x."""

    x: Array
    dy: Array
    slope: float

    suspects: ClassVar[Suspects[Any]] = LEAKY

    def truths(self) -> dict[str, Truth]:
        dx = self.dy * leaky_relu_derivative(self.x, self.slope)
        return {"dx": Truth(dx, np.abs(dx), 4, (), "dx = dy for x > 0, else negative_slope dy", "ER1-16")}


@LEAKY("dx", "slope_missing", "The factor f' is missing: dy was passed on as it is.")
def slope_missing(p: LeakyProblem) -> Array:
    return p.dy


@LEAKY("dx", "negative_side_forgotten", "The negative side got no gradient: that is ReLU's rule.")
def negative_side_forgotten(p: LeakyProblem) -> Array:
    return p.dy * (p.x > 0)


@LEAKY(
    "dx",
    "slope_one_at_zero",
    "f'(0) = 1 was taken; chainrule and PyTorch take the negative slope. Both are subgradients.",
)
def slope_one_at_zero(p: LeakyProblem) -> Array:
    return p.dy * np.where(p.x >= 0, 1, p.slope)


@LEAKY("dx", "slope_twice", "The factor f' was applied twice.")
def slope_twice(p: LeakyProblem) -> Array:
    return p.dy * np.where(p.x > 0, 1, p.slope**2)


@LEAKY("dx", "slope_on_the_wrong_side", "The slopes of the two sides were exchanged.")
def slope_on_the_wrong_side(p: LeakyProblem) -> Array:
    return p.dy * np.where(p.x > 0, p.slope, 1)


@dataclass(frozen=True)
class SoftmaxProblem(Problem):
    """y = softmax(x) over axis 1."""

    x: Array
    dy: Array

    suspects: ClassVar[Suspects[Any]] = SOFTMAX

    @property
    def y(self) -> Array:
        """The probabilities."""
        return softmax(self.x)

    def truths(self) -> dict[str, Truth]:
        y, dy = self.y, self.dy
        size = y * (np.abs(dy) + (np.abs(dy) * y).sum(axis=1, keepdims=True))
        formula = ("dx_i = y_i (dy_i - sum_j dy_j y_j)", "SOURCES W15")
        return {"dx": Truth(softmax_backward(dy, y), size, 4 + y.shape[1], (), *formula)}


@SOFTMAX(
    "dx",
    "diagonal_only",
    "Only the diagonal y_i (1 - y_i) of the Jacobian was used; every output depends on every input.",
)
def diagonal_only(p: SoftmaxProblem) -> Array:
    return np.asarray(p.dy * p.y * (1 - p.y))


@SOFTMAX("dx", "slope_missing", "The Jacobian of softmax is missing: dy was passed on as it is.")
def jacobian_missing(p: SoftmaxProblem) -> Array:
    return p.dy


@SOFTMAX("dx", "sum_forgotten", "The term sum_j dy_j y_j was forgotten.")
def sum_forgotten(p: SoftmaxProblem) -> Array:
    return p.dy * p.y


@SOFTMAX("dx", "factor_forgotten", "The factor y_i before the bracket was forgotten.")
def factor_forgotten(p: SoftmaxProblem) -> Array:
    return np.asarray(p.dy - (p.dy * p.y).sum(axis=1, keepdims=True))


@SOFTMAX("dx", "wrong_axis", "The sum runs over the wrong axis: over the batch instead of the classes.")
def wrong_axis(p: SoftmaxProblem) -> Array:
    return softmax_backward(p.dy, p.y, axis=0)
