"""Values and operations of a file that is being made, written as one writes equations: `dy * y * (1 - y)`.

Nothing is computed here. An operation that is written twice stands in the file once, so that backward equations may say
what they need of the forward pass without handing it around, and what no output needs does not stand in it at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError

Operand: TypeAlias = "Value | Array | float | None"
"""A value of the file, or a number in its precision, or an array of any type; None for an input left out."""


class Value:
    """A tensor that the file's runtime will hold. `name` is given when the file is written, or before."""

    __array_ufunc__ = None
    """NumPy leaves arithmetic with its arrays and numbers to this class."""

    def __init__(self, builder: Builder, name: str | None = None) -> None:
        self.builder = builder
        self.name = name

    def op(self, kind: str, *others: Operand, **attributes: Any) -> Value:
        """An operation on this value."""
        return self.builder.op(kind, self, *others, **attributes)

    # --- arithmetic, elementwise with broadcasting ---------------------------------------------------------------

    def __add__(self, other: Operand) -> Value:
        return self.builder.op("Add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self.builder.op("Add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self.builder.op("Sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self.builder.op("Sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self.builder.op("Mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self.builder.op("Mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self.builder.op("Div", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self.builder.op("Div", other, self)

    def __neg__(self) -> Value:
        return self.op("Neg")

    def __pow__(self, other: Operand) -> Value:
        return self.builder.op("Pow", self, other)

    def __rpow__(self, other: Operand) -> Value:
        return self.builder.op("Pow", other, self)

    def __matmul__(self, other: Operand) -> Value:
        return self.builder.op("MatMul", self, other)

    def __rmatmul__(self, other: Operand) -> Value:
        return self.builder.op("MatMul", other, self)

    def __gt__(self, other: Operand) -> Value:
        return self.builder.op("Greater", self, other)

    def __lt__(self, other: Operand) -> Value:
        return self.builder.op("Less", self, other)

    def equals(self, other: Operand) -> Value:
        """Where two values are equal."""
        return self.op("Equal", other)

    def where(self, yes: Operand, no: Operand) -> Value:
        """`yes` where this truth value holds, else `no`."""
        return self.op("Where", yes, no)

    def cast(self, dtype: Any = None) -> Value:
        """In another type: without one the file's precision."""
        return self.op("Cast", to=_tensor_type(dtype or self.builder.dtype))

    # --- shapes and sums ---------------------------------------------------------------------------------------

    def reshape(self, *shape: int) -> Value:
        """Another shape; 0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", np.array(shape, np.int64))

    def transpose(self, *axes: int) -> Value:
        """Axes in another order."""
        return self.op("Transpose", perm=axes)

    @property
    def T(self) -> Value:  # noqa: N802 (as NumPy's)
        """A matrix with rows and columns exchanged."""
        return self.transpose(1, 0)

    def sum(self, *axes: int, keepdims: bool = False) -> Value:
        """The sum over some axes; over all of them if none is named."""
        return self._reduced("ReduceSum", axes, keepdims)

    def mean(self, *axes: int, keepdims: bool = False) -> Value:
        """The mean over some axes; over all of them if none is named."""
        return self._reduced("ReduceMean", axes, keepdims)

    def _reduced(self, kind: str, axes: Sequence[int], keepdims: bool) -> Value:
        over = np.array(axes, np.int64) if axes else None
        return self.op(kind, over, keepdims=None if keepdims else 0)  # 1 is what ONNX takes without it

    def slice(self, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int], steps: Sequence[int]) -> Value:
        """Part of the value along some axes."""
        return self.op("Slice", *(np.array(part, np.int64) for part in (starts, ends, axes, steps)))


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of the file."""

    kind: str
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Place:
    """An input or an output of the whole file: what it is called, and its type; None stands for any batch."""

    value: Value
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    optional: bool = False
    """Whether it may be missing where no operation needs it."""


class Builder:
    """What will be a file: its inputs, its arrays, its operations and its outputs."""

    def __init__(self, dtype: np.dtype[Any], batch: int | None) -> None:
        self.dtype = dtype
        self.batch = batch
        self.inputs: list[Place] = []
        self.outputs: list[Place] = []
        self.arrays: dict[Value, Array] = {}
        """Constants and parameters whose values stand in the file."""
        self.operations: list[Operation] = []
        self._known: dict[Any, tuple[Value, ...]] = {}
        self._constants: dict[Any, Value] = {}

    # --- what a file consists of -------------------------------------------------------------------------------

    def input(self, name: str, shape: Sequence[int | None], dtype: Any = None, *, optional: bool = False) -> Value:
        """What the caller gives."""
        value = Value(self, name)
        self.inputs.append(Place(value, np.dtype(dtype or self.dtype), tuple(shape), optional))
        return value

    def output(self, name: str, value: Value, shape: Sequence[int | None], dtype: Any = None) -> None:
        """What the caller gets; a value that has a name already is passed on under another."""
        if value.name is not None or value in self.arrays:
            value = self.op("Identity", value, shared=False)
        value.name = name
        self.outputs.append(Place(value, np.dtype(dtype or self.dtype), tuple(shape)))

    def array(self, name: str, array: Array) -> Value:
        """A named array of the file, such as a parameter."""
        value = Value(self, name)
        self.arrays[value] = array
        return value

    def constant(self, array: Array | float) -> Value:
        """A constant; equal ones are one. A number of Python's is of the file's precision."""
        data = np.asarray(array) if isinstance(array, np.ndarray | np.generic) else np.asarray(array, self.dtype)
        key = (data.dtype.str, data.shape, data.tobytes())
        if key not in self._constants:
            self._constants[key] = Value(self)
            self.arrays[self._constants[key]] = data
        return self._constants[key]

    def op(self, kind: str, *inputs: Operand, shared: bool = True, **attributes: Any) -> Value:
        """The only output, or the first, of an operation."""
        return self.ops(1, kind, *inputs, shared=shared, **attributes)[0]

    def ops(
        self, outputs: int, kind: str, *inputs: Operand, shared: bool = True, **attributes: Any
    ) -> tuple[Value, ...]:
        """All outputs of an operation; the same ones if it has been written before."""
        values = [v if v is None or isinstance(v, Value) else self.constant(v) for v in inputs]
        while values and values[-1] is None:
            values.pop()
        settings = {name: list(v) if isinstance(v, tuple) else v for name, v in attributes.items() if v is not None}
        key = (kind, outputs, tuple(values), repr(settings))
        if shared and key in self._known:
            return self._known[key]
        made = tuple(Value(self) for _ in range(outputs))
        self.operations.append(Operation(kind, tuple(values), made, settings))
        self._known[key] = made
        return made

    def numbers(self, array: Array) -> Array:
        """Numbers in the file's precision."""
        return array.astype(self.dtype)

    def size_of(self, value: Value, each: int) -> Value | float:
        """How many numbers a value holds of which a sample has `each`: known where the batch is, else to be counted."""
        return value.op("Size").cast() if self.batch is None else float(self.batch * each)

    # --- names -------------------------------------------------------------------------------------------------

    def call(self, value: Value, name: str) -> None:
        """Give a value that has no name yet one that people know, unless another value is called so."""
        taken = {place.value.name for place in (*self.inputs, *self.outputs)} | {v.name for v in self.arrays}
        if value.name is None and value not in self.arrays and name not in taken:
            value.name = name

    def needed(self) -> list[Operation]:
        """The operations that lead to an output, in their order."""
        wanted = {place.value for place in self.outputs}
        found = []
        for operation in reversed(self.operations):
            if not wanted.isdisjoint(operation.outputs):
                found.append(operation)
                wanted.update(value for value in operation.inputs if value is not None)
        return found[::-1]

    def name_all(self, operations: Sequence[Operation]) -> None:
        """Give every value of the file a name of its own: a short one where nobody has asked for another."""
        values = _values_of(self, operations)
        taken: set[str] = set()
        for value in values:
            if value.name is not None:
                if value.name in taken:
                    called = f"two values of the file would be called {value.name!r}"
                    raise ArgumentError(f"{called}; rename a layer or a block")
                taken.add(value.name)
        short = (name for name in _short_names() if name not in taken)
        for value in values:
            if value.name is None:
                value.name = next(short)


def _values_of(builder: Builder, operations: Iterable[Operation]) -> dict[Value, None]:
    """All values that stand in the file, each once."""
    found: dict[Value, None] = {place.value: None for place in builder.inputs}
    for operation in operations:
        found.update((value, None) for value in (*operation.inputs, *operation.outputs) if value is not None)
    return found


def _short_names() -> Iterable[str]:
    """a, b, ..., z, aa, ab, ..."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ("".join(name) for length in itertools.count(1) for name in itertools.product(letters, repeat=length))


def _tensor_type(dtype: Any) -> int:
    """The number by which ONNX knows a type of NumPy's."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
