"""What a diagnosis found, tensor by tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.naming import Case, Finding, name_mistakes, near_miss
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.truth import Truth, largest, place_text
from chainrule.shapes import Shape, shape_text

SHOWN = 6
NOTICEABLE = 0.01
"""Where rounding may explain a larger share of the largest number than this, a gradient is not called right."""


@dataclass(frozen=True)
class Place:
    """Where numbers are wrong: how many, the worst, and the axes along which they keep to a part."""

    wrong: int
    size: int
    index: Shape
    axes: tuple[str, ...]
    regions: tuple[tuple[str, tuple[int, ...], int], ...]
    """(axis, the indices with wrong numbers, the last index of the axis)."""


@dataclass(frozen=True)
class TensorDiagnosis:
    """One given gradient: whether it is right, where it is most wrong, and which mistakes explain it."""

    name: str
    ok: bool
    formula: str
    sources: str
    message: str
    findings: tuple[Finding, ...] = ()
    index: Shape | None = None
    hidden: float = 0.0
    """What share of the largest number rounding alone may explain: smaller mistakes cannot be seen."""
    hint: str | None = None
    """Where no mistake fits, one that nearly does."""
    near: str = ""
    """The key of that one."""
    place: Place | None = None
    """Where the numbers are wrong, if the shape is right."""

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The keys of the mistakes that fit."""
        return tuple(finding.key for finding in self.findings)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What there is to say, line by line, in no language: the key of a sentence, and what stands in it."""
        named = {"name": self.name, "message": self.message}
        if self.ok:
            if self.hidden <= NOTICEABLE:
                return [("right", named)]
            return [("unseen", {**named, "percent": f"{100 * self.hidden:.2g}"}), ("smaller", {})]
        found: list[tuple[str, dict[str, Any]]] = [("wrong", named)]
        found += [("likely", {"sentence": finding.sentence}) for finding in self.findings[:SHOWN]]
        if len(self.findings) > SHOWN:
            found.append(("more", {"count": len(self.findings) - SHOWN}))
        if len(self.findings) > 1:
            found.append(("each", {}))
        if not self.findings:
            found.append(("unknown", {}))
        if self.hint is not None:
            found.append(("nearest", {"sentence": self.hint}))
        return [*found, ("rule", {"formula": self.formula, "sources": self.sources})]

    def lines(self) -> list[str]:
        """The report of this tensor."""
        return [ENGLISH[key].format(**parts) for key, parts in self.told()]


ENGLISH = {
    "right": "{name} is right: {message}",
    "unseen": "{name}: no mistake can be seen in it, but at this precision rounding alone may explain "
    "{percent} % of the largest number: {message}",
    "smaller": "  Smaller mistakes would not be seen; repeat the diagnosis with the same numbers in float64.",
    "wrong": "{name} is WRONG: {message}",
    "likely": "  Likely mistake: {sentence}",
    "more": "  {count} more mistakes give the same numbers.",
    "each": "  Each of these alone gives your numbers; other data would tell them apart.",
    "unknown": "  No known mistake gives these numbers.",
    "nearest": "  Nearest: {sentence}",
    "rule": "  Right: {formula}  [{sources}]",
}
"""The sentences of a report."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of a `diagnose_...` function; print it."""

    tensors: tuple[TensorDiagnosis, ...]

    @property
    def ok(self) -> bool:
        """Whether no given gradient is wrong, as far as its precision shows (see `TensorDiagnosis.hidden`)."""
        return all(tensor.ok for tensor in self.tensors)

    def __getitem__(self, name: str) -> TensorDiagnosis:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    @property
    def mistakes(self) -> dict[str, tuple[str, ...]]:
        """The keys of the mistakes by tensor, for those that are wrong."""
        return {tensor.name: tensor.mistakes for tensor in self.tensors if not tensor.ok}

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, for JSON."""
        return {"ok": self.ok, "tensors": [asdict(tensor) for tensor in self.tensors]}

    def __str__(self) -> str:
        return "\n".join(line for tensor in self.tensors for line in tensor.lines())

    __repr__ = __str__


def examine(name: str, given: Array, problem: Problem, eps: float, tolerance: float = 0.0) -> TensorDiagnosis:
    """Compare one given gradient with the truth; where it is wrong, name the mistake."""
    truth = problem.truths()[name]
    right = (truth.formula, truth.sources)
    if not np.isfinite(given).all():
        index = _index(np.argmin(np.isfinite(given)), given.shape)
        message = f"it holds {given[index]} at {place_text(index, truth.axes)}."
        place = Place(int((~np.isfinite(given)).sum()), given.size, index, truth.axes, ())
        return TensorDiagnosis(name, False, *right, message, (), index, place=place)
    if truth.same(given, eps, tolerance):
        message = f"largest difference {_worst(given, truth)[1]:.1e}."
        return TensorDiagnosis(name, True, *right, message, hidden=_hidden(truth, eps))
    case = Case(given, truth, eps, tolerance)
    findings = tuple(name_mistakes(case, problem, name))
    missed = None if findings else near_miss(case, problem, name)
    if given.shape != truth.value.shape:
        message = f"its shape is {shape_text(given.shape)}, not {shape_text(truth.value.shape)}."
        return TensorDiagnosis(name, False, *right, message, findings)
    place = _place(given, truth, eps, tolerance)
    hint, near = (None, "") if missed is None else (missed.sentence, missed.key)
    return TensorDiagnosis(
        name, False, *right, _difference(given, truth, place), findings, place.index, hint=hint, near=near, place=place
    )


def _hidden(truth: Truth, eps: float) -> float:
    """The error that rounding allows, as a share of the largest number."""
    size = largest(truth.value)
    return largest(truth.rounding(eps)) / size if size else 0.0


def _index(flat: Any, shape: Shape) -> Shape:
    return tuple(int(i) for i in np.unravel_index(int(flat), shape))


def _worst(given: Array, truth: Truth) -> tuple[Shape, float]:
    if not given.size:
        return (), 0.0
    with np.errstate(over="ignore"):
        off = np.nan_to_num(np.abs(given - truth.value), nan=-1.0, posinf=np.finfo(np.float64).max)
    index = _index(off.argmax(), off.shape)
    return index, float(off[index])


def _place(given: Array, truth: Truth, eps: float, tolerance: float) -> Place:
    off = np.abs(given - truth.value) > truth.rounding(eps, tolerance)
    return Place(int(off.sum()), off.size, _worst(given, truth)[0], truth.axes, tuple(_regions(off, truth)))


def _difference(given: Array, truth: Truth, place: Place) -> str:
    at = place_text(place.index, truth.axes)
    values = f"given {given[place.index]:.9g}, right {truth.value[place.index]:.9g}"
    parts = [f"{axis} {', '.join(map(str, hit))} of 0..{last}" for axis, hit, last in place.regions]
    region = f" Wrong only in {'; '.join(parts)}." if parts else ""
    return f"{place.wrong} of {place.size} numbers, the worst at {at}: {values}.{region}"


def _regions(off: Array, truth: Truth) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Along which axes the wrong numbers keep to a part."""
    for axis, size in enumerate(off.shape):
        others = tuple(i for i in range(off.ndim) if i != axis)
        hit = np.flatnonzero(off.any(axis=others))
        if 0 < len(hit) < size and len(hit) <= SHOWN:
            name = truth.axes[axis] if truth.axes else f"axis {axis}"
            yield name, tuple(int(i) for i in hit), size - 1
