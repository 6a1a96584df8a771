"""What distribution each initialiser promises, and how closely drawn numbers must follow it.

The tolerances are not chosen; they are sampling errors. From N independent numbers of variance v

    the mean        strays by sqrt(v / N)
    the variance    strays by v sqrt((k - 1) / N), where the kurtosis k is 9/5 for uniform and 3 for normal numbers
    the extreme     of N uniform numbers falls short of its limit by the share c / N with probability exp(-c)
    the whole law   (Kolmogorov): sqrt(N) sup |F_N - F| is above d with probability 2 exp(-2 d²)
    a correlation   of independent arrays strays by 1 / sqrt(N)

Five such errors (c = 15, d = 2.7) are exceeded by chance in about one of a million checks; the seeds are fixed, so
a test that passes once passes always. The variances stand here a second time on purpose, written out for each name.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np

from tests.helpers import Array

ERRORS = 5.0
SHORTFALL = 15.0
KOLMOGOROV = 2.7


class Law(NamedTuple):
    """variance = factor / (fan_in's share fan_in + fan_out's share fan_out)."""

    kind: str
    factor: float = 0
    fan_in: float = 0
    fan_out: float = 0

    def variance(self, fan_in: float, fan_out: float) -> float:
        return self.factor / (self.fan_in * fan_in + self.fan_out * fan_out) if self.factor else 0.0


LAWS = {
    "zeros": Law("constant"),
    "glorot": Law("uniform", 2, 1, 1),
    "glorot_uniform": Law("uniform", 2, 1, 1),
    "glorot_normal": Law("normal", 2, 1, 1),
    "he": Law("uniform", 2, 1, 0),
    "he_uniform": Law("uniform", 2, 1, 0),
    "he_normal": Law("normal", 2, 1, 0),
    "lecun": Law("uniform", 1, 1, 0),
    "lecun_uniform": Law("uniform", 1, 1, 0),
    "lecun_normal": Law("normal", 1, 1, 0),
}


def check_law(name: str, drawn: Array, fan_in: float, fan_out: float) -> None:
    """Fail unless `drawn` are independent numbers of the law called `name` for these fans (at least 1 each)."""
    law = LAWS[name]
    if law.kind == "constant":
        assert not drawn.any(), f"{name}: not all zero"
        return
    variance = law.variance(max(fan_in, 1), max(fan_out, 1))
    values = np.sort(drawn, axis=None)
    mean_error = math.sqrt(variance / values.size)
    assert abs(values.mean()) < ERRORS * mean_error, f"{name}: mean {values.mean():.3g}, error {mean_error:.3g}"
    spread = np.square(values).mean() / variance
    spread_error = math.sqrt((0.8 if law.kind == "uniform" else 2.0) / values.size)
    assert abs(spread - 1) < ERRORS * spread_error, f"{name}: {spread:.3g} times the variance, error {spread_error:.2g}"
    if law.kind == "uniform":
        check_limits(name, values, math.sqrt(3 * variance))
    check_distribution(name, values, law.kind, variance)
    check_neighbours(name, drawn)


def check_limits(name: str, values: Array, limit: float) -> None:
    """The extremes reach the limits, up to the sampling error, and do not pass them."""
    for extreme in (-values.min() / limit, values.max() / limit):
        assert 1 - 2 * SHORTFALL / values.size < extreme <= 1, f"{name}: an extreme at {extreme:.6g} of its limit"


def check_distribution(name: str, ordered: Array, kind: str, variance: float) -> None:
    """Kolmogorov's distance between the drawn and the promised distribution function."""
    if kind == "uniform":
        expected = (ordered / math.sqrt(3 * variance) + 1) / 2
    else:
        expected = np.array([(1 + math.erf(x)) / 2 for x in ordered / math.sqrt(2 * variance)])
    places = np.arange(ordered.size)
    distance = max(np.abs(expected - places / ordered.size).max(), np.abs(expected - (places + 1) / ordered.size).max())
    assert distance * math.sqrt(ordered.size) < KOLMOGOROV, f"{name}: is not {kind}, distance {distance:.3g}"


def check_neighbours(name: str, drawn: Array) -> None:
    """Numbers one step apart along any axis are not related: no row, channel or place repeats another."""
    for axis in range(drawn.ndim):
        if drawn.shape[axis] > 1:
            ahead, behind = np.delete(drawn, 0, axis), np.delete(drawn, -1, axis)
            check_unrelated({f"{name}, axis {axis}": ahead, f"{name}, axis {axis}, one before": behind})


def check_unrelated(arrays: Mapping[Hashable, Array]) -> None:
    """The correlation of any two of the arrays is within its sampling error of 0."""
    names, rows = list(arrays), np.stack([array.ravel() for array in arrays.values()])
    correlations = np.corrcoef(rows)
    for i, j in itertools.combinations(range(len(names)), 2):
        found = correlations[i, j]
        assert abs(found) < ERRORS / math.sqrt(rows.shape[1]), f"{names[i]} and {names[j]} correlate by {found:.3g}"
