"""x scale + shift with constants: taken in by the layer before where it can, else a layer of its own.

On maps that layer is TrainablePool2d with a window of one pixel (y = weight x + bias per channel), on vectors a Linear
with a diagonal matrix. Both are part of the file's arithmetic, and so stay as they are in training.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.building import Builder
from chainrule.interchange.onnx.values import Value, as_map
from chainrule.layers import Conv2d, Layer, Linear, Node, ScaledTanh, Tanh, TrainablePool2d
from chainrule.shapes import shown

ROUNDING = 1e-6
"""How nearly the constants of known formulas are met by numbers that were once float32."""


def affine(
    b: Builder, value: Value, scale: Array | float = 1.0, shift: Array | float = 0.0, merge: bool = False
) -> Value:
    """x scale + shift. `merge`: nobody else reads x, so that the layer that makes it may be replaced."""
    node, (scales, shifts) = value.node, [_per_channel(value, np.asarray(n, np.float64)) for n in (scale, shift)]
    inner = b.affine.get(node.layer) if node.layer is not None else None
    if inner is not None:
        scales, shifts = inner[0] * scales, inner[1] * scales + shifts
        node = node.inputs[0]
    if not np.any(shifts) and np.allclose(scales, 1, rtol=0, atol=ROUNDING if inner is not None else 0):
        return value.through(node)
    if (tanh := _scaled_tanh(b, node, scales, shifts)) is not None:
        return value.through(tanh)
    if merge and inner is None and (made := _merged(b, node, scales, shifts)) is not None:
        return value.through(made)
    return value.through(_layer(b, node, scales, shifts))


def _per_channel(value: Value, array: Array) -> Array:
    """One number for each channel of the node, from an array that is broadcast to (batch, *shape)."""
    if array.ndim == len(value.shape) + 1 and array.shape[0] == 1:
        array = array[0]
    if not np.isfinite(array).all():
        raise FileFormatError("its constant holds NaN or infinity")
    try:
        full = np.broadcast_to(array, value.shape)
    except ValueError:
        raise FileFormatError(
            f"its constant of shape {shown(list(array.shape))} does not fit samples of {shown(list(value.shape))}"
        ) from None
    rows = value.in_node_order(full).reshape(value.node.shape[0], -1)
    if (rows == rows[:, :1]).all():
        return rows[:, 0].copy()
    wide = [axis - array.ndim for axis in range(array.ndim) if array.shape[axis] > 1]
    if len(wide) == 1:
        axis = len(value.shape) + wide[0]  # asked for as channels, which an input may be laid out as
        as_map(value.transposed((axis, *(a for a in range(len(value.shape)) if a != axis))))
    raise FileFormatError("its constant differs from place to place, and layers have one number per channel")


def _scaled_tanh(b: Builder, node: Node, scales: Array, shifts: Array) -> Node | None:
    """1.7159 tanh(2/3 x) is a layer of its own."""
    if not isinstance(node.layer, Tanh) or np.any(shifts) or not np.allclose(scales, 1.7159, rtol=ROUNDING):
        return None
    before = node.inputs[0]
    inner = b.affine.get(before.layer) if before.layer is not None else None
    if inner is None or np.any(inner[1]) or not np.allclose(inner[0], 2 / 3, rtol=ROUNDING):
        return None
    return b.add(ScaledTanh(), before.inputs[0])


def _merged(b: Builder, node: Node, scales: Array, shifts: Array) -> Node | None:
    """The layer that makes the node with other weights, if it has weights."""
    layer = node.layer
    if not isinstance(layer, Conv2d | Linear) or layer in b.fixed:
        return None
    held = b.arrays[layer]
    bias = held.get("bias", 0.0) * scales + shifts
    weight = held["weight"] * scales.reshape(-1, *[1] * (held["weight"].ndim - 1))
    made: Layer
    if isinstance(layer, Conv2d):
        made = Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
                      layer.dilation, layer.groups)  # fmt: skip
    else:
        made = Linear(layer.in_features, layer.out_features)
    return b.add(made, *node.inputs, weight=weight, bias=bias)


def _layer(b: Builder, node: Node, scales: Array, shifts: Array) -> Node:
    """A layer that does nothing else."""
    layer: Layer
    if len(node.shape) == 1:
        features = node.shape[0]
        b.reserve(f"a diagonal matrix of {features:,} x {features:,} numbers", features**2)
        layer, weight = Linear(features, features), np.diag(scales)
    else:
        node = as_map(Value(node, node.shape, of_input=node is b.input))
        layer, weight = TrainablePool2d(node.shape[0], 1), scales
    made = b.add(layer, node, fixed=True, weight=weight, bias=shifts)
    b.affine[layer] = (scales, shifts)
    return made
