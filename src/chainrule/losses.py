"""Losses: one scalar for a batch, and its gradient with respect to the network's outputs.

    value, saved = loss.forward(outputs, targets)
    doutputs     = loss.backward(saved)

reduction="mean" divides by what each loss's docstring names; the division is part of the loss and stands nowhere else
(ER4-27). reduction="sum" does not divide. Where samples have weights, w_n stands before the terms of sample n, and a
mean divides by the weights' sum in place of the number of samples: `equations.weighted_scale` says why.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_labels, as_weights, check_finite
from chainrule.equations import activations, losses
from chainrule.errors import DataError, DtypeError, ShapeError
from chainrule.shapes import Shape, choice, number

Reduction = Literal["mean", "sum"]


class Judged(NamedTuple):
    """What `forward` saves: outputs, prepared targets, and weights of the samples (n,) or None."""

    outputs: Array
    targets: Array
    weights: Array | None = None


class Loss(ABC):
    """A differentiable scalar made from outputs and targets."""

    def __init__(self, reduction: Reduction = "mean") -> None:
        choice("reduction", reduction, ("mean", "sum"))
        self.reduction: Reduction = reduction

    def hyperparameters(self) -> dict[str, Any]:
        """Constructor arguments that build this loss again."""
        return dict(vars(self))

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        given = {name: value for name, value in self.hyperparameters().items() if value != defaults[name].default}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    by_class: ClassVar[bool] = False
    """Whether the outputs' first axis after the samples is classes, each place of which has one true class."""

    def guess(self, shape: Shape) -> Literal["largest", "smallest", "sign"]:
        """How `predicted_classes` reads a class off outputs of `shape`."""
        return "largest"

    @abstractmethod
    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        """`targets` checked against outputs (samples, *shape), in the form that `forward` takes."""

    @abstractmethod
    def terms(self, outputs: Array, targets: Array) -> Array:
        """What is summed; prepared targets."""

    @abstractmethod
    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        """d(sum of terms)/d(outputs); prepared targets."""

    @abstractmethod
    def count(self, outputs_shape: Shape) -> int:
        """What "mean" divides by."""

    def masses(self, targets: Array, weights: Array | None = None) -> Array:
        """(n,) what each sample counts for where a mean divides: its weight, 1 without any; prepared targets."""
        return np.ones(len(targets)) if weights is None else weights

    def scale(self, outputs_shape: Shape, masses: Array | None = None) -> float:
        """The factor before the sum: 1, or 1 / count with the samples' masses in place of their number."""
        if self.reduction == "sum":
            return 1.0
        masses = np.ones(outputs_shape[0]) if masses is None else masses
        return losses.weighted_scale(masses, self.count((1, *outputs_shape[1:])))

    def _factor(self, judged: Judged) -> float:
        return self.scale(judged.outputs.shape, self.masses(judged.targets, judged.weights))

    def forward(self, outputs: Array, targets: ArrayLike, weights: Array | None = None) -> tuple[float, Judged]:
        """(loss, saved), with `weights` (n,) of the samples. Raises ShapeError, DtypeError or DataError for targets
        that do not fit the outputs."""
        judged = Judged(outputs, self.prepare_targets(targets, len(outputs), outputs.shape[1:]), weights)
        terms = self.terms(outputs, judged.targets)
        if weights is not None:
            terms = terms * _along(weights, terms)
        return float(terms.sum(dtype=np.float64)) * self._factor(judged), judged

    def each(self, outputs: Array, targets: ArrayLike) -> Array:
        """(n,): what each sample adds to the sum, in float64. Raises as `forward`."""
        prepared = self.prepare_targets(targets, len(outputs), outputs.shape[1:])
        summed: Array = self.terms(outputs, prepared).reshape(len(outputs), -1).sum(axis=1, dtype=np.float64)
        return summed

    def backward(self, saved: tuple[Array, ...] | Judged) -> Array:
        """dL/doutputs; of (outputs, prepared targets) alone, too."""
        outputs, targets, weights = judged = Judged(*saved)
        factor = self._factor(judged)
        gradient = self.term_gradient(outputs, targets)
        if weights is None:
            gradient = gradient * outputs.dtype.type(factor)
        else:
            gradient = gradient * _along((factor * weights).astype(outputs.dtype), gradient)
        result: Array = gradient.astype(outputs.dtype, copy=False)
        return result

    def __call__(self, outputs: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The loss of some outputs. Also raises where they do not form a batch."""
        array = as_array(outputs, "outputs")
        if array.ndim == 0:
            raise ShapeError(f"outputs must be a batch (n, ...), not a single number {array}")
        if array.shape[0] == 0:
            raise DataError("outputs holds no samples")
        weights = None if sample_weight is None else as_weights(sample_weight, len(array))
        return self.forward(array if array.dtype.kind == "f" else array.astype(np.float64), targets, weights)[0]

    def predicted_classes(self, outputs: Array) -> Array | None:
        """The class that each sample's outputs predict, or None where they predict no class."""
        return outputs.argmax(axis=1) if outputs.ndim >= 2 and outputs.shape[1] > 1 else None

    def probabilities(self, outputs: Array) -> Array:
        """(n, classes): what outputs (n, classes) of a network trained with this loss say about each class."""
        return activations.softmax(outputs)

    def true_classes(self, targets: Array) -> Array | None:
        """The class that each sample's prepared targets name, or None where they name none."""
        return None


def _along(weights: Array, terms: Array) -> Array:
    """Weights (n,) in a shape that multiplies terms (n, ...)."""
    return weights.reshape(len(weights), *[1] * (terms.ndim - 1))


def _factors(name: str, value: ArrayLike | None) -> tuple[float, ...] | None:
    """One number for each class, at least 0; None for none."""
    if value is None:
        return None
    array = as_array(value, name)
    if array.ndim != 1 or not array.size:
        raise ShapeError(f"{name} must be a list of numbers, one for each class, not of shape {array.shape}")
    check_finite(array, name)
    if array.min() < 0:
        raise DataError(f"{name} must not be negative, but {name}[{int(array.argmin())}] is {array.min():g}")
    return tuple(array.astype(np.float64).tolist())


class _ValueTargets(Loss):
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


class MSELoss(_ValueTargets):
    """L = mean of (y - t)² over all elements, as torch.nn.MSELoss. targets as outputs."""

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.squared_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.squared_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)


class L1Loss(_ValueTargets):
    """L = mean of |y - t| over all elements, as torch.nn.L1Loss. targets as outputs."""

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.absolute_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.absolute_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape)


class HuberLoss(_ValueTargets):
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


class HalfSquaredErrorLoss(_ValueTargets):
    """L = mean over samples of 1/2 sum_k (t_k - y_k)² (S0-E22, S0-E06). targets as outputs.

    The sources' loss; "sum" adds the samples up, as S0-E06 does.
    """

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.half_squared_error(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.half_squared_error_gradient(outputs, targets)

    def count(self, outputs_shape: Shape) -> int:
        return outputs_shape[0]


class BCEWithLogitsLoss(_ValueTargets):
    """L = mean over elements of c_k (-p_k t log s(x) - (1 - t) log(1 - s(x))), s the sigmoid; as torch's.

    Targets t in 0..1. `weight` c and `pos_weight` p have one number for each of the outputs (n, K), or one for all. The
    mean divides by the number of elements, whatever their weights.
    """

    def __init__(
        self, reduction: Reduction = "mean", *, weight: ArrayLike | None = None, pos_weight: ArrayLike | None = None
    ) -> None:
        super().__init__(reduction)
        self.weight = _factors("weight", weight)
        self.pos_weight = _factors("pos_weight", pos_weight)

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


class _ClassTargets(Loss):
    """A loss whose targets are class indices; outputs (n, classes) or (n, classes, ...) with targets (n, ...)."""

    by_class = True

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        if not shape:
            raise ShapeError(
                f"{type(self).__name__} needs outputs (n, classes), but each sample's output is one number"
            )
        array = as_array(targets, "targets")
        wanted = (samples, *shape[1:])
        if array.shape != wanted:
            raise ShapeError(
                f"{type(self).__name__} needs class indices of shape {wanted} as targets, not {array.shape}"
            )
        return as_labels(array, shape[0])

    def count(self, outputs_shape: Shape) -> int:
        return math.prod(outputs_shape) // outputs_shape[1]

    def true_classes(self, targets: Array) -> Array | None:
        return targets

    @staticmethod
    def _one_hot(outputs: Array, targets: Array) -> Array:
        hot = np.zeros_like(outputs)
        np.put_along_axis(hot, targets[:, None], 1, axis=1)
        return hot


class CrossEntropyLoss(_ClassTargets):
    """L = mean over samples of -sum_k t'_k log softmax(logits)_k, as torch.nn.CrossEntropyLoss (S1-F01).

    Takes logits, not probabilities. targets t are class indices (n,), or probabilities of the outputs' shape. With
    class weights c (`weight`) and `label_smoothing` e, t'_k = c_k ((1 - e) t_k + e / K); without them t' = t. For class
    indices the mean divides by the sum of the weights of the right classes, for probabilities by the number of samples.
    """

    def __init__(
        self, reduction: Reduction = "mean", *, weight: ArrayLike | None = None, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.weight = _factors("weight", weight)
        self.label_smoothing = number("label_smoothing", label_smoothing, 0, 1)

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        if self.weight is not None and shape and len(self.weight) != shape[0]:
            raise ShapeError(
                f"CrossEntropyLoss: weight has {len(self.weight)} numbers, but the outputs have {shape[0]} classes"
            )
        array = as_array(targets, "targets")
        if array.shape != (samples, *shape) or array.dtype.kind != "f" or not shape:
            if array.dtype.kind == "f" and array.shape == (samples, *shape[1:]):
                raise DtypeError(
                    f"CrossEntropyLoss needs integer class indices or probabilities {(samples, *shape)} as targets, "
                    f"not {array.dtype} of shape {array.shape}; convert with .astype(int) if they are class indices"
                )
            return super().prepare_targets(array, samples, shape)
        check_finite(array, "targets")
        if array.min() < 0:
            raise DataError(f"target probabilities must not be negative, but the least is {array.min()}")
        return array

    def masses(self, targets: Array, weights: Array | None = None) -> Array:
        masses = super().masses(targets, weights)
        if self.weight is None or targets.dtype.kind == "f":
            return masses
        result: Array = masses * np.array(self.weight)[targets].reshape(len(targets), -1).mean(axis=1)
        return result

    def effective_targets(self, outputs: Array, targets: Array) -> Array:
        """t' of the outputs' shape; prepared targets."""
        t = targets if targets.dtype.kind == "f" else self._one_hot(outputs, targets)
        if self.weight is None and not self.label_smoothing:
            return t
        weight = np.array(self.weight or (1.0,) * t.shape[1], t.dtype)
        return losses.effective_targets(t, weight, self.label_smoothing)

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.cross_entropy(outputs, self.effective_targets(outputs, targets))

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.cross_entropy_gradient(outputs, self.effective_targets(outputs, targets))

    def true_classes(self, targets: Array) -> Array | None:
        return targets.argmax(axis=1) if targets.dtype.kind == "f" else targets


class MAPLoss(_ClassTargets):
    """L = mean over samples of y_D + log(exp(-rubbish) + sum_i exp(-y_i)): LeNet-5's criterion for RBF penalties y.

    The predicted class is the smallest output. targets are class indices (n,).
    """

    def __init__(self, rubbish: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.rubbish = number("rubbish", rubbish, -math.inf)

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.maximum_a_posteriori(outputs, self._one_hot(outputs, targets), self.rubbish)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.maximum_a_posteriori_gradient(outputs, self._one_hot(outputs, targets), self.rubbish)

    def guess(self, shape: Shape) -> Literal["largest", "smallest", "sign"]:
        return "smallest"

    def predicted_classes(self, outputs: Array) -> Array | None:
        classes: Array = outputs.argmin(axis=1)
        return classes

    def probabilities(self, outputs: Array) -> Array:
        return activations.softmax(-outputs)


def _shares(values: Array) -> Array:
    """Rows that sum to 1, of numbers that should be positive."""
    positive = np.maximum(values, 1e-300)
    shares: Array = positive / positive.sum(axis=1, keepdims=True)
    return shares


LOSSES: dict[str, type[Loss]] = {
    loss.__name__: loss
    for loss in (CrossEntropyLoss, MSELoss, L1Loss, HuberLoss, HalfSquaredErrorLoss, BCEWithLogitsLoss, MAPLoss)
}
"""Every loss by class name."""


def default_loss(targets: ArrayLike) -> Loss:
    """Cross-entropy for integer class indices, squared error for values: used by `evaluate` before training."""
    return CrossEntropyLoss() if as_array(targets, "targets").dtype.kind in "iu" else MSELoss()
