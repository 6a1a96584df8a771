"""Headings and tables as HTML."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

from chainrule.errors import shown

STYLE = "font:13px/1.4 system-ui,sans-serif;font-variant-numeric:tabular-nums;border-collapse:collapse"
LINE = "border-bottom:1px solid rgba(128,128,128,.35)"
BLUE, ORANGE = "#3d85c6", "#d9741f"
"""Read on white and on black alike."""


def text(value: object) -> str:
    """Foreign text for HTML: on one line, nothing in it steers, nothing in it is a tag."""
    return html.escape(shown(value))


def div(*parts: str) -> str:
    """Parts one below another, as one piece of a page."""
    return f'<div style="{STYLE};color:inherit;overflow-x:auto">{"".join(parts)}</div>'


def heading(title: str, more: str = "") -> str:
    """A line in bold, with what else there is to say behind it."""
    return f'<p style="margin:.3em 0"><b>{text(title)}</b>{f" {text(more)}" if more else ""}</p>'


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    total: Sequence[object] = (),
    *,
    left: int = 1,
    wrong: Collection[int] = (),
    shades: Sequence[Sequence[float]] = (),
) -> str:
    """A table whose first `left` columns are texts, and the others numbers.

    Rows in `wrong` are marked; `shades` (0 to 1) tint the cells of each row behind the first.
    """

    def line(cells: Sequence[object], tag: str, number: int = -1) -> str:
        tinted = shades[number] if 0 <= number < len(shades) else ()
        inner = "".join(
            f'<{tag} style="text-align:{"left" if i < left else "right"};padding:.15em .6em{_tint(tinted, i)}">'
            f"{text(cell)}</{tag}>"
            for i, cell in enumerate(cells)
        )
        marked = f' style="color:{ORANGE};font-weight:bold"' if number in wrong else ""
        return f"<tr{marked}>{inner}</tr>"

    body = "".join(line(row, "td", number) for number, row in enumerate(rows))
    foot = f"<tfoot>{line(total, 'th')}</tfoot>" if total else ""
    return f'<table><thead style="{LINE}">{line(headings, "th")}</thead><tbody>{body}</tbody>{foot}</table>'


def _tint(shades: Sequence[float], column: int) -> str:
    share = shades[column - 1] if 0 < column <= len(shades) else 0
    return f";background:rgba(61,133,198,{0.75 * share:.2f})" if share else ""
