"""What is reported about a network, and not differentiated: accuracy, confusion matrix, scores per class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.display import div, heading, table
from chainrule.errors import ArgumentError, shown
from chainrule.losses import Loss
from chainrule.memory import require_memory
from chainrule.shapes import Shape, shape_text

MOST_SHOWN = 20
"""Characters of a class name, and rows of a classification, that are printed."""
LARGEST_MATRIX = 30
"""Classes whose confusion matrix a notebook shows."""


def class_count(shape: Shape) -> int:
    """How many classes outputs of `shape` tell apart: one for each output, two where there is one; 0 for no outputs."""
    return max(shape[0], 2) if shape else 0


def checked_class_names(names: Iterable[object], shape: Shape) -> tuple[str, ...]:
    """`names` as a tuple, refused unless they are different texts, one for each class of outputs of `shape`."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArgumentError(f"class_names must be a sequence of names, such as ('cat', 'dog'), not {names!r}")
    given = tuple(names)
    wrong = [name for name in given if not isinstance(name, str)]
    if wrong:
        raise ArgumentError(f"class_names must be texts, but one of them is {wrong[0]!r}, a {type(wrong[0]).__name__}")
    if len(given) != class_count(shape):
        raise ArgumentError(
            f"class_names has {len(given)} names, but outputs of {shape_text(shape)} tell {class_count(shape)} classes "
            f"apart; give one name for each"
        )
    twice = [name for name in given if given.count(name) > 1] if len(set(given)) < len(given) else []
    if twice:
        raise ArgumentError(f"class_names has {twice[0]!r} twice; give each class a name of its own")
    return tuple(map(str, given))


def filled_class_names(names: Iterable[str], shape: Shape) -> tuple[str, ...]:
    """`names` and, for the outputs that a data set of fewer classes leaves over, "output 7", "output 8", ..."""
    given = tuple(names)
    more = (f"output {k}" for k in range(len(given), class_count(shape)))
    return checked_class_names((*given, *more), shape)


def name_of(names: tuple[str, ...] | None, label: int, most: int | None = None) -> str:
    """A class as people read it: its name on one line, cut to `most` characters, or its number."""
    return str(label) if names is None else shown(names[label], most)


def confusion_matrix(truth: Array, predicted: Array, classes: int, weights: Array | None = None) -> Array:
    """(classes, classes) counts, or sums of weights: row the true class, column the predicted one."""
    require_memory(
        8 * classes * classes,
        f"a confusion matrix of {classes:,} classes",
        "use accuracy, precision, recall and f1, which need none",
    )
    cells = truth.reshape(-1) * classes + predicted.reshape(-1)
    counts: Array = np.bincount(cells, weights, minlength=classes * classes)
    return counts.reshape(classes, classes)


def determination(outputs: Array, targets: Array, weights: Array | None = None) -> float | None:
    """R² = 1 - sum w (y - t)² / sum w (t - mean t)², the mean over the outputs of it; None without such targets.

    A constant output has R² = 1 where it is met exactly, else 0; with fewer than two samples it says nothing: None.
    """
    if targets.shape != outputs.shape or targets.dtype.kind != "f" or len(targets) < 2:
        return None
    w = np.ones(len(targets)) if weights is None else weights
    y, t = (array.reshape(len(array), -1).astype(np.float64) for array in (outputs, targets))
    with np.errstate(all="ignore"):
        rest = w @ (y - t) ** 2
        spread = w @ (t - w @ t / w.sum()) ** 2
        scores = 1 - np.divide(rest, spread, out=np.where(rest == 0, 0.0, 1.0), where=spread > 0)
    return float(scores.mean())


def classify(outputs: Array, loss: Loss, names: tuple[str, ...] | None, *, probable: bool) -> Classification:
    """The class of each row of outputs (n, classes) of a network trained with `loss`.

    With `probable` the outputs are probabilities already. Raises ArgumentError for outputs that name no class.
    """
    labels = loss.predicted_classes(outputs) if outputs.ndim == 2 else None
    if labels is None:
        given = "a single number" if outputs.shape[1:] == (1,) else shape_text(outputs.shape[1:])
        raise ArgumentError(
            f"each output is {given}, in which {loss!r} sees no class; a classifier has one output for each class, or "
            f"a single one with BCEWithLogitsLoss"
        )
    values = outputs.astype(np.float64)
    called = tuple(names[k] if names is not None else str(k) for k in labels.tolist())
    return Classification(labels, values if probable else loss.probabilities(values), called)


class Classification(NamedTuple):
    """The answer of `net.classify`, sample by sample: labels (n,), probabilities (n, classes), names."""

    labels: Array
    probabilities: Array
    names: tuple[str, ...]
    """The name of each sample's class; its number as a text where the network knows no names."""

    def __str__(self) -> str:
        rows = [
            f"{number}: {shown(name, MOST_SHOWN)} {100 * row[label]:.1f} %"
            for number, (label, row, name) in enumerate(zip(*self, strict=True))
            if number < MOST_SHOWN
        ]
        return "\n".join(rows + [f"... {len(self.labels):,} in all"] * (len(self.labels) > MOST_SHOWN))


@dataclass(frozen=True)
class Evaluation:
    """The result of `net.evaluate`: the loss and, where the loss names classes, what follows from them.

    Without classes `accuracy`, `confusion` and the scores per class are None. Where samples have weights, every count
    is a sum of weights: what came out if each sample stood there as often as its weight says.
    """

    loss: float
    samples: int
    truth: Array | None = field(default=None, repr=False, compare=False)
    guesses: Array | None = field(default=None, repr=False, compare=False)
    classes: int = 0
    class_names: tuple[str, ...] | None = None
    weights: Array | None = field(default=None, repr=False, compare=False)
    r2: float | None = None
    """R², the mean over the outputs, where targets are values."""

    @cached_property
    def accuracy(self) -> float | None:
        """Fraction of samples whose class is right."""
        return None if self.truth is None else float(np.average(self.truth == self.guesses, weights=self.weights))

    @cached_property
    def confusion(self) -> Array | None:
        """(classes, classes) counts: row the true class, column the predicted one. Made when it is asked for."""
        if self.truth is None or self.guesses is None:
            return None
        return confusion_matrix(self.truth, self.guesses, self.classes, self.weights)

    def confusion_of_few(self, most: int) -> Array | None:
        """`confusion`, or None where there are more than so many classes: it grows with their square."""
        return self.confusion if self.classes <= most else None

    @cached_property
    def _counts(self) -> tuple[Array, Array, Array] | None:
        """Per class: right answers, how often it was predicted, how often it is true."""
        if self.truth is None or self.guesses is None:
            return None
        right, w = self.truth == self.guesses, self.weights
        hits = np.bincount(self.truth[right], None if w is None else w[right], minlength=self.classes)
        predicted, true = (np.bincount(named, w, minlength=self.classes) for named in (self.guesses, self.truth))
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
        total = predicted + true
        scores: Array = np.divide(2 * hits, total, out=np.zeros(len(hits)), where=total > 0)
        return scores

    @property
    def f1_macro(self) -> float | None:
        """The mean of `f1` over the classes that are true or predicted somewhere."""
        if self._counts is None or self.f1 is None:
            return None
        _, predicted, true = self._counts
        return float(self.f1[predicted + true > 0].mean())

    @property
    def f1_micro(self) -> float | None:
        """F1 of all classes counted together. Each sample has one true and one predicted class: it is the accuracy."""
        return self.accuracy

    def __str__(self) -> str:
        lines = [f"loss {self.loss:.4f} on {self.samples:,} samples"]
        precision, recall, f1 = self.precision, self.recall, self.f1
        if self.r2 is not None:
            lines[0] += f", R² {self.r2:.4f}"
        if self._counts is None or precision is None or recall is None or f1 is None:
            return lines[0]
        lines[0] += f", accuracy {100 * (self.accuracy or 0):.2f} %"
        names = [name_of(self.class_names, k, MOST_SHOWN) for k in range(self.classes)]
        wide = max(6, *map(len, names))
        lines.append(f"{'class':>{wide}} {'samples':>8} {'precision':>10} {'recall':>8} {'f1':>8}")
        for k, count in enumerate(self._counts[2]):
            lines.append(f"{names[k]:>{wide}} {count:>8g} {precision[k]:>10.4f} {recall[k]:>8.4f} {f1[k]:>8.4f}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        accuracy = "" if self.accuracy is None else f", accuracy {100 * self.accuracy:.2f} %"
        title = heading(f"loss {self.loss:.4f} on {self.samples:,} samples{accuracy}")
        if self._counts is None or self.precision is None or self.recall is None or self.f1 is None:
            return div(title)
        names = [name_of(self.class_names, k) for k in range(self.classes)]
        scores = zip(names, self._counts[2], self.precision, self.recall, self.f1, strict=True)
        rows = [[name, f"{count:,}", *(f"{score:.4f}" for score in parts)] for name, count, *parts in scores]
        found = table(("class", "samples", "precision", "recall", "f1"), rows)
        return div(title, found, self._matrix_page(names))

    def _matrix_page(self, names: list[str]) -> str:
        """The confusion matrix, each cell tinted by its share of its row; nothing where it would be too large."""
        if self.confusion is None or self.classes > LARGEST_MATRIX:
            return ""
        rows = [
            [name, *(count or "" for count in row)] for name, row in zip(names, self.confusion.tolist(), strict=True)
        ]
        shades = (self.confusion / np.maximum(self.confusion.sum(axis=1, keepdims=True), 1)).tolist()
        return heading("Rows: the true class; columns: the predicted one") + table(["", *names], rows, shades=shades)


def _ratio(hits: Array, counts: Array) -> Array:
    ratio: Array = np.divide(hits, counts, out=np.full(len(hits), np.nan), where=counts > 0)
    return ratio
