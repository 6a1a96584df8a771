"""Arrays as they travel, and the question `array`: some maps of a node, or some filters of a parameter."""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.explorer.questions.asking import Question, unknown_name, whole_number
from chainrule.explorer.questions.refusals import QuestionError, refused_form

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

PAGE = 65_536
"""Numbers in one answer."""


class SpanDict(TypedDict):
    """The least and the most of some numbers; 0 where there are none."""

    least: float
    most: float


class ArrayDict(TypedDict):
    """Numbers as they travel: `data` is base64 of little-endian float64 in row-major order; `first` is the number of
    the first map among all; `least` and `most` are those of the whole tensor, of which this may be a part."""

    shape: list[int]
    data: str
    first: int
    least: float
    most: float


class ArrayAnswer(TypedDict):
    """Maps `first`, `first` + 1, ... of `size`. A node (c, h, w) gives (count, rows, columns), a node (n,) gives
    (count,); a parameter (o, d, i, j) gives (count, d, rows, columns), (o, i) gives (count, columns). `rows` and
    `columns` are the [from, to) that were taken of the last two axes (null where there are none)."""

    name: str
    quantity: str
    array: ArrayDict
    size: int
    rows: list[int] | None
    columns: list[int] | None


def array_dict(array: Array, first: int = 0, whole: Array | None = None) -> ArrayDict:
    """An array as it travels; `whole` is what it is a part of."""
    values = np.ascontiguousarray(array, "<f8")
    span = span_of(values if whole is None else whole)
    return {
        "shape": list(values.shape),
        "data": base64.b64encode(values.tobytes()).decode("ascii"),
        "first": first,
        "least": span["least"],
        "most": span["most"],
    }


def span_of(values: Array) -> SpanDict:
    """What the numbers lie between."""
    if not values.size:
        return {"least": 0.0, "most": 0.0}
    return {"least": float(values.min()), "most": float(values.max())}


def read_array(given: object, most: int) -> Array:
    """The inverse of `array_dict`: at most `most` finite numbers."""
    expected = refused_form(
        "an array", f"given by a shape and at most {most} finite numbers", f"一个形状加上不超过 {most} 个有限的数"
    )
    if not isinstance(given, dict):
        raise expected
    extents, data = given.get("shape"), given.get("data")
    if not isinstance(extents, list) or not isinstance(data, str):
        raise expected
    if not 1 <= len(extents) <= 4 or len(data) > 12 * most + 8:
        raise expected
    shape = [whole_number("a shape", extent, 1, most) for extent in extents]
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise expected from None
    if math.prod(shape) > most or len(raw) != 8 * math.prod(shape):
        raise expected
    array: Array = np.frombuffer(raw, "<f8").astype(np.float64).reshape(shape)
    if not np.isfinite(array).all():
        raise expected
    return array


def array(exploration: Exploration, asked: Question) -> ArrayAnswer:
    """{"ask": "array", "name", "quantity": "value" | "gradient" | "parameter", "sample"?, "first"?, "count"?, "rows"?,
    "columns"?} -> ArrayAnswer. A parameter has a value ("parameter" says the same) and a gradient. `first` is 0 and
    `count` as many as an answer holds unless given."""
    name, quantity = asked.text("name"), asked.choice("quantity", ("value", "gradient", "parameter"))
    view = exploration.view(asked)
    if name not in view.traced.trace:
        raise unknown_name(name)
    is_node = name in view.traced.net.names
    if is_node and quantity == "parameter":
        raise QuestionError("quantity", name=name, quantity=quantity)
    traced = view.traced.trace[name]
    values = traced.gradient if quantity == "gradient" else traced.value
    maps = values[view.row] if is_node else values
    return _page(asked, name, quantity, maps if maps.ndim else maps.reshape(1))


def _page(asked: Question, name: str, quantity: str, maps: Array) -> ArrayAnswer:
    size = len(maps)
    cut: list[range] = []
    if maps.ndim > 1:
        cut = [asked.span("rows", maps.shape[-2])] if maps.ndim > 2 else []
        cut.append(asked.span("columns", maps.shape[-1]))
    each = math.prod(maps.shape[1 : maps.ndim - len(cut)]) * math.prod(map(len, cut))
    first = asked.whole("first", 0, max(0, size - 1), 0)
    count = asked.whole("count", 1, size, max(1, min(size - first, PAGE // max(each, 1))))
    if first + count > size:
        raise QuestionError("range", name=name, size=size, count=count, first=first)
    if count * each > PAGE:
        raise QuestionError("page", count=count * each, most=PAGE)
    part: Array = maps[first : first + count]
    for axis, piece in enumerate(reversed(cut), 1):
        part = part.take(piece, axis=-axis)
    spans = [[piece.start, piece.stop] for piece in cut]
    return {
        "name": name,
        "quantity": quantity,
        "array": array_dict(part, first, maps),
        "size": size,
        "rows": spans[0] if len(spans) > 1 else None,
        "columns": spans[-1] if spans else None,
    }
