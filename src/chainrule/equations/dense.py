"""The dense layer, one sample per row: y = x Wᵀ + b.

The sources write one sample per column, Z = W A + b 1 (S4-E38); `matrix_calculus` has that form.
"""

from __future__ import annotations

from chainrule.arrays import Array


def linear_forward(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """y[n, o] = sum_i w[o, i] x[n, i] + b[o] (S0-E20, S4-E38). x (n, in), weight (out, in) -> y (n, out).

    `bias` is (out,), or (1,) for one scalar that all outputs share (S0, ERX-08).
    """
    y = x @ weight.T
    return y if bias is None else y + bias


def linear_backward_input(dy: Array, weight: Array) -> Array:
    """dx[n, i] = sum_o dy[n, o] w[o, i] (S4-E08, S0-E34)."""
    return dy @ weight


def linear_backward_weight(dy: Array, x: Array) -> Array:
    """dw[o, i] = sum_n dy[n, o] x[n, i] (S4-E18, S2-E11)."""
    return dy.T @ x


def linear_backward_bias(dy: Array) -> Array:
    """db[o] = sum_n dy[n, o] (S4-E24)."""
    db: Array = dy.sum(axis=0)
    return db


def linear_backward_shared_bias(dy: Array) -> Array:
    """db = sum_{n, o} dy[n, o]: one scalar acts in every output, so it collects from all of them (ERX-08)."""
    result: Array = dy.sum().reshape(1)
    return result
