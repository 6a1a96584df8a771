"""Activations: derivatives by central differences, extremes without warnings, NaN that stays visible."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.equations import (
    ACTIVATIONS,
    leaky_relu,
    leaky_relu_derivative,
    relu,
    relu_derivative,
    scaled_tanh,
    sigmoid,
    sigmoid_derivative,
    softmax,
    softmax_backward,
)
from chainrule.layers import Context
from tests.helpers import assert_close, numerical_gradient
from tests.layers import rows

EXTREMES = np.array([-1e4, -745.2, -1e2, 0.0, 1e2, 710.0, 1e4])


@pytest.mark.parametrize("entry", rows.ACTIVATIONS, ids=lambda entry: repr(entry.layer))
def test_values_and_derivatives_as_written_once_more(entry: rows.Activation, rng: np.random.Generator) -> None:
    x = np.concatenate([rng.normal(size=9) * 3, [-20.0, 20.0]])
    y, saved = entry.layer.forward({}, x, context=Context())
    dx = entry.layer.backward_input({}, np.ones(len(x)), saved)
    assert_close("y", y, [entry.value(number) for number in x.tolist()], rtol=1e-14, atol=1e-16)
    slopes = [(entry.value(v + 1e-5) - entry.value(v - 1e-5)) / 2e-5 for v in x.tolist()]
    assert_close("dx", dx, slopes, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_from_the_output(name: str, rng: np.random.Generator) -> None:
    function, derivative = ACTIVATIONS[name]
    x = rng.normal(size=(3, 4)) * 2
    x[np.abs(x) < 1e-3] = 0.5  # keep away from the kink
    assert_close(name, derivative(function(x)), numerical_gradient(function, x), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_give_no_warning_and_nothing_infinite(name: str, dtype: type) -> None:
    function, derivative = ACTIVATIONS[name]
    y = function(EXTREMES.astype(dtype))
    slope = derivative(y)
    assert y.dtype == slope.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(slope).all()
    assert (slope >= 0).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_stays_nan(name: str) -> None:
    assert np.isnan(ACTIVATIONS[name].function(np.array([np.nan, 1.0]))).tolist() == [True, False]


def test_S0_E19_E25_sigmoid_values() -> None:
    assert_close("sigmoid", sigmoid(np.array([0.3775, 0.0])), [0.5932699921071872, 0.5], rtol=1e-15)
    for x in (-30.0, -2.5, 3.0, 20.0):
        assert_close("1 / (1 + exp(-x))", sigmoid(np.array(x)), 1 / (1 + math.exp(-x)), rtol=1e-15)
    assert_close("slope", sigmoid_derivative(np.array(0.75136507)), 0.186815602, atol=5e-9)


def test_sigmoid_is_exact_in_both_tails() -> None:
    x = np.array([-700.0, -40.0])
    assert_close("tail", sigmoid(x), np.exp(x), rtol=1e-15)
    assert sigmoid(np.array(1e4)) == 1
    assert sigmoid(np.array(-1e4)) == 0


def test_S0_E37_ER1_16_relu_at_zero() -> None:
    x = np.array([-2.0, -0.0, 0.0, 1e-300, 3.0])
    assert_close("relu", relu(x), [0, 0, 0, 1e-300, 3])
    assert_close("slope", relu_derivative(relu(x)), [0, 0, 0, 1, 1])


def test_S0_C04_relu_does_not_saturate() -> None:
    large = np.array([1.0, 1e2, 1e4, 1e300])
    assert_close("slope", relu_derivative(relu(large)), np.ones(4))
    assert sigmoid_derivative(sigmoid(large))[1:].max() < 1e-40


@pytest.mark.parametrize("slope", [0.01, 0.0, 0.5, -0.2, 1.5])
def test_leaky_relu(slope: float, rng: np.random.Generator) -> None:
    x = rng.normal(size=20)
    numerical = numerical_gradient(lambda v: leaky_relu(v, slope), x)
    assert_close("slope", leaky_relu_derivative(x, slope), numerical, atol=1e-8)
    assert leaky_relu_derivative(np.zeros(1), slope) == slope  # at the kink, as for ReLU
    assert leaky_relu(np.float32([1, -1]), slope).dtype == np.float32
    assert leaky_relu_derivative(np.float32([1, -1]), slope).dtype == np.float32
    assert np.isnan(leaky_relu(np.array([np.nan]), slope)).all()


def test_scaled_tanh_is_nearly_one_at_one() -> None:
    assert_close("f(±1)", scaled_tanh(np.array([1.0, -1.0])), [1, -1], atol=1e-4)


@pytest.mark.parametrize("shape, axis", [((4, 5), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((3, 1), 1)])
def test_softmax(shape: tuple[int, ...], axis: int, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=shape), rng.normal(size=shape)
    y = softmax(x, axis)
    assert_close("sums", y.sum(axis=axis), np.ones_like(y.sum(axis=axis)), rtol=1e-15)
    assert_close("shifted", softmax(x + 100, axis), y, rtol=1e-13)
    numerical = numerical_gradient(lambda v: softmax(v, axis) * dy, x)
    assert_close("dx", softmax_backward(dy, y, axis), numerical, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_extremes(dtype: type) -> None:
    x = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4 - 1]], dtype)
    y = softmax(x)
    assert y.dtype == dtype
    assert_close("row 0", y[0], [1, 0, 0])
    assert_close("row 1", y[1], [1 / 3] * 3, rtol=1e-6)
    assert_close("backward", softmax_backward(np.ones_like(y), y), np.zeros((3, 3)), atol=1e-6)
