"""From what a student's function returned to a verdict: which result is wrong, where, and by which mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import TensorDiagnosis, examine
from chainrule.diagnosis.truth import coarsest_eps
from chainrule.exercises.exercise import Case, Exercise
from chainrule.exercises.sandbox import Outcome
from chainrule.exercises.values import Other
from chainrule.exercises.verdict import Note, TensorVerdict, Verdict
from chainrule.shapes import shape_text

EXAMINED = 4
"""Wrong cases whose mistake is looked for; the others are counted."""


def judge(exercise: Exercise, cases: Sequence[Case], outcome: Outcome, seed: int) -> Verdict:
    """The verdict on one exercise."""
    notes = list(_notes(outcome))

    def verdict(status: str, *more: Note, tensors: tuple[TensorVerdict, ...] = ()) -> Verdict:
        return Verdict(exercise, status, (*more, *notes), tensors, len(cases), seed)

    if outcome.ended == "missing":
        return verdict("missing", Note("missing", {"function": exercise.function}))
    if outcome.error is not None:
        return verdict(*_failure(outcome.error, loading=outcome.ended == "load"))
    values: list[dict[str, Array]] = []
    for number, (case, call) in enumerate(zip(cases, outcome.calls, strict=False), 1):
        if "error" in call:
            status, note = _failure(call["error"])
            return verdict(status, note, *_where(case, number, status))
        try:
            values.append(_tensors(exercise, case, outcome.value(call)))
        except UnusableError as error:
            return verdict("wrong", error.note, *_where(case, number, "wrong"))
    tensors = tuple(_tensor(exercise, name, cases, values) for name in exercise.returns)
    found = [*_changed(outcome), *_remembered(exercise, cases, outcome, values)]
    if all(tensor.ok for tensor in tensors):
        return verdict("wrong" if found else "right", *found, tensors=tensors)
    if _as_handed_out(exercise, cases, outcome, values):
        return verdict("wrong", Note("bug_still_there"), tensors=tuple(t.without_mistakes() for t in tensors))
    return verdict("wrong", *found, *_exchanged(exercise, cases, values), tensors=tensors)


def _notes(outcome: Outcome) -> Iterator[Note]:
    if outcome.printed:
        yield Note("printed", {"count": outcome.printed})
    for skipped in outcome.skipped:
        _, note = _failure(skipped)
        yield Note("cell_left_out", {"cell": skipped.get("label", "?"), "why": note})


def _failure(error: dict[str, Any], loading: bool = False) -> tuple[str, Note]:
    """(status, what to say) of an exception, or of a process that did not end by itself."""
    kind = error["kind"]
    status = {"borrowed": "borrowed", "unwritten": "unwritten"}.get(kind, "failed")
    key = f"{kind}_loading" if loading and kind in ("raised", "exit", "time") else kind
    return status, Note(key, {k: v for k, v in error.items() if k != "kind"})


def _where(case: Case, number: int, status: str) -> Iterator[Note]:
    if status in ("failed", "wrong"):
        yield Note("in_case", {"case": number, "inputs": described(case)})


def described(case: Case) -> str:
    """The arguments of a call by their shapes; small numbers by their value."""
    return ", ".join(f"{name} {_argument(value)}" for name, value in case.arguments.items())


def _argument(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"({', '.join(map(str, value.shape))}{',' if value.ndim == 1 else ''})"
    if isinstance(value, bool | int | str | tuple | list):
        return str(value)
    return f"{value:.4g}" if isinstance(value, float) else "…"


class UnusableError(Exception):
    """A result that cannot be compared at all."""

    def __init__(self, key: str, **arguments: Any) -> None:
        self.note = Note(key, arguments)


def _tensors(exercise: Exercise, case: Case, value: Any) -> dict[str, Array]:
    """The results of one call by name."""
    names = exercise.returns
    if value is None:
        raise UnusableError("returns_nothing", expected=", ".join(names))
    if len(names) == 1:
        parts = [value[0] if isinstance(value, tuple) and len(value) == 1 else value]
    elif isinstance(value, tuple | list):
        parts = list(value)
    else:
        raise UnusableError("returns_one", expected=", ".join(names), count=len(names))
    if len(parts) != len(names):
        raise UnusableError("returns_count", expected=", ".join(names), count=len(names), given=len(parts))
    return {name: _array(name, part) for name, part in zip(names, parts, strict=True)}


def _array(name: str, value: Any) -> Array:
    if value is None:
        raise UnusableError("part_is_nothing", name=name)
    if isinstance(value, Other):
        raise UnusableError("kind", name=name, given=value.kind)
    try:
        array = np.asarray(value)
    except ValueError:
        raise UnusableError("ragged", name=name) from None
    if array.dtype.kind not in "iuf":
        raise UnusableError("kind", name=name, given="text" if array.dtype.kind in "US" else str(array.dtype))
    return array


def _tensor(exercise: Exercise, name: str, cases: Sequence[Case], values: Sequence[dict[str, Array]]) -> TensorVerdict:
    """One result over all cases: a mistake is named if it explains every wrong case that was looked at."""
    wrong: list[tuple[int, TensorDiagnosis]] = []
    count, cut = 0, True
    for number, (case, given) in enumerate(zip(cases, values, strict=True)):
        array, inputs = given[name], [v for v in case.arguments.values() if isinstance(v, np.ndarray)]
        eps = coarsest_eps(array, *inputs)
        truth = case.problem.truths()[name]
        if np.isfinite(array).all() and truth.same(array.astype(float), eps):
            continue
        count += 1
        cut = cut and array.dtype.kind in "iu" and array.shape == truth.value.shape
        cut = cut and bool((array == np.trunc(truth.value)).all())
        if len(wrong) < EXAMINED:
            wrong.append((number, examine(name, array.astype(float), case.problem, eps)))
    if not wrong:
        return TensorVerdict(name, 0, len(cases))
    number, first = wrong[0]
    mistakes = (("whole_numbers", ""),) if cut else _common([d for _, d in wrong])
    given_shape, right_shape = values[number][name].shape, cases[number].problem.truths()[name].value.shape
    return TensorVerdict(
        name,
        count,
        len(cases),
        number + 1,
        described(cases[number]),
        None if given_shape == right_shape else (shape_text(given_shape), shape_text(right_shape)),
        first.place,
        mistakes,
        bool(np.isfinite(values[number][name]).all()),
        tuple(dict.fromkeys(f for f in [_near(wrong)] if f and not mistakes)),
    )


def _near(wrong: list[tuple[int, TensorDiagnosis]]) -> str:
    keys = [d.near for _, d in wrong]
    return keys[0] if keys and all(key == keys[0] for key in keys) and keys[0] else ""


Mistake = tuple[str, str]
"""A key, and what it is about, such as the count that was divided by."""


def _common(wrong: Sequence[TensorDiagnosis]) -> tuple[Mistake, ...]:
    """The mistakes that explain every one; where none does, the one that explains most of them."""
    named: list[list[Mistake]] = [list(dict.fromkeys((f.key, f.detail) for f in d.findings)) for d in wrong]
    shared = [mistake for mistake in named[0] if all(mistake in others for others in named)]
    return tuple(shared) or _common_with_more(named) or _of_most(named)


def _common_with_more(named: Sequence[Sequence[Mistake]]) -> tuple[Mistake, ...]:
    """A mistake that explains every case, in some of them together with another, such as a mean over a batch of one."""
    alone = [[key.partition("+")[0] for key, _ in mistakes] for mistakes in named]
    base = next((key for key in alone[0] if all(key in keys for keys in alone)), None)
    if base is None:
        return ()
    votes = Counter(m for mistakes in named for m in mistakes if m[0] == base or m[0].startswith(f"{base}+"))
    more = [mistake for mistake, _ in votes.most_common() if "+" in mistake[0]]
    return tuple(more[:1]) or (votes.most_common(1)[0][0],)


def _of_most(named: Sequence[Sequence[Mistake]]) -> tuple[Mistake, ...]:
    votes = Counter(mistake for mistakes in named for mistake in mistakes)
    (best, count), *_ = votes.most_common(1) or [(("", ""), 0)]
    return (best,) if count > 1 and 2 * count > len(named) else ()


def _changed(outcome: Outcome) -> Iterator[Note]:
    names = dict.fromkeys(name for call in outcome.calls for name in call.get("changed", ()))
    if names:
        yield Note("changed", {"names": ", ".join(names)})


def _remembered(
    exercise: Exercise, cases: Sequence[Case], outcome: Outcome, values: Sequence[dict[str, Array]]
) -> Iterator[Note]:
    """The first call is repeated at the end: the same must come out."""
    if len(outcome.calls) <= len(cases):
        return
    again = outcome.calls[len(cases)]
    try:
        same = "error" not in again and all(
            np.array_equal(array, values[0][name], equal_nan=True)
            for name, array in _tensors(exercise, cases[0], outcome.value(again)).items()
        )
    except UnusableError:
        same = False
    if not same:
        yield Note("remembers")


def _exchanged(exercise: Exercise, cases: Sequence[Case], values: Sequence[dict[str, Array]]) -> Iterator[Note]:
    """Results that are right, but not in their places."""
    homes = {}
    for name in exercise.returns:
        for other in exercise.returns:
            if other != name and all(
                _is(case.problem, other, given[name]) for case, given in zip(cases, values, strict=True)
            ):
                homes[name] = other
    if homes:
        pairs = ", ".join(f"{other}" for name, other in homes.items())
        yield Note("other_order", {"names": pairs, "expected": ", ".join(exercise.returns)})


def _is(problem: Problem, name: str, array: Array) -> bool:
    return problem.truths()[name].same(array.astype(float), coarsest_eps(array))


def _as_handed_out(
    exercise: Exercise, cases: Sequence[Case], outcome: Outcome, values: Sequence[dict[str, Array]]
) -> bool:
    """Whether the file returns the same wrong numbers as the program in which a bug was planted."""
    if not outcome.again or len(outcome.again) < len(cases):
        return False
    for case, given, call in zip(cases, values, outcome.again, strict=False):
        if "error" in call:
            return False
        handed = _tensors(exercise, case, outcome.value(call))
        if any(not np.array_equal(handed[n], given[n], equal_nan=True) for n in exercise.returns):
            return False
    return True
