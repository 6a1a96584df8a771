"""Which pixel, which kernel entry and which output place meet: the index pattern behind every convolution formula.

A meeting (place, tap, pixel) says that w[tap] x[pixel] is one summand of y[place]. Sorted by place the
meetings are the forward sums (S1-E05, S2-E15); by pixel, the sums of dE/dx (S1-E06..E10, S2-E16..E24); by
tap, those of dE/dw (S1-E13, S1-E14, S2-E32..E35). Indices start at 0; `write_terms` counts from 1 as S1, S2
and S3 do (ERX-05).
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from chainrule.equations.convolution import CONVENTIONS, Convention
from chainrule.errors import ArgumentError
from chainrule.shapes import Pair, Window, choice


class Meeting(NamedTuple):
    """w[tap] x[pixel] is a summand of y[place]."""

    place: Pair
    tap: Pair
    pixel: Pair


def meetings(size: Pair, window: Window, mode: Convention = "correlation") -> list[Meeting]:
    """All meetings on a map of `size`, in row-major order of the places, then of the taps.

    pixel = place S + tap D - P for correlation (S4-E26, ER2-13); for convolution the kernel lies the other
    way round, pixel = place S + (F - 1 - tap) D - P (S0-E04). Pixels on the padding are zeros and have no
    meeting.
    """
    choice("mode", mode, CONVENTIONS)
    top, _, left, _ = window.sides(size)
    rows, columns = window.output_size(size)
    kh, kw = window.kernel_size
    found = []
    for p, q, i, j in product(range(rows), range(columns), range(kh), range(kw)):
        row, column = (i, j) if mode == "correlation" else (kh - 1 - i, kw - 1 - j)
        x = p * window.stride[0] + row * window.dilation[0] - top
        y = q * window.stride[1] + column * window.dilation[1] - left
        if 0 <= x < size[0] and 0 <= y < size[1]:
            found.append(Meeting((p, q), (i, j), (x, y)))
    return found


def forward_terms(place: Pair, size: Pair, window: Window, mode: Convention = "correlation") -> list[Meeting]:
    """The summands w[tap] x[pixel] of y[place] (S1-E04, S1-E05, S2-E15, S3-E06, S3-E19)."""
    return [m for m in meetings(size, window, mode) if m.place == place]


def input_gradient_terms(pixel: Pair, size: Pair, window: Window, mode: Convention = "correlation") -> list[Meeting]:
    """The summands dy[place] w[tap] of dE/dx[pixel] (S1-E06..E10, S2-E16..E24, S0-E17)."""
    return [m for m in meetings(size, window, mode) if m.pixel == pixel]


def weight_gradient_terms(tap: Pair, size: Pair, window: Window, mode: Convention = "correlation") -> list[Meeting]:
    """The summands dy[place] x[pixel] of dE/dw[tap] (S1-E13 as ER1-09 corrects it, S1-E14, S2-E32..E35, S0-E10)."""
    return [m for m in meetings(size, window, mode) if m.tap == tap]


def write_terms(terms: list[Meeting], first: tuple[str, str], second: tuple[str, str], base: int = 1) -> str:
    """Terms as the sources print them, "d11 h22 + d12 h21": each factor is (letter, "place" | "tap" |
    "pixel")."""
    for _, kind in (first, second):
        if kind not in Meeting._fields:
            raise ArgumentError(f"a factor has an index by {' or '.join(Meeting._fields)}, not by {kind!r}")

    def factor(term: Meeting, letter: str, kind: str) -> str:
        row, column = getattr(term, kind)
        comma = "," if max(row, column) + base > 9 else ""
        return f"{letter}{row + base}{comma}{column + base}"

    return " + ".join(f"{factor(term, *first)} {factor(term, *second)}" for term in terms)
