"""Boxes that are put beside and below one another, and painted as SVG: the few parts all drawings are made of."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.explain.colours import scheme
from chainrule.explain.messages import Language

NAMESPACE = "http://www.w3.org/2000/svg"
MARGIN = 12.0
GAP = 18.0
SIZE = 13.0
"""Height of letters, in pixels."""
STYLE = """
.chainrule-drawing{background:var(--chainrule-paper);max-width:none;
  font:13px system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;
  font-variant-numeric:tabular-nums}
.chainrule-drawing text{fill:var(--chainrule-ink);stroke:none}
.chainrule-drawing .quiet{fill:var(--chainrule-quiet);font-size:12px}
.chainrule-drawing .small{fill:var(--chainrule-quiet);font-size:11px}
.chainrule-drawing .strong{font-weight:650}
.chainrule-drawing .big{font-size:20px;fill:var(--chainrule-quiet)}
.chainrule-drawing .cell{fill:var(--chainrule-paper);stroke:var(--chainrule-line)}
.chainrule-drawing .positive{fill:var(--chainrule-positive);stroke:none}
.chainrule-drawing .negative{fill:var(--chainrule-negative);stroke:none}
.chainrule-drawing .outside{fill:var(--chainrule-faint);stroke:var(--chainrule-line);stroke-dasharray:2 2}
.chainrule-drawing .window{fill:none;stroke:var(--chainrule-lit);stroke-width:2.5}
.chainrule-drawing .here{fill:none;stroke:var(--chainrule-here);stroke-width:2.5}
.chainrule-drawing .winner{fill:none;stroke:var(--chainrule-winner);stroke-width:2.5}
.chainrule-drawing .node{fill:var(--chainrule-box);stroke:var(--chainrule-line)}
.chainrule-drawing .node.lit{stroke:var(--chainrule-lit);stroke-width:2.5}
.chainrule-drawing .edge{fill:none;stroke:var(--chainrule-line);stroke-width:1.5}
.chainrule-drawing .edge.lit{stroke:var(--chainrule-lit);stroke-width:2.5}
.chainrule-drawing .head{fill:var(--chainrule-line);stroke:none}
.chainrule-drawing .head.lit{fill:var(--chainrule-lit)}
"""


@dataclass(frozen=True)
class Box:
    """Something of a size that paints itself at a place."""

    width: float
    height: float
    paint: Callable[[ET.Element, float, float], None]


def shape(parent: ET.Element, tag: str, **attributes: object) -> ET.Element:
    """An element; numbers in at most one decimal, `css` is the class."""
    written = {
        {"css": "class"}.get(name, name.replace("_", "-")): f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    return ET.SubElement(parent, tag, written)


def width_of(text: str, size: float = SIZE) -> float:
    """About how wide a text is: a Chinese letter is a square, others are narrower."""
    return (
        sum(0.0 if unicodedata.combining(c) else 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.58 for c in text)
        * size
    )


def write(
    parent: ET.Element, text: str, x: float, y: float, css: str = "", anchor: str = "start", **more: object
) -> None:
    """A line of text; y is its middle."""
    attributes: dict[str, object] = {"x": x, "y": y + 4.5, "text_anchor": anchor, **more}
    if css:
        attributes["css"] = css
    shape(parent, "text", **attributes).text = text


def label(text: str, css: str = "", size: float = SIZE) -> Box:
    """A line of text as a box."""
    width = width_of(text, size)
    return Box(width, size * 1.4, lambda parent, x, y: write(parent, text, x, y + size * 0.7, css))


def lines(texts: Sequence[str], css: str = "") -> Box:
    """Lines of text below one another."""
    return above(*(label(text, css) for text in texts), gap=1)


def beside(*boxes: Box, gap: float = GAP, middle: bool = True) -> Box:
    """Boxes in a row, on one middle line."""
    height = max(box.height for box in boxes)

    def paint(parent: ET.Element, x: float, y: float) -> None:
        for box in boxes:
            box.paint(parent, x, y + (height - box.height) / 2 * middle)
            x += box.width + gap

    return Box(sum(box.width for box in boxes) + gap * (len(boxes) - 1), height, paint)


def above(*boxes: Box, gap: float = 6.0, centred: bool = False) -> Box:
    """Boxes in a column."""
    width = max(box.width for box in boxes)

    def paint(parent: ET.Element, x: float, y: float) -> None:
        for box in boxes:
            box.paint(parent, x + (width - box.width) / 2 * centred, y)
            y += box.height + gap

    return Box(width, sum(box.height for box in boxes) + gap * (len(boxes) - 1), paint)


def folded(text: str, width: float) -> list[str]:
    """A text in lines of about `width` pixels, broken at spaces and between Chinese letters."""
    found, line = [], ""
    for word in _words(text):
        if line and width_of(line + word.rstrip()) > width:
            found.append(line.rstrip())
            line = ""
        line += word
    return [*found, line.rstrip()]


def _words(text: str) -> list[str]:
    found = [""]
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        closes = wide and not c.isalnum()
        if found[-1] and not closes and (wide or found[-1].endswith(" ") or _is_wide(found[-1][-1])):
            found.append("")
        found[-1] += c
    return found


def _is_wide(c: str) -> bool:
    return unicodedata.east_asian_width(c) in "WF"


def arrow(parent: ET.Element, start: tuple[float, float], end: tuple[float, float], lit: bool = False) -> None:
    """A straight arrow."""
    (x1, y1), (x2, y2) = start, end
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-9)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    more = " lit" if lit else ""
    base = (x2 - 8 * dx, y2 - 8 * dy)
    shape(parent, "line", x1=x1, y1=y1, x2=base[0], y2=base[1], css=f"edge{more}")
    points = [(x2, y2), (base[0] - 4.5 * dy, base[1] + 4.5 * dx), (base[0] + 4.5 * dy, base[1] - 4.5 * dx)]
    shape(parent, "polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), css=f"head{more}")


def svg(content: Box, title: str, description: str, lang: Language, styled: bool = True) -> str:
    """The drawing as SVG, with a name and a description for those who do not see it; not `styled` within a page that
    has `STYLE`."""
    width, height = content.width + 2 * MARGIN, content.height + 2 * MARGIN
    root = ET.Element(
        "svg",
        {
            "xmlns": NAMESPACE,
            "class": "chainrule-drawing",
            "role": "img",
            "lang": "zh-Hans" if lang == "zh" else "en",
            "width": f"{width:.0f}",
            "height": f"{height:.0f}",
            "viewBox": f"0 0 {width:.0f} {height:.0f}",
        },
    )
    shape(root, "title").text = title
    shape(root, "desc").text = description
    if styled:
        shape(root, "style").text = scheme(".chainrule-drawing") + STYLE
    content.paint(root, MARGIN, MARGIN)
    return ET.tostring(root, encoding="unicode")
