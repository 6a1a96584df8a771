"""The elementary functions of the exported C once more in NumPy, operation by operation, and sums in a given order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.helpers import Array

NOTHING = -0.0
"""What can be added to any number without changing a bit of it."""


def ordered_sum(start: Any, terms: Array) -> Array:
    """start + terms[0] + terms[1] + ..., one after the other along the first axis."""
    first = np.broadcast_to(np.asarray(start, terms.dtype), terms.shape[1:])[None]
    result: Array = np.cumsum(np.concatenate([first, terms]), axis=0, dtype=terms.dtype)[-1]
    return result


class Elementary:
    """exp, log, tanh and their relatives in one precision."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        single = self.dtype == np.float32
        self.real = self.dtype.type
        self.bits: Any = np.uint32 if single else np.uint64
        self.bias, self.mantissa = (127, 23) if single else (1023, 52)
        self.terms, self.reciprocals = (7, 4) if single else (13, 11)
        self.range = (104.0, 89.0) if single else (746.0, 710.0)
        self.high = self.real(355 / 512 if single else 6.93147180369123816490e-01)
        self.low = self.real(math.log(2) - 355 / 512 if single else 1.90821492927058770002e-10)
        self.saturated = self.real(20.0 if single else 40.0)

    def _power_of_two(self, n: Array) -> Array:
        shifted = (n + self.bias).astype(self.bits) << self.bits(self.mantissa)
        return shifted.view(self.dtype)

    def _exp_less_one(self, r: Array) -> Array:
        total = np.zeros_like(r)
        for k in range(self.terms, 0, -1):
            total = (total + self.real(1 / math.factorial(k))) * r
        return total

    def exp(self, x: Array) -> Array:
        """e^x."""
        x = np.asarray(x, self.dtype)
        usual = (x > -self.real(self.range[0])) & (x <= self.real(self.range[1]))
        v = np.where(usual, x, self.real(0))
        half = np.where(v < 0, self.real(-0.5), self.real(0.5))
        n = np.trunc(v * self.real(1.4426950408889634) + half).astype(np.int64)
        nr = n.astype(self.dtype)
        r = (v - nr * self.high) - nr * self.low
        half_n = np.trunc(n / 2).astype(np.int64)  # C divides toward zero
        with np.errstate(over="ignore"):
            y = (self.real(1) + self._exp_less_one(r)) * self._power_of_two(half_n) * self._power_of_two(n - half_n)
        return np.where(usual, y, np.where(x < 0, self.real(0), np.where(np.isnan(x), x, self.real(np.inf))))

    def log(self, x: Array) -> Array:
        """ln x for normal x > 0."""
        x = np.array(x, self.dtype)
        bits = x.view(self.bits)
        e = (bits >> self.bits(self.mantissa)).astype(np.int64) - self.bias
        mask = self.bits(2**self.mantissa - 1)
        m = ((bits & mask) | (self.bits(self.bias) << self.bits(self.mantissa))).view(self.dtype)
        large = m > self.real(1.4142135623730951)
        m = np.where(large, m * self.real(0.5), m)
        er = (e + large).astype(self.dtype)
        s = (m - self.real(1)) / (m + self.real(1))
        total = np.zeros_like(s)
        for k in range(self.reciprocals, 0, -1):
            total = (total + self.real(1 / (2 * k + 1))) * (s * s)
        two = self.real(2)
        result: Array = er * self.high + (two * s + (two * s * total + er * self.low))
        return result

    def log1p(self, x: Array) -> Array:
        """ln(1 + x) for 0 <= x <= 1."""
        total = self.real(1) + x
        safe = np.where(total > 1, total, self.real(2))
        return np.where(total > 1, self.log(safe) * (x / (safe - self.real(1))), x)

    def tanh(self, x: Array) -> Array:
        """tanh x."""
        x = np.asarray(x, self.dtype)
        twice = np.where(x < 0, self.real(-2) * x, self.real(2) * x)
        small = twice < self.real(0.34)
        t = np.where(small, self._exp_less_one(np.where(small, twice, self.real(0))), self.exp(twice) - self.real(1))
        with np.errstate(invalid="ignore"):  # where e^(2 |x|) overflows, the limit is taken below
            y = t / (t + self.real(2))
        y = np.where(twice > self.saturated, self.real(1), y)
        return np.where(x < 0, -y, y)

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + e^-x)."""
        decay = self.exp(np.where(x < 0, x, -x))
        one = self.real(1)
        return np.where(x < 0, decay / (one + decay), one / (one + decay))

    def power(self, x: Array, y: float) -> Array:
        """x^y for x >= 0."""
        if y == 0:
            return np.ones_like(x)
        safe = np.where(x == 0, self.real(1), x)
        return np.where(x == 0, self.real(0), self.exp(self.real(y) * self.log(safe)))

    def whole_power(self, x: Array, n: int) -> Array:
        """x^n, by squaring."""
        y = np.ones_like(x)
        while n:
            if n & 1:
                y = y * x
            n >>= 1
            x = x * x if n else x
        return y
