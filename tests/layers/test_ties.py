"""Where a function has a kink or a tie one answer is chosen, and it is the same everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.base import Context
from tests.helpers import Array, assert_close
from tests.layers.rows import ACTIVATIONS


def _back(layer: cr.Layer, x: Any, dy: Any = None, training: bool = False, **values: Any) -> tuple[Array, Array]:
    """(y, dx), with dy of ones if none is given."""
    x = np.asarray(x, dtype=float)
    arrays = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    y, saved = layer.forward(arrays, x, context=Context(training))
    dx = layer.backward_input(arrays, np.ones_like(y) if dy is None else np.asarray(dy, dtype=float), saved)
    assert isinstance(dx, np.ndarray)
    return y, dx


def test_the_first_of_equal_maxima_wins_in_row_major_order() -> None:
    _, dx = _back(cr.MaxPool2d(2), np.ones((1, 1, 4, 4)))
    assert_close("dx", dx[0, 0], [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])
    _, dx = _back(cr.MaxPool2d(2), [[[[0, 3], [3, 3]]]])
    assert_close("dx", dx[0, 0], [[0, 1], [0, 0]])  # the row above before the column to the left


def test_overlapping_windows_add_up_at_a_common_winner() -> None:
    _, dx = _back(cr.MaxPool2d(2, 1), [[[[0, 0, 0], [0, 9, 0], [0, 0, 0]]]], [[[[1, 2], [3, 4]]]])
    assert_close("dx", dx[0, 0], [[0, 0, 0], [0, 10, 0], [0, 0, 0]])


def test_padding_never_wins_a_max_pool() -> None:
    y, dx = _back(cr.MaxPool2d(3, 2, 1), -np.ones((1, 1, 3, 3)))
    assert_close("y", y, -np.ones((1, 1, 2, 2)))
    assert dx.sum() == 4
    _, dx = _back(cr.MaxPool2d(2, padding=1), np.full((1, 1, 1, 1), -1e308))
    assert dx.item() == 1


@pytest.mark.parametrize(
    ("layer", "at_zero"),
    [(cr.ReLU(), 0), (cr.LeakyReLU(0.25), 0.25), (cr.LeakyReLU(-2.0), -2), (cr.LeakyReLU(0), 0)],
    ids=repr,
)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_the_derivative_at_0_is_that_from_the_left(layer: cr.Layer, at_zero: float, zero: float) -> None:
    y, dx = _back(layer, [[zero, 1.0, -1.0]])
    assert y[0, 0] == 0
    assert dx[0].tolist() == [at_zero, 1, at_zero]


@pytest.mark.parametrize("p", [1.5, 2, 3, 4, 2.5])
def test_a_norm_of_0_passes_no_gradient(p: float) -> None:
    y, dx = _back(cr.LPPool2d(p, 2), np.zeros((1, 1, 2, 2)), [[[[5.0]]]])
    assert y.item() == 0
    assert_close("dx", dx, np.zeros((1, 1, 2, 2)))


def test_a_norm_of_0_passes_no_gradient_to_numbers_that_cancel() -> None:
    y, dx = _back(cr.LPPool2d(3, (1, 2)), [[[[-2.0, 2.0]]]])
    assert y.item() == 0
    assert_close("dx", dx, np.zeros((1, 1, 1, 2)))


def test_adaptive_windows_reach_from_the_floor_to_the_ceiling() -> None:
    y, dx = _back(cr.AdaptiveAvgPool2d((1, 3)), np.arange(5.0).reshape(1, 1, 1, 5), [[[[6, 6, 6]]]])
    assert_close("y", y.ravel(), [0.5, 2, 3.5], rtol=1e-15)  # pixels 0..1, 1..3, 3..4
    assert_close("dx", dx.ravel(), [3, 5, 2, 5, 3], rtol=1e-15)


def test_the_sum_pool_passes_the_gradient_even_at_0() -> None:
    assert_close("dx", _back(cr.LPPool2d(1, 2), [[[[1, -1], [2, -2]]]])[1], np.ones((1, 1, 2, 2)))


def test_odd_norms_take_the_real_root_of_a_negative_sum() -> None:
    y, dx = _back(cr.LPPool2d(3, (1, 2)), [[[[-3.0, 1.0]]]])  # -27 + 1 = -26
    assert_close("y", y.item(), -(26 ** (1 / 3)), rtol=1e-15)
    assert_close("dx", dx[0, 0, 0], [9 / 26 ** (2 / 3), 1 / 26 ** (2 / 3)], rtol=1e-14)


@pytest.mark.parametrize(("layer", "shape"), [(cr.BatchNorm1d(2), (1, 2)), (cr.BatchNorm2d(2), (1, 2, 1, 1))])
def test_one_value_per_channel_cannot_be_normalised_in_training(layer: cr.Layer, shape: tuple[int, ...]) -> None:
    ones, zeros = np.ones(2), np.zeros(2)
    values = {"weight": ones, "bias": zeros, "running_mean": zeros, "running_var": ones}
    with pytest.raises(cr.errors.DataError, match=r"BatchNorm\dd\(2\) needs at least 2 values per channel.*has 1"):
        layer.forward(values, np.ones(shape), context=Context(training=True))
    y, _ = layer.forward(values, np.ones(shape), context=Context())  # inference has the running statistics
    assert_close("y", y, np.full(shape, 1 / np.sqrt(1 + 1e-5)), rtol=1e-15)


def test_a_constant_channel_is_normalised_to_the_bias() -> None:
    y, dx = _back(cr.BatchNorm1d(1), np.full((4, 1), 7.0), [[1], [2], [3], [4]], True, weight=[2], bias=[0.5])
    assert_close("y", y, np.full((4, 1), 0.5))
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("layer", [*(a.layer for a in ACTIVATIONS), cr.Softmax()], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_activations_neither_overflow_nor_warn(layer: cr.Layer, dtype: str) -> None:
    x = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype)
    y, saved = layer.forward({}, x, context=Context())
    assert np.isfinite(y).all()
    assert np.isfinite(layer.backward_input({}, np.ones_like(y), saved)).all()


@pytest.mark.parametrize("sigma", [1e-3, 1e-200, 5e-324, 1e200])
@pytest.mark.parametrize("kernel", [1, 2, 3, (2, 3)])
def test_gaussian_weights_sum_to_1_for_any_width(sigma: float, kernel: Any) -> None:
    weights = cr.GaussianPool2d(kernel, sigma=sigma).weights()
    assert_close("sum", weights.sum(), 1.0, rtol=1e-15)
    assert_close("symmetric", weights, weights[::-1, ::-1])


def test_dropout_of_everything_and_of_nothing() -> None:
    x = np.arange(1.0, 7).reshape(2, 3)
    y, dx = _back(cr.Dropout(1.0), x, training=True)
    assert not y.any()
    assert not dx.any()
    y, dx = _back(cr.Dropout(0.0), x, training=True)
    assert_close("y", y, x)
    assert_close("dx", dx, np.ones_like(x))
