"""Batch and local response normalisation by central differences, and their edge cases."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    batch_statistics,
    channel_window_sum,
    local_response_norm,
    local_response_norm_backward,
    local_response_scale,
    normalize,
    normalize_backward_batch,
    normalize_backward_running,
    scale_and_shift,
    scale_and_shift_backward,
)
from tests.helpers import Array, assert_close, numerical_gradient

SHAPES = [(4, 3), (3, 2, 4, 5), (5, 1, 1, 1), (1, 2, 3, 3)]
shapes = pytest.mark.parametrize("shape", SHAPES)
EPSILON = 1e-5


def forward(x: Array, weight: Array, bias: Array) -> Array:
    return scale_and_shift(normalize(x, *batch_statistics(x), EPSILON), weight, bias)


@shapes
def test_batch_norm_gradients(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=shape) * 2 + 1, rng.normal(size=shape)
    weight, bias = rng.normal(size=shape[1]), rng.normal(size=shape[1])
    mean, variance = batch_statistics(x)
    normalized = normalize(x, mean, variance, EPSILON)
    dweight, dbias = scale_and_shift_backward(dy, normalized)
    dn = scale_and_shift(dy, weight, np.zeros_like(bias))
    dx = normalize_backward_batch(dn, normalized, variance, EPSILON)
    near = {"rtol": 1e-7, "atol": 1e-8}
    assert_close("dx", dx, numerical_gradient(lambda v: forward(v, weight, bias) * dy, x), **near)
    assert_close("dweight", dweight, numerical_gradient(lambda v: forward(x, v, bias) * dy, weight), **near)
    assert_close("dbias", dbias, numerical_gradient(lambda v: forward(x, weight, v) * dy, bias), **near)


@shapes
def test_normalized_values_have_mean_zero_and_variance_one(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.normal(size=shape) * 3 + 5
    mean, variance = batch_statistics(x)
    axes = (0, *range(2, x.ndim))
    assert_close("mean", mean, x.mean(axis=axes))
    assert_close("variance", variance, x.var(axis=axes), rtol=1e-13)
    again, one = batch_statistics(normalize(x, mean, variance, 0.0))
    assert_close("mean of x̂", again, np.zeros(shape[1]), atol=1e-13)
    assert_close("variance of x̂", one, np.ones(shape[1]), rtol=1e-12)


@shapes
def test_running_statistics_are_constants(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, dn = rng.normal(size=shape), rng.normal(size=shape)
    mean, variance = rng.normal(size=shape[1]), rng.uniform(0.5, 2, size=shape[1])
    numerical = numerical_gradient(lambda v: normalize(v, mean, variance, EPSILON) * dn, x, 0.1)
    assert_close("dx", normalize_backward_running(dn, variance, EPSILON), numerical, rtol=1e-9, atol=1e-11)


def test_a_constant_channel_stays_finite() -> None:
    x = np.full((4, 2), 7.0)
    mean, variance = batch_statistics(x)
    assert_close("x̂", normalize(x, mean, variance, EPSILON), np.zeros((4, 2)))
    dx = normalize_backward_batch(np.ones((4, 2)), np.zeros((4, 2)), variance, EPSILON)
    assert_close("dx", dx, np.zeros((4, 2)))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("channels", [1, 4, 6])
def test_local_response_norm_gradient(size: int, channels: int, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, channels, 2, 3)), rng.normal(size=(2, channels, 2, 3))
    alpha, beta, k = 0.3, 0.75, 1.5

    def loss(v: Array) -> Array:
        return local_response_norm(v, local_response_scale(v, size, alpha, k), beta) * dy

    dx = local_response_norm_backward(dy, x, local_response_scale(x, size, alpha, k), size, alpha, beta)
    assert_close("dx", dx, numerical_gradient(loss, x), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_local_response_scale_is_a_sum_over_neighbouring_channels(size: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(1, 5, 1, 1))
    scale = local_response_scale(x, size, 0.1, 2.0)
    for c in range(5):
        near = x[0, max(0, c - size // 2) : c + (size - 1) // 2 + 1, 0, 0]
        assert_close("scale", scale[0, c, 0, 0], 2 + 0.1 / size * (near**2).sum(), rtol=1e-14)


def test_channel_window_sum_mirrors_to_its_adjoint(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 6, 3))
    left, right = (channel_window_sum(a, 3, 1) * b).sum(), (a * channel_window_sum(b, 1, 3)).sum()
    assert_close("inner product", left, right, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_data_is_kept(dtype: type, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 2, 2, 2)).astype(dtype)
    one = np.ones(2, dtype)
    y = forward(x, one, one)
    scale = local_response_scale(x, 3, 1e-4, 1.0)
    assert y.dtype == scale.dtype == local_response_norm(x, scale, 0.75).dtype == dtype
    assert normalize_backward_batch(x, y, one, EPSILON).dtype == dtype
    assert normalize_backward_running(x, one, EPSILON).dtype == dtype
    assert local_response_norm_backward(x, x, scale, 3, 1e-4, 0.75).dtype == dtype
