"""The right gradient of a loss, and likely mistakes in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth
from chainrule.equations.activations import sigmoid, softmax
from chainrule.losses import BCEWithLogitsLoss, CrossEntropyLoss, HalfSquaredErrorLoss, Judged, Loss, MSELoss

LOSS: Suspects[LossProblem] = Suspects()

FORMULAS = {
    "CrossEntropyLoss": ("dlogits = (softmax(logits) - t) / n", "SOURCES W15, ER4-27"),
    "HalfSquaredErrorLoss": ("dy = (y - t) / n", "S0-E24, ER4-27"),
    "L1Loss": ("dy = sign(y - t) / (number of elements)", "ER4-27"),
    "HuberLoss": ("dy = (y - t, cut off at -delta and delta) / (number of elements)", "ER4-27"),
    "MSELoss": ("dy = 2 (y - t) / (number of elements)", "ER4-27"),
    "BCEWithLogitsLoss": ("dlogits = (sigmoid(logits) - t) / (number of elements)", "ER4-27"),
}


@dataclass(frozen=True)
class LossProblem(Problem):
    """A loss at outputs (n, ...) and prepared targets."""

    loss: Loss
    outputs: Array
    targets: Array

    suspects: ClassVar[Suspects[Any]] = LOSS

    @property
    def scale(self) -> float:
        """The factor before the sum."""
        return self.loss.scale(self.outputs.shape, self.loss.masses(self.targets))

    @property
    def hot(self) -> Array:
        """Class indices as rows of zeros with a single one; other targets as they are; for cross-entropy with its class
        weights and smoothing."""
        if isinstance(self.loss, CrossEntropyLoss):
            return self.loss.effective_targets(self.outputs, self.targets)
        if self.targets.shape == self.outputs.shape:
            return self.targets
        hot = np.zeros_like(self.outputs)
        np.put_along_axis(hot, self.targets[:, None], 1, axis=1)
        return hot

    def truths(self) -> dict[str, Truth]:
        value = self.loss.backward(Judged(self.outputs, self.targets))
        formula = FORMULAS.get(type(self.loss).__name__, ("the derivative of the loss by its outputs", "ER4-27"))
        size = self.scale * 2 * (np.abs(self.outputs) + np.abs(self.hot) + 1)
        return {"doutputs": Truth(value, size, 4 + self.outputs.shape[-1], (), *formula)}

    def counts(self) -> Mapping[str, int]:
        samples, elements = len(self.outputs), self.outputs.size
        return {
            "the batch size": samples,
            "the number of elements": elements,
            "the number of outputs": elements // samples,
        }


@LOSS("doutputs", "targets_not_subtracted", "The targets were not subtracted: these are the probabilities alone.")
def targets_not_subtracted(p: LossProblem) -> Array | None:
    rule = _probabilities(p)
    return None if rule is None else p.scale * rule


@LOSS("doutputs", "slope_twice", "p - t already holds the derivative of softmax or sigmoid; it was applied once more.")
def slope_twice(p: LossProblem) -> Array | None:
    probabilities = _probabilities(p)
    if probabilities is None:
        return None
    return np.asarray(p.scale * (probabilities - p.hot) * probabilities * (1 - probabilities))


@LOSS("doutputs", "gradient_by_probabilities", "This is the gradient by the probabilities, not by the logits.")
def gradient_by_probabilities(p: LossProblem) -> Array | None:
    probabilities = _probabilities(p)
    if probabilities is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        wrong = -p.hot / probabilities
        if isinstance(p.loss, BCEWithLogitsLoss):
            wrong = wrong + (1 - p.hot) / (1 - probabilities)
    return p.scale * wrong if np.isfinite(wrong).all() else None


@LOSS(
    "doutputs",
    "logits_used_as_probabilities",
    "The logits were used as if they were probabilities: softmax or sigmoid is missing.",
)
def logits_used_as_probabilities(p: LossProblem) -> Array | None:
    return None if _probabilities(p) is None else p.scale * (p.outputs - p.hot)


@LOSS("doutputs", "not_differentiated", "These are the terms of the loss itself; its derivative belongs here.")
def not_differentiated(p: LossProblem) -> list[Array] | None:
    if not isinstance(p.loss, HalfSquaredErrorLoss | MSELoss):
        return None
    return [p.scale * share * (p.outputs - p.targets) ** 2 for share in (1.0, 0.5)]


@LOSS("doutputs", "labels_off_by_one", "The labels are off by one: classes are counted from 0.")
def labels_off_by_one(p: LossProblem) -> list[Array] | None:
    if not isinstance(p.loss, CrossEntropyLoss):
        return None
    return [p.scale * (softmax(p.outputs) - np.roll(p.hot, step, axis=1)) for step in (1, -1)]


@LOSS("doutputs", "softmax_over_the_wrong_axis", "Softmax was taken over the batch; it belongs over the classes.")
def softmax_over_the_wrong_axis(p: LossProblem) -> list[Array] | None:
    if not isinstance(p.loss, CrossEntropyLoss):
        return None
    alone = np.exp(p.outputs - p.outputs.max(axis=1, keepdims=True))
    return [p.scale * (made - p.hot) for made in (softmax(p.outputs, axis=0), alone / alone.sum())]


def _probabilities(p: LossProblem) -> Array | None:
    if isinstance(p.loss, CrossEntropyLoss):
        return softmax(p.outputs)
    return sigmoid(p.outputs) if isinstance(p.loss, BCEWithLogitsLoss) else None
