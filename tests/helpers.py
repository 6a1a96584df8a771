"""What every test uses: one comparison that says what differs and where, and the numerical gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def assert_close(name: str, actual: ArrayLike, expected: ArrayLike, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Fail unless |actual - expected| <= atol + rtol |expected| everywhere; NaN equals NaN, shapes must agree.

    The message names the tensor and shows the largest excess, with its place and both values.
    """
    a, e = np.asarray(actual), np.asarray(expected)
    assert a.shape == e.shape, f"{name}: shape {a.shape}, expected {e.shape}"
    if a.dtype.kind == "f" and a.dtype.itemsize < 8:
        a = a.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - e) if a.dtype.kind != "b" else (a != e).astype(float)
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    difference = np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))
    excess = np.where(same, -1.0, difference - (atol + rtol * np.abs(np.where(same, 0, e))))
    if not a.size or excess.max() <= 0:
        return
    place = np.unravel_index(int(excess.argmax()), excess.shape)
    raise AssertionError(
        f"{name}: {int((excess > 0).sum())} of {a.size} values differ; the worst at {[int(i) for i in place]}: "
        f"{a[place]!r}, expected {e[place]!r}, difference {difference[place]:.3g} "
        f"(rtol {rtol:g}, atol {atol:g})"
    )


def assert_differs(name: str, wrong: ArrayLike, right: ArrayLike, least: float = 0.1) -> None:
    """Fail unless the two arrays have different shapes or differ by at least `least` somewhere."""
    a, b = np.asarray(wrong), np.asarray(right)
    if a.shape == b.shape:
        largest = float(np.abs(a - b).max())
        assert largest >= least, f"{name}: differs by {largest:.3g} only, but it is the wrong form"


def numerical_gradient(f: Callable[[Array], ArrayLike], x: ArrayLike, step: float = 1e-6) -> Array:
    """df/dx by central differences in float64: (f(x + step) - f(x - step)) / (2 step), one element at a time.

    f maps an array like x to a number, or to anything whose sum is meant. x itself is not changed.
    """
    point = np.array(x, dtype=np.float64)
    gradient = np.empty_like(point)
    for index in np.ndindex(*point.shape):
        kept = point[index]
        point[index] = kept + step
        above = float(np.sum(f(point)))
        point[index] = kept - step
        below = float(np.sum(f(point)))
        point[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
