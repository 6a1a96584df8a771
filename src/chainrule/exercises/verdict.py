"""What the grader found, free of language: put into words by `report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.diagnosis.report import Place
from chainrule.exercises.exercise import Exercise


@dataclass(frozen=True)
class Note:
    """A sentence: its key in `messages`, and what stands in it."""

    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TensorVerdict:
    """One result over all cases. `case` is the first that is wrong, from 1; no number of it is kept."""

    name: str
    wrong: int
    cases: int
    case: int = 0
    inputs: str = ""
    shapes: tuple[str, str] | None = None
    """(given, expected) where they differ."""
    place: Place | None = None
    mistakes: tuple[tuple[str, str], ...] = ()
    """(key, detail) of each."""
    finite: bool = True
    near: tuple[str, ...] = ()
    silent: bool = False
    """Whether nothing is said about the mistake, where its name would give the answer away."""

    @property
    def ok(self) -> bool:
        """Whether every case is right."""
        return self.wrong == 0

    def without_mistakes(self) -> TensorVerdict:
        """The same, where a name would give the answer away."""
        return replace(self, mistakes=(), near=(), silent=True)


@dataclass(frozen=True)
class Verdict:
    """One exercise. `status`: right, wrong, failed, unwritten, missing, borrowed."""

    exercise: Exercise
    status: str
    notes: tuple[Note, ...]
    tensors: tuple[TensorVerdict, ...]
    cases: int
    seed: int

    @property
    def ok(self) -> bool:
        """Whether the exercise is solved."""
        return self.status == "right"

    @property
    def mistakes(self) -> dict[str, tuple[str, ...]]:
        """The keys of the named mistakes by result."""
        return {t.name: tuple(key for key, _ in t.mistakes) for t in self.tensors if not t.ok}
