"""Locally connected (unshared) convolution: every output place has a kernel of its own (S2-F09, S2-H02).

weight (out_channels, output rows, output columns, in_channels, kernel rows, kernel columns),
bias (out_channels, output rows, output columns).
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array


def local_forward(windows: Array, weight: Array, bias: Array | None = None) -> Array:
    """y[n, o, p, q] = sum_{d, i, j} w[o, p, q, d, i, j] x[n, d, p S + i D - P, q S + j D - P] + b[o, p, q].

    `windows` (n, in, p, q, i, j) as `windows_of` makes them from the padded input.
    """
    y: Array = np.einsum("ndpqij,opqdij->nopq", windows, weight, optimize=True)
    return y if bias is None else y + bias


def local_backward_windows(dy: Array, weight: Array) -> Array:
    """What flows back to each place of each window: sum_o dy[n, o, p, q] w[o, p, q, d, i, j]."""
    result: Array = np.einsum("nopq,opqdij->ndpqij", dy, weight, optimize=True)
    return result


def local_backward_weight(dy: Array, windows: Array) -> Array:
    """dw[o, p, q, d, i, j] = sum_n dy[n, o, p, q] x[n, d, p S + i D - P, q S + j D - P]: no sum over places."""
    result: Array = np.einsum("nopq,ndpqij->opqdij", dy, windows, optimize=True)
    return result


def local_backward_bias(dy: Array) -> Array:
    """db[o, p, q] = sum_n dy[n, o, p, q]."""
    db: Array = dy.sum(axis=0)
    return db
