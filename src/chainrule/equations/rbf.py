"""Euclidean radial basis function units, LeNet-5's output layer: y is the squared distance to each centre."""

from __future__ import annotations

from chainrule.arrays import Array


def rbf_forward(x: Array, weight: Array) -> Array:
    """y[n, o] = sum_i (x[n, i] - w[o, i])². x (n, in), weight (out, in) -> y (n, out)."""
    y: Array = ((x[:, None, :] - weight) ** 2).sum(axis=2)
    return y


def rbf_backward_input(dy: Array, x: Array, weight: Array) -> Array:
    """dx[n, i] = sum_o 2 dy[n, o] (x[n, i] - w[o, i])."""
    result: Array = 2 * (dy.sum(axis=1, keepdims=True) * x - dy @ weight)
    return result


def rbf_backward_weight(dy: Array, x: Array, weight: Array) -> Array:
    """dw[o, i] = sum_n -2 dy[n, o] (x[n, i] - w[o, i])."""
    result: Array = 2 * (dy.sum(axis=0)[:, None] * weight - dy.T @ x)
    return result
