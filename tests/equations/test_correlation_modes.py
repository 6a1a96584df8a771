"""Where the zeros of cross_correlate's modes stand, by hand and by a plain sum."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import convolve, cross_correlate, rot180
from tests.helpers import Array, assert_close


def test_an_odd_zero_goes_to_the_bottom_and_to_the_right() -> None:
    row = np.array([[1.0, 2.0, 3.0]])
    pair = np.array([[1.0, 10.0]])
    assert_close("right", cross_correlate(row, pair, "same"), [[1 + 20, 2 + 30, 3 + 0]])
    assert_close("bottom", cross_correlate(row.T, pair.T, "same"), [[21], [32], [3]])
    four = np.array([[1.0, 10.0, 100.0, 1000.0]])  # three zeros: one on the left, two on the right
    assert_close("three zeros", cross_correlate(row, four, "same"), [[10 + 200 + 3000, 1 + 20 + 300, 2 + 30]])


def literal(a: Array, w: Array, before: tuple[int, int], size: tuple[int, int], stride: tuple[int, int]) -> Array:
    """sum_ij a[x S + i - before, y S + j - before] w[i, j], entries outside `a` counted as zero."""
    y = np.zeros(size)
    for place in np.ndindex(*size):
        for offset in np.ndindex(*w.shape):
            pixel = tuple(p * s + o - b for p, s, o, b in zip(place, stride, offset, before, strict=True))
            if all(0 <= v < n for v, n in zip(pixel, a.shape, strict=True)):
                y[place] += a[pixel] * w[offset]
    return y


KERNELS = [(1, 1), (2, 2), (3, 2), (2, 3), (4, 5), (5, 4), (1, 6)]


@pytest.mark.parametrize("stride", [(1, 1), (2, 3), (3, 1)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_mode_is_the_plain_sum(
    kernel: tuple[int, int], stride: tuple[int, int], rng: np.random.Generator
) -> None:
    a, w = rng.normal(size=(6, 7)), rng.normal(size=kernel)
    before = {
        "valid": (0, 0),
        "full": (kernel[0] - 1, kernel[1] - 1),
        "same": ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2),
    }
    places = {"valid": (7 - kernel[0], 8 - kernel[1]), "full": (5 + kernel[0], 6 + kernel[1]), "same": (6, 7)}
    for mode, start in before.items():
        size = tuple(-(-n // s) for n, s in zip(places[mode], stride, strict=True))
        expected = literal(a, w, start, size, stride)  # type: ignore[arg-type]
        assert_close(mode, cross_correlate(a, w, mode, stride), expected, atol=1e-13)  # type: ignore[arg-type]
        turned = literal(a, rot180(w), start, size, stride)  # type: ignore[arg-type]
        assert_close(f"{mode}, turned", convolve(a, w, mode, stride), turned, atol=1e-13)  # type: ignore[arg-type]
