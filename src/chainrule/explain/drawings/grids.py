"""A map of numbers as a picture: cells tinted by sign and size, with what matters outlined."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from chainrule.explain.drawings.canvas import SIZE, Box, above, folded, lines, shape, width_of, write
from chainrule.explain.terms import Table, kinds_of
from chainrule.explain.words import short

CELL = 34.0
HIGH = 26.0
LABELS = 20.0
DEEPEST = 0.45
"""How much of a colour the largest number of a map gets; letters stay readable on it."""
DIGITS = 3


def grid(table: Table) -> Box:
    """The cells of a table with their row and column numbers; windows and single numbers are outlined."""
    texts = [[short(value, DIGITS) for value in row] for row in table.cells]
    wide = max([CELL, *(width_of(text) + 10 for row in texts for text in row)])
    left = max([LABELS, *(width_of(name, 11) + 8 for name in table.row_labels)]) if table.row_labels else 0.0
    top = LABELS if table.column_labels else 0.0
    most = max((abs(value) for row in table.cells for value in row if value is not None), default=0.0) or 1.0

    def paint(parent: ET.Element, x: float, y: float) -> None:
        for c, name in enumerate(table.column_labels):
            write(parent, name, x + left + (c + 0.5) * wide, y + top / 2, "small", "middle")
        for r, row in enumerate(table.cells):
            if table.row_labels:
                write(parent, table.row_labels[r], x + left - 6, y + top + (r + 0.5) * HIGH, "small", "end")
            for c, value in enumerate(row):
                _cell(parent, (x + left + c * wide, y + top + r * HIGH, wide), value, most, table.marks.get((r, c), ""))
                write(parent, texts[r][c], x + left + (c + 0.5) * wide, y + top + (r + 0.5) * HIGH,
                      "strong" if table.marks.get((r, c), "zero") != "zero" else "", "middle")  # fmt: skip
        for kind in ("window", "winner", "here"):
            _outline(parent, (x + left, y + top, wide), _marked(table, kind), kind)

    columns = len(table.cells[0]) if table.cells else 0
    return Box(left + columns * wide + 2, top + len(table.cells) * HIGH + 2, paint)


def _cell(parent: ET.Element, at: tuple[float, float, float], value: float | None, most: float, mark: str) -> None:
    x, y, wide = at
    css = "outside" if mark == "zero" else "cell"
    shape(parent, "rect", x=x, y=y, width=wide, height=HIGH, css=css)
    if value:
        sign = "positive" if value > 0 else "negative"
        opacity = f"{DEEPEST * abs(value) / most:.2f}"
        shape(parent, "rect", x=x, y=y, width=wide, height=HIGH, css=sign, fill_opacity=opacity)


def _marked(table: Table, kind: str) -> list[tuple[int, int]]:
    """The cells of a kind; "largest" is drawn as "here" is."""
    kinds = ("here", "largest") if kind == "here" else (kind,)
    return [at for at, mark in table.marks.items() if set(kinds) & set(kinds_of(mark))]


def _outline(parent: ET.Element, at: tuple[float, float, float], cells: list[tuple[int, int]], css: str) -> None:
    """One frame round a window without gaps, else a frame round each of its cells."""
    if not cells:
        return
    x, y, wide = at
    rows, columns = [r for r, _ in cells], [c for _, c in cells]
    full = (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1) == len(cells)
    corners = [(min(rows), min(columns), max(rows), max(columns))] if full else [(r, c, r, c) for r, c in cells]
    inset = 3.0 if css == "here" else 0.0
    for r, c, last, end in corners:
        shape(parent, "rect", x=x + c * wide + inset, y=y + r * HIGH + inset, width=(end - c + 1) * wide - 2 * inset,
              height=(last - r + 1) * HIGH - 2 * inset, rx=3, css=css)  # fmt: skip


def captioned(box: Box, title: str, notes: Iterable[str] = (), least: float = 150.0) -> Box:
    """A box below its caption, with quieter lines under it."""
    width = max(box.width, least)
    told = [line for note in notes for line in folded(note, width * SIZE / 12)]
    parts = [lines(folded(title, width), "strong"), box]
    return above(*parts, *([lines(told, "quiet")] if told else []))
