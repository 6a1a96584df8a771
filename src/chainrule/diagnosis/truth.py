"""The right gradient of one tensor, and how far rounding alone may lead away from it.

A correct implementation may sum in any order, in the precision of its data, directly, by FFT or by Winograd. Its
error is then at most about (terms) eps times the sum of the absolute values, and that is what is allowed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Shape

SLACK = 16
"""Roundings in addition to one for each term: of the inputs, the slopes, a last scaling."""
SPREAD = 8
"""What transform-based sums (FFT, Winograd) may carry from one number to another, in eps of the largest."""
CLEARLY = 0.05
"""A mistake explains the numbers only if it leaves less than this share of the difference."""


@dataclass(frozen=True)
class Truth:
    """What a gradient should be. `magnitude` is the same sum over absolute values, `terms` its length."""

    value: Array
    magnitude: Array
    terms: int
    axes: tuple[str, ...]
    formula: str
    sources: str
    slack: Array | None = None
    """An error that is also allowed, such as that of a slope whose z is itself rounded."""

    def rounding(self, eps: float, tolerance: float = 0.0) -> Array:
        """The error that is allowed at each number."""
        largest = float(self.magnitude.max(initial=0.0))
        steps = (self.terms + SLACK) * eps
        allowed = steps * self.magnitude + (SPREAD * eps + tolerance) * largest + 1e3 * np.finfo(np.float64).tiny
        result: Array = allowed if self.slack is None else allowed + self.slack
        return result

    def same(self, other: Array, eps: float, tolerance: float = 0.0) -> bool:
        """Whether `other` is right. Where the truth is not known (NaN), anything is."""
        return other.shape == self.value.shape and within(other, self.value, self.rounding(eps, tolerance))

    def explains(self, given: Array, candidate: Array, eps: float, tolerance: float = 0.0) -> bool:
        """Whether `given` is `candidate` up to rounding, and not merely near it because the truth is."""
        if candidate.shape != given.shape:
            return False
        size, right = largest(candidate), largest(self.value)
        shrunk = size / right if right > 0 else 1.0  # what is divided by n has errors divided by n
        scale = max(float(self.magnitude.max(initial=0.0)) * shrunk, size)
        allowed = (4 * (self.terms + SLACK) * eps + tolerance) * scale
        allowed += 0.0 if self.slack is None else largest(self.slack)
        if not within(given, candidate, np.asarray(allowed)):
            return False
        if given.shape != self.value.shape:
            return True
        off = distance(candidate, self.value)
        return off > 0 and distance(given, candidate) <= CLEARLY * off


def within(given: Array, expected: Array, allowed: Array) -> bool:
    """|given - expected| <= allowed wherever `expected` is a number."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(((np.abs(given - expected) <= allowed) | np.isnan(expected)).all())


def largest(a: Array) -> float:
    """The largest absolute value, NaN left out."""
    return float(np.nanmax(np.abs(a), initial=0.0))


def distance(a: Array, b: Array) -> float:
    """The largest absolute difference, NaN left out."""
    with np.errstate(invalid="ignore", over="ignore"):
        return largest(a - b)


def coarsest_eps(*arrays: Array | None) -> float:
    """The unit roundoff of the least precise of some arrays; integers count as float64."""
    kinds = [a.dtype for a in arrays if a is not None and a.dtype.kind == "f" and a.dtype.itemsize <= 8]
    return max([float(np.finfo(kind).eps) for kind in kinds], default=float(np.finfo(np.float64).eps))


def place_text(index: Shape, axes: tuple[str, ...]) -> str:
    """[0,1,2,2] with the names of its axes."""
    numbers = f"[{','.join(map(str, index))}]"
    if len(axes) != len(index) or not axes:
        return numbers
    return f"{numbers} ({', '.join(f'{axis} {i}' for axis, i in zip(axes, index, strict=True))})"
