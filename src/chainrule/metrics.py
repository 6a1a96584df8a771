"""What is reported about a network, and not differentiated: accuracy, confusion matrix, scores per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.losses import Loss


def confusion_matrix(truth: Array, predicted: Array, classes: int) -> Array:
    """(classes, classes) counts: row the true class, column the predicted one."""
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
    """The result of `net.evaluate`. Without classes, `accuracy` and `confusion` are None."""

    loss: float
    samples: int
    accuracy: float | None = None
    confusion: Array | None = None

    def _ratio(self, counts: Array) -> Array:
        assert self.confusion is not None
        hits = np.diag(self.confusion)
        ratio: Array = np.divide(hits, counts, out=np.full(len(hits), np.nan), where=counts > 0)
        return ratio

    @property
    def precision(self) -> Array | None:
        """Per class: of the samples predicted as it, the share that belongs to it. NaN where none was predicted."""
        return None if self.confusion is None else self._ratio(self.confusion.sum(axis=0))

    @property
    def recall(self) -> Array | None:
        """Per class: of the samples that belong to it, the share predicted as it. NaN where there are none."""
        return None if self.confusion is None else self._ratio(self.confusion.sum(axis=1))

    @property
    def f1(self) -> Array | None:
        """Per class: harmonic mean of precision and recall."""
        if self.confusion is None:
            return None
        scores: Array = (
            2 * np.diag(self.confusion) / np.maximum(self.confusion.sum(axis=0) + self.confusion.sum(axis=1), 1)
        )
        return scores

    def __str__(self) -> str:
        lines = [f"loss {self.loss:.4f} on {self.samples:,} samples"]
        if self.accuracy is None or self.confusion is None:
            return lines[0]
        lines[0] += f", accuracy {100 * self.accuracy:.2f} %"
        lines.append(f"{'class':>6} {'samples':>8} {'precision':>10} {'recall':>8} {'f1':>8}")
        precision, recall, f1 = (
            self._ratio(self.confusion.sum(axis=0)),
            self._ratio(self.confusion.sum(axis=1)),
            self.f1,
        )
        assert f1 is not None
        for k, count in enumerate(self.confusion.sum(axis=1)):
            lines.append(f"{k:>6} {count:>8} {precision[k]:>10.4f} {recall[k]:>8.4f} {f1[k]:>8.4f}")
        return "\n".join(lines)

    __repr__ = __str__
