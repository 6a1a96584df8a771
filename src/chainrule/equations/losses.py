"""Losses per sample beside their gradients, and how samples are weighted. `chainrule.losses` calls both."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid, softmax


def weighted_scale(masses: Array, terms: int = 1) -> float:
    """s = 1 / (J sum_n m_n), the factor of a weighted mean L = s sum_n w_n E_n of J terms per sample. masses (n,).

    The mass m_n = w_n c_n is what sample n counts for: its weight w_n, times the weight c_n of its class where the loss
    has class weights (torch's weighted mean). Without weights m_n = 1, and s = 1 / (J n). A sample with an integer
    weight k stands in numerator and denominator as k samples would, so L and all gradients are those of the batch in
    which it is repeated k times; with weight 0 it stands in neither. Dividing by n instead would make L depend on the
    scale of the weights. A batch without any mass has s = 0: it teaches nothing.
    """
    total = float(masses.sum())
    return 1 / (terms * total) if total else 0.0


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


def absolute_error(y: Array, t: Array) -> Array:
    """E = |y - t| for each element."""
    result: Array = np.abs(y - t)
    return result


def absolute_error_gradient(y: Array, t: Array) -> Array:
    """dE/dy = sign(y - t), and 0 where they are equal."""
    result: Array = np.sign(y - t)
    return result


def huber(y: Array, t: Array, delta: float) -> Array:
    """E = 1/2 d² where |d| <= delta, else delta (|d| - delta / 2), with d = y - t: for each element.

    With the gradient g both are g (d - g / 2).
    """
    g = huber_gradient(y, t, delta)
    return g * (y - t - g / 2)


def huber_gradient(y: Array, t: Array, delta: float) -> Array:
    """dE/dy = y - t, cut off at -delta and delta."""
    result: Array = np.clip(y - t, -delta, delta)
    return result


def log_softmax(logits: Array, axis: int = 1) -> Array:
    """log y_i = x_i - log sum_j exp(x_j), shifted by the maximum so that nothing overflows."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return result


def effective_targets(t: Array, weight: Array, smoothing: float) -> Array:
    """t'_nk = c_k ((1 - e) t_nk + e / K): class weights c and label smoothing e make these targets of t.

    t (n, classes, ...), weight (classes,), K the number of classes.
    """
    classes = t.shape[1]
    result: Array = weight.reshape(classes, *[1] * (t.ndim - 2)) * ((1 - smoothing) * t + smoothing / classes)
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


def binary_cross_entropy(logits: Array, t: Array, positive: Array | float = 1.0) -> Array:
    """E = -p t log s(x) - (1 - t) log(1 - s(x)), for each element; p weights the positive half.

    = max(x, 0) - x t + r + (p - 1) t (max(-x, 0) + r) with r = log(1 + exp(-|x|)), so that nothing overflows.
    """
    rest = np.log1p(np.exp(-np.abs(logits)))
    more = t * (positive - 1) * (np.maximum(-logits, 0) + rest)
    result: Array = np.maximum(logits, 0) - logits * t + rest + more
    return result


def binary_cross_entropy_gradient(logits: Array, t: Array, positive: Array | float = 1.0) -> Array:
    """dE/dx = s - t + (p - 1) t (s - 1) with s = sigmoid(x), which is s - t for p = 1."""
    s = sigmoid(logits)
    result: Array = s - t + t * (positive - 1) * (s - 1)
    return result


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
