"""Windows: a kernel over a map with the products, the places where a weight acts, the window of a pooling layer."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from chainrule.explain.drawings.canvas import Box, above, arrow, beside, folded, label, lines, shape, write
from chainrule.explain.drawings.grids import captioned, grid
from chainrule.explain.drawings.texts import Speaker, plain
from chainrule.explain.messages import say
from chainrule.explain.notations import to_text
from chainrule.explain.steps import Part
from chainrule.explain.terms import SIGNS, Table

WIDEST = 620.0
"""How wide a row of maps may be before it is broken in two."""


def slid(part: Part, speaker: Speaker) -> Box:
    """[the map with the window] × [the kernel] = [their products]; a map restored to stride 1 above."""
    found = {table.role: table for table in part.tables}
    maps = [_captioned(found[role], speaker) for role in ("restored", "slid") if role in found]
    kernel, product = (_captioned(found[role], speaker, 170.0) for role in ("kernel", "product"))
    row = beside(maps[-1], label("×", "big", 20), kernel, label("=", "big", 20), product)
    if row.width > WIDEST:
        tail = above(beside(label("×", "big", 20), kernel), beside(label("=", "big", 20), product), gap=14)
        row = beside(maps[-1], tail)
    return above(*maps[:-1], row, gap=16)


def met(part: Part, speaker: Speaker) -> Box:
    """[the sensitivity map] × [what the weight meets] = [their products]."""
    delta, inputs, product = (_captioned(table, speaker, 120.0) for table in part.tables)
    row = beside(delta, label("×", "big", 20), inputs, label("=", "big", 20), product)
    if row.width > WIDEST:
        row = above(beside(delta, label("×", "big", 20), inputs), beside(label("=", "big", 20), product), gap=16)
    return row


def pooled(part: Part, speaker: Speaker) -> Box:
    """[the window] ← the gradient of its output, and whom it goes to."""
    table = part.tables[0]
    note = "drawing_winner_note" if "winner" in table.kinds else "drawing_window_note"
    window = captioned(above(grid(table), legend(table, speaker)), speaker(table.title))
    told = lines(folded(speaker(say(note)), 300.0), "quiet")
    best = max(part.terms, key=lambda term: abs(term.factors[0].value), default=None)
    if best is None:
        return above(window, told)
    upstream = best.factors[0]
    return above(beside(window, _arrow_left(), tagged(to_text(upstream.symbol, 4), plain(upstream.value))), told)


def _captioned(table: Table, speaker: Speaker, least: float = 150.0) -> Box:
    return captioned(above(grid(table), legend(table, speaker), gap=3), speaker(table.title), least=least)


def legend(table: Table, speaker: Speaker) -> Box:
    """What the frames mean that occur in a table."""
    kinds = [kind for kind in table.kinds if kind in SIGNS]
    if not kinds:
        return Box(0, 0, lambda *_: None)
    return above(*(beside(_swatch(kind), label(speaker(say(f"mark_{kind}")), "small", 11), gap=6) for kind in kinds))


def _swatch(kind: str) -> Box:
    css = "here" if kind == "largest" else kind

    def paint(parent: ET.Element, x: float, y: float) -> None:
        shape(parent, "rect", x=x + 1, y=y + 1, width=11, height=11, rx=2, css=css)

    return Box(14, 14, paint)


def _arrow_left() -> Box:
    return Box(44, 20, lambda parent, x, y: arrow(parent, (x + 44, y + 10), (x, y + 10), lit=True))


def tagged(name: str, value: str) -> Box:
    """A name with its number below, in a frame."""
    first, second = label(name), label(value, "strong")
    width, height = max(first.width, second.width) + 20, 48.0

    def paint(parent: ET.Element, x: float, y: float) -> None:
        shape(parent, "rect", x=x, y=y, width=width, height=height, rx=6, css="node")
        write(parent, name, x + width / 2, y + 15, "", "middle")
        write(parent, value, x + width / 2, y + 33, "strong", "middle")

    return Box(width, height, paint)
