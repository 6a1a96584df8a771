"""Conv, and Pad, which is a convolution with ones of size 1x1 where nothing takes it in."""

from __future__ import annotations

import numpy as np

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.windows import read_windows
from chainrule.interchange.onnx.values import Value, as_map
from chainrule.layers import Conv2d, Node
from chainrule.shapes import LARGEST, Sides, shown


@importer("Conv")
def conv(b: Builder, operation: Operation) -> Value:
    """Conv2d; one spatial axis is a map of one row."""
    x, w, c = b.inputs(operation, 2, 3)
    value, weight = b.value(x), b.weights(w, "its weight")
    node = as_map(value)
    axes = len(value.shape) - 1
    if weight.ndim != axes + 2:
        raise FileFormatError(f"its weight has {weight.ndim} axes, and its input asks for {axes + 2}")
    windows = read_windows(operation, value, weight.shape[2:])
    if axes == 1:
        weight = weight[:, :, None]
    bias = None if c is None else b.weights(c, "its bias")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise FileFormatError(f"its bias has shape {bias.shape}, and it has {weight.shape[0]} filters")
    groups = operation.integer("group", 1)
    if groups < 1 or weight.shape[1] * groups != node.shape[0]:
        raise FileFormatError(f"its weight of shape {weight.shape} in {shown(groups)} groups does not fit "
                              f"{node.shape[0]} input channels")  # fmt: skip
    node, sides = without_pad(b, node, windows.sides)
    layer = Conv2d(node.shape[0], weight.shape[0], windows.kernel, windows.stride, sides, windows.dilation, groups,
                   bias=bias is not None)  # fmt: skip
    made = b.add(layer, node, key=operation.inputs[1:], weight=weight, bias=bias)
    return map_value(made, axes)


def map_value(node: Node, axes: int) -> Value:
    """What a layer of maps has made, with as many spatial axes as the file has."""
    return Value(node, node.shape if axes == 2 else (node.shape[0], node.shape[2]))


def identity_convolution(b: Builder, node: Node, sides: Sides) -> Node:
    """Zeros around each map: every channel by itself through one weight of 1."""
    channels = node.shape[0]
    layer = Conv2d(channels, channels, 1, padding=sides, groups=channels, bias=False)
    return b.add(layer, node, fixed=True, weight=np.ones((channels, 1, 1, 1)))


def without_pad(b: Builder, node: Node, sides: Sides) -> tuple[Node, Sides]:
    """What stands before a padding of zeros, if that is what the node is, and the sides of both."""
    while isinstance(node.layer, Conv2d) and node.layer in b.paddings:
        inner = node.layer.padding
        sides = (sides[0] + inner[0], sides[1] + inner[1], sides[2] + inner[2], sides[3] + inner[3])
        node = node.inputs[0]
    return node, sides


@importer("Pad")
def pad(b: Builder, operation: Operation) -> Value:
    """A padding of zeros on the spatial axes."""
    x, pads, filling, axes = b.inputs(operation, 1, 4)
    value = b.value(x)
    mode = operation.text("mode", "constant")
    operation.require("mode", mode, "constant", "layers pad with zeros")
    old = operation.integers("pads") if b.opset() >= 2 else operation.integers("paddings")
    numbers = b.integers(pads, "its list of pads") if old is None else old
    fill = operation.number("value", 0.0)
    if filling is not None:
        fill = b.number(filling, "its filling")
    ndim = len(value.shape) + 1
    chosen = range(ndim) if axes is None else [a % ndim for a in b.integers(axes, "its list of axes")]
    if len(numbers) != 2 * len(chosen):
        raise FileFormatError(f"it has {len(numbers)} pads for {len(chosen)} axes")
    before, after = [0] * ndim, [0] * ndim
    for k, axis in enumerate(chosen):
        before[axis], after[axis] = numbers[k], numbers[len(chosen) + k]
    if not any(before) and not any(after):
        return value
    return _padded(b, value, before, after, fill)


def _padded(b: Builder, value: Value, before: list[int], after: list[int], fill: float) -> Value:
    if min(before + after) < 0 or max(before + after) > LARGEST:
        raise FileFormatError("its pads cut parts off, which no layer does")
    if fill != 0:
        raise FileFormatError(f"it pads with {shown(fill)}, and layers pad with zeros")
    if any(before[:2]) or any(after[:2]):
        raise FileFormatError("it pads the samples or channels, and layers pad maps")
    node = as_map(value)
    axes = len(value.shape) - 1
    rows = (before[2], after[2]) if axes == 2 else (0, 0)
    node, sides = without_pad(b, node, (*rows, before[-1], after[-1]))
    made = identity_convolution(b, node, sides)
    assert made.layer is not None
    b.paddings.add(made.layer)
    return map_value(made, axes)
