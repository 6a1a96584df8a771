"""W07 and W15: pooling, and softmax with cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    cross_entropy,
    cross_entropy_gradient,
    gaussian_weights,
    lp_pool,
    lp_pool_backward,
    max_pool,
    max_pool_backward,
    mean_weights,
    scatter_windows,
    sigmoid,
    sigmoid_derivative,
    softmax,
    trainable_pool,
    trainable_pool_backward,
    weighted_pool,
    weighted_pool_backward,
    windows_of,
)
from chainrule.shapes import Window
from tests.helpers import Array, assert_close, numerical_gradient

X = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
DELTA = np.array([[1.0, 2], [3, 4]])
WINDOW = Window((2, 2), (2, 2))


def spread(values: Array) -> Array:
    return scatter_windows(values, WINDOW, (4, 4))


def test_W07_S3_N06_max_pool() -> None:
    y, argmax = max_pool(windows_of(X, WINDOW))
    assert_close("y", y, [[6, 8], [3, 4]])
    dx = spread(max_pool_backward(DELTA, argmax, (2, 2)))
    assert_close("dx", dx, [[0, 0, 0, 0], [0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 0, 4]])
    assert dx.sum() == DELTA.sum()


def test_W07_mean_pool() -> None:
    weights = mean_weights((2, 2))
    assert_close("y", weighted_pool(windows_of(X, WINDOW), weights), [[3.25, 5.25], [2, 2]])
    dx = spread(weighted_pool_backward(DELTA, weights))
    quarter = [[0.25, 0.25, 0.5, 0.5], [0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 1, 1], [0.75, 0.75, 1, 1]]
    assert_close("dx", dx, quarter)
    assert dx.sum() == DELTA.sum()


def test_W07_l2_pool() -> None:
    y = lp_pool(windows_of(X, WINDOW), 2)
    expected = [[7.937253933193772, 11.532562594670797], [4.242640687119285, 5.0990195135927845]]
    assert_close("y", y, expected, rtol=1e-15)
    dx = spread(lp_pool_backward(DELTA, windows_of(X, WINDOW), y, 2))
    rows = [
        [0.1259881576697424, 0.1259881576697424, 0.346843987809648, 0.693687975619296],
        [0.6299407883487119, 0.7559289460184544, 1.2139539573337679, 1.387375951238592],
        [2.121320343559643, 1.4142135623730951, 0.7844645405527362, 0.0],
        [0.7071067811865476, 1.4142135623730951, 2.3533936216582085, 3.1378581622109447],
    ]
    assert_close("dx", dx, rows, rtol=1e-14)
    assert abs(dx.sum() - DELTA.sum()) > 1  # the L2 norm does not conserve the error


def test_W15_gaussian_weights() -> None:
    weights = gaussian_weights((3, 3), 1)
    corner, edge, centre = 0.0751136079541115, 0.12384140315297394, 0.20417995557165805
    expected = [[corner, edge, corner], [edge, centre, edge], [corner, edge, corner]]
    assert_close("sigma 1", weights, expected, rtol=1e-14)
    narrow = gaussian_weights((3, 3), 0.5)
    found = [narrow[0, 0], narrow[0, 1], narrow[1, 1]]
    assert_close("sigma 0.5", found, [0.011343736558495071, 0.0838195058022106, 0.6193470305571772], rtol=1e-14)
    for sigma in (0.5, 1, 5):
        assert_close("2x2", gaussian_weights((2, 2), sigma), np.full((2, 2), 0.25))


def test_W15_gaussian_backward_is_delta_times_weight() -> None:
    window, weights, delta = Window((3, 3)), gaussian_weights((3, 3), 1), np.array([[1.0, -2], [3, 0.5]])
    dx = scatter_windows(weighted_pool_backward(delta, weights), window, (4, 4))
    numerical = numerical_gradient(lambda v: weighted_pool(windows_of(v, window), weights) * delta, X, 0.1)
    assert_close("dx", dx, numerical, atol=1e-11)


def test_W15_trainable_pool() -> None:
    """y = f(beta sum + b): dbeta = sum delta sum_window, db = sum delta, dx = beta delta."""
    beta, bias, views = np.array([0.1]), np.array([-0.5]), windows_of(X[None, None], WINDOW)
    y = sigmoid(trainable_pool(views, beta, bias))
    delta = DELTA * sigmoid_derivative(y)
    dviews, dbeta, dbias = trainable_pool_backward(delta, views, beta)
    sums = np.array([[13.0, 21], [8, 8]])
    assert_close("net", trainable_pool(views, beta, bias)[0, 0], 0.1 * sums - 0.5, rtol=1e-15)
    assert_close("dbeta", dbeta, [(delta[0, 0] * sums).sum()], rtol=1e-15)
    assert_close("db", dbias, [delta.sum()], rtol=1e-15)
    assert_close("dx", spread(dviews)[0, 0], np.kron(0.1 * delta[0, 0], np.ones((2, 2))), rtol=1e-15)

    def loss(beta: Array = beta, bias: Array = bias, x: Array = X) -> Array:
        return sigmoid(trainable_pool(windows_of(x[None, None], WINDOW), beta, bias)) * DELTA

    assert_close("dbeta", dbeta, numerical_gradient(lambda v: loss(beta=v), beta), rtol=1e-8)
    assert_close("db", dbias, numerical_gradient(lambda v: loss(bias=v), bias), rtol=1e-8)
    assert_close("dx", spread(dviews)[0, 0], numerical_gradient(lambda v: loss(x=v), X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_W15_softmax_with_cross_entropy(classes: int) -> None:
    x = np.sin(np.arange(3.0 * classes)).reshape(3, classes) * 3
    t = np.eye(classes)[[0, 1, classes - 1]]
    assert_close("delta", cross_entropy_gradient(x, t), softmax(x) - t, atol=1e-15)
    numerical = numerical_gradient(lambda v: cross_entropy(v, t), x, 1e-5)
    assert_close("delta", softmax(x) - t, numerical, rtol=1e-7, atol=1e-9)
