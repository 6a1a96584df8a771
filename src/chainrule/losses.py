"""Losses: one scalar for a batch, and its gradient with respect to the network's outputs.

    value, saved = loss.forward(outputs, targets)
    doutputs     = loss.backward(saved)

reduction="mean" divides by what each loss's docstring names; the division is part of the loss and stands nowhere else
(ER4-27). reduction="sum" does not divide.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_labels, check_finite
from chainrule.equations import activations, losses
from chainrule.errors import DataError, DtypeError, ShapeError
from chainrule.shapes import Shape, choice, number

Reduction = Literal["mean", "sum"]


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

    def scale(self, outputs_shape: Shape) -> float:
        """The factor before the sum: 1 or 1 / count."""
        return 1.0 if self.reduction == "sum" else 1.0 / self.count(outputs_shape)

    def forward(self, outputs: Array, targets: ArrayLike) -> tuple[float, tuple[Array, Array]]:
        """(loss, saved). Raises ShapeError, DtypeError or DataError for targets that do not fit the outputs."""
        prepared = self.prepare_targets(targets, len(outputs), outputs.shape[1:])
        value = float(self.terms(outputs, prepared).sum(dtype=np.float64)) * self.scale(outputs.shape)
        return value, (outputs, prepared)

    def each(self, outputs: Array, targets: ArrayLike) -> Array:
        """(n,): what each sample adds to the sum, in float64. Raises as `forward`."""
        prepared = self.prepare_targets(targets, len(outputs), outputs.shape[1:])
        summed: Array = self.terms(outputs, prepared).reshape(len(outputs), -1).sum(axis=1, dtype=np.float64)
        return summed

    def backward(self, saved: tuple[Array, Array]) -> Array:
        """dL/doutputs."""
        outputs, prepared = saved
        gradient = self.term_gradient(outputs, prepared) * outputs.dtype.type(self.scale(outputs.shape))
        result: Array = gradient.astype(outputs.dtype, copy=False)
        return result

    def __call__(self, outputs: ArrayLike, targets: ArrayLike) -> float:
        """The loss of some outputs. Also raises where they do not form a batch."""
        array = as_array(outputs, "outputs")
        if array.ndim == 0:
            raise ShapeError(f"outputs must be a batch (n, ...), not a single number {array}")
        if array.shape[0] == 0:
            raise DataError("outputs holds no samples")
        return self.forward(array if array.dtype.kind == "f" else array.astype(np.float64), targets)[0]

    def predicted_classes(self, outputs: Array) -> Array | None:
        """The class that each sample's outputs predict, or None where they predict no class."""
        return outputs.argmax(axis=1) if outputs.ndim >= 2 and outputs.shape[1] > 1 else None

    def probabilities(self, outputs: Array) -> Array:
        """(n, classes): what outputs (n, classes) of a network trained with this loss say about each class."""
        return activations.softmax(outputs)

    def true_classes(self, targets: Array) -> Array | None:
        """The class that each sample's prepared targets name, or None where they name none."""
        return None


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
    """L = mean over elements of -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid; as torch's. Targets in 0..1."""

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
        array = super().prepare_targets(targets, samples, shape)
        if array.min() < 0 or array.max() > 1:
            raise DataError(f"BCEWithLogitsLoss needs targets between 0 and 1, not {array.min()}..{array.max()}")
        return array

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.binary_cross_entropy(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.binary_cross_entropy_gradient(outputs, targets)

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
    """L = mean over samples of -sum_k t_k log softmax(logits)_k, as torch.nn.CrossEntropyLoss (S1-F01).

    Takes logits, not probabilities. targets are class indices (n,), or probabilities of the outputs' shape.
    """

    def prepare_targets(self, targets: ArrayLike, samples: int, shape: Shape) -> Array:
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

    def _probabilities(self, outputs: Array, targets: Array) -> Array:
        return targets if targets.dtype.kind == "f" else self._one_hot(outputs, targets)

    def terms(self, outputs: Array, targets: Array) -> Array:
        return losses.cross_entropy(outputs, self._probabilities(outputs, targets))

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return losses.cross_entropy_gradient(outputs, self._probabilities(outputs, targets))

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
    loss.__name__: loss for loss in (CrossEntropyLoss, MSELoss, HalfSquaredErrorLoss, BCEWithLogitsLoss, MAPLoss)
}
"""Every loss by class name."""


def default_loss(targets: ArrayLike) -> Loss:
    """Cross-entropy for integer class indices, squared error for values: used by `evaluate` before training."""
    return CrossEntropyLoss() if as_array(targets, "targets").dtype.kind in "iu" else MSELoss()
