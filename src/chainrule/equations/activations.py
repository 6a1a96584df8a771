"""Activation functions beside their derivatives.

Each derivative is written in the saved quantity that makes it cheapest: the output y where possible (S0-E25),
else the input x. A table pairs those of the first kind; after it come the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array

SCALED_TANH_AMPLITUDE = 1.7159
SCALED_TANH_SLOPE = 2.0 / 3.0


def sigmoid(x: Array) -> Array:
    """y = 1 / (1 + exp(-x)) (S0-E19), computed from exp(-|x|) so that no x overflows."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + decay), decay / (1 + decay))


def sigmoid_derivative(y: Array) -> Array:
    """f'(x) = y (1 - y), from the output (S0-E25)."""
    result: Array = y * (1 - y)
    return result


def tanh(x: Array) -> Array:
    """y = tanh(x)."""
    return np.tanh(x)


def tanh_derivative(y: Array) -> Array:
    """f'(x) = 1 - y², from the output."""
    return 1 - y * y


def scaled_tanh(x: Array) -> Array:
    """y = 1.7159 tanh(2/3 x), LeNet-5's squashing function: f(1) = 1 and f(-1) = -1 nearly."""
    return SCALED_TANH_AMPLITUDE * np.tanh(SCALED_TANH_SLOPE * x)


def scaled_tanh_derivative(y: Array) -> Array:
    """f'(x) = S (A - y² / A) with A = 1.7159, S = 2/3, from the output."""
    return SCALED_TANH_SLOPE * (SCALED_TANH_AMPLITUDE - y * y / SCALED_TANH_AMPLITUDE)


def relu(x: Array) -> Array:
    """y = max(0, x) (S0-E37, S1-E04, S3-E07, S3-E18, S3-E20). NaN stays NaN."""
    return np.maximum(x, 0)


def relu_derivative(y: Array) -> Array:
    """f'(x) = 1 for x > 0, else 0; at the kink x = 0 the value 0 is chosen (ER1-16). From the output."""
    return (y > 0).astype(y.dtype)


class Activation(NamedTuple):
    """A function of one number, and its derivative in terms of the output."""

    function: Callable[[Array], Array]
    derivative_from_output: Callable[[Array], Array]


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_derivative),
    "tanh": Activation(tanh, tanh_derivative),
    "scaled_tanh": Activation(scaled_tanh, scaled_tanh_derivative),
    "relu": Activation(relu, relu_derivative),
}


def leaky_relu(x: Array, negative_slope: float) -> Array:
    """y = x for x > 0, else negative_slope x."""
    return np.where(x > 0, x, x * x.dtype.type(negative_slope))


def leaky_relu_derivative(x: Array, negative_slope: float) -> Array:
    """f'(x) = 1 for x > 0, else negative_slope. From the input: a slope of 0 or below hides the sign in y."""
    result: Array = np.where(x > 0, x.dtype.type(1), x.dtype.type(negative_slope))
    return result


def softmax(x: Array, axis: int = 1) -> Array:
    """y_i = exp(x_i) / sum_j exp(x_j), shifted by the maximum so that nothing overflows."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    result: Array = exponentials / exponentials.sum(axis=axis, keepdims=True)
    return result


def softmax_backward(dy: Array, y: Array, axis: int = 1) -> Array:
    """dx_i = y_i (dy_i - sum_j dy_j y_j): the Jacobian y_i ([i = j] - y_j), applied without being built."""
    result: Array = y * (dy - (dy * y).sum(axis=axis, keepdims=True))
    return result


__all__ = [
    "ACTIVATIONS", "Activation", "leaky_relu", "leaky_relu_derivative", "relu", "relu_derivative", "scaled_tanh",
    "scaled_tanh_derivative", "sigmoid", "sigmoid_derivative", "softmax", "softmax_backward", "tanh", "tanh_derivative",
]  # fmt: skip
