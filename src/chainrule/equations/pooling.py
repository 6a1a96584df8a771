"""Pooling: each window of a map becomes one number, map by map; the number of maps stays (S2-F08).

Windows may overlap; what flows back to a pixel is the sum over the windows that cover it (ER1-16). All
functions take windows (..., rows, columns, kernel rows, kernel columns) as `windows_of` makes them, and the
backward functions return what flows back to each place of each window, for `scatter_windows` to add up.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Pair


def max_pool(windows: Array) -> tuple[Array, Array]:
    """y = max of the window (S2-E38, S3-E08, S3-E13), and where it stood: the row-major place in the window.

    Of equal maxima the first in row-major order wins (ER1-16). A NaN wins over any number.
    """
    flat = windows.reshape(*windows.shape[:-2], -1)
    argmax = flat.argmax(axis=-1)
    return np.take_along_axis(flat, argmax[..., None], axis=-1)[..., 0], argmax


def max_pool_backward(dy: Array, argmax: Array, kernel_size: Pair) -> Array:
    """The winner gets the whole gradient, the others nothing (S0-E38, S1-E16, S2-E39, S3-E14..E17, S4-F04)."""
    flat = np.zeros((*dy.shape, kernel_size[0] * kernel_size[1]), dy.dtype)
    np.put_along_axis(flat, argmax[..., None], dy[..., None], axis=-1)
    return flat.reshape(*dy.shape, *kernel_size)


def weighted_pool(windows: Array, weights: Array) -> Array:
    """y = sum_ij g_ij x_ij with fixed weights g (kernel rows, kernel columns)."""
    result: Array = np.einsum("...ij,ij->...", windows, weights)
    return result


def weighted_pool_backward(dy: Array, weights: Array) -> Array:
    """Each place gets dy times its weight; for the mean that is dy / (kernel area) (S0-E39, S2-E41, ER4-23)."""
    return dy[..., None, None] * weights


def mean_weights(kernel_size: Pair) -> Array:
    """Equal weights 1 / (rows * columns): mean pooling as a weighted pool (S2-E40)."""
    return np.full(kernel_size, 1 / (kernel_size[0] * kernel_size[1]))


def gaussian_weights(kernel_size: Pair, sigma: float) -> Array:
    """A centred, isotropic Gaussian, normalised to sum 1 (S2-F06). On 2x2 it is the mean, whatever sigma (ER2-06)."""
    axes = [np.arange(k) - (k - 1) / 2 for k in kernel_size]
    squares = axes[0][:, None] ** 2 + axes[1][None, :] ** 2
    with np.errstate(over="ignore"):  # a sigma near 0 leaves only the nearest places; sigma² itself may be 0 or inf
        weights = np.exp(-((squares - squares.min()) / sigma) / sigma / 2)
    result: Array = weights / weights.sum()
    return result


def _power(x: Array, p: float) -> Array:
    """x^p; for a p that is no integer |x|^p, since x may be negative."""
    return x ** int(p) if float(p).is_integer() else np.abs(x) ** p


def lp_pool(windows: Array, p: float) -> Array:
    """y = (sum x^p)^(1/p): the L2 norm for p = 2 (S0-F05), the plain sum for p = 1.

    The root of a negative sum (odd p) is the real one; for a p that is not an integer, |x| takes the place of x.
    """
    total = _power(windows, p).sum(axis=(-2, -1))
    root: Array = np.sign(total) * np.abs(total) ** (1 / p)
    return root


def lp_pool_backward(dy: Array, windows: Array, y: Array, p: float) -> Array:
    """dx = dy (x / y)^(p-1); where the norm is 0 it has no derivative and 0 is chosen (ER0-32).

    For p = 2: dx = dy x / ||x||. For p = 1: dx = dy.
    """
    if p == 1:
        return np.broadcast_to(dy[..., None, None], windows.shape)
    safe = np.where(y == 0, 1, y)[..., None, None]
    ratio = windows / safe
    if float(p).is_integer():
        slope = ratio ** (int(p) - 1)
    else:
        slope = np.sign(ratio) * np.abs(ratio) ** (p - 1)
    return np.where(y[..., None, None] == 0, 0, dy[..., None, None] * slope)


def trainable_pool(windows: Array, weight: Array, bias: Array) -> Array:
    """y_c = weight_c sum(window) + bias_c: two parameters per map, LeNet-5's S2 and S4 (S2-F06, ER2-07)."""
    y: Array = windows.sum(axis=(-2, -1)) * weight[:, None, None] + bias[:, None, None]
    return y


def trainable_pool_backward(dy: Array, windows: Array, weight: Array) -> tuple[Array, Array, Array]:
    """(dwindows, dweight, dbias): weight dy spread evenly; sum dy sum(window); sum dy (W15)."""
    spread = np.broadcast_to((dy * weight[:, None, None])[..., None, None], windows.shape)
    return spread, (dy * windows.sum(axis=(-2, -1))).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))


def adaptive_mean_matrix(size: int, places: int) -> Array:
    """(places, size): row i averages the pixels floor(i n / m) .. ceil((i + 1) n / m) - 1, so that m windows
    of nearly equal size cover n pixels, overlapping by at most one."""
    matrix = np.zeros((places, size))
    for i in range(places):
        start, stop = i * size // places, -(-(i + 1) * size // places)
        matrix[i, start:stop] = 1 / (stop - start)
    return matrix


def adaptive_mean_pool(x: Array, output_size: Pair) -> Array:
    """y = R x Cᵀ with the averaging matrices of rows and columns."""
    rows, columns = (adaptive_mean_matrix(n, m).astype(x.dtype) for n, m in zip(x.shape[-2:], output_size, strict=True))
    result: Array = rows @ x @ columns.T
    return result


def adaptive_mean_pool_backward(dy: Array, input_size: Pair) -> Array:
    """dx = Rᵀ dy C (from tr(Gᵀ R dX Cᵀ) = tr((Rᵀ G C)ᵀ dX), S4-E39)."""
    rows, columns = (
        adaptive_mean_matrix(n, m).astype(dy.dtype) for n, m in zip(input_size, dy.shape[-2:], strict=True)
    )
    result: Array = rows.T @ dy @ columns
    return result
