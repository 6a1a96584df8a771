"""How convolutional networks get by with fewer parameters: tables counted from the layers of real networks.

S2-H01 asks how the count grows with the image, S2-H02 by which means it shrinks (S0-C06, S3-C01). No values are
allocated: a layer knows its counts from shapes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chainrule.errors import GrammarError, ShapeError
from chainrule.grammar import Blueprint, parse_text
from chainrule.shapes import product

CONVOLUTIONS = "conv 6@5x5 -> relu -> maxpool 2 -> conv 16@5x5 -> relu -> maxpool 2"
HEADS = {
    "fully connected": "fc 100 -> relu -> fc 10",
    "convolutions": CONVOLUTIONS,
    "flatten head": f"{CONVOLUTIONS} -> fc 120 -> relu -> fc 84 -> relu -> fc 10",
    "average head": f"{CONVOLUTIONS} -> adaptiveavgpool 1 -> fc 10",
}


@dataclass(frozen=True)
class Table:
    """Rows of texts and numbers under headings. Prints in 80 columns; `note` says what the numbers show."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]
    note: str

    def column(self, heading: str) -> list[str | int]:
        """One column by its heading."""
        place = self.headings.index(heading)
        return [row[place] for row in self.rows]

    def __str__(self) -> str:
        cells = [[f"{c:,}" if isinstance(c, int) else c for c in row] for row in (self.headings, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        left = [isinstance(cell, str) for cell in self.rows[0]]
        lines = [
            "  ".join(
                c.ljust(w) if is_left else c.rjust(w) for c, w, is_left in zip(row, widths, left, strict=True)
            ).rstrip()
            for row in cells
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([self.title, "", lines[0], rule, *lines[1:], rule, textwrap.fill(self.note, 78)])

    __repr__ = __str__


def parameters_by_image_size(sizes: Iterable[int] = (28, 32, 64, 128, 224), channels: int = 1) -> Table:
    """Parameters of four networks on square images of growing size (S2-H01, W10).

    Dense layers n² -> 100 -> 10; two convolutions with pools; LeNet-5's dense layers on top of these; the average of
    each map and one dense layer on top of these. Raises ShapeError for images below 16x16.
    """
    rows = tuple(_size_row(size, channels) for size in sizes)
    if not rows:
        raise ShapeError("at least one image size is needed")
    first, last = rows[0], rows[-1]
    return Table(
        f"Parameters and image size, {channels} channel{'s' if channels > 1 else ''}",
        ("image", *HEADS, "flattened"),
        rows,
        f"From {first[0]} to {last[0]} the fully connected network grows from {first[1]:,} to {last[1]:,} parameters. "
        f"The convolutions keep {first[2]:,}: a kernel has no size of an image in it. "
        f"A head on the flattened maps does grow; the average of each map does not.",
    )


def _size_row(size: int, channels: int) -> tuple[str | int, ...]:
    try:
        networks = {name: parse_text(f"{channels}x{size}x{size} -> {text}") for name, text in HEADS.items()}
    except GrammarError as error:
        raise ShapeError(f"images of {channels}x{size}x{size} do not fit these networks: {error}") from None
    counts = [count_parameters(network) for network in networks.values()]
    return (f"{size}x{size}", *counts, product(_shapes(networks["convolutions"])[-1]))


def _shapes(blueprint: Blueprint) -> Sequence[tuple[int, ...]]:
    """The shape before each layer, and the last."""
    shapes = [blueprint.input_shape]
    for layer in blueprint.layers:
        shapes.append(layer.output_shape(shapes[-1]))
    return shapes


def count_parameters(blueprint: Blueprint) -> int:
    """Numbers in all layers."""
    pairs = zip(blueprint.layers, _shapes(blueprint), strict=False)
    return sum(sum(layer.parameter_counts(shape).values()) for layer, shape in pairs)


WAYS = (
    ("LeNet-5's C1, dense", "1x32x32 -> fc 4704"),
    ("  each unit sees 5x5 only", "1x32x32 -> local 6@5x5"),
    ("  ... and all share weights", "1x32x32 -> conv 6@5x5"),
    ("find a 2x2 block in 4x4, dense", "1x4x4 -> fc 9"),
    ("  ... by convolution", "1x4x4 -> conv 1@2x2"),
    ("find a 2x2 block in 32x32, dense", "1x32x32 -> fc 961"),
    ("  ... by convolution", "1x32x32 -> conv 1@2x2"),
    ("fc 120 after two convs, no pools", "16x24x24 -> fc 120"),
    ("  ... with two 2x2 pools", "16x5x5 -> fc 120"),
)


def ways_to_save() -> Table:
    """What gives a convolutional network fewer parameters (S2-H02): local links, shared weights, pools."""
    rows = tuple((what, text, count_parameters(parse_text(text))) for what, text in WAYS)
    return Table(
        "How parameters are saved",
        ("layer", "network", "parameters"),
        rows,
        "Local links skip far pixels. Shared weights let one kernel serve all places. "
        "Pools shrink the maps before the first dense layer, which has most parameters.",
    )
