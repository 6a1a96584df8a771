"""Reductions over the spatial axes, which are pools over whole maps."""

from __future__ import annotations

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.pools import whole, whole_pool
from chainrule.interchange.onnx.values import Value, as_map, as_vector
from chainrule.layers import LeakyReLU, LPPool2d, Node
from chainrule.shapes import product, shown


@importer("ReduceMean", "ReduceMax", "ReduceSum", "ReduceL1", "ReduceL2")
def reduce(b: Builder, operation: Operation) -> Value:
    """One number for each channel."""
    x, given = b.inputs(operation, 1, 2)
    value = b.value(x)
    keep = bool(operation.integer("keepdims", 1))
    none_is_none = bool(operation.integer("noop_with_empty_axes", 0))
    axes = operation.integers("axes") if given is None else b.integers(given, "its list of axes")
    ndim = len(value.shape) + 1
    if not axes:
        if none_is_none:
            return value
        axes = tuple(range(ndim))
    reduced = sorted({axis % ndim for axis in axes if -ndim <= axis < ndim})
    if len(reduced) < len(axes) or reduced[0] == 0:
        raise FileFormatError(f"it reduces the axes {shown(list(axes))}, and samples are not mixed in layers")
    return _reduced(b, operation, value, [axis - 1 for axis in reduced], keep)


def _reduced(b: Builder, operation: Operation, value: Value, axes: list[int], keep: bool) -> Value:
    """The axes that stay are the channels, those that go are the places of a map."""
    stay = [axis for axis in range(len(value.shape)) if axis not in axes]
    turned = value.transposed((*stay, *axes))
    channels, places = product(tuple(value.shape[a] for a in stay)), tuple(value.shape[a] for a in axes)
    spatial = places if len(places) == 2 else (1, product(places))
    node = as_map(turned.reshaped((channels, *spatial)))
    made = as_vector(Value(_pooled(b, operation.kind, node), (channels,)))
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(value.shape) if keep or axis not in axes)
    return Value(made, shape)


def _pooled(b: Builder, kind: str, node: Node) -> Node:
    if kind in ("ReduceMean", "ReduceMax"):
        return whole_pool(b, node, kind == "ReduceMax")
    if kind == "ReduceL1":
        node = b.add(LeakyReLU(-1), node)
    return b.add(LPPool2d(2 if kind == "ReduceL2" else 1, whole(node)), node)
