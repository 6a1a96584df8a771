"""Activations, and what changes nothing in inference."""

from __future__ import annotations

import numpy as np

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.affine import affine
from chainrule.interchange.onnx.values import Constant, Value, as_vector, laid_out
from chainrule.layers import Add, Dropout, Layer, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from chainrule.shapes import product, shown

FLOATS = (1, 10, 11, 16)
"""ONNX's element types of real numbers."""


def apply(b: Builder, value: Value, layer: Layer) -> Value:
    """A layer that works on each number by itself."""
    return value.through(b.add(layer, value.node))


@importer("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Abs")
def activation(b: Builder, operation: Operation) -> Value:
    """One number in, one number out. The absolute value is a leaky ReLU of slope -1."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    if operation.kind == "LeakyRelu":
        return apply(b, value, LeakyReLU(operation.number("alpha", 0.01)))
    if operation.kind == "Abs":
        return apply(b, value, LeakyReLU(-1))
    return apply(b, value, {"Relu": ReLU, "Sigmoid": Sigmoid, "Tanh": Tanh}[operation.kind]())


@importer("PRelu")
def prelu(b: Builder, operation: Operation) -> Value:
    """LeakyReLU, where all channels have one slope."""
    x, s = b.inputs(operation, 2, 2)
    slopes = np.unique(b.weights(s, "its slope"))
    if slopes.size != 1:
        raise FileFormatError("it has several slopes, and LeakyReLU has one")
    return apply(b, b.value(x), LeakyReLU(float(slopes[0])))


@importer("Clip")
def clip(b: Builder, operation: Operation) -> Value:
    """Between two bounds: a + relu(x - a) - relu(x - b)."""
    x, *bounds = b.inputs(operation, 1, 3)
    low, high = (
        default if bound is None else b.number(bound, "its bound")
        for bound, default in zip(
            bounds, (operation.number("min", -np.inf), operation.number("max", np.inf)), strict=True
        )
    )
    return between(b, b.value(x), low, high)


def between(b: Builder, value: Value, low: float, high: float) -> Value:
    """min(max(x, low), high); the largest numbers of float32 bound nothing."""
    largest = float(np.finfo(np.float32).max)
    if low > high:
        raise FileFormatError(f"its bounds are {low} and {high}, and the first should be the smaller")
    if high < largest and low > -largest:
        above = apply(b, affine(b, value, shift=np.float64(-high)), ReLU())
        first = apply(b, affine(b, value, shift=np.float64(-low)), ReLU())
        added = first.through(b.add(Add(), first.node, affine(b, above, np.float64(-1)).node))
        return affine(b, added, shift=np.float64(low))
    if low > -largest:
        return affine(b, apply(b, affine(b, value, shift=np.float64(-low)), ReLU()), shift=np.float64(low))
    if high < largest:
        turned = affine(b, value, np.float64(-1), np.float64(high))
        return affine(b, apply(b, turned, ReLU()), np.float64(-1), np.float64(high))
    return value


@importer("Identity")
def identity(b: Builder, operation: Operation) -> Value:
    """The value itself."""
    (x,) = b.inputs(operation, 1, 1)
    return b.value(x)


@importer("Cast", "CastLike")
def cast(b: Builder, operation: Operation) -> Value:
    """Between kinds of real numbers nothing is done: precision is a matter of each computation here."""
    x, _ = b.inputs(operation, 1, 2)
    kind = operation.integer("to", 1)
    operation.integer("saturate", 1)
    operation.text("round_mode", "up")
    if kind not in FLOATS:
        raise FileFormatError(f"it turns numbers into ONNX's type {kind}, and layers compute with real numbers")
    return b.value(x)


@importer("Dropout")
def dropout(b: Builder, operation: Operation) -> Value:
    """Dropout, which does nothing in inference."""
    x, ratio, training = b.inputs(operation, 1, 3)
    if training is not None and np.asarray(b.constant(training, "its training_mode")).any():
        raise FileFormatError("its training_mode is on, and a file for inference is expected")
    operation.integer("is_test", 1)
    operation.integer("seed", 0)
    p = operation.number("ratio", 0.5)
    if ratio is not None:
        p = b.number(ratio, "its ratio")
    operation.integers("consumed_inputs")
    return apply(b, b.value(x), Dropout(p))


@importer("Softmax")
def softmax(b: Builder, operation: Operation) -> Value:
    """Softmax over the channels. Before version 13 of the operators it went over all axes from `axis` on."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    ndim = len(value.shape) + 1
    axis = operation.integer("axis", -1 if b.opset() >= 13 else 1)
    if not -ndim <= axis < ndim or axis % ndim == 0:
        raise FileFormatError(f"its attribute axis is {axis}, and layers do not mix samples")
    axis = axis % ndim - 1
    if len(value.shape) == 1:
        return value.through(b.add(Softmax(), as_vector(value)))
    if b.opset() < 13 and product(value.shape[axis + 1 :]) > 1:
        if axis > 0:
            raise FileFormatError(f"its attribute axis is {axis + 1}, so it goes over several axes of "
                                  f"{shown(list(value.shape))}, and Softmax goes over the first")  # fmt: skip
        flat = value.reshaped((product(value.shape),))
        node = laid_out(flat, flat.shape) if value.of_input or len(value.node.shape) == 1 else None
        if node is None:
            raise FileFormatError("it goes over all numbers of a map, and Softmax goes over its channels")
        return Value(b.add(Softmax(), node), flat.shape).reshaped(value.shape)
    first = value.transposed((axis, *(a for a in range(ndim - 1) if a != axis)))
    return Value(b.add(Softmax(), laid_out(first, _channels_first(first))), first.shape).transposed(
        (*range(1, axis + 1), 0, *range(axis + 1, ndim - 1))
    )


def _channels_first(value: Value) -> tuple[int, ...]:
    """The shape of a node whose channels are a value's first axis: its own where that is so, else the value's."""
    same = value.places is None and value.node.shape[0] == value.shape[0]
    return value.node.shape if same else value.shape


@importer("Max", "Min")
def extremes(b: Builder, operation: Operation) -> Value:
    """The larger or smaller of a value and a number."""
    inputs = b.inputs(operation, 1, max(1, len(operation.inputs)))
    values = [known for known in inputs if isinstance(known, Value)]
    bounds = [b.constant(known, "its bound") for known in inputs if isinstance(known, Constant)]
    if len(values) > 1:
        raise FileFormatError("it compares two computed values, and no layer does that")
    for bound in bounds:
        if np.unique(bound).size != 1 or bound.ndim > len(values[0].shape) + 1:
            raise FileFormatError("it compares with several numbers, and layers compare with one")
        number = float(bound.reshape(-1)[0])
        low, high = (number, np.inf) if operation.kind == "Max" else (-np.inf, number)
        values = [between(b, values[0], low, high)]
    return values[0]
