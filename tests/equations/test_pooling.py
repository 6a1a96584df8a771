"""Pooling: every kind by central differences; ties, overlaps, NaN, zero norms; the misprinted average rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from chainrule.equations import (
    adaptive_mean_matrix,
    adaptive_mean_pool,
    adaptive_mean_pool_backward,
    gaussian_weights,
    lp_pool,
    lp_pool_backward,
    max_pool,
    max_pool_backward,
    mean_weights,
    relu,
    scatter_windows,
    sigmoid,
    sigmoid_derivative,
    trainable_pool,
    trainable_pool_backward,
    weighted_pool,
    weighted_pool_backward,
    windows_of,
)
from chainrule.shapes import Window
from tests.helpers import Array, assert_close, numerical_gradient

WINDOWS = {
    "tiles": Window((2, 2), (2, 2)),
    "overlap": Window((3, 3), (2, 2)),
    "dense": Window((2, 3), (1, 1)),
    "gaps": Window((2, 1), (3, 2)),
    "whole": Window((6, 5), (1, 1)),
    "dilated": Window((2, 2), (1, 2), dilation=(3, 2)),
}
every_window = pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())


def example(rng: np.random.Generator, window: Window) -> tuple[Array, Array]:
    """x without near ties, and dy."""
    x = rng.permutation(120).reshape(2, 2, 6, 5) / 30 - 2 + 0.01
    return x, rng.normal(size=(2, 2, *window.output_size((6, 5))))


@every_window
def test_S0_E38_S2_E38_E39_max_pool(window: Window, rng: np.random.Generator) -> None:
    x, dy = example(rng, window)
    y, argmax = max_pool(windows_of(x, window))
    assert_close("y", y, windows_of(x, window).max(axis=(-2, -1)))
    dx = scatter_windows(max_pool_backward(dy, argmax, window.kernel_size), window, (6, 5))
    numerical = numerical_gradient(lambda v: max_pool(windows_of(v, window))[0] * dy, x, 1e-3)
    assert_close("dx", dx, numerical, atol=1e-11)


@every_window
@pytest.mark.parametrize("kind", ["mean", "gaussian"])
def test_S0_E39_S2_E40_E41_weighted_pools(window: Window, kind: str, rng: np.random.Generator) -> None:
    x, dy = example(rng, window)
    weights = mean_weights(window.kernel_size) if kind == "mean" else gaussian_weights(window.kernel_size, 0.7)
    assert_close("sum of weights", weights.sum(), 1.0, atol=1e-15)
    dx = scatter_windows(weighted_pool_backward(dy, weights), window, (6, 5))
    numerical = numerical_gradient(lambda v: weighted_pool(windows_of(v, window), weights) * dy, x, 0.1)
    assert_close("dx", dx, numerical, atol=1e-11)
    if kind == "mean":
        mean = windows_of(x, window).mean(axis=(-2, -1))
        assert_close("y", weighted_pool(windows_of(x, window), weights), mean, atol=1e-14)


@every_window
@pytest.mark.parametrize("p", [1, 2, 3, 4, 2.0, 1.5, 2.5])
def test_ER0_32_lp_pool(window: Window, p: float, rng: np.random.Generator) -> None:
    x, dy = example(rng, window)
    if p == 3:  # the odd root is steep where the sum of cubes is near 0
        x = x + 2.5
    views = windows_of(x, window)
    y = lp_pool(views, p)
    dx = scatter_windows(lp_pool_backward(dy, views, y, p), window, (6, 5))
    numerical = numerical_gradient(lambda v: lp_pool(windows_of(v, window), p) * dy, x)
    assert_close("dx", dx, numerical, rtol=1e-7, atol=1e-8)


def test_lp_pool_of_negative_numbers() -> None:
    views = -np.array([[[[1.0, 2], [2, 0]]]])
    assert_close("p = 2", lp_pool(views, 2), [[3]])
    assert_close("p = 1", lp_pool(views, 1), [[-5]])
    assert_close("p = 3", lp_pool(views, 3), [[-(17 ** (1 / 3))]], rtol=1e-15)
    assert_close("p = 1.5", lp_pool(views, 1.5), [[(1 + 2 * 2**1.5) ** (1 / 1.5)]], rtol=1e-15)
    numerical = numerical_gradient(lambda v: lp_pool(v, 3), views)
    assert_close("dx, p = 3", lp_pool_backward(np.ones((1, 1)), views, lp_pool(views, 3), 3), numerical, atol=1e-9)


@pytest.mark.parametrize("p", [1, 2, 3, 2.5])
def test_ER0_32_a_zero_norm_has_gradient_zero(p: float) -> None:
    views = np.zeros((1, 1, 2, 2))
    dx = lp_pool_backward(np.ones((1, 1)), views, lp_pool(views, p), p)
    assert_close("dx", dx, np.full((1, 1, 2, 2), 1.0 if p == 1 else 0.0))


def test_ER1_16_of_equal_maxima_the_first_in_row_major_order_wins() -> None:
    window = Window((2, 2), (2, 2))
    x = np.array([[0.0, 3, 5, 5], [3, 3, 5, 5]])
    y, argmax = max_pool(windows_of(x, window))
    assert_close("argmax", argmax, [[1, 0]])
    dx = scatter_windows(max_pool_backward(np.array([[1.0, 2]]), argmax, (2, 2)), window, (2, 4))
    assert_close("dx", dx, [[0, 1, 2, 0], [0, 0, 0, 0]])
    assert_close("y", y, [[3, 5]])


def test_ER1_16_the_centre_wins_four_overlapping_windows() -> None:
    window = Window((2, 2), (1, 1))
    x = np.array([[0.0, 0, 0], [0, 9, 0], [0, 0, 0]])
    _, argmax = max_pool(windows_of(x, window))
    dx = scatter_windows(max_pool_backward(np.array([[1.0, 2], [3, 4]]), argmax, (2, 2)), window, (3, 3))
    assert_close("dx", dx, [[0, 0, 0], [0, 10, 0], [0, 0, 0]])


def test_a_nan_wins_over_any_number() -> None:
    y, argmax = max_pool(np.array([[[[1.0, np.nan], [9.0, np.inf]]]]))
    assert np.isnan(y).all()
    assert argmax.item() == 1


def test_max_pool_of_minus_infinity() -> None:
    y, argmax = max_pool(np.full((1, 1, 2, 2), -np.inf))
    assert y.item() == -np.inf
    assert argmax.item() == 0


def test_S1_E16_ER1_01_the_derivative_is_one_at_the_maximum_only() -> None:
    x = np.array([[[[1.0, 4], [2, 3]]]])
    numerical = numerical_gradient(lambda v: max_pool(v)[0], x, 1e-3)
    assert_close("numerical", numerical, [[[[0, 1], [0, 0]]]], atol=1e-12)


def test_ER1_13_ER3_16_delta_on_net_needs_the_slope_of_the_activation() -> None:
    negative = -np.array([[[[1.0, 2], [3, 4]]]])
    assert numerical_gradient(lambda v: max_pool(relu(v))[0], negative).sum() == 0  # the printed rule gives 1
    net = np.array([[[[2.0, 1], [0, -1]]]])
    numerical = numerical_gradient(lambda v: max_pool(sigmoid(v))[0], net)
    assert_close("factor", sigmoid_derivative(sigmoid(np.array(2.0))), 0.10499358540350662, rtol=1e-14)
    assert_close("dnet", numerical[0, 0, 0, 0], 0.10499358540350662, atol=1e-9)


def test_ER4_23_the_literal_average_rule_is_four_times_too_large() -> None:
    dy = np.array([[8.0]])
    right = weighted_pool_backward(dy, mean_weights((2, 2)))
    literal = np.full((2, 2), dy.mean())  # "average the gradient of each region and put it at the position"
    assert_close("ratio", literal / right[0, 0], np.full((2, 2), 4.0))
    assert right.sum() == dy.sum()


@pytest.mark.parametrize("sigma", [0.5, 1.0, 5.0])
def test_ER2_06_a_gaussian_on_two_by_two_is_the_mean(sigma: float) -> None:
    assert_close("weights", gaussian_weights((2, 2), sigma), mean_weights((2, 2)), atol=1e-16)


@pytest.mark.parametrize("sigma", [1e-3, 1e3])
def test_gaussian_weights_of_extreme_width(sigma: float) -> None:
    weights = gaussian_weights((3, 4), sigma)
    assert_close("sum", weights.sum(), 1.0, atol=1e-15)
    assert np.isfinite(weights).all()


@every_window
def test_ER2_07_trainable_pool_has_gradients(window: Window, rng: np.random.Generator) -> None:
    x, dy = example(rng, window)
    beta, bias = rng.normal(size=2), rng.normal(size=2)

    def loss(x: Array = x, beta: Array = beta, bias: Array = bias) -> Array:
        return sigmoid(trainable_pool(windows_of(x, window), beta, bias)) * dy

    y = sigmoid(trainable_pool(windows_of(x, window), beta, bias))
    spread, dbeta, dbias = trainable_pool_backward(dy * sigmoid_derivative(y), windows_of(x, window), beta)
    near = {"rtol": 1e-7, "atol": 1e-8}
    assert_close("dbeta", dbeta, numerical_gradient(lambda v: loss(beta=v), beta), **near)
    assert_close("dbias", dbias, numerical_gradient(lambda v: loss(bias=v), bias), **near)
    dx = scatter_windows(spread, window, (6, 5))
    assert_close("dx", dx, numerical_gradient(lambda v: loss(x=v), x), **near)


@pytest.mark.parametrize("size, places", [((6, 5), (3, 5)), ((7, 4), (3, 3)), ((2, 3), (5, 3)), ((4, 4), (1, 1))])
def test_adaptive_mean_pool(size: tuple[int, int], places: tuple[int, int], rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, 3, *size)), rng.normal(size=(2, 3, *places))
    y = adaptive_mean_pool(x, places)
    for i, j in np.ndindex(*places):
        rows = slice(i * size[0] // places[0], -(-(i + 1) * size[0] // places[0]))
        columns = slice(j * size[1] // places[1], -(-(j + 1) * size[1] // places[1]))
        assert_close("y", y[:, :, i, j], x[:, :, rows, columns].mean(axis=(2, 3)), atol=1e-14)
    numerical = numerical_gradient(lambda v: adaptive_mean_pool(v, places) * dy, x, 0.1)
    assert_close("dx", adaptive_mean_pool_backward(dy, size), numerical, atol=1e-11)


@pytest.mark.parametrize("size, places", [(7, 3), (28, 6), (5, 4), (3, 7)])
def test_adaptive_windows_cover_every_pixel_and_overlap_by_one_at_most(size: int, places: int) -> None:
    covered = adaptive_mean_matrix(size, places) > 0
    assert covered.any(axis=0).all()
    for above, below in itertools.pairwise(covered):
        assert (above & below).sum() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_data_is_kept(dtype: type) -> None:
    views = np.ones((1, 2, 2, 2, 2, 2), dtype)
    dy = np.ones((1, 2, 2, 2), dtype)
    y = lp_pool(views, 2)
    assert y.dtype == lp_pool_backward(dy, views, y, 2).dtype == dtype
    assert max_pool(views)[0].dtype == max_pool_backward(dy, max_pool(views)[1], (2, 2)).dtype == dtype
    assert adaptive_mean_pool(np.ones((1, 1, 4, 4), dtype), (2, 2)).dtype == dtype
