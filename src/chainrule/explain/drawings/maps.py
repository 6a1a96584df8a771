"""A map of numbers by itself, for those who write about it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chainrule.errors import ShapeError
from chainrule.explain.drawings.canvas import svg
from chainrule.explain.drawings.grids import captioned, grid
from chainrule.explain.drawings.texts import matrix
from chainrule.explain.messages import Language, say
from chainrule.explain.terms import Table


def map_drawing(
    numbers: ArrayLike,
    title: str,
    lang: Language = "en",
    *,
    window: tuple[int, int, int, int] | None = None,
    here: tuple[int, int] | None = None,
    padding: int = 0,
    styled: bool = True,
) -> str:
    """The SVG of a matrix: `window` is (row, column, rows, columns), `here` one cell, `padding` the ring of zeros."""
    array = np.asarray(numbers, float)
    if array.ndim != 2:
        raise ShapeError(f"a map of numbers has rows and columns, but this has the shape {array.shape}")
    marks: dict[tuple[int, int], str] = {}
    height, width = array.shape
    for r, c in np.ndindex(height, width):
        if min(r, c, height - 1 - r, width - 1 - c) < padding:
            marks[r, c] = "zero"
    if window is not None:
        top, left, rows, columns = window
        marks |= {(r, c): "window" for r in range(top, top + rows) for c in range(left, left + columns)}
    if here is not None:
        marks[here] = f"{marks.get(here, '')} here".removeprefix("zero").strip()
    cells = tuple(tuple(float(value) for value in row) for row in array)
    labels = tuple(map(str, range(height))), tuple(map(str, range(width)))
    table = Table(say("drawing_network"), cells, marks, *labels)
    return svg(captioned(grid(table), title), title, matrix(table), lang, styled)
