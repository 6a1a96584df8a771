"""ONNX graphs with some of their parts replaced: names, operators, attributes, constants, shapes, versions."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

ODD = (0, 1, -1, 2, 3, 7, 64, 1000, 2**31, 2**62, -(2**63), 2**63 - 1)
OPERATORS = (
    "Add", "Mul", "Div", "Gemm", "MatMul", "ReduceMean", "Squeeze", "AveragePool", "LpPool", "BatchNormalization",
    "Shape", "Expand",
)  # fmt: skip
FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e30)


def _input(proto: Any, node: Any, rng: random.Random) -> None:
    names = [name for other in proto.graph.node for name in (*other.input, *other.output)]
    if node.input and rng.random() < 0.7:
        node.input[rng.randrange(len(node.input))] = rng.choice([*names, ""])
    else:
        node.input.append(rng.choice(names))


def _operator(proto: Any, node: Any, rng: random.Random) -> None:
    node.op_type = rng.choice([*OPERATORS, *(other.op_type for other in proto.graph.node)])


def _attribute(proto: Any, node: Any, rng: random.Random) -> None:
    from onnx import helper

    if not node.attribute or rng.random() < 0.4:
        name = rng.choice(("axis", "pads", "perm", "axes", "keepdims", "to", "kernel_shape", "alpha", "group"))
        node.attribute.append(helper.make_attribute(name, rng.choice((1, -1, [1], [0, 1], [2, 3], 1.5, "a"))))
    elif rng.random() < 0.3:
        del node.attribute[rng.randrange(len(node.attribute))]
    else:
        attribute = rng.choice(node.attribute)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(ODD)
        attribute.i, attribute.f = rng.choice(ODD), rng.choice(FLOATS)


def _constant(proto: Any, node: Any, rng: random.Random) -> None:
    from onnx import numpy_helper

    tensor = rng.choice(proto.graph.initializer)
    flat = numpy_helper.to_array(tensor).ravel().copy()
    if flat.size:
        number = rng.choice(ODD if flat.dtype.kind == "i" else FLOATS)
        flat[rng.randrange(flat.size)] = number
    shapes = [flat.reshape(tuple(tensor.dims)), flat, flat[:1], flat[:0], flat.reshape(1, -1)]
    tensor.CopyFrom(numpy_helper.from_array(rng.choice(shapes), tensor.name))


def _shape(proto: Any, node: Any, rng: random.Random) -> None:
    rng.choice(proto.graph.input[0].type.tensor_type.shape.dim).dim_value = rng.choice(ODD)


def _version(proto: Any, node: Any, rng: random.Random) -> None:
    proto.opset_import[0].version = rng.choice((0, 1, 6, 8, 11, 13, 17, 21, 999))


EDITS: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _input, _operator, _attribute, _attribute, _constant, _shape, _version,
)  # fmt: skip


def edited_graph(content: bytes, bits: bytes) -> bytes:
    """A model after a few edits: a function of the bits."""
    import onnx

    proto, rng = onnx.ModelProto.FromString(content), random.Random(bits)
    with np.errstate(all="ignore"):
        for _ in range(rng.randint(1, 4)):
            rng.choice(EDITS)(proto, rng.choice(proto.graph.node), rng)
    return bytes(proto.SerializeToString())
