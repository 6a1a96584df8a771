"""What the cells of the book draw with: numbers, figures in the page's language, embedded explorers."""

from __future__ import annotations

import html
import io
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import chainrule as cr

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Page:
    """The page whose cells run: its language, where its files go and how they are linked."""

    lang: str
    folder: Path
    url: str


page = Page("en", Path(), "")
"""Set by the build for each page."""


def say(english: str, chinese: str) -> str:
    """The one of two texts that is in the page's language."""
    return chinese if page.lang == "zh" else english


def number(value: Any, digits: int = 6) -> str:
    """A number as prose shows it: six significant digits, a true minus sign."""
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return f"{int(value):,}".replace("-", "−")
    text = f"{float(value):.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return f"{mantissa} · 10^{int(exponent)}".replace("-", "−")
    return text.replace("-", "−")


@dataclass(frozen=True)
class Drawing:
    """An SVG in the page, with the sentence that a screen reader says for it."""

    svg: str
    alt: str

    def _repr_html_(self) -> str:
        body = re.sub(r"^.*?(?=<svg)", "", self.svg, flags=re.DOTALL)
        body = body.replace("<svg", f'<svg role="img" aria-label="{html.escape(self.alt)}"', 1)
        return f'<div class="drawing">{body}</div>'


def drawing(svg: str, *, alt: tuple[str, str]) -> Drawing:
    """A drawing from its SVG text; `alt` says in English and Chinese what is to be seen."""
    return Drawing(svg, say(*alt))


def curve(figure: Figure, *, alt: tuple[str, str]) -> Drawing:
    """A drawing from a figure of matplotlib; its black becomes the colour of the page's text."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chainrule"}):
        figure.savefig(out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = re.sub(r"#000000|(?<=[: ])black", "currentColor", out.getvalue())
    svg = svg.replace("<text ", '<text fill="currentColor" ')
    return Drawing(svg, say(*alt))


_embedded: dict[Path, int] = {}


@dataclass(frozen=True)
class Embedded:
    """A frame that shows a file of its own."""

    url: str
    title: str
    height: int

    def _repr_html_(self) -> str:
        title = html.escape(self.title)
        new = say("Open it alone", "单独打开")
        return (
            f'<iframe class="explorer" src="{self.url}" title="{title}" height="{self.height}" loading="lazy"></iframe>'
            f'<p class="explorer-link"><a href="{self.url}" target="_blank">{new}</a></p>'
        )


def embed(
    net: cr.Network, x: Any, targets: Any, *, loss: cr.Loss, of: str, title: tuple[str, str], height: int = 640
) -> Embedded:
    """An explorer of one network in the page: its tour ends at the gradient `of`; `title` says what it shows."""
    count = _embedded[page.folder] = _embedded.get(page.folder, 0) + 1
    explorer = cr.explorer(net, np.asarray(x), np.asarray(targets), loss, goals=(of,))
    name = explorer.save(page.folder / f"explorer-{count}.html", budget=2**20).name
    return Embedded(f"{page.url}{name}#lang={page.lang}", say(*title), height)


ARROWS = (
    '<defs><marker id="{key}-there" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker>'
    '<marker id="{key}-back" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" class="back-head"/></marker></defs>'
)
RADIUS = 25
_drawn = itertools.count()


def graph(
    nodes: dict[str, tuple[float, float]],
    edges: list[tuple[str, str, str] | tuple[str, str, str, float]],
    *,
    alt: tuple[str, str],
    backward: bool = False,
    values: dict[str, str] | None = None,
) -> Drawing:
    """Circles at places, and arrows between them with a word above each.

    `nodes` maps a label to its column and row; `edges` are from, to, word, and how far along the word stands. With
    `backward` the arrows lead back, in the colour of gradients. `values` are written under the circles.
    """
    key, radius, apart, deep = f"g{next(_drawn)}", RADIUS, 138, 104
    width = 76 + apart * max(column for column, _ in nodes.values())
    height = 82 + deep * max(row for _, row in nodes.values()) + (18 if values else 0)
    where = {label: (38 + apart * column, 44 + deep * row) for label, (column, row) in nodes.items()}
    parts = [ARROWS.format(key=key)]
    for start, end, word, *along in edges:
        parts += _arrow(where[start], where[end], word, key, backward, *along)
    for label, (x, y) in where.items():
        parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" class="node"/><text x="{x}" y="{y + 5}">{label}</text>')
        if values and label in values:
            parts.append(f'<text x="{x}" y="{y + radius + 17}" class="small">{values[label]}</text>')
    svg = f'<svg viewBox="0 0 {width} {height}" width="{width}" class="graph">{"".join(parts)}</svg>'
    return drawing(svg, alt=alt)


def _arrow(
    start: tuple[float, float], end: tuple[float, float], word: str, key: str, backward: bool, along: float = 0.5
) -> list[str]:
    """A line between two circles, with its word beside the middle."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    ex, ey = (x1 - x0) / length, (y1 - y0) / length
    a, b = (x0 + ex * (RADIUS + 3), y0 + ey * (RADIUS + 3)), (x1 - ex * (RADIUS + 4), y1 - ey * (RADIUS + 4))
    if backward:
        a, b = (b[0] + ex, b[1] + ey), (a[0] + ex, a[1] + ey)
    kind, head = ("backward", "back") if backward else ("forward", "there")
    x, y = x0 + along * (x1 - x0), y0 + along * (y1 - y0) - 9
    if abs(ey) >= 0.3:
        aside = 8 + 3.4 * len(word)
        x, y = x + (aside if ey > 0 else -aside), y + 3
    colour = "small back" if backward else "small"
    return [
        f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
        f'marker-end="url(#{key}-{head})"/>',
        f'<text x="{x:.1f}" y="{y:.1f}" class="{colour}">{word}</text>',
    ]


def chain(
    nodes: list[str],
    steps: list[str],
    *,
    alt: tuple[str, str],
    backward: bool = False,
    values: dict[str, str] | None = None,
) -> Drawing:
    """Circles in a row, an arrow from each to the next, with what happens on the way written above it."""
    places = {label: (float(at), 0.0) for at, label in enumerate(nodes)}
    edges = [(nodes[at], nodes[at + 1], word) for at, word in enumerate(steps)]
    return graph(places, edges, alt=alt, backward=backward, values=values)
