"""The convolution layer as the sums over indices that the sources print, with every option, one product at a time.

Nothing is sliced, flipped, padded or restored: each function walks through the meetings of output place,
kernel tap and input pixel (see `terms`) and adds. Slow, for small arrays; `conv2d_*` must agree with these.

Arrays are (n, channels, rows, columns), weights (out, in / groups, kernel rows, kernel columns). Indices
start at 0.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import Convention
from chainrule.equations.derivations.terms import meetings
from chainrule.shapes import Pair, Window


def literal_forward(
    x: Array, weight: Array, bias: Array, window: Window, groups: int = 1, mode: Convention = "correlation"
) -> Array:
    """y[n, o, p, q] = sum_d sum_{i, j} w[o, d, i, j] x[n, d, x, y] + b[o].

    The pixel is x = p S + i D - P, y = q S + j D - P (S2-E02, S2-E08, S2-E13, S4-E26, S4-E32), or in the
    convention of S0, which counts the kernel backwards, x = p S + (F - 1 - i) D - P (S0-E03, S0-E04).
    """
    size = (x.shape[2], x.shape[3])
    filters, per_group = weight.shape[:2]
    y = np.zeros((x.shape[0], filters, *window.output_size(size)))
    for o in range(filters):
        first = o // (filters // groups) * per_group
        y[:, o] += bias[o]
        for place, tap, pixel in meetings(size, window, mode):
            for d in range(per_group):
                y[:, o, *place] += weight[o, d, *tap] * x[:, first + d, *pixel]
    return y


def literal_backward_input(
    dy: Array, weight: Array, size: Pair, window: Window, groups: int = 1, mode: Convention = "correlation"
) -> Array:
    """dx[n, d, x, y] = sum_o sum_{p, q} dy[n, o, p, q] w[o, d, i, j] over the taps that lay on the pixel.

    S1-E06..E10, S2-E16..E24, S2-E31 with the limits of ER2-27, S4-E33..E36; S0-E14..E17 in its convention.
    """
    filters, per_group = weight.shape[:2]
    dx = np.zeros((dy.shape[0], groups * per_group, *size))
    for o in range(filters):
        first = o // (filters // groups) * per_group
        for place, tap, pixel in meetings(size, window, mode):
            for d in range(per_group):
                dx[:, first + d, *pixel] += dy[:, o, *place] * weight[o, d, *tap]
    return dx


def literal_backward_weight(
    dy: Array, x: Array, window: Window, groups: int = 1, mode: Convention = "correlation"
) -> Array:
    """dw[o, d, i, j] = sum_n sum_{p, q} dy[n, o, p, q] x[n, d, x, y], x and y as in the forward sum.

    S1-E14 as ER1-10 corrects it, S2-E32..E35, S3-E25 as ER3-14 corrects it, S4-E25..E28; S0-E07..E10.
    """
    size = (x.shape[2], x.shape[3])
    filters, per_group = dy.shape[1], x.shape[1] // groups
    dw = np.zeros((filters, per_group, *window.kernel_size))
    for o in range(filters):
        first = o // (filters // groups) * per_group
        for place, tap, pixel in meetings(size, window, mode):
            for d in range(per_group):
                dw[o, d, *tap] += (dy[:, o, *place] * x[:, first + d, *pixel]).sum()
    return dw


def literal_backward_bias(dy: Array) -> Array:
    """db[o] = sum_n sum_{p, q} dy[n, o, p, q]: b[o] stands in every y[n, o, p, q] with the factor 1.

    S1-E15 with all places (ER1-11), S2-E36, S3-E26 as ER3-15 corrects it, S4-E30, S4-E31.
    """
    db = np.zeros(dy.shape[1])
    for n, o, p, q in np.ndindex(*dy.shape):
        db[o] += dy[n, o, p, q]
    return db
