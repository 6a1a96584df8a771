"""The small maps that the sources draw: the zero-padded sensitivity map, the rotated kernel, the window under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import pad, rot180, zero_restore
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import MAP_SIZE, Index, Role, Table, Use
from chainrule.explain.windows import covered
from chainrule.shapes import Pair


def span(size: int, low: int, high: int, most: int = MAP_SIZE) -> range:
    """At most `most` of `size` places, with low..high among them, in the middle if possible."""
    if size <= most:
        return range(size)
    first = min(max(0, (low + high) // 2 - most // 2), size - most)
    return range(min(first, low), min(first, low) + most)


def table(
    role: Role,
    title: Message,
    array: Array,
    marks: dict[Pair, str],
    around: tuple[Pair, Pair] | None = None,
    origin: Pair = (0, 0),
    most: int = MAP_SIZE,
) -> Table:
    """A map as a table with its own row and column numbers; of a large one the part around two corners."""
    (top, left), (bottom, right) = around or ((0, 0), (0, 0))
    rows, columns = span(array.shape[0], top, bottom, most), span(array.shape[1], left, right, most)
    cells = tuple(tuple(float(array[r, c]) for c in columns) for r in rows)
    kept = {(r - rows[0], c - columns[0]): mark for (r, c), mark in marks.items() if r in rows and c in columns}
    labels = [tuple(str(k + first) for k in span) for span, first in ((rows, origin[0]), (columns, origin[1]))]
    if (len(rows), len(columns)) != array.shape:
        title = say("part_of_map", title=title, rows=array.shape[0], columns=array.shape[1])
    return Table(title, cells, kept, labels[0], labels[1], role=role)


def border(array: Array, sides: tuple[int, int, int, int]) -> dict[Pair, str]:
    """The zeros round a padded map: above, below, left, right."""
    top, bottom, left, right = sides
    inner = np.ones(array.shape, bool)
    inner[top : array.shape[0] - bottom, left : array.shape[1] - right] = False
    return {(int(r), int(c)): "zero" for r, c in np.argwhere(inner)}


def convolution_input(use: Use, layer: Any, index: Index, filters: Array, channel: int) -> list[Table]:
    """The window of the padded sensitivity map under the rotated kernel, for the filter that contributes most."""
    n, _, r, c = index
    if not len(filters):
        return []
    most = use.map_size
    found = [_under_kernel(use, layer, n, int(o), channel, (r, c)) for o in filters]
    best = max(range(len(found)), key=lambda k: (abs(float(found[k][3].sum())), float(np.abs(found[k][3]).max())))
    restored, full, kernel, product, corner = found[best]
    o = int(filters[best])
    (eh, ew), (dh, dw) = layer.window.extent, layer.dilation
    taps = {
        (corner[0] + i * dh, corner[1] + j * dw): "window"
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    }
    end = (corner[0] + eh - 1, corner[1] + ew - 1)
    ring = border(full, (eh - 1, eh - 1, ew - 1, ew - 1))
    padded = say("map_padded", filter=o, rows=eh - 1, columns=ew - 1)
    tables = []
    if layer.stride != (1, 1):
        zeros = {
            (a, b): "zero"
            for a in range(restored.shape[0])
            for b in range(restored.shape[1])
            if a % layer.stride[0] or b % layer.stride[1]
        }
        middle = (max(0, corner[0] - eh + 1), max(0, corner[1] - ew + 1))
        middle = (min(middle[0], restored.shape[0] - 1), min(middle[1], restored.shape[1] - 1))
        tables.append(table("restored", say("map_restored", filter=o), restored, zeros, (middle, middle), most=most))
    rotated = "kernel_rotated_twice" if layer.mode == "convolution" else "kernel_rotated"
    share = say("map_product", filter=o, total=float(product.sum()), filters=len(filters))
    if not product.any() and len(filters) > 1:
        share = say("map_product_zero", filter=o, filters=len(filters))
    if len(filters) == 1:
        share = say("map_product_only", total=float(product.sum()))
    return [
        *tables,
        table("slid", padded, full, ring | taps, (corner, end), most=most),
        table("kernel", say(rotated, filter=o, channel=channel), kernel, {}, most=most),
        table("product", share, product, {}, most=most),
    ]


def _under_kernel(
    use: Use, layer: Any, n: int, o: int, channel: int, pixel: Pair
) -> tuple[Array, Array, Array, Array, Pair]:
    """(restored map, padded map, rotated kernel, their products, corner of the window) for one filter."""
    window = layer.window
    size = (use.x.shape[2], use.x.shape[3])
    top, bottom, left, right = window.sides(size)
    (eh, ew), (dh, dw) = window.extent, window.dilation
    padded = (size[0] + top + bottom, size[1] + left + right)
    restored = zero_restore(use.dy[n, o], window.stride, (padded[0] - eh + 1, padded[1] - ew + 1))
    full = pad(restored, (eh - 1, eh - 1, ew - 1, ew - 1))
    weight = use.arrays["weight"][o, channel]
    kernel = weight if layer.mode == "convolution" else rot180(weight)
    corner = (pixel[0] + top, pixel[1] + left)
    under = full[corner[0] : corner[0] + eh : dh, corner[1] : corner[1] + ew : dw]
    return restored, full, kernel, under * kernel, corner


def convolution_weight(use: Use, layer: Any, o: int, channel: int, tap: Pair) -> list[Table]:
    """The sensitivity map and, place by place, the inputs by which one weight is multiplied, for the sample that
    contributes most."""
    window = layer.window
    size = (use.x.shape[2], use.x.shape[3])
    top, bottom, left, right = window.sides(size)
    i, j = tap
    if layer.mode == "convolution":
        i, j = layer.kernel_size[0] - 1 - i, layer.kernel_size[1] - 1 - j
    rows, columns = use.y.shape[2:]
    padded = pad(use.x[:, channel], (top, bottom, left, right))
    first = (i * window.dilation[0], j * window.dilation[1])
    met = padded[:, first[0] :: window.stride[0], first[1] :: window.stride[1]][:, :rows, :columns]
    products = use.dy[:, o] * met
    n = int(np.abs(products.sum(axis=(1, 2))).argmax())
    best = np.unravel_index(int(np.abs(products[n]).argmax()), (rows, columns))
    place, most = (int(best[0]), int(best[1])), use.map_size
    mark = {place: "largest"} if products[n][place] else {}
    around = (place, place)
    total = say("map_met_product", total=float(products[n].sum()))
    return [
        table("delta", say("map_delta", filter=o, sample=n), use.dy[n, o], mark, around, most=most),
        table("met", say("map_met", channel=channel, row=tap[0], column=tap[1]), met[n], mark, around, most=most),
        table("met product", total, products[n], mark, around, most=most),
    ]


def pool_windows(
    use: Use, index: Index, places: Array, winner: Callable[[Use, Index], tuple[Index, int]] | None = None
) -> list[Table]:
    """The window that brings most gradient to a pixel, with the pixel marked and, for a maximum, the winner."""
    if not len(places):
        return []
    chosen = places[int(np.abs(use.dy[tuple(places.T)]).argmax())]
    place: Index = tuple(int(k) for k in chosen)
    return [_pool_window(use, place, index, None if winner is None else winner(use, place)[0])]


def pool_value(use: Use, place: Index, winner: Index) -> list[Table]:
    """The window of a place, in which the winner is marked."""
    return [_pool_window(use, place, None, winner)]


def _pool_window(use: Use, place: Index, here: Index | None, winner: Index | None) -> Table:
    layer: Any = use.step.layer
    cover = covered(layer.window, (use.x.shape[2], use.x.shape[3]), (place[2], place[3]))
    r, c = cover[:, 0], cover[:, 1]
    part = use.x[place[0], place[1]][np.ix_(np.unique(r), np.unique(c))]
    origin = (int(r.min()), int(c.min()))
    marks: dict[Pair, str] = {}
    for pixel, mark in ((winner, "winner"), (here, "here")):
        if pixel is not None:
            spot = (pixel[2] - origin[0], pixel[3] - origin[1])
            marks[spot] = f"{marks[spot]} {mark}" if spot in marks else mark
    spot = next(reversed(marks))
    title = say("pool_window", row=place[2], column=place[3])
    return table("window", title, part, marks, (spot, spot), origin, most=use.map_size)


def convolution_value(use: Use, layer: Any, index: Index, channels: Array, first: int) -> list[Table]:
    """The padded input under the kernel, for the channel that contributes most; channel `first` is weight channel 0."""
    n, o, p, q = index
    window, most = layer.window, use.map_size
    sides = window.sides((use.x.shape[2], use.x.shape[3]))
    (eh, ew), (dh, dw) = window.extent, window.dilation
    top, left = p * window.stride[0], q * window.stride[1]
    found = []
    for d in channels:
        weight = use.arrays["weight"][o, d]
        kernel = rot180(weight) if layer.mode == "convolution" else weight
        full = pad(use.x[n, first + d], sides)
        found.append((int(d), full, kernel, full[top : top + eh : dh, left : left + ew : dw] * kernel))
    if not found:
        return []
    d, full, kernel, product = max(found, key=lambda one: abs(float(one[3].sum())))
    taps = {(top + i * dh, left + j * dw): "window" for i in range(kernel.shape[0]) for j in range(kernel.shape[1])}
    rotated = "kernel_rotated_forward" if layer.mode == "convolution" else "kernel_plain"
    share = say("map_share", channel=first + d, total=float(product.sum()), channels=len(found))
    if len(found) == 1:
        share = say("map_product_only", total=float(product.sum()))
    padded = say("map_input_padded" if any(sides) else "map_input", channel=first + d, name=use.sources[0])
    ends = ((top, left), (top + eh - 1, left + ew - 1))
    return [
        table("slid", padded, full, border(full, sides) | taps, ends, most=most),
        table("kernel", say(rotated, filter=o, channel=d), kernel, {}, most=most),
        table("product", share, product, {}, most=most),
    ]
