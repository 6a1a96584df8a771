"""What is reported about a network, and not differentiated: accuracy, confusion matrix, scores per class."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from chainrule.arrays import Array
from chainrule.losses import Loss
from chainrule.memory import require_memory


def confusion_matrix(truth: Array, predicted: Array, classes: int) -> Array:
    """(classes, classes) counts: row the true class, column the predicted one."""
    require_memory(
        8 * classes * classes,
        f"a confusion matrix of {classes:,} classes",
        "use accuracy, precision, recall and f1, which need none",
    )
    counts = np.bincount(truth.reshape(-1) * classes + predicted.reshape(-1), minlength=classes * classes)
    return counts.reshape(classes, classes)


def class_probabilities(outputs: Array, loss: Loss) -> Array:
    """(n, classes): what the outputs (n, classes) of a network trained with `loss` say about each class.

    Rows that sum to 1 already are left as they are; a single logit becomes two classes.
    """
    values = outputs.astype(np.float64)
    if (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-4) and values.shape[1] > 1:
        return values
    return loss.probabilities(values)


@dataclass(frozen=True)
class Evaluation:
    """The result of `net.evaluate`: the loss and, where the loss names classes, what follows from them.

    Without classes `accuracy`, `confusion` and the scores per class are None.
    """

    loss: float
    samples: int
    truth: Array | None = field(default=None, repr=False, compare=False)
    guesses: Array | None = field(default=None, repr=False, compare=False)
    classes: int = 0

    @cached_property
    def accuracy(self) -> float | None:
        """Fraction of samples whose class is right."""
        return None if self.truth is None else float((self.truth == self.guesses).mean())

    @cached_property
    def confusion(self) -> Array | None:
        """(classes, classes) counts: row the true class, column the predicted one. Made when it is asked for."""
        if self.truth is None or self.guesses is None:
            return None
        return confusion_matrix(self.truth, self.guesses, self.classes)

    @cached_property
    def _counts(self) -> tuple[Array, Array, Array] | None:
        """Per class: right answers, how often it was predicted, how often it is true."""
        if self.truth is None or self.guesses is None:
            return None
        named = (self.truth[self.truth == self.guesses], self.guesses, self.truth)
        hits, predicted, true = (np.bincount(classes, minlength=self.classes) for classes in named)
        return hits, predicted, true

    @property
    def precision(self) -> Array | None:
        """Per class: of the samples predicted as it, the share that belongs to it. NaN where none was predicted."""
        return None if self._counts is None else _ratio(self._counts[0], self._counts[1])

    @property
    def recall(self) -> Array | None:
        """Per class: of the samples that belong to it, the share predicted as it. NaN where there are none."""
        return None if self._counts is None else _ratio(self._counts[0], self._counts[2])

    @property
    def f1(self) -> Array | None:
        """Per class: harmonic mean of precision and recall."""
        if self._counts is None:
            return None
        hits, predicted, true = self._counts
        scores: Array = 2 * hits / np.maximum(predicted + true, 1)
        return scores

    def __str__(self) -> str:
        lines = [f"loss {self.loss:.4f} on {self.samples:,} samples"]
        precision, recall, f1 = self.precision, self.recall, self.f1
        if self._counts is None or precision is None or recall is None or f1 is None:
            return lines[0]
        lines[0] += f", accuracy {100 * (self.accuracy or 0):.2f} %"
        lines.append(f"{'class':>6} {'samples':>8} {'precision':>10} {'recall':>8} {'f1':>8}")
        for k, count in enumerate(self._counts[2]):
            lines.append(f"{k:>6} {count:>8} {precision[k]:>10.4f} {recall[k]:>8.4f} {f1[k]:>8.4f}")
        return "\n".join(lines)

    __repr__ = __str__


def _ratio(hits: Array, counts: Array) -> Array:
    ratio: Array = np.divide(hits, counts, out=np.full(len(hits), np.nan), where=counts > 0)
    return ratio
