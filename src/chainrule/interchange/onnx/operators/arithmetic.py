"""Sums of values, and arithmetic with constants."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.affine import affine
from chainrule.interchange.onnx.values import Known, Value, as_vector
from chainrule.layers import Add
from chainrule.shapes import shape_text


def number(b: Builder, operation: Operation, known: Known, value: Value) -> Array:
    """A constant operand in float64. Before version 7 of the operators its first axis was said by `axis`."""
    array = b.constant(known, "its constant")
    if array.dtype.kind not in "fiu":
        raise FileFormatError(f"its constant holds {array.dtype} numbers")
    axis = operation.integer("axis", -1)
    operation.integer("broadcast", 0)
    if axis >= 0:
        array = array.reshape(*array.shape, *[1] * max(0, len(value.shape) + 1 - axis - array.ndim))
    return array.astype(np.float64)


@importer("Add", "Sum", "Mean")
def add(b: Builder, operation: Operation) -> Value:
    """Values are added by Add, constants are a bias."""
    inputs = b.inputs(operation, 1, max(1, len(operation.inputs)))
    names = [name for name, known in zip(operation.inputs, inputs, strict=False) if isinstance(known, Value)]
    values = [known for known in inputs if isinstance(known, Value)]
    operation.integers("consumed_inputs")
    operation.integer("broadcast", 0)
    total = values[0] if len(values) == 1 else added(b, values)
    merge = len(values) == 1 and b.used_once(names[0])
    for known in inputs:
        if not isinstance(known, Value):
            total = affine(b, total, shift=number(b, operation, known, total), merge=merge)
    if operation.kind == "Mean":
        total = affine(b, total, 1 / len(inputs))
    return total


def added(b: Builder, values: list[Value]) -> Value:
    """Values of one shape; where their nodes are shaped otherwise, flattened."""
    first = values[0]
    for other in values[1:]:
        if other.shape != first.shape:
            raise FileFormatError(
                f"it adds samples of {shape_text(first.shape)} and {shape_text(other.shape)}, and Add takes one shape"
            )
        if not np.array_equal(first.table(), other.table()):
            raise FileFormatError("it adds values whose axes are in different orders, and no layer turns them")
    if len({value.node.shape for value in values}) > 1:
        return Value(b.add(Add(), *map(as_vector, values)), first.shape, first.places)
    return Value(b.add(Add(), *(value.node for value in values)), first.shape, first.places)


@importer("Sub")
def subtract(b: Builder, operation: Operation) -> Value:
    """x - y, one of which may be constant."""
    x, y = b.inputs(operation, 2, 2)
    operation.integers("consumed_inputs")
    if isinstance(x, Value) and isinstance(y, Value):
        operation.integer("broadcast", 0)
        return added(b, [x, affine(b, y, -1.0)])
    if isinstance(x, Value):
        return affine(b, x, shift=-number(b, operation, y, x), merge=b.used_once(operation.inputs[0]))
    value = b.value(y)
    return affine(b, value, -1.0, number(b, operation, x, value))


@importer("Mul", "Div")
def scale(b: Builder, operation: Operation) -> Value:
    """x times or divided by a constant."""
    x, y = b.inputs(operation, 2, 2)
    operation.integers("consumed_inputs")
    divides = operation.kind == "Div"
    if isinstance(x, Value) and isinstance(y, Value):
        verb = "divides" if divides else "multiplies"
        raise FileFormatError(f"it {verb} two computed values, and layers do that with constants only")
    if isinstance(y, Value):
        if divides:
            raise FileFormatError("it divides by a computed value, and no layer does that")
        return affine(b, y, number(b, operation, x, y), merge=b.used_once(operation.inputs[1]))
    value = b.value(x)
    factor = number(b, operation, y, value)
    if divides:
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = 1 / factor
    return affine(b, value, factor, merge=b.used_once(operation.inputs[0]))


@importer("Neg")
def negative(b: Builder, operation: Operation) -> Value:
    """-x."""
    (x,) = b.inputs(operation, 1, 1)
    return affine(b, b.value(x), -1.0)
