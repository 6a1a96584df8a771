"""The right gradients of batch normalisation and of dropout, and likely mistakes in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth

NORM: Suspects[BatchNormProblem] = Suspects()
DROPOUT: Suspects[DropoutProblem] = Suspects()


@dataclass(frozen=True)
class BatchNormProblem(Problem):
    """y = weight (x - mean) / sqrt(variance + eps) + bias in training; x (n, c) or (n, c, h, w), weight (c,)."""

    x: Array
    weight: Array
    dy: Array
    eps: float

    suspects: ClassVar[Suspects[Any]] = NORM

    @property
    def axes(self) -> tuple[int, ...]:
        """All axes but the channel's."""
        return (0, *range(2, self.x.ndim))

    @property
    def count(self) -> int:
        """The numbers of a channel."""
        return int(self.x.size // self.x.shape[1])

    def spread(self, unbiased: bool = False, axes: tuple[int, ...] | None = None) -> Array:
        """sqrt(variance + eps), broadcast over the axes it was taken over."""
        over = self.axes if axes is None else axes
        variance: Array = self.x.var(axis=over, keepdims=True, ddof=int(unbiased))
        return np.sqrt(variance + self.eps)

    def centred(self, axes: tuple[int, ...] | None = None) -> Array:
        """x - mean."""
        return np.asarray(self.x - self.x.mean(axis=self.axes if axes is None else axes, keepdims=True))

    def hat(self, unbiased: bool = False) -> Array:
        """The normalised input."""
        return self.centred() / self.spread(unbiased)

    def gain(self) -> Array:
        """weight, one for each channel, in the shape of x."""
        return self.weight.reshape(1, -1, *(1,) * (self.x.ndim - 2))

    def dx(self, *, mean: bool = True, variance: bool = True, hat: Array | None = None) -> Array:
        """weight / spread (dy - mean(dy) - x^ mean(dy x^)), with or without its two last parts."""
        normal = self.hat() if hat is None else hat
        inner = self.dy
        if mean:
            inner = inner - self.dy.mean(axis=self.axes, keepdims=True)
        if variance:
            inner = inner - normal * (self.dy * normal).mean(axis=self.axes, keepdims=True)
        return np.asarray(self.gain() / self.spread() * inner)

    def truths(self) -> dict[str, Truth]:
        hat, dy, over = np.abs(self.hat()), np.abs(self.dy), self.axes
        # x - mean cancels: what is lost there is relative to x itself.
        lost = 1 + np.abs(self.x).max(axis=over, keepdims=True) / self.spread()
        inner = dy + dy.mean(axis=over, keepdims=True) + hat * (dy * hat).mean(axis=over, keepdims=True)
        names = ("sample", "channel", "row", "column")[: self.x.ndim]
        whole = np.asarray(np.abs(self.gain()) / self.spread() * inner * lost * lost)
        formula = ("dx = weight / sqrt(v + eps) (dy - mean(dy) - x^ mean(dy x^)), means over the channel", "S2-B05")
        scaled = (dy * (hat + 1) * lost).sum(axis=over)
        return {
            "dx": Truth(self.dx(), whole, 4 * self.count, names, *formula),
            "dweight": Truth(
                (self.dy * self.hat()).sum(axis=over),
                scaled,
                4 * self.count,
                ("channel",),
                "dweight[c] = sum of dy x^ over the channel",
                "S2-B05",
            ),
            "dbias": Truth(
                self.dy.sum(axis=over),
                dy.sum(axis=over),
                self.count,
                ("channel",),
                "dbias[c] = sum of dy over the channel",
                "S2-B05",
            ),
        }

    def counts(self) -> Mapping[str, int]:
        return {"the numbers of a channel": self.count, "the batch size": len(self.x)}


@NORM(
    "dx",
    "statistics_taken_as_constants",
    "Mean and variance were taken as constants; in training they move with x, and two more terms belong here.",
)
def statistics_taken_as_constants(p: BatchNormProblem) -> Array:
    return p.dx(mean=False, variance=False)


@NORM("dx", "path_through_the_mean_forgotten", "The path through the mean is missing: - mean(dy).")
def path_through_the_mean_forgotten(p: BatchNormProblem) -> Array:
    return p.dx(mean=False)


@NORM("dx", "path_through_the_variance_forgotten", "The path through the variance is missing: - x^ mean(dy x^).")
def path_through_the_variance_forgotten(p: BatchNormProblem) -> Array:
    return p.dx(variance=False)


@NORM("dx", "weight_forgotten", "The factor weight, the scale of the channel, is missing.")
def weight_forgotten(p: BatchNormProblem) -> Array:
    return BatchNormProblem(p.x, np.ones_like(p.weight), p.dy, p.eps).dx()


@NORM("dx", "divided_by_the_variance", "Divided by v + eps; it is its square root that belongs there.")
def divided_by_the_variance(p: BatchNormProblem) -> Array:
    return p.dx() / p.spread()


@NORM("dx", "not_divided", "The division by sqrt(v + eps) is missing.")
def not_divided(p: BatchNormProblem) -> Array:
    return p.dx() * p.spread()


@NORM("dx", "x_instead_of_normalised", "x - mean was used where the normalised x^ belongs.")
def x_instead_of_normalised(p: BatchNormProblem) -> Array:
    return p.dx(hat=p.centred())


UNBIASED = "The variance was divided by m - 1; the batch is normalised with the one divided by m."


@NORM("dx", "unbiased_variance", UNBIASED)
def unbiased_variance(p: BatchNormProblem) -> Array | None:
    if p.count < 2:
        return None
    return np.asarray(p.dx(hat=p.hat(unbiased=True)) * p.spread() / p.spread(unbiased=True))


@NORM("dx", "sum_instead_of_mean", "A sum over the channel stands where its mean belongs.")
def sum_instead_of_mean(p: BatchNormProblem) -> list[Array] | None:
    if p.count == 1:
        return None
    hat, over = p.hat(), p.axes
    first, second = p.dy.mean(axis=over, keepdims=True), hat * (p.dy * hat).mean(axis=over, keepdims=True)
    factor = p.gain() / p.spread()
    wholes = ((p.count, 1), (1, p.count), (p.count, p.count))
    return [np.asarray(factor * (p.dy - a * first - b * second)) for a, b in wholes]


@NORM("dx", "normalised_factor_forgotten", "The factor x^ before mean(dy x^) was forgotten.")
def normalised_factor_forgotten(p: BatchNormProblem) -> Array:
    first, second = (v.mean(axis=p.axes, keepdims=True) for v in (p.dy, p.dy * p.hat()))
    return np.asarray(p.gain() / p.spread() * (p.dy - first - second))


def _with_spread(p: BatchNormProblem, spread: Array) -> Array:
    """dx with another number in the place of sqrt(v + eps), wherever it stands."""
    return np.asarray(p.dx(hat=p.centred() / spread) * p.spread() / spread)


@NORM("dx", "eps_forgotten", "eps was forgotten: sqrt(v) was taken for sqrt(v + eps).")
def eps_forgotten(p: BatchNormProblem) -> Array | None:
    deviation = p.x.std(axis=p.axes, keepdims=True)
    return _with_spread(p, deviation) if (deviation > 0).all() else None


@NORM("dx", "eps_outside_the_root", "eps was added to the root instead of to the variance under it.")
def eps_outside_the_root(p: BatchNormProblem) -> Array | None:
    outside = p.x.std(axis=p.axes, keepdims=True) + p.eps
    return _with_spread(p, outside) if (outside > 0).all() else None


@NORM("dweight", "eps_forgotten", "eps was forgotten: sqrt(v) was taken for sqrt(v + eps).")
def weight_without_eps(p: BatchNormProblem) -> Array | None:
    deviation = p.x.std(axis=p.axes, keepdims=True)
    return np.asarray((p.dy * p.centred() / deviation).sum(axis=p.axes)) if (deviation > 0).all() else None


@NORM("dweight", "eps_outside_the_root", "eps was added to the root instead of to the variance under it.")
def weight_with_eps_outside(p: BatchNormProblem) -> Array | None:
    outside = p.x.std(axis=p.axes, keepdims=True) + p.eps
    return np.asarray((p.dy * p.centred() / outside).sum(axis=p.axes)) if (outside > 0).all() else None


@NORM("dweight", "unbiased_variance", UNBIASED)
def weight_by_unbiased_variance(p: BatchNormProblem) -> Array | None:
    return np.asarray((p.dy * p.hat(unbiased=True)).sum(axis=p.axes)) if p.count > 1 else None


@NORM("dweight", "input_instead_of_normalised", "dy was multiplied by x; the normalised x^ belongs there.")
def input_instead_of_normalised(p: BatchNormProblem) -> list[Array]:
    return [(p.dy * x).sum(axis=p.axes) for x in (p.x, p.centred())]


PLACES = "Summed over the batch alone: the places of a channel belong to the sum, too."


@NORM("dweight", "batch_axis_only", PLACES)
def weight_by_batch_axis_only(p: BatchNormProblem) -> Array | None:
    return None if p.x.ndim == 2 else np.asarray((p.dy * p.hat()).sum(axis=0))


@NORM("dbias", "batch_axis_only", PLACES)
def bias_by_batch_axis_only(p: BatchNormProblem) -> Array | None:
    return None if p.x.ndim == 2 else np.asarray(p.dy.sum(axis=0))


@dataclass(frozen=True)
class DropoutProblem(Problem):
    """y = x mask / (1 - p)."""

    mask: Array
    dy: Array
    p: float

    suspects: ClassVar[Suspects[Any]] = DROPOUT

    def truths(self) -> dict[str, Truth]:
        dx = self.dy * self.mask / (1 - self.p)
        return {"dx": Truth(dx, np.abs(dx), 4, (), "dx = dy mask / (1 - p)", "S2-B05")}


@DROPOUT("dx", "scale_missing", "The scale 1/(1 - p) is missing: what is kept was scaled up in the forward pass.")
def scale_missing(p: DropoutProblem) -> Array:
    return p.dy * p.mask


@DROPOUT("dx", "mask_missing", "The mask is missing: what was dropped gets no gradient.")
def mask_missing(p: DropoutProblem) -> list[Array]:
    return [p.dy, p.dy / (1 - p.p)]


@DROPOUT("dx", "scale_of_the_dropped", "Divided by p, the share that is dropped; 1 - p is the share that is kept.")
def scale_of_the_dropped(p: DropoutProblem) -> Array | None:
    return p.dy * p.mask / p.p if p.p else None


@DROPOUT(
    "dx", "scale_multiplied", "Multiplied by 1 - p; the forward pass divides by it, and so does the backward pass."
)
def scale_multiplied(p: DropoutProblem) -> Array:
    return p.dy * p.mask * (1 - p.p)


@DROPOUT("dx", "mask_inverted", "The mask is inverted: the gradient passes where the value was dropped.")
def mask_inverted(p: DropoutProblem) -> list[Array]:
    return [p.dy * (1 - p.mask), p.dy * (1 - p.mask) / (1 - p.p)]
