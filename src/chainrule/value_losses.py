"""Losses whose targets are values, one for each output."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, check_finite
from chainrule.equations import activations, losses
from chainrule.errors import DataError, ShapeError
from chainrule.loss import Loss, Reduction, class_factors
from chainrule.shapes import Shape, number


class ValueTargets(Loss):
    """A loss whose targets have the shape of the outputs."""

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        array = as_array(targets, "targets")
        if array.shape != (samples, *shape):
            hint = ""
            if array.shape == (samples,) and array.dtype.kind in "iu" and len(shape) == 1:
                hint = f"; class indices become such rows with one_hot(targets, {shape[0]})"
            raise ShapeError(
                f"{type(self).__name__} needs targets of shape {(samples, *shape)}, not {array.shape}{hint}"
            )
        check_finite(array, "targets")
        return array

    def probabilities(self, outputs: Array) -> Array:
        return _shares(outputs)

    def true_classes(self, targets: Array) -> Array | None:
        rows = targets.reshape(len(targets), -1)
        one_hot = targets.ndim == 2 and rows.shape[1] > 1 and ((rows == 0) | (rows == 1)).all()
        return rows.argmax(axis=1) if one_hot and (rows.sum(axis=1) == 1).all() else None


class MSELoss(ValueTargets):
    """L = mean of (y - t)² over all elements, as torch.nn.MSELoss. targets as outputs."""

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.squared_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.squared_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)


class L1Loss(ValueTargets):
    """L = mean of |y - t| over all elements, as torch.nn.L1Loss. targets as outputs."""

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.absolute_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.absolute_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)


class HuberLoss(ValueTargets):
    """L = mean over all elements of 1/2 d² where |d| <= delta, else delta (|d| - delta / 2), with d = y - t.

    As torch.nn.HuberLoss. targets as outputs.
    """

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = number("delta", delta, 0, open_low=True)

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.huber(outputs, targets, self.delta)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.huber_gradient(outputs, targets, self.delta)

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)


class HalfSquaredErrorLoss(ValueTargets):
    """L = mean over samples of 1/2 sum_k (t_k - y_k)² (S0-E22, S0-E06). targets as outputs.

    The sources' loss; "sum" adds the samples up, as S0-E06 does.
    """

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.half_squared_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.half_squared_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return outputs_shape[0]


class BCEWithLogitsLoss(ValueTargets):
    """L = mean over elements of c_k (-p_k t log s(x) - (1 - t) log(1 - s(x))), s the sigmoid; as torch's.

    Targets t in 0..1. `weight` c and `pos_weight` p have one number for each of the outputs (n, K), or one for all. The
    mean divides by the number of elements, whatever their weights.
    """

    def __init__(
        self, reduction: Reduction = "mean", *, weight: ArrayLike | None = None, pos_weight: ArrayLike | None = None
    ) -> None:
        super().__init__(reduction)
        self.weight = class_factors("weight", weight)
        self.pos_weight = class_factors("pos_weight", pos_weight)

    def _check_factors(self, shape: Shape) -> None:
        for name, factors in (("weight", self.weight), ("pos_weight", self.pos_weight)):
            if factors is not None and len(factors) != 1 and shape != (len(factors),):
                raise ShapeError(
                    f"BCEWithLogitsLoss: {name} has {len(factors)} numbers for outputs (n, {len(factors)}), but each "
                    f"sample's output has shape {shape}; give one number for each output, or one for all"
                )

    @staticmethod
    def _array(factors: tuple[float, ...] | None, outputs: Array) -> Array:
        return np.array(factors or (1.0,), outputs.dtype)

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        self._check_factors(shape)
        array = super().prepare_targets(targets, samples, shape)
        if array.min() < 0 or array.max() > 1:
            raise DataError(f"BCEWithLogitsLoss needs targets between 0 and 1, not {array.min()}..{array.max()}")
        return array

    def terms(self, outputs: Array, targets: Array) -> Array:
        e = losses.binary_cross_entropy(outputs, targets, self._array(self.pos_weight, outputs))
        e *= self._array(self.weight, outputs)
        return e

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        gradient = losses.binary_cross_entropy_gradient(outputs, targets, self._array(self.pos_weight, outputs))
        gradient *= self._array(self.weight, outputs)
        return gradient

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)

    def guess(self, shape: Shape) -> Literal["largest", "smallest", "sign"]:
        return "sign" if shape[0] == 1 else "largest"

    def predicted_classes(self, outputs: Array) -> Array | None:
        if outputs.ndim == 2 and outputs.shape[1] == 1:
            return (outputs[:, 0] > 0).astype(np.int64)
        return super().predicted_classes(outputs)

    def probabilities(self, outputs: Array) -> Array:
        chance: Array = activations.ACTIVATIONS["sigmoid"].function(outputs)
        return np.concatenate([1 - chance, chance], axis=1) if outputs.shape[1] == 1 else _shares(chance)

    def true_classes(self, targets: Array) -> Array | None:
        if targets.ndim == 2 and targets.shape[1] == 1:
            return targets[:, 0].astype(np.int64) if np.isin(targets, (0, 1)).all() else None
        return super().true_classes(targets)


def _shares(values: Array) -> Array:
    """Rows that sum to 1, of numbers that should be positive."""
    positive = np.maximum(values, 1e-300)
    shares: Array = positive / positive.sum(axis=1, keepdims=True)
    return shares
