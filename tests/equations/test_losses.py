"""Losses: gradients by central differences, extremes of the logits, values by another route."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chainrule.equations import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
    half_squared_error,
    half_squared_error_gradient,
    log_softmax,
    maximum_a_posteriori,
    maximum_a_posteriori_gradient,
    softmax,
    softmax_backward,
    squared_error,
    squared_error_gradient,
)
from tests.helpers import Array, assert_close, numerical_gradient

Loss = Callable[[Array, Array], Array]


def map_loss(penalties: Array, t: Array) -> Array:
    return maximum_a_posteriori(penalties, t, 2.0)


def map_gradient(penalties: Array, t: Array) -> Array:
    return maximum_a_posteriori_gradient(penalties, t, 2.0)


PAIRS: dict[str, tuple[Loss, Loss]] = {
    "half_squared_error": (half_squared_error, half_squared_error_gradient),
    "squared_error": (squared_error, squared_error_gradient),
    "cross_entropy": (cross_entropy, cross_entropy_gradient),
    "binary_cross_entropy": (binary_cross_entropy, binary_cross_entropy_gradient),
    "maximum_a_posteriori": (map_loss, map_gradient),
}


def targets_for(name: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    if name == "maximum_a_posteriori":
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    return rng.uniform(size=shape)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (2, 5)])
def test_gradient_by_central_differences(name: str, shape: tuple[int, int], rng: np.random.Generator) -> None:
    loss, gradient = PAIRS[name]
    y, t = rng.normal(size=shape) * 2, targets_for(name, rng, shape)
    numerical = numerical_gradient(lambda v: loss(v, t), y)
    assert_close(name, gradient(y, t), numerical, rtol=1e-7, atol=2e-9)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "maximum_a_posteriori"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores_give_no_warning_and_nothing_infinite(name: str, dtype: type) -> None:
    loss, gradient = PAIRS[name]
    y = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4]], dtype)
    t = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]], dtype)
    assert np.isfinite(loss(y, t)).all()
    slope = gradient(y, t)
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() <= 1
    assert loss(y, t).dtype == slope.dtype == dtype


def test_extreme_values() -> None:
    y, t = np.array([[1e4, -1e4]]), np.array([[0.0, 1.0]])
    assert_close("cross entropy", cross_entropy(y, t), [2e4])
    assert_close("binary", binary_cross_entropy(y, t), [[1e4, 1e4]])
    assert_close("certain and right", cross_entropy(y, t[:, ::-1]), [0])


def test_W15_softmax_with_cross_entropy_has_delta_p_minus_t(rng: np.random.Generator) -> None:
    x, t = rng.normal(size=(4, 6)), np.eye(6)[rng.integers(6, size=4)]
    p = softmax(x)
    delta = cross_entropy_gradient(x, t)
    assert_close("p - t", delta, p - t, atol=1e-15)
    assert_close("through the Jacobian", softmax_backward(-t / p, p), delta, atol=1e-13)
    assert_close("E", cross_entropy(x, t), -np.log(p[t == 1]), rtol=1e-13)


def test_cross_entropy_of_targets_that_do_not_sum_to_one(rng: np.random.Generator) -> None:
    x, t = rng.normal(size=(3, 4)), rng.uniform(size=(3, 4)) * 3
    numerical = numerical_gradient(lambda v: cross_entropy(v, t), x)
    assert_close("gradient", cross_entropy_gradient(x, t), numerical, rtol=1e-7, atol=1e-8)


def test_cross_entropy_of_maps(rng: np.random.Generator) -> None:
    x, t = rng.normal(size=(2, 3, 2, 2)), np.moveaxis(np.eye(3)[rng.integers(3, size=(2, 2, 2))], -1, 1)
    e = cross_entropy(x, t)
    assert e.shape == (2, 2, 2)
    numerical = numerical_gradient(lambda v: cross_entropy(v, t), x)
    assert_close("gradient", cross_entropy_gradient(x, t), numerical, rtol=1e-7, atol=1e-8)


def test_log_softmax_is_exact_where_softmax_is_zero() -> None:
    assert_close("log", log_softmax(np.array([[0.0, -2000.0]])), [[0, -2000]])


def test_binary_cross_entropy_value(rng: np.random.Generator) -> None:
    x, t = rng.normal(size=5), rng.uniform(size=5)
    s = 1 / (1 + np.exp(-x))
    assert_close("E", binary_cross_entropy(x, t), -t * np.log(s) - (1 - t) * np.log(1 - s), rtol=1e-13)


def test_S0_E22_E24_half_squared_error_of_the_printed_outputs() -> None:
    y, t = np.array([[0.7513650695523157, 0.7729284653214625]]), np.array([[0.01, 0.99]])
    assert_close("E_o1 + E_o2", half_squared_error(y, t), [0.274811083176155 + 0.023560025583847746], rtol=1e-14)
    gradient = half_squared_error_gradient(y, t)
    assert_close("dE/dout", gradient, [[0.7413650695523157, -0.21707153467853746]], rtol=1e-14)


def test_half_squared_error_sums_over_everything_but_the_samples() -> None:
    assert_close("E", half_squared_error(np.ones((2, 3, 4)), np.zeros((2, 3, 4))), [6, 6])


def test_maximum_a_posteriori_pushes_the_wrong_classes_up_to_the_rubbish_class() -> None:
    penalties, t = np.array([[1.0, 50.0, 3.0]]), np.array([[1.0, 0, 0]])
    gradient = maximum_a_posteriori_gradient(penalties, t, 10.0)
    assert gradient[0, 0] > 0  # down goes the right penalty
    assert -1e-15 < gradient[0, 1] <= 0  # already far beyond the rubbish class
    assert gradient[0, 2] < -0.1
