"""Where the zeros of cross_correlate's modes stand, by hand and by a plain sum."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule.equations
from chainrule.equations import (
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    cross_correlate,
    rot180,
)
from chainrule.equations.derivations.convolution_matrix import convolution_matrix, matrix_backward_weight
from chainrule.equations.derivations.literal_sums import (
    literal_backward_input,
    literal_backward_weight,
    literal_forward,
)
from chainrule.equations.derivations.terms import (
    forward_terms,
    input_gradient_terms,
    meetings,
    weight_gradient_terms,
)
from chainrule.errors import ArgumentError, ShapeError
from chainrule.shapes import Window
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


X, W, DY = (np.arange(float(n * n)).reshape(1, 1, n, n) for n in (4, 2, 3))
WINDOW = Window((2, 2))
TAKE_A_MODE: dict[str, Callable[..., object]] = {
    "cross_correlate": lambda **mode: cross_correlate(X, W[0, 0], **mode),
    "convolve": lambda **mode: convolve(X, W[0, 0], **mode),
    "conv2d_forward": lambda **mode: conv2d_forward(X, W, **mode),
    "conv2d_backward_input": lambda **mode: conv2d_backward_input(DY, W, (4, 4), **mode),
    "conv2d_backward_weight": lambda **mode: conv2d_backward_weight(DY, X, (2, 2), **mode),
    "literal_forward": lambda **mode: literal_forward(X, W, np.zeros(1), WINDOW, **mode),
    "literal_backward_input": lambda **mode: literal_backward_input(DY, W, (4, 4), WINDOW, **mode),
    "literal_backward_weight": lambda **mode: literal_backward_weight(DY, X, WINDOW, **mode),
    "convolution_matrix": lambda **mode: convolution_matrix(W, (4, 4), **mode),
    "matrix_backward_weight": lambda **mode: matrix_backward_weight(DY, X, (2, 2), **mode),
    "meetings": lambda **mode: meetings((4, 4), WINDOW, **mode),
    "forward_terms": lambda **mode: forward_terms((0, 0), (4, 4), WINDOW, **mode),
    "input_gradient_terms": lambda **mode: input_gradient_terms((0, 0), (4, 4), WINDOW, **mode),
    "weight_gradient_terms": lambda **mode: weight_gradient_terms((0, 0), (4, 4), WINDOW, **mode),
}


def test_every_equation_that_takes_a_mode_is_tried() -> None:
    package = chainrule.equations
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    functions = [
        value
        for module in (importlib.import_module(info.name) for info in found)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert {f.__name__ for f in functions if "mode" in inspect.signature(f).parameters} == set(TAKE_A_MODE)


@pytest.mark.parametrize("mode", ["Valid", "SAME", "Convolution", "conv", "", None, 1])
@pytest.mark.parametrize("name", TAKE_A_MODE)
def test_an_unknown_mode_is_refused_and_not_taken_for_another(name: str, mode: Any) -> None:
    with pytest.raises(ArgumentError, match=r'^mode must be "(valid|correlation)".* or ') as caught:
        TAKE_A_MODE[name](mode=mode)
    assert str(caught.value).endswith(f"not {mode!r}")


@pytest.mark.parametrize("name", TAKE_A_MODE)
def test_without_a_mode_the_kernel_slides_as_it_is_over_whole_windows(name: str) -> None:
    mode = "valid" if name in ("cross_correlate", "convolve") else "correlation"
    assert str(TAKE_A_MODE[name]()) == str(TAKE_A_MODE[name](mode=mode))


def test_a_kernel_that_does_not_fit_is_refused_with_both_sizes() -> None:
    with pytest.raises(ShapeError, match=r"^a kernel of \(3, 1\) does not fit an array of \(2, 5\)$"):
        cross_correlate(np.ones((2, 5)), np.ones((3, 1)))
