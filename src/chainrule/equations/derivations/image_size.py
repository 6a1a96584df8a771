"""How the number of parameters grows with the image: fully connected against convolutional (S2-H01, S2-H02, S3-C01).

The fully connected network is n*n*channels -> 100 -> 10. The convolutional one has 6 and 16 filters of 5x5,
each followed by a 2x2 pool, and either a flattened head 120 - 84 - 10 or a global average and one dense layer
16 -> 10. Convolution parameters do not depend on n. A flattened head does, and can cost more than it saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from chainrule.equations.counts import convolution_parameters, dense_parameters
from chainrule.shapes import Window, integer

FILTERS = (6, 16)
HEAD = (120, 84, 10)
HIDDEN = 100
CLASSES = 10


class ImageSizeRow(NamedTuple):
    """Parameters for images of size x size."""

    size: int
    dense: int
    convolution: int
    flattened: int
    """Features where the flattened head begins; not a count of parameters."""
    flattened_head: int
    average_head: int


def dense_chain(*features: int) -> int:
    """Parameters of dense layers in a row."""
    return sum(dense_parameters(a, b) for a, b in pairwise(features))


def image_size_row(size: int, channels: int = 1) -> ImageSizeRow:
    """The counts for one image size."""
    integer("size", size, 16)
    side = (size, size)
    for _ in FILTERS:
        side = Window((2, 2), (2, 2)).output_size(Window((5, 5)).output_size(side))
    flattened = FILTERS[-1] * side[0] * side[1]
    convolution = sum(convolution_parameters(a, b, 5) for a, b in pairwise((channels, *FILTERS)))
    return ImageSizeRow(
        size=size,
        dense=dense_chain(size * size * channels, HIDDEN, CLASSES),
        convolution=convolution,
        flattened=flattened,
        flattened_head=convolution + dense_chain(flattened, *HEAD),
        average_head=convolution + dense_chain(FILTERS[-1], CLASSES),
    )


def block_detector_parameters(size: int) -> tuple[int, int]:
    """(fully connected, convolutional) parameters to find a 2x2 block in a size x size image (S2-F02)."""
    rows, columns = Window((2, 2)).output_size((size, size))
    return dense_parameters(size * size, rows * columns), convolution_parameters(1, 1, 2)


def image_size_report(sizes: Iterable[int] = (28, 32, 64, 128, 224), channels: int = 1) -> str:
    """The counts of several image sizes as a table of text."""
    titles = (
        "  image",
        "fully connected",
        "convolutions",
        "flattened",
        "CNN, flattened head",
        "CNN, average head",
    )
    lines = ["  ".join(titles)]
    for row in (image_size_row(size, channels) for size in sizes):
        cells = (f"{row.size}x{row.size}", *(f"{count:,}" for count in row[1:]))
        lines.append("  ".join(f"{cell:>{len(title)}}" for cell, title in zip(cells, titles, strict=True)))
    return "\n".join(lines)
