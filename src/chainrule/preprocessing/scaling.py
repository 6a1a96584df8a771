"""Centring and scaling, each feature or each channel by itself: y = (x - shift) * factor."""

from __future__ import annotations

from typing import Literal

import numpy as np

from chainrule.errors import ArgumentError, ShapeError
from chainrule.preprocessing.base import (
    Floats,
    Preprocessor,
    check_ddof,
    divisor,
    exact_mean,
    is_finite,
    reciprocal,
)

Per = Literal["feature", "channel"]


class _Affine(Preprocessor):
    """y = (x - shift_) * factor_, for each feature or each channel; `factor_` 0 marks what does not vary."""

    shift_: Floats
    factor_: Floats

    def __init__(self, *, per: Per = "feature") -> None:
        if per not in ("feature", "channel"):
            raise ArgumentError(f'per must be "feature" or "channel", got {per!r}')
        self.per = per

    def _axes(self, x: Floats) -> tuple[int, ...]:
        if self.per == "feature":
            return (0,)
        if x.ndim != 4:
            raise ShapeError(f'per="channel" needs images (n, channels, height, width), got shape {x.shape}')
        return (0, 2, 3)

    def _transform(self, x: Floats) -> Floats:
        return (x - self.shift_) * self.factor_

    def _inverse(self, y: Floats) -> Floats:
        return y * reciprocal(self.factor_) + self.shift_


class Center(_Affine):
    """y = x - mean(x): every feature (or channel) of the training data has mean 0 afterwards (S3-F02)."""

    def _fit(self, x: Floats) -> None:
        self.shift_ = exact_mean(x, self._axes(x))[0]
        self.factor_ = np.ones_like(self.shift_)

    def __repr__(self) -> str:
        return f"Center(per={self.per!r})"


class MinMaxScale(_Affine):
    """y = low + (high - low) (x - min) / (max - min): the training data fill low .. high (S3-F03).

    A feature with range 0 becomes `low`. Data outside the training range land outside low .. high.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, *, per: Per = "feature") -> None:
        super().__init__(per=per)
        if not (is_finite(low) and is_finite(high) and low < high):
            raise ArgumentError(f"low must be smaller than high, both finite: got {low!r} and {high!r}")
        self.low, self.high = float(low), float(high)

    def _fit(self, x: Floats) -> None:
        axes = self._axes(x)
        self.shift_ = x.min(axis=axes, keepdims=True)[0]
        span = x.max(axis=axes, keepdims=True)[0] - self.shift_
        self.factor_ = (self.high - self.low) * reciprocal(span)

    def _transform(self, x: Floats) -> Floats:
        return super()._transform(x) + self.low

    def _inverse(self, y: Floats) -> Floats:
        return super()._inverse(y - self.low)

    def __repr__(self) -> str:
        return f"MinMaxScale({self.low}, {self.high}, per={self.per!r})"


class Standardize(_Affine):
    """y = (x - mean) / sqrt(variance), variance = sum (x - mean)^2 / (n - ddof) (S3-F02, S3-F03).

    A feature with variance 0 becomes 0. With per="channel", n counts all pixels of the channel.
    """

    def __init__(self, *, per: Per = "feature", ddof: int = 0) -> None:
        super().__init__(per=per)
        self.ddof = check_ddof(ddof)

    def _fit(self, x: Floats) -> None:
        axes = self._axes(x)
        mean = exact_mean(x, axes)
        count = x.size // mean.size
        variance = np.square(x - mean).sum(axis=axes, keepdims=True) / divisor(count, self.ddof)
        self.shift_ = mean[0]
        self.factor_ = reciprocal(np.sqrt(variance))[0]

    def __repr__(self) -> str:
        return f"Standardize(per={self.per!r}, ddof={self.ddof})"
