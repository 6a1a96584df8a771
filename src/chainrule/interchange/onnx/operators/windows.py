"""The window of a convolution or a pool as its attributes say it, for one spatial axis (as one row) or two."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.values import Value
from chainrule.shapes import LARGEST, Pair, Sides, integer, shown


@dataclass(frozen=True)
class Windows:
    """Rows first. `sides` are (top, bottom, left, right) without what `ceil_mode` adds, `over` is what that adds to
    bottom and right."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    sides: Sides
    over: Pair

    @property
    def overhanging(self) -> Sides:
        """The sides, with what `ceil_mode` adds."""
        top, bottom, left, right = self.sides
        return top, bottom + self.over[0], left, right + self.over[1]


def read_windows(operation: Operation, value: Value, kernel: tuple[int, ...] | None = None) -> Windows:
    """The window that slides over a map; `kernel` is known from the weights of a convolution."""
    axes = len(value.shape) - 1
    if axes not in (1, 2):
        raise FileFormatError(f"it slides over {axes} axes, and layers slide over one or two")
    stated = _axis_numbers(operation, "kernel_shape", axes, 1, None)
    if kernel is None:
        if stated is None:
            raise FileFormatError("its attribute kernel_shape is missing")
        kernel = stated
    elif stated is not None and stated != kernel:
        raise FileFormatError(f"its attribute kernel_shape is {shown(list(stated))}, but its weights are "
                              f"{shown(list(kernel))}")  # fmt: skip
    stride = _axis_numbers(operation, "strides", axes, 1, 1)
    dilation = _axis_numbers(operation, "dilations", axes, 1, 1)
    assert stride is not None
    assert dilation is not None
    given = operation.integers("pads")
    auto = operation.text("auto_pad", "NOTSET")
    ceil = bool(operation.integer("ceil_mode", 0))
    if given is not None and len(given) != 2 * axes:
        raise FileFormatError(f"its attribute pads has {len(given)} numbers, and {2 * axes} are needed")
    sides, over = [], []
    for axis in range(axes):
        n, k, s, d = value.shape[1 + axis], kernel[axis], stride[axis], dilation[axis]
        extent = d * (k - 1) + 1
        before, after = (0, 0) if given is None else (given[axis], given[axes + axis])
        before, after = _automatic(auto, n, extent, s, before, after)
        sides += [integer("its attribute pads", side, 0) for side in (before, after)]
        over.append(_overhang(n, extent, s, before, after) if ceil else 0)
    if axes == 1:
        return Windows((1, kernel[0]), (1, stride[0]), (1, dilation[0]), (0, 0, sides[0], sides[1]), (0, over[0]))
    return Windows((kernel[0], kernel[1]), (stride[0], stride[1]), (dilation[0], dilation[1]),
                   (sides[0], sides[1], sides[2], sides[3]), (over[0], over[1]))  # fmt: skip


def _axis_numbers(
    operation: Operation, name: str, axes: int, least: int, default: int | None
) -> tuple[int, ...] | None:
    numbers = operation.integers(name)
    if numbers is None:
        return None if default is None else (default,) * axes
    if len(numbers) != axes or not all(least <= n <= LARGEST for n in numbers):
        raise FileFormatError(f"its attribute {name} is {shown(list(numbers))}, and {axes} numbers from {least} are "
                              "needed")  # fmt: skip
    return numbers


def _automatic(auto: str, n: int, extent: int, stride: int, before: int, after: int) -> Pair:
    """The padding on one axis; SAME_UPPER puts an odd pixel at the end, SAME_LOWER at the beginning."""
    if auto == "NOTSET":
        return before, after
    if auto == "VALID":
        return 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise FileFormatError(f"its attribute auto_pad is {shown(auto)}, which is not known")
    total = max((-(-n // stride) - 1) * stride + extent - n, 0)
    return (total // 2, total - total // 2) if auto == "SAME_UPPER" else (total - total // 2, total // 2)


def _overhang(n: int, extent: int, stride: int, before: int, after: int) -> int:
    """How far the last window hangs over the padded axis when places are rounded up. A window that would begin in the
    padding behind the axis is left out."""
    room = n + before + after - extent
    places = -(-room // stride) + 1
    if (places - 1) * stride >= n + before:
        places -= 1
    return max((places - 1) * stride + extent - (n + before + after), 0)
