"""Lists with columns in the terminal: side by side where they fit, else one entry below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text as Words

from chainrule.explain.blocks import Listing
from chainrule.explain.messages import COLON, Language, Message
from chainrule.explain.words import inline, words
from chainrule.explain.wrapping import longest, wrap

GAP = 3
"""Columns between two columns."""
LONGEST_REMARK = 24
"""Longer remarks are written below a list."""


def listing_lines(listing: Listing, lang: Language, digits: int, width: int) -> list[Words]:
    """The title, the entries, and long remarks below."""
    heads = [words(column, lang, digits) for column in listing.columns]
    notes: list[str] = []
    rows = [[_cell(cell, lang, digits, notes) for cell in row] for row in listing.rows]
    title = [Words(line, style="italic") for line in wrap(words(listing.title, lang, digits), width)]
    sizes = _widths([heads, *rows], width - 2)
    body = _records(heads, rows, COLON[lang], width) if sizes is None else _columns(heads, rows, sizes)
    below = [line for k, note in enumerate(notes, 1) for line in wrap(f"({k}) {note}", width)]
    return [*title, Words(""), *body, Words(""), *(Words(line, style="dim") for line in below), Words("")]


def _cell(cell: Any, lang: Language, digits: int, notes: list[str]) -> str:
    """A cell; a long remark goes below the list, and its number stays."""
    text = inline(cell, lang, digits)
    if not isinstance(cell, Message) or len(text) <= LONGEST_REMARK:
        return text
    if text not in notes:
        notes.append(text)
    return f"({notes.index(text) + 1})"


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide each column is, narrowed where its cells can be broken; None if they do not fit."""
    columns = list(zip(*rows, strict=True))
    sizes = [max(cell_len(cell) for cell in column) for column in columns]
    least = [max(longest(cell) for cell in column) for column in columns]
    while sum(sizes) + GAP * (len(sizes) - 1) > room:
        slack = [size - low for size, low in zip(sizes, least, strict=True)]
        widest = max(range(len(sizes)), key=lambda k: (slack[k] > 0, sizes[k]))
        if slack[widest] <= 0:
            return None
        sizes[widest] -= 1
    return sizes


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]], sizes: Sequence[int]) -> list[Words]:
    rule = "─" * (sum(sizes) + GAP * (len(sizes) - 1) + 1)
    lines = [Words(line, style="bold") for line in _row(heads, sizes)]
    return [*lines, Words(f" {rule}"), *(Words(line) for row in rows for line in _row(row, sizes))]


def _row(cells: Sequence[str], sizes: Sequence[int]) -> list[str]:
    wrapped = [wrap(cell, size) for cell, size in zip(cells, sizes, strict=True)]
    lines = []
    for k in range(max(len(cell) for cell in wrapped)):
        parts = [cell[k] if k < len(cell) else "" for cell in wrapped]
        padded = [part + " " * (size - cell_len(part)) for part, size in zip(parts, sizes, strict=True)]
        lines.append("  " + (" " * GAP).join(padded).rstrip())
    return lines


def _records(heads: Sequence[str], rows: Sequence[Sequence[str]], colon: str, width: int) -> list[Words]:
    """Each entry as lines "column: cell", the first of them less indented."""
    lines: list[Words] = []
    for row in rows:
        for k, (head, cell) in enumerate(zip(heads, row, strict=True)):
            indent = "  " if not k else "    "
            lines += [Words(indent + line) for line in wrap(f"{head}{colon}{cell}", width - len(indent))]
    return lines
