"""Gemm and MatMul: Linear, whose weights take the order in which the file flattens its maps."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.values import Constant, Value, as_vector, laid_out
from chainrule.layers import Conv2d, Linear
from chainrule.shapes import shown


@importer("Gemm")
def gemm(b: Builder, operation: Operation) -> Value:
    """y = alpha x W + beta b."""
    x, w, c = b.inputs(operation, 2, 3)
    if isinstance(x, Constant):
        raise FileFormatError("it multiplies a constant from the left, and layers multiply by weights from the right")
    operation.require("transA", operation.integer("transA", 0), 0, "layers do not turn their input")
    operation.integer("broadcast", 0)
    weight = b.weights(w, "its weight") * operation.number("alpha", 1.0)
    if operation.integer("transB", 0):
        weight = weight.T
    beta = operation.number("beta", 1.0)
    bias = None if c is None else b.weights(c, "its bias") * beta
    return linear(b, operation, b.value(x), weight, bias)


@importer("MatMul")
def matmul(b: Builder, operation: Operation) -> Value:
    """Linear without a bias; an Add behind it brings one. Where a vector stands at each place, a 1x1 convolution."""
    x, w = b.inputs(operation, 2, 2)
    if isinstance(x, Constant):
        raise FileFormatError("it multiplies a constant from the left, and layers multiply by weights from the right")
    value, weight = b.value(x), b.weights(w, "its weight")
    if len(value.shape) in (2, 3) and weight.ndim == 2:
        return _at_each_place(b, operation, value, weight)
    return linear(b, operation, value, weight, None)


def linear(b: Builder, operation: Operation, value: Value, weight: Array, bias: Array | None) -> Value:
    """Linear with the weight (in, out) of the file."""
    if len(value.shape) != 1 or weight.ndim != 2 or weight.shape[0] != value.shape[0]:
        raise FileFormatError(
            f"it multiplies samples of {shown(list(value.shape))} by a weight of {shown(list(weight.shape))}, and a "
            "dense layer takes a vector of as many numbers as its weight has rows"
        )
    if bias is not None:
        bias = one_row(bias, weight.shape[1])
    node = as_vector(value)
    ordered = np.empty_like(weight.T)
    ordered[:, slice(None) if value.places is None else value.places] = weight.T
    layer = Linear(weight.shape[0], weight.shape[1], bias=bias is not None)
    key = (*operation.inputs[1:], value.places is None)
    made = b.add(layer, node, key=key if value.places is None else None, weight=ordered, bias=bias)
    return Value(made, made.shape)


def one_row(bias: Array, features: int) -> Array:
    """A bias, which may be written as one number or as a matrix of one row, as (features,)."""
    try:
        return np.broadcast_to(bias, (1, features)).reshape(features).copy()
    except ValueError:
        raise FileFormatError(
            f"its bias has shape {bias.shape}, and a layer has one number for each of {features} outputs"
        ) from None


def _at_each_place(b: Builder, operation: Operation, value: Value, weight: Array) -> Value:
    """x (..., features) times a matrix: features become channels of a 1x1 convolution."""
    axes = len(value.shape) - 1
    turned = value.transposed((axes, *range(axes)))
    spatial = turned.shape[1:] if axes == 2 else (1, *turned.shape[1:])
    node = laid_out(turned, (turned.shape[0], *spatial))
    if weight.shape[0] != node.shape[0]:
        raise FileFormatError(f"it multiplies vectors of {node.shape[0]} numbers by a weight of {shown(weight.shape)}")
    layer = Conv2d(node.shape[0], weight.shape[1], 1, bias=False)
    made = b.add(layer, node, key=operation.inputs[1:], weight=weight.T[:, :, None, None])
    return Value(made, (made.shape[0], *turned.shape[1:])).transposed((*range(1, axes + 1), 0))
