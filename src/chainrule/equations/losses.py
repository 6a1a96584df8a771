"""Losses per sample beside their gradients. Sums and means over the batch are taken by `chainrule.losses`."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid, softmax


def half_squared_error(y: Array, t: Array) -> Array:
    """E_n = 1/2 sum_k (t_nk - y_nk)² (S0-E22, S0-E06 with the sum that ER0-24 adds). (n, ...) -> (n,)."""
    e: Array = ((t - y) ** 2).reshape(len(y), -1).sum(axis=1) / 2
    return e


def half_squared_error_gradient(y: Array, t: Array) -> Array:
    """dE/dy = -(t - y) (S0-E24)."""
    return y - t


def squared_error(y: Array, t: Array) -> Array:
    """E = (y - t)² for each element."""
    return (y - t) ** 2


def squared_error_gradient(y: Array, t: Array) -> Array:
    """dE/dy = 2 (y - t)."""
    return 2 * (y - t)


def log_softmax(logits: Array, axis: int = 1) -> Array:
    """log y_i = x_i - log sum_j exp(x_j), shifted by the maximum so that nothing overflows."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return result


def cross_entropy(logits: Array, t: Array) -> Array:
    """E_n = -sum_k t_nk log softmax(logits)_nk, for target probabilities t. (n, classes, ...) -> (n, ...)."""
    terms = np.where(t == 0, 0, t * log_softmax(logits))
    e: Array = -terms.sum(axis=1)
    return e


def cross_entropy_gradient(logits: Array, t: Array) -> Array:
    """dE/dlogits = p sum_k t_k - t, which is p - t for probabilities that sum to 1 (W15)."""
    result: Array = softmax(logits) * t.sum(axis=1, keepdims=True) - t
    return result


def binary_cross_entropy(logits: Array, t: Array) -> Array:
    """E = -t log s(x) - (1 - t) log(1 - s(x)) = max(x, 0) - x t + log(1 + exp(-|x|)), for each element."""
    result: Array = np.maximum(logits, 0) - logits * t + np.log1p(np.exp(-np.abs(logits)))
    return result


def binary_cross_entropy_gradient(logits: Array, t: Array) -> Array:
    """dE/dx = sigmoid(x) - t."""
    return sigmoid(logits) - t


def maximum_a_posteriori(penalties: Array, t: Array, rubbish: float) -> Array:
    """E_n = y_D + log(exp(-j) + sum_i exp(-y_i)), LeNet-5's criterion for RBF penalties y, right class D, constant j.

    The right penalty is pulled down; the others are pushed up, but none beyond the "rubbish class" j.
    """
    lowest = np.minimum(penalties.min(axis=1), rubbish)
    others = np.exp(lowest - rubbish) + np.exp(lowest[:, None] - penalties).sum(axis=1)
    e: Array = (penalties * t).sum(axis=1) - lowest + np.log(others)
    return e


def maximum_a_posteriori_gradient(penalties: Array, t: Array, rubbish: float) -> Array:
    """dE/dy_i = [i = D] - exp(-y_i) / (exp(-j) + sum_k exp(-y_k))."""
    lowest = np.minimum(penalties.min(axis=1, keepdims=True), rubbish)
    terms = np.exp(lowest - penalties)
    result: Array = t - terms / (np.exp(lowest - rubbish) + terms.sum(axis=1, keepdims=True))
    return result
