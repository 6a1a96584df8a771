"""Medians and quartiles of repetitions, and ratios of repetitions that were measured side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Spread:
    """The middle half of some numbers."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """Quartiles; of one number it is the number. Raises ValueError for none."""
        if not numbers:
            raise ValueError("no numbers to take the median of")
        if len(numbers) == 1:
            return cls(numbers[0], numbers[0], numbers[0])
        low, _, high = quantiles(numbers, n=4, method="inclusive")
        return cls(low, median(numbers), high)

    @property
    def percent(self) -> float:
        """Half the distance of the quartiles in percent of the median."""
        return 50 * (self.high - self.low) / abs(self.median) if self.median else 0.0


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """How many times larger ours are, repetition by repetition: what both suffered cancels."""
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])
