"""Breaks lines where a reader would: at spaces, between Chinese characters, before = + − · →, never within a number."""

from __future__ import annotations

import re
from itertools import pairwise

from rich.cells import cell_len

_WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60"
_OPENING, _CLOSING = r"\[(（“「《", r"\])，。；：、）”」》！？"
_PIECE = re.compile(rf"\s+|[{_OPENING}]*(?:[^\s{_WIDE}“”]+|[{_WIDE}])[{_CLOSING}]*|.", re.DOTALL)
_TIED = {"=", "+", "−", "·", "→", "≤", "≥", ">", "<", "≠", ":"}
"""Signs that stay with what follows them."""
_NUMBER = re.compile(r"[−-]?\d[\d.]*(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|e-?\d+)?%?")

Span = tuple[int, int]


def spans(text: str, width: int) -> list[Span]:
    """Where the lines of a text begin and end, each at most `width` columns: spaces between them are left out."""
    lines: list[Span] = []
    start = end = 0
    for first, last in _units(text, width):
        if end > start and cell_len(text[start:last]) > width:
            lines.append((start, end))
            start = first
        elif end == start:
            start = first
        end = last
    return [*lines, (start, end)]


def equation_spans(text: str, width: int) -> list[Span]:
    """The same for a chain of equations: a side that fits a line stays whole."""
    starts = [0, *(match.start() + 1 for match in re.finditer(" = ", text)), len(text)]
    lines: list[Span] = []
    for first, last in pairwise(starts):
        begin = lines[-1][0] if lines else first
        if lines and cell_len(text[begin:last].rstrip()) <= width:
            lines[-1] = (begin, last)
        else:
            lines += [(first + a, first + b) for a, b in spans(text[first:last], width)]
    return [(a, a + len(text[a:b].rstrip())) for a, b in lines]


def wrap(text: str, width: int) -> list[str]:
    """The lines of a text."""
    return [text[start:end] for start, end in spans(text, width)]


def longest(text: str) -> int:
    """Columns of the widest piece that should stay whole."""
    return max((cell_len(piece) for piece in _PIECE.findall(text) if not piece.isspace()), default=0)


def _units(text: str, width: int) -> list[Span]:
    """Pieces that stay together: a sign with what follows it, and whatever fits a line; longer ones are cut."""
    pieces = [match.span() for match in _PIECE.finditer(text) if not match.group().isspace()]
    units: list[Span] = []
    tie: int | None = None
    for first, last in pieces:
        begin = first if tie is None or cell_len(text[tie:last]) > width else tie
        if tie is not None and begin == first:
            units.append((tie, tie + 1))
        tie = first if text[first:last] in _TIED else None
        if tie is None:
            units += _cut(text, begin, last, width)
    return units if tie is None else [*units, (tie, tie + 1)]


def _cut(text: str, first: int, last: int, width: int) -> list[Span]:
    """A piece that is too long for a line, cut outside of its numbers; what cannot be cut stays too long."""
    found: list[Span] = []
    while cell_len(text[first:last]) > width:
        at = _last_cut(text, first, last, width)
        if at is None:
            break
        found.append((first, at))
        first = at
    return [*found, (first, last)]


def _last_cut(text: str, first: int, last: int, width: int) -> int | None:
    inside = {k for match in _NUMBER.finditer(text, first, last) for k in range(match.start() + 1, match.end())}
    fitting = [k for k in range(first + 1, last) if k not in inside and cell_len(text[first:k]) <= width]
    after_mark = [k for k in fitting if text[k - 1] in ".,_]/)"]
    best = after_mark or fitting
    return best[-1] if best else next((k for k in range(first + 1, last) if k not in inside), None)
