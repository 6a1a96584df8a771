"""Losses whose targets are classes."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_labels, check_finite
from chainrule.equations import activations, losses
from chainrule.errors import DataError, DtypeError, ShapeError
from chainrule.loss import Loss, Reduction, class_factors
from chainrule.shapes import Shape, number


class ClassTargets(Loss):
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


class CrossEntropyLoss(ClassTargets):
    """L = mean over samples of -sum_k t'_k log softmax(logits)_k, as torch.nn.CrossEntropyLoss (S1-F01).

    Takes logits, not probabilities. targets t are class indices (n,), or probabilities of the outputs' shape. With
    class weights c (`weight`) and `label_smoothing` e, t'_k = c_k ((1 - e) t_k + e / K); without them t' = t. For class
    indices the mean divides by the sum of the weights of the right classes, for probabilities by the number of samples.
    """

    def __init__(
        self, reduction: Reduction = "mean", *, weight: ArrayLike | None = None, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.weight = class_factors("weight", weight)
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


class MAPLoss(ClassTargets):
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
