"""Operations whose inputs are all constants are computed at once, by ONNX's own reference; sizes are checked before.

A constant that depends on the size of the batch (the shape of a value, and what is made of it) is computed for two
sizes; where both come out equal, it does not depend on it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ChainruleError, FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.values import Constant, Known
from chainrule.memory import require_memory
from chainrule.shapes import product

Arrays: TypeAlias = Sequence[Array | None]


def _broadcast(arrays: Arrays, operation: Operation) -> int:
    """Elementwise operations."""
    return product(np.broadcast_shapes(*(a.shape for a in arrays if a is not None)))


def _largest(arrays: Arrays, operation: Operation) -> int:
    """Operations that give no more numbers than they get."""
    return sum(a.size for a in arrays if a is not None)


def _asked(arrays: Arrays, operation: Operation) -> int:
    """ConstantOfShape: as many as its input says."""
    return product(_sizes(arrays[0]))


def _expanded(arrays: Arrays, operation: Operation) -> int:
    assert arrays[0] is not None
    return product(np.broadcast_shapes(arrays[0].shape, _sizes(arrays[1])))


def _tiled(arrays: Arrays, operation: Operation) -> int:
    assert arrays[0] is not None
    return arrays[0].size * product(_sizes(arrays[1]))


def _multiplied(arrays: Arrays, operation: Operation) -> int:
    a, b = arrays[0], arrays[1]
    assert a is not None
    assert b is not None
    return max(a.size, 1) * max(b.size, 1) if min(a.ndim, b.ndim) != 2 else a.shape[0] * b.shape[1]


def _ranged(arrays: Arrays, operation: Operation) -> int:
    start, stop, step = (float(np.asarray(a).ravel()[0]) for a in arrays if a is not None)
    return int(abs((stop - start) / step)) + 1


def _sizes(array: Array | None) -> tuple[int, ...]:
    return tuple(int(n) for n in np.asarray(array).ravel())


_ELEMENTWISE = (
    "Abs Add And Cast CastLike Ceil Clip Cos DequantizeLinear Div Equal Erf Exp Floor Greater GreaterOrEqual Identity "
    "Less LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow QuantizeLinear Reciprocal Relu Round Sigmoid Sign Sin "
    "Sqrt Sub Sum Tanh Where Xor"
)
_SHRINKING = (
    "ArgMax ArgMin Concat Flatten Gather GatherElements ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
    "ReduceSumSquare ReduceL2 Reshape Shape Size Slice Softmax Split Squeeze Transpose Unsqueeze"
)
FOLDED: dict[str, Callable[[Arrays, Operation], int]] = {
    **dict.fromkeys(_ELEMENTWISE.split(), _broadcast),
    **dict.fromkeys(_SHRINKING.split(), _largest),
    "Constant": lambda arrays, operation: 0,
    "ConstantOfShape": _asked,
    "Expand": _expanded,
    "Tile": _tiled,
    "MatMul": _multiplied,
    "Range": _ranged,
}
"""Operators that are computed when all their inputs are constants, and how many numbers they then make."""


def fold(operation: Operation, inputs: Sequence[Known], opset: int) -> tuple[Constant, ...]:
    """The outputs of an operation on constants."""
    constants = [known if isinstance(known, Constant) else None for known in inputs]
    while constants and constants[-1] is None:
        constants.pop()
    operation.asked.update(operation.attributes)
    if operation.kind == "Identity" and constants and constants[0] is not None:
        return (constants[0],)
    first = _computed(operation, [None if c is None else c.array for c in constants], opset)
    if not any(c and c.of_batch for c in constants):
        return tuple(Constant(array, f"{operation.outputs[i]}") for i, array in enumerate(first))
    others = [None if c is None else c.array if c.other is None else c.other for c in constants]
    second = _computed(operation, others, opset)
    return both(first, second)


def both(first: Sequence[Array], second: Sequence[Array]) -> tuple[Constant, ...]:
    """Constants for two sizes of the batch."""
    pairs = zip(first, second, strict=True)
    return tuple(Constant(a, other=None if np.array_equal(a, b) else b) for a, b in pairs)


def _computed(operation: Operation, arrays: list[Array | None], opset: int) -> list[Array]:
    try:
        numbers = FOLDED[operation.kind](arrays, operation)
        if any(array is not None and any(n < 0 for n in array.shape) for array in arrays):
            raise ValueError("negative extents")
    except (ValueError, TypeError, AssertionError, IndexError, OverflowError, ZeroDivisionError):
        raise FileFormatError("it cannot be computed: its constants do not fit together") from None
    require_memory(24 * numbers, f"the {numbers:,} numbers that it makes,", "import a smaller model", FileFormatError)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results = [_plain(np.asarray(result)) for result in _run(operation, arrays, opset)]
    except ChainruleError:
        raise
    except Exception as error:  # whatever the reference raises for constants that do not fit its operators
        reason = " ".join(str(error).split())
        raise FileFormatError(f"it cannot be computed: {reason[:200] or type(error).__name__}") from None
    return results


def _plain(array: Array) -> Array:
    """bfloat16, which NumPy does not have, as float32."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _run(operation: Operation, arrays: list[Array | None], opset: int) -> Any:
    """The operation alone in a graph, computed by onnx.reference."""
    if operation.kind == "Constant" and (tensor := operation.tensor("value")) is not None:
        return [tensor]
    if operation.kind == "ConstantOfShape":
        value = operation.tensor("value")
        return [np.full(_sizes(arrays[0]), np.float32(0) if value is None else value.ravel()[0])]
    from onnx import NodeProto, helper
    from onnx.reference import ReferenceEvaluator

    names = [f"i{k}" if array is not None else "" for k, array in enumerate(arrays)]
    node = NodeProto(op_type=operation.kind, input=names, output=[f"o{k}" for k in range(len(operation.outputs))])
    node.attribute.extend(operation.attributes.values())
    given = {name: array for name, array in zip(names, arrays, strict=True) if array is not None}
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    outputs = [helper.make_tensor_value_info(name, 0, None) for name in node.output]
    graph = helper.make_graph([node], "fold", infos, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, given)
