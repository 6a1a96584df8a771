"""Which mistakes reproduce the given numbers: first single ones, then rarer ones, then two at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis import generic
from chainrule.diagnosis.problem import Problem, Suspect
from chainrule.diagnosis.truth import Truth, distance, largest

NEARLY = 0.9
"""The share of the difference that a near miss explains."""
ENOUGH = 3
"""Numbers that must fit before a free factor means anything."""


@dataclass(frozen=True)
class Finding:
    """A mistake that explains the numbers."""

    key: str
    sentence: str
    detail: str = ""
    """What the sentence is about, in short: the count that was divided by, the axes that were exchanged."""


@dataclass(frozen=True)
class Case:
    """One given tensor beside its truth."""

    given: Array
    truth: Truth
    eps: float
    tolerance: float = 0.0

    def fits(self, candidate: Array) -> bool:
        """Whether a candidate explains the given numbers."""
        return self.truth.explains(self.given, candidate, self.eps, self.tolerance)

    def allowed(self) -> float:
        """Rounding of the largest number, in units of that number."""
        return 8 * (self.truth.terms + 16) * self.eps + self.tolerance


def name_mistakes(case: Case, problem: Problem, tensor: str) -> list[Finding]:
    """All mistakes of the first kind that has any."""
    wrong = list(problem.wrong(tensor))
    return _unique(
        _first(
            lambda: [*_fitting(case, wrong), *_of_factors(case, case.truth.value, problem, "")],
            lambda: _named(case, generic.axis_orders(case.truth)),
            lambda: _named(case, generic.flips(case.truth)),
            lambda: _named(case, [*generic.shifts(case.truth), *generic.other_shapes(case.truth)]),
            lambda: _forgotten_sum(case),
            lambda: _right_but_reshaped(case),
            lambda: _clipped(case),
            lambda: _two_at_once(case, wrong, problem),
            lambda: _constant_factor(case),
        )
    )


def near_miss(case: Case, problem: Problem, tensor: str) -> Finding | None:
    """What explains nearly all of the difference, where nothing explains all of it."""
    found: list[tuple[float, str, str]] = []
    for suspect, candidate in problem.wrong(tensor):
        if suspect.fitted or candidate.shape != case.given.shape or case.given.shape != case.truth.value.shape:
            continue
        known = ~(np.isnan(candidate) | np.isnan(case.truth.value))
        whole = float(((case.given - case.truth.value)[known] ** 2).sum())
        left = float(((case.given - candidate)[known] ** 2).sum())
        if 0 < whole < np.inf and left < (1 - NEARLY) * whole:
            found.append((left / whole, suspect.sentence, suspect.key))
    if not found:
        return None
    left, sentence, key = min(found)
    share = f"That would explain {100 * (1 - left):.3g} % of the difference; something else is wrong, too."
    return Finding(key, f"{sentence} {share}")


def _first(*attempts: object) -> Iterable[Finding]:
    for attempt in attempts:
        assert callable(attempt)
        found = list(attempt())
        if found:
            return found
    return []


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    return list({(f.key, f.sentence): f for f in findings}.values())


def _fitting(case: Case, wrong: list[tuple[Suspect[Problem], Array]]) -> Iterator[Finding]:
    for suspect, candidate in wrong:
        if suspect.fitted:
            factor = _along(case, candidate)
            if factor is not None and factor > 0:
                yield Finding(suspect.key, f"{suspect.sentence} It fits {suspect.fitted} of {factor:.6g}.")
        elif case.fits(candidate):
            yield Finding(suspect.key, suspect.sentence)


def _along(case: Case, direction: Array) -> float | None:
    """How far `given` lies from the truth along a direction, if it lies there."""
    if case.given.shape != direction.shape or np.count_nonzero(direction) < ENOUGH:
        return None
    off = case.given - case.truth.value
    scale = float((direction * direction).sum())
    factor = float((off * direction).sum()) / scale if scale > 0 else 0.0
    return factor if factor and case.fits(case.truth.value + factor * direction) else None


def _factor_of(case: Case, base: Array) -> float | None:
    """c with given = c base, or None."""
    if case.given.shape != base.shape:
        return None
    known = ~np.isnan(base)
    a, b = base[known], case.given[known]
    scale = float((a * a).sum())
    if not 0 < scale < np.inf:
        return None
    factor = float((a * b).sum()) / scale
    off = distance(b, factor * a)
    return factor if off <= case.allowed() * largest(b) else None


def _of_factors(case: Case, base: Array, problem: Problem, prefix: str) -> Iterator[Finding]:
    factor = _factor_of(case, base)
    if factor is None:
        return
    for key, sentence, known, count in generic.factors(problem.counts()):
        if abs(factor - known) <= case.allowed() * abs(known):
            yield Finding(key, prefix + sentence, count)


def _named(case: Case, candidates: Iterable[generic.Named]) -> Iterator[Finding]:
    return (Finding(key, sentence) for key, sentence, candidate in candidates if case.fits(candidate))


def _forgotten_sum(case: Case) -> Iterator[Finding]:
    summed = generic.broadcast_of(case.given, case.truth)
    if summed is not None and case.truth.same(summed, case.eps, case.tolerance):
        yield Finding("axis_not_summed", "The first axis, such as the batch, was not summed over.")


def _right_but_reshaped(case: Case) -> Iterator[Finding]:
    value = case.truth.value
    if case.given.size == value.size and case.truth.same(case.given.reshape(value.shape), case.eps, case.tolerance):
        yield Finding("right_numbers_in_another_shape", "The numbers are right, but in another shape.")


def _two_at_once(case: Case, wrong: list[tuple[Suspect[Problem], Array]], problem: Problem) -> Iterator[Finding]:
    """A mistake of the table together with a factor."""
    for suspect, candidate in wrong:
        if not suspect.fitted and np.count_nonzero(candidate) >= ENOUGH and largest(candidate) > 0:
            for found in _of_factors(case, candidate, problem, f"{suspect.sentence} In addition: "):
                if found.key != "never_written":
                    yield Finding(f"{suspect.key}+{found.key}", found.sentence, found.detail)


def _clipped(case: Case) -> Iterator[Finding]:
    """Cut off at a largest number, or scaled down to a round length."""
    given, value = case.given, case.truth.value
    if given.shape != value.shape or np.count_nonzero(value) < ENOUGH or np.isnan(value).any():
        return
    bound = largest(given)
    if 0 < bound < largest(value) and case.fits(np.clip(value, -bound, bound)):
        yield Finding("clipped_by_value", f"The numbers were clipped at ±{bound:.6g}; that belongs to the update.")
    length, factor = float(np.linalg.norm(given)), _factor_of(case, value)
    if factor is not None and 0 < factor < 1 and abs(float(f"{length:.1e}") - length) <= case.allowed() * length:
        sentence = (
            f"Everything was scaled to the length {length:.6g}, as clipping by norm does; that belongs to the update."
        )
        yield Finding("clipped_by_norm", sentence)


def _constant_factor(case: Case) -> Iterator[Finding]:
    if np.count_nonzero(case.truth.value) < ENOUGH:
        return
    factor = _factor_of(case, case.truth.value)
    if factor is not None:
        yield Finding("constant_factor", f"Everything is multiplied by {factor:.6g}; otherwise the numbers are right.")
