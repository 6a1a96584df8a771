"""What each sample counts for: weights of the user's, and of the samples' classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_weights
from chainrule.errors import ArgumentError, DataError
from chainrule.losses import Loss
from chainrule.shapes import integer, number, shown

ClassWeight: TypeAlias = Mapping[int, float] | ArrayLike | Literal["balanced"]
"""A weight for each class: by its index (1 for those not named), as a list of all, or "balanced"."""


def total_weights(
    loss: Loss, targets: Array, classes: int, sample_weight: ArrayLike | None, class_weight: ClassWeight | None
) -> Array | None:
    """w_n = (weight of sample n) (weight of its class), for prepared targets; None where there are neither."""
    weights = None if sample_weight is None else as_weights(sample_weight, len(targets))
    if class_weight is None:
        return weights
    truth = loss.true_classes(targets)
    if truth is None or truth.ndim != 1:
        raise ArgumentError(
            f"class_weight needs targets that name one class for each sample, which {type(loss).__name__} with these "
            f"targets has not; give sample_weight, or CrossEntropyLoss(weight=...) for a class at each place"
        )
    classes = max(classes, 2)  # a single logit tells two classes apart
    own = np.ones(len(truth)) if weights is None else weights
    result = own * _of_classes(class_weight, truth, own, classes)[truth]
    if not result.any():
        raise DataError("class_weight and sample_weight together leave no sample a weight above 0")
    return result


def _of_classes(given: ClassWeight, truth: Array, weights: Array, classes: int) -> Array:
    """(classes,) weights."""
    if isinstance(given, str):
        if given != "balanced":
            raise ArgumentError(f'class_weight must be "balanced", a mapping or a list of numbers, not {shown(given)}')
        return _balanced(truth, weights, classes)
    if isinstance(given, Mapping):
        found = np.ones(classes)
        for key, value in given.items():
            found[integer("a class in class_weight", key, 0, classes - 1)] = number(f"class_weight[{key}]", value, 0)
        return found
    array = as_array(given, "class_weight")
    if array.shape != (classes,):
        raise ArgumentError(f"class_weight must hold a weight for each of {classes} classes, not shape {array.shape}")
    return as_weights(array, classes, "class_weight")


def _balanced(truth: Array, weights: Array, classes: int) -> Array:
    """W / (K W_k): all classes weigh the same together. W_k is the weight of the samples of class k, W that of all, K
    the number of classes that there are; as scikit-learn's."""
    own = np.bincount(truth, weights, minlength=classes)
    there = own > 0
    result: Array = np.divide(own.sum() / there.sum(), own, out=np.ones(classes), where=there)
    return result
