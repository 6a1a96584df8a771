"""Curves over epochs as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from chainrule.display.tables import BLUE, ORANGE, text

WIDTH, HEIGHT = 330, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 38, 26
COLOURS = (BLUE, ORANGE)


def curves(title: str, x: Sequence[float], lines: Mapping[str, Sequence[float | None]]) -> str:
    """Lines over `x`, each of its own colour and called by its name; what is missing or not finite leaves a gap."""
    numbers = [v for line in lines.values() for v in line if v is not None and math.isfinite(v)]
    if not numbers:
        return ""
    ticks = _ticks(min(numbers), max(numbers))
    low, high = min(ticks[0], *numbers), max(ticks[-1], *numbers)
    first, last = x[0], x[-1]

    def place(at: float, value: float) -> tuple[float, float]:
        across = (at - first) / (last - first) if last > first else 0.5
        up = (value - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [_label(LEFT, 14, title, "start", bold=True)]
    parts += [_grid(place(first, tick)[1], f"{tick:g}") for tick in ticks]
    parts += [_label(place(at, low)[0], HEIGHT - 8, f"{at:g}", "middle") for at in dict.fromkeys((first, last))]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts += [_line([place(a, v) for a, v in part], colour) for part in _parts(x, line)]
        parts.append(_label(WIDTH - RIGHT, 14 + 13 * number, name, "end", colour=colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{text(title)}" width="{WIDTH}" '
        f'height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:100%">{"".join(parts)}</svg>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """About four round numbers that lie around `low` .. `high`."""
    span = high - low or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / 3))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (factor * step) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [k * step for k in range(first, max(last, first + 1) + 1)]


def _parts(x: Sequence[float], line: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """The pieces of a line between its gaps."""
    parts: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(x, line, strict=True):
        if value is not None and math.isfinite(value):
            parts[-1].append((at, value))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>'
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'


def _grid(y: float, name: str) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" opacity=".18"/>'
    return line + _label(LEFT - 6, y + 4, name, "end")


def _label(x: float, y: float, said: str, anchor: str, *, colour: str = "currentColor", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="11"{weight}>'
        f"{text(said)}</text>"
    )
