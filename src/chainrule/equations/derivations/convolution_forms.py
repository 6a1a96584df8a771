"""One map under one kernel, forward by true convolution as in S0: every equal form of the gradients.

o = w ∗ a + b, valid: the place (p, q) of the output array is the position x' = p + F - 1, y' = q + F - 1 of
S0's sums, the first where the kernel lies wholly on the map (ER0-19, ER0-25). One map, stride 1, no padding;
indices start at 0 and entries outside an array are 0. delta = dE/do.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import convolve, cross_correlate, rot180
from chainrule.equations.derivations.correlation_forms import entry, input_size_of, kernel_size_of
from chainrule.shapes import Pair


def convolution_forward_sum(a: Array, w: Array, bias: float = 0.0) -> Array:
    """o[x', y'] = sum_{i, j} w[i, j] a[x' - i, y' - j] + b (S0-E02, S0-E04, S0-E05 with a = f(o before);
    ER0-20..22)."""
    rows, columns = w.shape[0] - 1, w.shape[1] - 1
    o = np.zeros((a.shape[0] - rows, a.shape[1] - columns))
    for p, q in np.ndindex(*o.shape):
        o[p, q] = sum(w[i, j] * a[p + rows - i, q + columns - j] for i, j in np.ndindex(*w.shape)) + bias
    return o


def convolution_weight_jacobian(a: Array, kernel_size: Pair) -> Array:
    """J[p, q, i, j] = do[x', y'] / dw[i, j] = a[x' - i, y' - j] (S0-E08, S0-E09)."""
    rows, columns = kernel_size[0] - 1, kernel_size[1] - 1
    jacobian = np.zeros((a.shape[0] - rows, a.shape[1] - columns, *kernel_size))
    for p, q, i, j in np.ndindex(*jacobian.shape):
        jacobian[p, q, i, j] = a[p + rows - i, q + columns - j]
    return jacobian


def convolution_input_jacobian(w: Array, size: Pair) -> Array:
    """J[p, q, x, y] = do[x', y'] / da[x, y] = w[x' - x, y' - y] (S0-E15, S0-E16 before its factor f')."""
    rows, columns = w.shape[0] - 1, w.shape[1] - 1
    jacobian = np.zeros((size[0] - rows, size[1] - columns, *size))
    for p, q, x, y in np.ndindex(*jacobian.shape):
        jacobian[p, q, x, y] = entry(w, p + rows - x, q + columns - y)
    return jacobian


def convolution_weight_gradient_sum(delta: Array, a: Array) -> Array:
    """dw[i, j] = sum_{x', y'} delta[x', y'] a[x' - i, y' - j] (S0-E07, S0-E10)."""
    dw = np.zeros(kernel_size_of(a, delta))
    rows, columns = dw.shape[0] - 1, dw.shape[1] - 1
    for i, j in np.ndindex(*dw.shape):
        dw[i, j] = sum(delta[p, q] * a[p + rows - i, q + columns - j] for p, q in np.ndindex(*delta.shape))
    return dw


def convolution_weight_gradient(delta: Array, a: Array) -> Array:
    """dw = rot180(a) ∗ delta, valid: the map is rotated, not the kernel (S0-E11, S0-E12; ER0-26, ER0-27)."""
    return convolve(rot180(a), delta)


def convolution_input_gradient_sum(delta: Array, w: Array) -> Array:
    """da[x, y] = sum_{x', y'} delta[x', y'] w[x' - x, y' - y]: a cross-correlation (S0-E14, S0-E17 without its f')."""
    rows, columns = w.shape[0] - 1, w.shape[1] - 1
    da = np.zeros(input_size_of(delta, w))
    for x, y in np.ndindex(*da.shape):
        da[x, y] = sum(delta[p, q] * entry(w, p + rows - x, q + columns - y) for p, q in np.ndindex(*delta.shape))
    return da


def convolution_input_gradient(delta: Array, w: Array) -> Array:
    """da = delta ∗_full rot180(w) (S0-E18 before its f', ER0-28)."""
    return convolve(delta, rot180(w), "full")


def convolution_input_gradient_correlation(delta: Array, w: Array) -> Array:
    """da = delta ⋆_full w: S0-E17 read as a cross-correlation."""
    return cross_correlate(delta, w, "full")


def convolution_delta_before(delta: Array, w: Array, slope: Array) -> Array:
    """dE/do of the layer before = (delta ∗_full rot180 w) f'(o), the product last (S0-E13..E18; ER0-28)."""
    return convolution_input_gradient(delta, w) * slope
