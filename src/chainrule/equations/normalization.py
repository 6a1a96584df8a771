"""Batch normalisation and local response normalisation (named in S2-B05, where no formulas are given).

Arrays are (n, channels, ...); statistics are per channel, over the batch and all places.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array


def _over(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _channels(v: Array, ndim: int) -> Array:
    """(c,) shaped so that it broadcasts over (n, c, ...)."""
    return v.reshape((1, -1) + (1,) * (ndim - 2))


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and biased variance (divisor n) of each channel."""
    mean: Array = x.mean(axis=_over(x))
    variance: Array = ((x - _channels(mean, x.ndim)) ** 2).mean(axis=_over(x))
    return mean, variance


def normalize(x: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """x̂ = (x - mean) / sqrt(variance + epsilon)."""
    deviation = np.sqrt(_channels(variance, x.ndim) + x.dtype.type(epsilon))
    result: Array = (x - _channels(mean, x.ndim)) / deviation
    return result


def scale_and_shift(normalized: Array, weight: Array, bias: Array) -> Array:
    """y = weight x̂ + bias, per channel."""
    return normalized * _channels(weight, normalized.ndim) + _channels(bias, normalized.ndim)


def scale_and_shift_backward(dy: Array, normalized: Array) -> tuple[Array, Array]:
    """dweight = sum dy x̂ and dbias = sum dy, per channel."""
    return (dy * normalized).sum(axis=_over(dy)), dy.sum(axis=_over(dy))


def normalize_backward_batch(dn: Array, normalized: Array, variance: Array, epsilon: float) -> Array:
    """dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / sqrt(variance + epsilon), for statistics of this very batch.

    Every x moves the mean and the variance too; those two paths are the two subtracted terms.
    """
    deviation = np.sqrt(_channels(variance, dn.ndim) + dn.dtype.type(epsilon))
    mean_dn = _channels(dn.mean(axis=_over(dn)), dn.ndim)
    mean_product = _channels((dn * normalized).mean(axis=_over(dn)), dn.ndim)
    result: Array = (dn - mean_dn - normalized * mean_product) / deviation
    return result


def normalize_backward_running(dn: Array, variance: Array, epsilon: float) -> Array:
    """dx = dx̂ / sqrt(variance + epsilon), for fixed running statistics."""
    result: Array = dn / np.sqrt(_channels(variance, dn.ndim) + dn.dtype.type(epsilon))
    return result


def channel_window_sum(x: Array, before: int, after: int) -> Array:
    """out_c = x_{c-before} + ... + x_{c+after}, with nothing beyond the first and last channel."""
    channels = x.shape[1]
    sums = np.zeros_like(x)
    for offset in range(-min(before, channels - 1), min(after, channels - 1) + 1):
        low, high = max(0, -offset), min(channels, channels - offset)
        sums[:, low:high] += x[:, low + offset : high + offset]
    return sums


def local_response_scale(x: Array, size: int, alpha: float, k: float) -> Array:
    """s_c = k + alpha / size * sum of x² over the `size` channels around c (size // 2 of them before c)."""
    return k + alpha / size * channel_window_sum(x * x, size // 2, (size - 1) // 2)


def local_response_norm(x: Array, scale: Array, beta: float) -> Array:
    """y = x s^-beta."""
    result: Array = x * scale ** (-beta)
    return result


def local_response_norm_backward(dy: Array, x: Array, scale: Array, size: int, alpha: float, beta: float) -> Array:
    """dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum_c' dy_c' x_c' s_c'^(-beta-1), over the c' that c is near.

    c acts in s_c' when c' - before <= c <= c' + after: the mirrored window.
    """
    through_scales = channel_window_sum(dy * x * scale ** (-beta - 1), (size - 1) // 2, size // 2)
    result: Array = dy * scale ** (-beta) - 2 * alpha * beta / size * x * through_scales
    return result
