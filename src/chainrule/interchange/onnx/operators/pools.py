"""MaxPool, AveragePool, LpPool and the global ones."""

from __future__ import annotations

import numpy as np

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.convolutions import identity_convolution, map_value, without_pad
from chainrule.interchange.onnx.operators.windows import Windows, read_windows
from chainrule.interchange.onnx.values import Value, as_map
from chainrule.layers import AdaptiveAvgPool2d, AvgPool2d, Conv2d, LeakyReLU, LPPool2d, MaxPool2d, Node
from chainrule.shapes import Sides


def _fits(sides: Sides, windows: Windows) -> bool:
    """Whether a pooling layer takes this padding: at most half of its kernel."""
    return max(sides[:2]) <= windows.kernel[0] // 2 and max(sides[2:]) <= windows.kernel[1] // 2


@importer("MaxPool")
def max_pool(b: Builder, operation: Operation) -> Value:
    """MaxPool2d, whose padding never wins; neither do the places that ceil_mode adds."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    node = as_map(value)
    windows = read_windows(operation, value)
    operation.integer("storage_order", 0)  # the order of the indices, which are refused
    if _dilated(windows):
        raise FileFormatError("its attribute dilations has gaps, and MaxPool2d has none")
    sides = windows.overhanging
    if not _fits(sides, windows):
        raise FileFormatError(
            f"its attributes pads and ceil_mode ask for a padding of {sides}, and MaxPool2d pads at most half of its "
            f"kernel {windows.kernel}"
        )
    return map_value(b.add(MaxPool2d(windows.kernel, windows.stride, sides), node), len(value.shape) - 1)


def _dilated(windows: Windows) -> bool:
    return any(d > 1 and k > 1 for d, k in zip(windows.dilation, windows.kernel, strict=True))


@importer("AveragePool")
def average_pool(b: Builder, operation: Operation) -> Value:
    """AvgPool2d; with gaps, or more padding than that takes, a convolution of each channel with equal weights."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    node = as_map(value)
    windows = read_windows(operation, value)
    counts_padding = bool(operation.integer("count_include_pad", 0))
    sides, over = windows.sides, windows.over
    if any(over):
        raise FileFormatError(
            "its attribute ceil_mode adds windows that hang over the map and are divided by fewer numbers than the "
            "others, and AvgPool2d divides by the same everywhere"
        )
    if any(sides) and not counts_padding:
        raise FileFormatError(
            "its attribute count_include_pad is 0, so windows on the padding are divided by fewer numbers than the "
            "others, and AvgPool2d divides by the same everywhere"
        )
    node, sides = without_pad(b, node, sides)
    axes = len(value.shape) - 1
    if _fits(sides, windows) and not _dilated(windows):
        return map_value(b.add(AvgPool2d(windows.kernel, windows.stride, sides), node), axes)
    channels, area = node.shape[0], windows.kernel[0] * windows.kernel[1]
    layer = Conv2d(channels, channels, windows.kernel, windows.stride, sides, windows.dilation, channels, bias=False)
    return map_value(b.add(layer, node, fixed=True, weight=np.full((channels, 1, *windows.kernel), 1 / area)), axes)


@importer("LpPool")
def lp_pool(b: Builder, operation: Operation) -> Value:
    """LPPool2d, behind a padding of zeros where one is asked for."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    node = as_map(value)
    windows = read_windows(operation, value)
    if _dilated(windows):
        raise FileFormatError("its attribute dilations has gaps, and LPPool2d has none")
    node = _powers(b, operation, node)
    if any(windows.overhanging):
        node = identity_convolution(b, node, windows.overhanging)
    layer = LPPool2d(_order(b, operation), windows.kernel, windows.stride)
    return map_value(b.add(layer, node), len(value.shape) - 1)


def _order(b: Builder, operation: Operation) -> float:
    """The attribute p, which was a real number at first."""
    order = operation.integer("p", 2) if b.opset() >= 2 else operation.number("p", 2.0)
    if order < 1:
        raise FileFormatError(f"its attribute p is {order}, and LPPool2d takes numbers from 1")
    return order


def _powers(b: Builder, operation: Operation, node: Node) -> Node:
    """ONNX takes absolute values, LPPool2d for odd p does not: LeakyReLU(-1) is the absolute value."""
    return node if _order(b, operation) % 2 == 0 else b.add(LeakyReLU(-1), node)


@importer("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(b: Builder, operation: Operation) -> Value:
    """One window that covers the map."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    node = as_map(value)
    if operation.kind == "GlobalLpPool":
        made = b.add(LPPool2d(_order(b, operation), whole(node)), _powers(b, operation, node))
    else:
        made = whole_pool(b, node, operation.kind == "GlobalMaxPool")
    return map_value(made, len(value.shape) - 1)


def whole(node: Node) -> tuple[int, int]:
    """A kernel as large as the map."""
    return node.shape[1], node.shape[2]


def whole_pool(b: Builder, node: Node, largest: bool) -> Node:
    """The mean or the maximum of each map, as maps of one pixel."""
    return b.add(MaxPool2d(whole(node)) if largest else AdaptiveAvgPool2d(1), node)
