"""What is joined by edges: a neuron with its inputs, a number with the layers that take it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from chainrule.explain.drawings.canvas import Box, arrow, width_of, write
from chainrule.explain.drawings.texts import Speaker, plain
from chainrule.explain.drawings.windows import tagged
from chainrule.explain.messages import say
from chainrule.explain.notations import to_text
from chainrule.explain.steps import DerivationStep, Part
from chainrule.explain.terms import Term
from chainrule.expressions import Expr

APART = 12.0
BETWEEN = 130.0


@dataclass(frozen=True)
class Edge:
    """One of several boxes that are joined with one: its name, its number, and what stands at the edge."""

    name: str
    value: str
    weight: str = ""
    strong: bool = False


def fan(edges: Sequence[Edge], centre: Box, forward: bool) -> Box:
    """Boxes in a column joined with one box: to the right of them in the forward pass, to the left in the backward
    pass, so that input stands left and output right; arrows point at the one box."""
    boxes = [tagged(edge.name, edge.value) for edge in edges]
    wide = max(box.width for box in boxes)
    between = max(BETWEEN, *(width_of(edge.weight) + 60 for edge in edges))
    tall = max(sum(box.height for box in boxes) + APART * (len(boxes) - 1), centre.height)
    middle = tall / 2

    def paint(parent: ET.Element, x: float, y: float) -> None:
        many, one = (x, x + wide + between) if forward else (x + centre.width + between, x)
        column = sum(box.height for box in boxes) + APART * (len(boxes) - 1)
        tops = list(accumulate((box.height + APART for box in boxes), initial=y + (tall - column) / 2))
        outer = (one if forward else one + centre.width, y + middle)
        spots = [(many + (wide if forward else 0), top + box.height / 2) for top, box in zip(tops, boxes, strict=False)]
        for edge, inner in sorted(zip(edges, spots, strict=True), key=lambda pair: pair[0].strong):
            arrow(parent, inner, outer, lit=edge.strong)
        for edge, (a, b), top, box in zip(edges, spots, tops, boxes, strict=False):
            spot = (a + NEARER * (outer[0] - a), b + NEARER * (outer[1] - b) - 9)
            write(parent, edge.weight, *spot, "", "middle", paint_order="stroke", style=HALO)
            box.paint(parent, many + (wide - box.width if forward else 0), top)
        centre.paint(parent, one, y + middle - centre.height / 2)

    return Box(wide + between + centre.width, tall, paint)


NEARER = 0.38
"""Where on an edge its letters stand."""
HALO = "stroke:var(--chainrule-paper);stroke-width:4px;stroke-linejoin:round"
"""So that an edge does not cross out the letters on it."""


def neuron(step: DerivationStep, speaker: Speaker) -> Box:
    """The terms of a step as edges; their sum is the number of the step."""
    parts = [part for part in step.parts if not part.alternative]
    edges = [edge for part in parts for edge in _edges(part, speaker)]
    largest = max(abs(term.value) for part in parts for term in part.terms) if parts else 0.0
    lit = [
        Edge(edge.name, edge.value, edge.weight, bool(largest) and size == largest)
        for edge, size in zip(edges, _sizes(parts), strict=True)
    ]
    centre = tagged(_text(step.symbol), plain(step.result))
    return fan(lit, centre, forward=step.kind == "value")


def _sizes(parts: Sequence[Part]) -> list[float]:
    return [
        size for part in parts for size in [*(abs(t.value) for t in part.terms), *([0.0] if part.rest_count else [])]
    ]


def _edges(part: Part, speaker: Speaker) -> list[Edge]:
    found = [_edge(term, speaker) for term in part.terms]
    if part.rest_count:
        found.append(Edge("…", speaker(say("drawing_more", count=part.rest_count, total=part.rest_total))))
    return found


def _edge(term: Term, speaker: Speaker) -> Edge:
    """The factor of a node as a box, the other one at the edge; a bias is a box of its own."""
    nodes = [factor for factor in term.factors if factor.place is not None and factor.place.is_node]
    if not nodes:
        return Edge(speaker(say("drawing_bias")), plain(term.value), "+")
    box = next(
        (factor for factor in nodes if factor.place is not None and factor.place.quantity == "gradient"), nodes[0]
    )
    others = [factor for factor in term.factors if factor is not box]
    return Edge(_text(box.symbol), plain(box.value), " ".join(f"· {plain(factor.value)}" for factor in others))


def branch(step: DerivationStep, speaker: Speaker) -> Box:
    """The layers that take a number, each with its share of the gradient."""
    shares: dict[str, list[Part]] = {}
    for part in step.parts:
        if not part.alternative:
            shares.setdefault(part.node, []).append(part)
    edges = [
        Edge(node, parts[0].layer, plain(sum(part.total for part in parts)), strong=True)
        for node, parts in shares.items()
    ]
    return fan(edges, tagged(_text(step.symbol), plain(step.result)), forward=False)


def _text(symbol: Expr) -> str:
    return to_text(symbol, 4)


__all__ = ["branch", "fan", "neuron"]
