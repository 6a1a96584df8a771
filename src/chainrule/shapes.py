"""Window arithmetic: how many places a window has on a map, and what it covers. Written once, used everywhere.

A window has a kernel size, a stride, a padding and a dilation for each of the two spatial axes, and so has
`floor((n + p_before + p_after - extent) / stride) + 1` places on an axis of n pixels, where
`extent = dilation * (kernel - 1) + 1` (S2-E07, with the floor that ER2-11 adds).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, SupportsIndex, TypeAlias, cast

import numpy as np

from chainrule.errors import ArgumentError, ShapeError

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
IntOrPair: TypeAlias = int | tuple[int, int]
Sides: TypeAlias = tuple[int, int, int, int]
"""Padding as (top, bottom, left, right)."""
PaddingArgument: TypeAlias = int | tuple[int, int] | tuple[int, int, int, int] | Literal["same", "valid"]

LARGEST = 2**31 - 1
"""No extent of a tensor may exceed this: larger ones are slips, and would overflow native index
arithmetic."""


def shown(value: object) -> str:
    """`value` as an error message shows it: on one line, and no number of a thousand digits."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1} or more"
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."


def integer(name: str, value: object, least: int, most: int = LARGEST) -> int:
    """`value` as an int between `least` and `most`; booleans and fractions are refused."""
    if isinstance(value, bool):
        raise ArgumentError(f"{name} must be an integer, not {value}")
    try:
        number = operator.index(cast(SupportsIndex, value))
    except TypeError:
        raise ArgumentError(f"{name} must be an integer, not {shown(value)}") from None
    if not least <= number <= most:
        raise ArgumentError(f"{name} must lie between {least} and {most}, not {shown(number)}")
    return number


def number(name: str, value: object, low: float, high: float = math.inf, *, open_low: bool = False) -> float:
    """`value` as a finite float in [low, high], or (low, high] with `open_low`; booleans and NaN are refused."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    try:
        result = float(cast(float, value)) if real else math.nan
    except OverflowError:  # an integer beyond all floats
        result = math.inf
    if not (low <= result <= high) or math.isinf(result) or (open_low and result == low):
        least = f"above {low}" if open_low else f"at least {low}"
        most = "" if math.isinf(high) else f" and at most {high}"
        wanted = "a finite number" if math.isinf(low) else f"a number {least}{most}"
        raise ArgumentError(f"{name} must be {wanted}, not {shown(value)}")
    return result


def choice(name: str, value: object, options: Sequence[str]) -> str:
    """`value` if it is one of a few texts."""
    if isinstance(value, str) and value in options:
        return value
    wanted = ", ".join(f'"{option}"' for option in options[:-1])
    raise ArgumentError(f'{name} must be {wanted} or "{options[-1]}", not {shown(value)}')


def pair(name: str, value: object, least: int) -> Pair:
    """One integer for both axes, or (rows, columns)."""
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ArgumentError(f"{name} must be one integer or a pair (rows, columns), not {shown(value)}")
        return integer(name, value[0], least), integer(name, value[1], least)
    number = integer(name, value, least)
    return number, number


def padding_sides(value: object) -> Sides | Literal["same"]:
    """Any way to write a padding, as (top, bottom, left, right) or "same"."""
    if isinstance(value, str):
        if value == "same":
            return "same"
        if value == "valid":
            return (0, 0, 0, 0)
        raise ArgumentError(f'padding must be an integer, a tuple, "same" or "valid", not {value!r}')
    if isinstance(value, tuple | list) and len(value) == 4:
        top, bottom, left, right = (integer("padding", v, 0) for v in value)
        return (top, bottom, left, right)
    if isinstance(value, tuple | list) and len(value) != 2:
        raise ArgumentError(
            f"padding is 1, 2 (rows, columns) or 4 (top, bottom, left, right) numbers, not {shown(value)}"
        )
    rows, columns = pair("padding", value, 0)
    return (rows, rows, columns, columns)


@dataclass(frozen=True)
class Window:
    """A window that slides over a map. `padding` is in pixels per side, or "same"."""

    kernel_size: Pair
    stride: Pair = (1, 1)
    padding: Sides | Literal["same"] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)

    @property
    def extent(self) -> Pair:
        """Rows and columns from the first to the last pixel under the window."""
        return (
            self.dilation[0] * (self.kernel_size[0] - 1) + 1,
            self.dilation[1] * (self.kernel_size[1] - 1) + 1,
        )

    def sides(self, size: Pair) -> Sides:
        """Padding on a map of `size`. "same" gives ceil(n / stride) places; an odd pixel goes to the bottom right.

        With stride 1 that is `extent - 1` pixels in total, so the map keeps its size (S2-E05, ER2-12).
        """
        if self.padding != "same":
            return self.padding
        totals = []
        for n, extent, stride in zip(size, self.extent, self.stride, strict=True):
            totals.append(max((-(-n // stride) - 1) * stride + extent - n, 0))
        return (totals[0] // 2, totals[0] - totals[0] // 2, totals[1] // 2, totals[1] - totals[1] // 2)

    def padded_pixels(self, size: Pair) -> int:
        """Pixels of a map of `size` with its padding; 0 without any, since then nothing is copied."""
        top, bottom, left, right = self.sides(size)
        return (size[0] + top + bottom) * (size[1] + left + right) if top + bottom + left + right else 0

    def output_size(self, size: Pair) -> Pair:
        """Places of the window on a map of `size` (S2-E03, E04, E06, E07; ER2-11)."""
        top, bottom, left, right = self.sides(size)
        padded = (size[0] + top + bottom, size[1] + left + right)
        if padded[0] < self.extent[0] or padded[1] < self.extent[1]:
            raise ShapeError(
                f"a window of {self.extent[0]}x{self.extent[1]} does not fit a map of {padded[0]}x{padded[1]}"
                + (f" ({size[0]}x{size[1]} before padding)" if padded != size else "")
            )
        return (
            (padded[0] - self.extent[0]) // self.stride[0] + 1,
            (padded[1] - self.extent[1]) // self.stride[1] + 1,
        )


@dataclass(frozen=True)
class ReceptiveField:
    """The region of the network's input that one value can depend on (S2-F05): its size, and the step
    between the regions of neighbouring values. Grows by `r += (k - 1) * j; j *= s`.

    `spread` is the size of the map that flattening has put side by side: a dense layer after it sees all of it.
    """

    size: Pair = (1, 1)
    jump: Pair = (1, 1)
    spread: Pair = (1, 1)

    def through(self, window: Window) -> ReceptiveField:
        """The field of a value computed from a window of such values."""
        grown = [r + (extent - 1) * j for r, extent, j in zip(self.size, window.extent, self.jump, strict=True)]
        jumps = [j * s for j, s in zip(self.jump, window.stride, strict=True)]
        return ReceptiveField((grown[0], grown[1]), (jumps[0], jumps[1]))


def product(shape: Shape) -> int:
    """Number of elements of a shape, exact for any size."""
    result = 1
    for extent in shape:
        result *= extent
    return result


def shape_text(shape: Shape) -> str:
    """(6, 28, 28) as "6x28x28"."""
    return "x".join(str(extent) for extent in shape) if shape else "scalar"
