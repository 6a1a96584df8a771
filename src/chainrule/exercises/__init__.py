"""Exercises with a grader: functions to be written, and a report that names the mistake without giving the answer.

from chainrule.exercises import grade
grade("dense", dense_backward)        # in a notebook or a program
grade_file("dense.py")                # or on the command line: chainrule grade dense.py

exercise     what an exercise is; `topics` holds all, `tasks` their texts, `bugs` the programs with a bug
stubs        what students are handed
submission   a student's file; `sandbox` and `runner` run it in a process of its own (`child`), within limits
judging      from results to a verdict, by `chainrule.diagnosis`; `report` puts it into words
"""

from __future__ import annotations

import secrets
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ArgumentError, DataError
from chainrule.exercises import sandbox, stubs
from chainrule.exercises.catalogue import EXERCISES, exercise
from chainrule.exercises.exercise import Case, Exercise
from chainrule.exercises.judging import judge
from chainrule.exercises.messages import language
from chainrule.exercises.report import Report
from chainrule.exercises.submission import Submission, read
from chainrule.exercises.verdict import Note, Verdict
from chainrule.shapes import integer

__all__ = ["EXERCISES", "Exercise", "Report", "exercise", "grade", "grade_file"]


def grade(
    name: str,
    function: Callable[..., Any],
    *,
    lang: str = "en",
    seed: int | None = None,
    seconds: float = sandbox.SECONDS,
) -> Report:
    """Grade a function as the solution of an exercise; the report shows itself in a notebook.

    It is tried on inputs that are new each time; `seed` repeats a report's. Raises NameLookupError for an exercise that
    does not exist, ArgumentError for what is no function.
    """
    asked, chosen = exercise(name), language(lang)
    if not isinstance(function, types.FunctionType):
        raise ArgumentError(f"give the function itself, as in grade({name!r}, {asked.function}), not {function!r}")
    number = _seed(seed)
    package = sandbox.borrowed(function)
    cases = _cases(asked, number)
    if package is not None:
        verdict = Verdict(asked, "borrowed", (Note("borrowed", {"message": package}),), (), len(cases), number)
    else:
        verdict = judge(asked, cases, sandbox.run_function(function, _calls(cases), seconds), number)
    return Report((verdict,), None, chosen)


def grade_file(
    path: str | Path, names: Sequence[str] = (), *, lang: str = "en", seed: int | None = None,
    seconds: float = sandbox.SECONDS, memory: int = sandbox.MEMORY,
) -> Report:  # fmt: skip
    """Grade a .py file or a notebook: the exercises named, or all whose functions it defines.

    The code runs in a process of its own, for at most `seconds` of the processor and with `memory` bytes for each
    exercise. Raises StorageError or FileFormatError for a file that cannot be read, DataError for one without any.
    """
    submission, chosen = read(Path(path)), language(lang)
    asked = [exercise(name) for name in names]
    if not asked:
        asked = [e for e in EXERCISES.values() if e.function in submission.functions]
    if not asked:
        raise DataError(
            f"{path} defines none of the functions that the exercises ask for, such as dense_backward; keep the name "
            "of the stub, or say which exercise is meant"
        )
    number = _seed(seed)
    return Report(tuple(_graded(asked, submission, number, seconds, memory)), str(path), chosen)


def _graded(
    asked: Sequence[Exercise], submission: Submission, seed: int, seconds: float, memory: int
) -> Iterator[Verdict]:
    """Each exercise in a process of its own; a file that cannot even be loaded is not tried again."""
    failed: sandbox.Outcome | None = None
    for each in asked:
        cases = _cases(each, seed)
        handed = f"import numpy as np\n\n\n{stubs.code(each)}" if each.kind == "bug" else ""
        outcome = failed or sandbox.run_file(submission, each.function, _calls(cases), handed, seconds, memory)
        failed = outcome if outcome.ended == "load" else None
        yield judge(each, cases, outcome, seed)


def _cases(asked: Exercise, seed: int) -> list[Case]:
    return list(asked.cases(np.random.default_rng([seed, *asked.name.encode()])))


def _calls(cases: Sequence[Case]) -> list[dict[str, Any]]:
    return [dict(case.arguments) for case in cases]


def _seed(seed: int | None) -> int:
    return secrets.randbelow(2**31) if seed is None else integer("seed", seed, 0)
