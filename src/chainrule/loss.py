"""What a loss is, and how its terms become one number."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_weights
from chainrule.equations import activations, losses
from chainrule.errors import ArgumentError, ChainruleError, DataError, ShapeError
from chainrule.shapes import Shape, choice, shown

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
            terms = terms * along(weights, terms)
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
            gradient = gradient * along((factor * weights).astype(outputs.dtype), gradient)
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


def along(weights: Array, terms: Array) -> Array:
    """Weights (n,) in a shape that multiplies terms (n, ...)."""
    return weights.reshape(len(weights), *[1] * (terms.ndim - 1))


def class_factors(name: str, value: ArrayLike | None) -> tuple[float, ...] | None:
    """One number for each class, at least 0; None for none."""
    if value is None:
        return None
    wrong = ArgumentError(f"{name} must be a list of numbers of at least 0, one for each class, not {shown(value)}")
    try:
        array = as_array(value, name)
    except ChainruleError:
        raise wrong from None
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iuf":
        raise wrong
    if not np.isfinite(array).all() or array.min() < 0:
        raise wrong
    return tuple(array.astype(np.float64).tolist())
