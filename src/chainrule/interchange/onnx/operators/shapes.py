"""Operations that move numbers or say how many there are: they make no layer but Flatten and Concat."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.folding import both
from chainrule.interchange.onnx.values import Constant, Value, as_vector
from chainrule.layers import Concat
from chainrule.shapes import Shape, product, shape_text, shown


def relabelled(value: Value, shape: Shape) -> Value:
    """The same numbers under another shape; Flatten where a map becomes a vector."""
    changed = value.reshaped(shape)
    return changed.through(as_vector(changed)) if len(shape) == 1 else changed


@importer("Reshape")
def reshape(b: Builder, operation: Operation) -> Value:
    """Another shape for each sample; numbers of different samples are not mixed."""
    x, target = b.inputs(operation, 1, 2)
    value = b.value(x)
    operation.integers("consumed_inputs")
    allow_zero = bool(operation.integer("allowzero", 0))
    stated = operation.integers("shape")
    if stated is not None:
        targets = [list(stated)] * 2
    elif isinstance(target, Constant):
        targets = [_list(target.array), _list(target.array if target.other is None else target.other)]
    else:
        raise FileFormatError("its shape is computed from the network's input")
    first, second = (
        _sample(value.shape, wanted, batch, allow_zero) for wanted, batch in zip(targets, b.batches, strict=True)
    )
    if first is None or first != second:
        raise FileFormatError(
            f"its shape {shown(targets[0])} does not keep the samples apart, which have {shape_text(value.shape)} each"
        )
    return relabelled(value, first)


def _list(array: Array) -> list[int]:
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.size > 16:
        raise FileFormatError("its shape is not a short list of integers")
    return [int(n) for n in array]


def _sample(old: Shape, wanted: list[int], batch: int, allow_zero: bool) -> Shape | None:
    """What a target shape makes of one sample; None where it mixes samples."""
    count = product(old)
    if not wanted:
        return None
    now = (batch, *old)
    sizes = [now[i] if n == 0 and not allow_zero and i < len(now) else n for i, n in enumerate(wanted)]
    rest = sizes[1:]
    if min(sizes) < -1 or rest.count(-1) > 1:
        return None
    if -1 in rest:
        known = product(tuple(n for n in rest if n != -1))
        if sizes[0] != batch or known == 0 or count % known:
            return None
        rest = [count // known if n == -1 else n for n in rest]
    return tuple(rest) if product(tuple(rest)) == count and sizes[0] != 0 else None


@importer("Flatten")
def flatten(b: Builder, operation: Operation) -> Value:
    """A vector for each sample."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    ndim = len(value.shape) + 1
    axis = operation.integer("axis", 1)
    axis = axis + ndim if axis < 0 else axis
    if axis < 1 or product(value.shape[: axis - 1]) != 1:
        raise FileFormatError(f"its attribute axis is {axis}, which does not keep the samples apart")
    return relabelled(value, (product(value.shape),))


@importer("Squeeze", "Unsqueeze")
def squeeze(b: Builder, operation: Operation) -> Value:
    """Axes of one number go or come."""
    x, given = b.inputs(operation, 1, 2)
    value = b.value(x)
    axes = operation.integers("axes") if given is None else b.integers(given, "its list of axes")
    if axes is None:
        if operation.kind == "Unsqueeze" or b.batches == (1, 1):
            raise FileFormatError("its list of axes is missing")
        axes = tuple(axis + 1 for axis, n in enumerate(value.shape) if n == 1)
    ndim = len(value.shape) + 1 + (len(axes) if operation.kind == "Unsqueeze" else 0)
    places = {axis % ndim for axis in axes if -ndim <= axis < ndim}
    if len(places) < len(axes) or 0 in places:
        raise FileFormatError(f"its axes {shown(list(axes))} do not leave the samples where they are")
    if operation.kind == "Unsqueeze":
        left = iter(value.shape)
        return value.reshaped(tuple(1 if axis in places else next(left) for axis in range(1, ndim)))
    if any(value.shape[axis - 1] != 1 for axis in places):
        raise FileFormatError(f"its axes {shown(list(axes))} have more than one number")
    return relabelled(value, tuple(n for axis, n in enumerate(value.shape, 1) if axis not in places))


@importer("Transpose")
def transpose(b: Builder, operation: Operation) -> Value:
    """Axes in another order."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    ndim = len(value.shape) + 1
    axes = operation.integers("perm") or tuple(reversed(range(ndim)))
    if sorted(axes) != list(range(ndim)) or axes[0] != 0:
        raise FileFormatError(f"its attribute perm is {shown(list(axes))}, and the samples must stay the first axis")
    return value.transposed(tuple(axis - 1 for axis in axes[1:]))


@importer("Shape", "Size")
def shape(b: Builder, operation: Operation) -> tuple[Constant, ...]:
    """How many numbers there are, in total or on each axis."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    start, end = operation.integer("start", 0), operation.integer("end", 2**31)
    found = []
    for batch in b.batches:
        sizes = (batch, *value.shape)[start:end]
        found.append(np.array(sizes if operation.kind == "Shape" else product((batch, *value.shape)), np.int64))
    return both(found[:1], found[1:])


@importer("Concat")
def concat(b: Builder, operation: Operation) -> Value:
    """Channels side by side. Other axes only where the order of the numbers can be made up for later, by a Linear."""
    inputs = b.inputs(operation, 1, max(1, len(operation.inputs)))
    values = [b.value(known, "one of its inputs") for known in inputs]
    ndim = len(values[0].shape) + 1
    axis = operation.integer("axis", 1)
    if not -ndim <= axis < ndim or axis % ndim == 0:
        raise FileFormatError(f"its attribute axis is {axis}, and layers do not join samples")
    if len(values) == 1:
        return values[0]
    axis = axis % ndim - 1
    shapes = {value.shape[:axis] + value.shape[axis + 1 :] for value in values}
    if len({len(value.shape) for value in values}) > 1 or len(shapes) > 1:
        raise FileFormatError(f"it joins {', '.join(shape_text(v.shape) for v in values)}, which do not fit together")
    nodes = [value.node for value in values]
    if len({node.shape[1:] for node in nodes}) > 1:
        nodes = [as_vector(value) for value in values]
    offsets = np.cumsum([0, *(product(value.shape) for value in values)])
    tables = [value.table() + start for value, start in zip(values, offsets, strict=False)]
    made = b.add(Concat(), *nodes)
    return Value(made, ()).placed(np.concatenate(tables, axis=axis))
