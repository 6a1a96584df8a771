"""Derivatives from function values alone: extrapolated differences at shrinking steps, and kinks told from noise.

At a step h the function is read at 0, ±h/4, ±h/2 and ±h. From these come three estimates of the derivative, the
central one and the two one-sided ones, each extrapolated twice to step 0 (Romberg), each with an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array

FIRST_STEP = 2.0**-10
SHRINK = 8
LEVELS = 5
"""Steps from about 1e-3 down to about 2e-7, times the size of the number that is moved."""

Offset = Callable[[float], float]
"""t -> f(x + t) along one number of x."""


@dataclass(frozen=True)
class Estimate:
    """A derivative and how far it may be off: `error` in all, `noise` of it from rounding."""

    value: float
    error: float
    noise: float

    def agrees(self, other: Estimate) -> bool:
        """Whether two estimates can be of the same number."""
        return abs(self.value - other.value) <= 3 * (self.error + other.error)


@dataclass(frozen=True)
class Level:
    """The three estimates at one step."""

    central: Estimate
    left: Estimate
    right: Estimate

    @property
    def jump(self) -> float:
        """How far the one-sided derivatives are apart."""
        return abs(self.right.value - self.left.value)

    @property
    def doubt(self) -> float:
        """How far they may be apart where the derivative exists."""
        return 3 * (self.right.error + self.left.error)

    @property
    def kinked(self) -> bool:
        """Whether the sides disagree."""
        return self.jump > self.doubt


@dataclass(frozen=True)
class Derivative:
    """What was found: the derivative, or, at a kink, the two one-sided ones (`value` is then their mean)."""

    value: float
    noise: float
    left: float
    right: float
    kink: bool


def _extrapolate(slopes: list[float], powers: tuple[int, int], noise: float) -> Estimate:
    """Slopes at h, h/2, h/4, whose errors begin with h^1, h^2 (powers 2, 4) or h^2, h^4 (powers 4, 16)."""
    p, q = powers
    coarse = (p * slopes[1] - slopes[0]) / (p - 1)
    fine = (p * slopes[2] - slopes[1]) / (p - 1)
    best = (q * fine - coarse) / (q - 1)
    return Estimate(best, abs(best - fine) + noise, noise)


def level_at(f: Offset, base: float, step: float, rounding: float) -> Level:
    """The estimates at one step; `rounding` is the error of a function value."""
    steps = [step, step / 2, step / 4]
    above, below = [f(h) for h in steps], [f(-h) for h in steps]
    rise = [(a - base) / h for a, h in zip(above, steps, strict=True)]
    fall = [(base - b) / h for b, h in zip(below, steps, strict=True)]
    middle = [(r + l) / 2 for r, l in zip(rise, fall, strict=True)]  # noqa: E741
    return Level(
        _extrapolate(middle, (4, 16), 6 * rounding / step),
        _extrapolate(fall, (2, 4), 22 * rounding / step),
        _extrapolate(rise, (2, 4), 22 * rounding / step),
    )


def derivative(f: Offset, base: float, step: float, rounding: float, accept: Callable[[Estimate], bool]) -> Derivative:
    """df/dt at 0, from steps that shrink until `accept` takes a smooth estimate, or the shortest step is reached."""
    levels: list[Level] = []
    for _ in range(LEVELS):
        level = level_at(f, base, step, rounding)
        levels.append(level)
        if not level.kinked and accept(level.central):
            return _smooth(level.central)
        step /= SHRINK
    return _judge(levels)


def _smooth(estimate: Estimate) -> Derivative:
    return Derivative(estimate.value, estimate.noise, estimate.value, estimate.value, False)


def _kink(level: Level) -> Derivative:
    left, right = level.left.value, level.right.value
    return Derivative((left + right) / 2, max(level.left.error, level.right.error), left, right, True)


def _judge(levels: list[Level]) -> Derivative:
    """A kink is a disagreement of the sides at several steps that shorter ones do not remove (ReLU at 0, S0-E37; ties).

    A kink beside the point disappears once the step is shorter than its distance; then the best estimate counts.
    """
    bent = [i for i, level in enumerate(levels) if level.kinked]
    if len(bent) > 1:
        finest = levels[bent[-1]]
        vanished = any(level.jump + level.doubt < finest.jump / 2 for level in levels[bent[-1] + 1 :])
        same = [levels[i] for i in bent if levels[i].left.agrees(finest.left) and levels[i].right.agrees(finest.right)]
        if len(same) > 1 and not vanished:
            return _kink(min(same, key=lambda level: level.doubt))
    return _smooth(min(_confirmed(levels), key=lambda estimate: estimate.error))


def _confirmed(levels: list[Level]) -> Iterator[Estimate]:
    """The estimates that every shorter step confirms, as far as its rounding lets it."""
    for i, level in enumerate(levels):
        finer = [later.central for later in levels[i + 1 :]]
        for estimate in (level.central, level.left, level.right):
            if all(estimate.agrees(other) for other in finer):
                noise = max(estimate.noise, finer[0].noise if finer else 0.0)
                yield Estimate(estimate.value, estimate.error, noise)


def numerical_gradient(f: Callable[[Array], float], x: Array) -> Array:
    """df/dx in float64 by extrapolated differences, one number at a time; f maps an array like x to a number.

    At a kink it holds the mean of the two one-sided derivatives. x itself is not changed.
    """
    point = np.array(x, dtype=np.float64)
    base = float(f(point))
    rounding = float(np.finfo(np.float64).eps) * abs(base)
    gradient = np.empty_like(point)
    for index in np.ndindex(*point.shape):
        found = derivative(
            moving(lambda: float(f(point)), point, index),
            base,
            FIRST_STEP * max(1.0, abs(float(point[index]))),
            rounding,
            lambda estimate: estimate.error <= 1e-10 * max(1e-3, abs(estimate.value)),
        )
        gradient[index] = found.value
    return gradient


def moving(f: Callable[[], float], array: Array, index: tuple[int, ...]) -> Offset:
    """t -> f() while array[index] is moved by t; the array is as before afterwards."""
    kept = float(array[index])

    def at(t: float) -> float:
        array[index] = kept + t
        try:
            return f()
        finally:
            array[index] = kept

    return at
