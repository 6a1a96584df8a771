"""The network as boxes from the input to the loss, with the way of a gradient lit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from chainrule.explain.drawings.canvas import Box, arrow, shape, svg, width_of, write
from chainrule.explain.drawings.texts import Speaker
from chainrule.explain.messages import Language, say
from chainrule.explain.sketches import Sketch, sketches
from chainrule.graph import Graph

HIGH = 50.0
ACROSS = 34.0
DOWN = 18.0
A_LINE = 6
"""Layers of a chain in one line; longer ones go on in the next."""


def network_drawing(net: Graph, lang: Language = "en", *, styled: bool = True) -> str:
    """The SVG of a network: each node with its name, its layer and its shape."""
    return sketch_drawing(sketches(net), lang, styled=styled)


def sketch_drawing(
    nodes: Sequence[Sketch], lang: Language = "en", *, title: str | None = None, styled: bool = True
) -> str:
    """The SVG of a network from what a derivation keeps of it."""
    speaker = Speaker(lang)
    comma = "，" if lang == "zh" else ", "
    told = {"first": nodes[0].name, "last": nodes[-1].name, "nodes": comma.join(n.name for n in nodes)}
    lit = [node.name for node in reversed(nodes) if node.lit]
    heard = (
        say("drawing_network_lit", **told, route=" ← ".join(reversed(lit)))
        if lit
        else say("drawing_network_told", **told)
    )
    return svg(_picture(nodes), title or speaker(say("drawing_network")), speaker(heard), lang, styled)


def _columns(nodes: Sequence[Sketch]) -> list[int]:
    """How far each node is from the input, on the longest way."""
    found: list[int] = []
    for node in nodes:
        found.append(max((found[source] + 1 for source in node.inputs), default=0))
    return found


def _picture(nodes: Sequence[Sketch]) -> Box:
    columns = _columns(nodes)
    rows = _rows(nodes, columns)
    chain = max(rows) == 0
    a_line = A_LINE if chain else max(columns) + 1
    wide = max(width_of(text) for node in nodes for text in (node.name, node.layer, node.size)) + 22
    tall = (max(rows) + 1) * (HIGH + DOWN) - DOWN
    lines = max(columns) // a_line + 1

    def corner(k: int) -> tuple[float, float]:
        line, column = divmod(columns[k], a_line)
        return column * (wide + ACROSS), line * (tall + 2 * DOWN) + rows[k] * (HIGH + DOWN)

    def paint(parent: ET.Element, x: float, y: float) -> None:
        for k, node in enumerate(nodes):
            for source in node.inputs:
                _edge(parent, (x, y), corner(source), corner(k), wide, node.lit and nodes[source].lit)
        for k, node in enumerate(nodes):
            a, b = corner(k)
            _node(parent, node, x + a, y + b, wide)

    width = min(max(columns) + 1, a_line) * (wide + ACROSS) - ACROSS
    return Box(width + 12 * (lines > 1), lines * (tall + 2 * DOWN) - 2 * DOWN, paint)


def _rows(nodes: Sequence[Sketch], columns: Sequence[int]) -> list[int]:
    """A row for each node, so that no two share a place and a branch that skips layers passes above nothing."""
    taken: set[tuple[int, int]] = set()
    rows: list[int] = []
    for node, column in zip(nodes, columns, strict=True):
        row = min((rows[source] for source in node.inputs), default=0)
        while (column, row) in taken:
            row += 1
        taken.add((column, row))
        rows.append(row)
    return rows


def _node(parent: ET.Element, node: Sketch, x: float, y: float, wide: float) -> None:
    shape(parent, "rect", x=x, y=y, width=wide, height=HIGH, rx=6, css="node lit" if node.lit else "node")
    told = [text for text in (node.layer, node.size) if text]
    first = y + (11 if len(told) == 2 else 18)
    write(parent, node.name, x + wide / 2, first, "strong", "middle")
    for k, text in enumerate(told, 1):
        write(parent, text, x + wide / 2, first + 14.5 * k, "small", "middle")


def _edge(
    parent: ET.Element,
    origin: tuple[float, float],
    source: tuple[float, float],
    target: tuple[float, float],
    wide: float,
    lit: bool,
) -> None:
    """An edge; one that skips layers of its row bows below them, one to the next line turns back."""
    x, y = origin
    start = (x + source[0] + wide, y + source[1] + HIGH / 2)
    end = (x + target[0], y + target[1] + HIGH / 2)
    css = "edge lit" if lit else "edge"
    if end[0] < start[0]:
        middle = y + source[1] + HIGH + DOWN
        path = f"M{start[0]:.1f},{start[1]:.1f} h10 V{middle:.1f} H{end[0] - 10:.1f} V{end[1]:.1f}"
        shape(parent, "path", d=path, css=css)
        arrow(parent, (end[0] - 10, end[1]), end, lit)
    elif end[0] - start[0] > ACROSS + 1:
        below = y + max(source[1], target[1]) + HIGH + 10
        path = f"M{start[0]:.1f},{start[1]:.1f} h8 V{below:.1f} H{end[0] - 12:.1f} V{end[1]:.1f}"
        shape(parent, "path", d=path, css=css)
        arrow(parent, (end[0] - 12, end[1]), end, lit)
    else:
        arrow(parent, start, end, lit)
