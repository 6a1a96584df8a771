"""A graph of boxes as SVG: each row one step further from the input, arrows from box to box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.display.tables import BLUE, text

ROW, HIGH, GAP, MARGIN = 58, 36, 18, 10
"""Pixels from row to row, of a box, between boxes, around everything."""
LANE = 14
LETTER, BOLD = 6.4, 7.6
"""Pixels of a letter of a box's second line and of its name, wide ones counted twice."""
LONGEST = 40
MOST = 200
"""Boxes of a drawing; a larger graph is told by its table."""


@dataclass(frozen=True)
class Box:
    """A node of the graph: what it is called, what it is, and the earlier boxes that lead to it."""

    name: str
    more: str
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Place:
    left: float
    top: float
    width: float
    row: int

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def drawing(boxes: Sequence[Box], title: str) -> str:
    """The graph; nothing where it has more than `MOST` boxes."""
    if len(boxes) > MOST:
        return ""
    places = _placed(boxes)
    edges = [(places[source], places[i]) for i, box in enumerate(boxes) for source in box.inputs]
    right = max(place.left + place.width for place in places)
    around = [edge for edge in edges if edge[1].row - edge[0].row > 1]
    lanes = {edge: right + LANE * (number + 1) for number, edge in enumerate(dict.fromkeys(around))}
    paths = "".join(_arrow(*edge, lanes.get(edge)) for edge in edges)
    shapes = "".join(_box(box, place) for box, place in zip(boxes, places, strict=True))
    width, height = max([right, *lanes.values()]) + MARGIN, max(place.top for place in places) + HIGH + MARGIN
    tip = (
        '<marker id="chainrule-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    )
    tip += '<path d="M0 0 8 4 0 8z" fill="currentColor" fill-opacity=".6"/></marker>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{text(title)}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"><defs>{tip}</defs>{paths}{shapes}</svg>'
    )


def _placed(boxes: Sequence[Box]) -> list[_Place]:
    """Rows by the longest way from the input; within a row in the order of what leads there, all rows centred."""
    rows: list[int] = []
    for box in boxes:
        rows.append(1 + max((rows[source] for source in box.inputs), default=-1))
    widths = [max(_wide(box.name) * BOLD, _wide(box.more) * LETTER) + 18 for box in boxes]
    order: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        order.setdefault(row, []).append(index)
    whole = max(sum(widths[i] for i in row) + GAP * (len(row) - 1) for row in order.values())
    places: dict[int, _Place] = {}
    for row, members in sorted(order.items()):
        members.sort(key=lambda i: sum(places[s].middle for s in boxes[i].inputs) / max(len(boxes[i].inputs), 1))
        left = MARGIN + (whole - sum(widths[i] for i in members) - GAP * (len(members) - 1)) / 2
        for i in members:
            places[i] = _Place(left, MARGIN + row * ROW, widths[i], row)
            left += widths[i] + GAP
    return [places[i] for i in range(len(boxes))]


def _wide(said: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in _cut(said))


def _cut(said: str) -> str:
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def _arrow(source: _Place, target: _Place, lane: float | None) -> str:
    """From box to box; past the rows between on a lane to the right, turning in the gaps where no box is."""
    below, above = source.top + HIGH, target.top
    path = f"M{source.middle:.1f} {below:.1f} "
    if lane is None:
        path += f"L{target.middle:.1f} {above:.1f}"
    else:
        turn = (ROW - HIGH) / 3
        path += f"V{below + turn:.1f} H{lane:.1f} V{above - turn:.1f} H{target.middle + 10:.1f} V{above:.1f}"
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity=".5" stroke-linejoin="round" '
        f'marker-end="url(#chainrule-tip)"/>'
    )


def _box(box: Box, place: _Place) -> str:
    lines = [
        f'<text x="{place.middle:.1f}" y="{place.top + y}" text-anchor="middle" font-size="{size}" '
        f'fill="currentColor"{style}>{text(_cut(said))}</text>'
        for said, y, size, style in ((box.name, 15, 12, ' font-weight="bold"'), (box.more, 29, 11, ' opacity=".75"'))
    ]
    return (
        f'<rect x="{place.left:.1f}" y="{place.top}" width="{place.width:.1f}" height="{HIGH}" rx="6" fill="{BLUE}" '
        f'fill-opacity=".12" stroke="{BLUE}"/>{"".join(lines)}'
    )
