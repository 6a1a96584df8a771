"""Small drawings for the chapters: grids of numbers, arrows and curves as SVG that follows the page's theme.

Lines and letters take the page's own colour; fills are translucent, so that figures read in light and in dark.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from figures import Drawing, say

ORANGE, BLUE, GREEN, GREY = "#e07b19", "#3b7dd8", "#2f9e6e", "#8a8f98"
"""Positive numbers and what is looked at, negative numbers, a third thing, and what recedes."""

Place = tuple[int, int]


def short(value: float) -> str:
    """A number of a map: four digits at most, with the minus sign of print."""
    return f"{value:.4g}".replace("-", "−")


def listed(values: Iterable[float]) -> str:
    """Numbers one after the other, as prose lists them."""
    return say(", ", "、").join(short(float(value)) for value in values)


class Sketch:
    """A drawing on a canvas of `width` by `height`, which a notebook shows as SVG within the page."""

    def __init__(self, width: float, height: float, about: str) -> None:
        self.width, self.height, self.about = width, height, about
        self.parts: list[str] = []

    def text(self, x: float, y: float, words: str, *, size: float = 16, anchor: str = "middle", **more: Any) -> None:
        """`words` with their middle at height y."""
        style = _attributes({"fill": "currentColor", **more})
        self.parts.append(
            f'<text x="{x:g}" y="{y + size * 0.35:g}" font-size="{size:g}" text-anchor="{anchor}"{style}>'
            f"{escape(words)}</text>"
        )

    def box(self, x: float, y: float, width: float, height: float, **more: Any) -> None:
        """A rectangle."""
        style = _attributes({"fill": "none", "stroke": "currentColor", **more})
        self.parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{style}/>')

    def circle(self, x: float, y: float, radius: float, **more: Any) -> None:
        """A circle."""
        style = _attributes({"fill": "none", "stroke": "currentColor", **more})
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"{style}/>')

    def line(self, points: Sequence[tuple[float, float]], *, arrow: bool = False, **more: Any) -> None:
        """A line through the points, with a head at its end if it is an arrow."""
        style = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5, **more}
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(f'<polyline points="{path}"{_attributes(style)}/>')
        if arrow:
            self._head(points[-2], points[-1], style["stroke"])

    def _head(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        way = np.subtract(end, start)
        way = way / np.hypot(*way)
        side = np.array([-way[1], way[0]])
        corners = [np.array(end), np.array(end) - 9 * way + 4 * side, np.array(end) - 9 * way - 4 * side]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        self.parts.append(f'<polygon points="{path}" fill="{colour}"/>')

    def grid(
        self,
        x: float,
        y: float,
        values: Any,
        *,
        title: str = "",
        cell: float = 40,
        shade: bool = False,
        grey: Iterable[Place] = (),
        outline: Mapping[tuple[int, int, int, int], str] | None = None,
        mark: Mapping[Place, str] | None = None,
    ) -> None:
        """A map of numbers or words with its upper left corner at (x, y).

        `shade` colours each number by sign and size; `mark` fills places with a colour, `grey` makes them recede, and
        `outline` frames (row, column, rows, columns).
        """
        array = np.atleast_2d(np.asarray(values, dtype=object))
        most = max((abs(float(v)) for v in array.flat), default=1) or 1 if shade else 1
        faint = set(grey)
        if title:
            self.text(x + array.shape[1] * cell / 2, y - 16, title)
        for (r, c), value in np.ndenumerate(array):
            left, top = x + c * cell, y + r * cell
            fill, strength = (mark or {}).get((r, c)), 0.35
            if fill is None and shade and value:
                fill, strength = (ORANGE if value > 0 else BLUE), 0.06 + 0.34 * abs(float(value)) / most
            self.box(left, top, cell, cell, fill=fill or "none", fill_opacity=strength, stroke_opacity=0.35)
            words = value if isinstance(value, str) else short(float(value))
            size = min(16.0, cell * 1.35 / max(len(words), 2))
            self.text(left + cell / 2, top + cell / 2, words, size=size, opacity=0.45 if (r, c) in faint else 1)
        for (r, c, rows, columns), colour in (outline or {}).items():
            self.box(x + c * cell, y + r * cell, columns * cell, rows * cell, stroke=colour, stroke_width=3, rx=3)

    def pixels(self, x: float, y: float, size: float, array: Any, *, colours: str = "gray") -> None:
        """An image with sharp pixels; `colours` is a map of matplotlib's, a signed one has 0 in its middle."""
        from matplotlib.image import imsave

        page, values = io.BytesIO(), np.asarray(array, float)
        most = np.abs(values).max() or 1
        imsave(page, values, cmap=colours, vmin=0 if colours == "gray" else -most, vmax=most, format="png")
        data = base64.b64encode(page.getvalue()).decode()
        self.parts.append(
            f'<image x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/>'
        )
        self.box(x, y, size, size, stroke_opacity=0.4)

    def _repr_html_(self) -> str:
        opening = (
            f'<svg class="sketch" viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" '
            'style="max-width:100%;height:auto">'
        )
        return Drawing(opening + "".join(self.parts) + "</svg>", self.about)._repr_html_()


def _attributes(style: Mapping[str, Any]) -> str:
    return "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())


def axes(across: int = 1, height: float = 3.0) -> tuple[Any, Any]:
    """A figure of matplotlib with quiet axes, and the axes: one, or a list of `across`."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(1, across, figsize=(3.2 * max(across, 1.9), height), squeeze=False, layout="tight")
    for axis in grid[0]:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.patch.set_alpha(0)
    return figure, (grid[0][0] if across == 1 else list(grid[0]))
