"""What the cells of the book draw with: numbers, figures in the page's language, embedded explorers."""

from __future__ import annotations

import html
import io
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
    net: cr.Network, x: Any, targets: Any, *, loss: cr.Loss, of: str, title: tuple[str, str], height: int = 560
) -> Embedded:
    """An explorer of one network in the page: `of` names the gradient it opens at, `title` says what it shows."""
    count = _embedded[page.folder] = _embedded.get(page.folder, 0) + 1
    name = f"explorer-{count}.html"
    story = cr.explain(net, np.asarray(x), np.asarray(targets), loss, of=of, lang=page.lang)
    (page.folder / name).write_text(story.html(), encoding="utf-8")
    return Embedded(page.url + name, say(*title), height)


def chain(nodes: list[str], steps: list[str], *, alt: tuple[str, str]) -> Drawing:
    """Circles in a row, an arrow from each to the next, with what happens on the way written above it."""
    apart, radius, top = 150, 26, 50
    parts = []
    for at, label in enumerate(nodes):
        x = 40 + at * apart
        parts.append(
            f'<circle cx="{x}" cy="{top}" r="{radius}" class="node"/><text x="{x}" y="{top + 6}">{label}</text>'
        )
    for at, label in enumerate(steps):
        left, right = 40 + at * apart + radius + 4, 40 + (at + 1) * apart - radius - 6
        parts.append(f'<line class="forward" x1="{left}" y1="{top}" x2="{right}" y2="{top}" marker-end="url(#arrow)"/>')
        parts.append(f'<text x="{(left + right) / 2}" y="{top - 12}" class="small">{label}</text>')
    width = 80 + (len(nodes) - 1) * apart
    head = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
    )
    return drawing(
        f'<svg viewBox="0 0 {width} 100" width="{width}" class="graph">{head}{"".join(parts)}</svg>', alt=alt
    )
