"""One map under one kernel, forward by cross-correlation as in S1, S2, S3 and S4: every equal form of the gradients.

Stride 1, no padding. a (n, n), w (F, F), z = a ⋆ w + b and delta = dE/dz (n - F + 1, n - F + 1); neither map
nor kernel has to be square. Indices start at 0 and entries outside an array are 0. The forms differ in how
they are computed and agree in what: that is what the derivations of the sources say.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import convolve, cross_correlate, pad, rot180
from chainrule.shapes import Pair


def entry(a: Array, row: int, column: int) -> float:
    """a[row, column], or 0 outside the array."""
    inside = 0 <= row < a.shape[0] and 0 <= column < a.shape[1]
    return float(a[row, column]) if inside else 0.0


def kernel_size_of(a: Array, delta: Array) -> Pair:
    """F = n - m + 1: the kernel that makes a map of m from one of n at stride 1 (S2-E03 solved, ER4-22)."""
    return (a.shape[0] - delta.shape[0] + 1, a.shape[1] - delta.shape[1] + 1)


def input_size_of(delta: Array, w: Array) -> Pair:
    """n = m + F - 1: the map that the delta came from at stride 1 (ER4-22)."""
    return (delta.shape[0] + w.shape[0] - 1, delta.shape[1] + w.shape[1] - 1)


def correlation_weight_jacobian(a: Array, kernel_size: Pair) -> Array:
    """J[x, y, i, j] = dz[x, y] / dw[i, j] = a[x + i, y + j] (S4-E27)."""
    rows, columns = a.shape[0] - kernel_size[0] + 1, a.shape[1] - kernel_size[1] + 1
    jacobian = np.zeros((rows, columns, *kernel_size))
    for x, y, i, j in np.ndindex(*jacobian.shape):
        jacobian[x, y, i, j] = a[x + i, y + j]
    return jacobian


def correlation_input_jacobian(w: Array, size: Pair) -> Array:
    """J[x', y', x, y] = dz[x', y'] / da[x, y] = w[x - x', y - y'], 0 off the kernel (S4-E34, S4-E35, ER4-19)."""
    jacobian = np.zeros((size[0] - w.shape[0] + 1, size[1] - w.shape[1] + 1, *size))
    for p, q, x, y in np.ndindex(*jacobian.shape):
        jacobian[p, q, x, y] = entry(w, x - p, y - q)
    return jacobian


def through_jacobian(delta: Array, jacobian: Array) -> Array:
    """dE/dv = sum_{x, y} delta[x, y] dz[x, y] / dv: the chain rule over all places (S0-E07, S0-E14, S4-E25, S4-E33)."""
    result: Array = np.tensordot(delta, jacobian, axes=2)
    return result


def correlation_weight_gradient_sum(delta: Array, a: Array) -> Array:
    """dw[i, j] = sum_{x, y} delta[x, y] a[x + i, y + j], upper limits n_H - 1, n_W - 1 (S4-E28, ER4-13; S1-E14)."""
    dw = np.zeros(kernel_size_of(a, delta))
    for i, j in np.ndindex(*dw.shape):
        dw[i, j] = sum(delta[x, y] * a[x + i, y + j] for x, y in np.ndindex(*delta.shape))
    return dw


def correlation_weight_gradient(delta: Array, a: Array) -> Array:
    """dw = a ⋆ delta, in the operand order of the forward pass (S4-E29, ER4-14)."""
    return cross_correlate(a, delta)


def correlation_weight_gradient_convolution(delta: Array, a: Array) -> Array:
    """dw = a ∗ rot180(delta), valid: what the bracket of S4-E29 should say (ER4-15)."""
    return convolve(a, rot180(delta))


def correlation_bias_gradient(delta: Array) -> Array:
    """db = ones ⋆ delta, a single place (S4-E31; S1-E15, S2-E36). (1, 1)."""
    return cross_correlate(np.ones(delta.shape), delta)


def correlation_input_gradient_sum(delta: Array, w: Array) -> Array:
    """da[x, y] = sum_{i, j} w[i, j] delta[x - i, y - j]: minus, where S1-E18, S2-E26 and S3-E22 print plus
    (ER1-06, ER2-22, ER3-13)."""
    da = np.zeros(input_size_of(delta, w))
    for x, y in np.ndindex(*da.shape):
        da[x, y] = sum(w[i, j] * entry(delta, x - i, y - j) for i, j in np.ndindex(*w.shape))
    return da


def correlation_input_gradient_places(delta: Array, w: Array) -> Array:
    """da[x, y] = sum_{x', y'} delta[x', y'] w[x - x', y - y'] (S4-E36 without its g', ER4-19)."""
    da = np.zeros(input_size_of(delta, w))
    for x, y in np.ndindex(*da.shape):
        da[x, y] = sum(delta[p, q] * entry(w, x - p, y - q) for p, q in np.ndindex(*delta.shape))
    return da


def correlation_input_gradient(delta: Array, w: Array) -> Array:
    """da = delta ∗_full w: a true convolution, the kernel is not rotated once more (S2-E25, S4-E37, ER2-17)."""
    return convolve(delta, w, "full")


def correlation_input_gradient_rotated(delta: Array, w: Array) -> Array:
    """da = delta ⋆_full rot180(w): what the second form of S4-E37 should say (ER4-20)."""
    return cross_correlate(delta, rot180(w), "full")


def correlation_input_gradient_padded(delta: Array, w: Array) -> Array:
    """da = pad(delta, F - 1) ⋆ rot180(w), valid: the picture of S1-E11, S2-D03 and S4-F03 (ER1-07)."""
    rows, columns = w.shape[0] - 1, w.shape[1] - 1
    return cross_correlate(pad(delta, (rows, rows, columns, columns)), rot180(w))


def correlation_delta_before(delta: Array, w: Array, slope: Array) -> Array:
    """dE/dnet of the layer before = (delta ∗_full w) ⊙ f'(net), the product last (S1-E12, S1-E17, S2-E14,
    S2-E26, S2-E27, S3-E21..E24, S4-E36, S4-E37; ER2-28, ER4-21). `slope` is f'(net)."""
    return correlation_input_gradient(delta, w) * slope
