"""More training images from few: copies that are moved by a pixel or two."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ShapeError
from chainrule.shapes import integer


def with_shifted_copies(
    images: Array, labels: Array, copies: int, *, pixels: int = 2, seed: int = 0
) -> tuple[Array, Array]:
    """The images and `copies` of each, moved by -pixels..pixels rows and columns; what comes in is 0. Labels likewise.

    images (n, channels, rows, columns) -> (n (1 + copies), channels, rows, columns), the given ones first.
    """
    if images.ndim != 4 or len(images) != len(labels):
        raise ShapeError(f"{len(labels)} labels need images (n, channels, rows, columns), not {images.shape}")
    count, most = integer("copies", copies, 0), integer("pixels", pixels, 0)
    rng = np.random.default_rng([seed, count, most])
    parts = [images]
    for _ in range(count):
        moves = rng.integers(-most, most + 1, (len(images), 2))
        parts.append(np.stack([shift(image, *move) for image, move in zip(images, moves.tolist(), strict=True)]))
    return np.concatenate(parts), np.tile(labels, 1 + count)


def shift(image: Array, down: int, right: int) -> Array:
    """(channels, rows, columns) moved down and to the right (or up and left, below 0), filled with 0."""
    moved = np.zeros_like(image)
    rows, columns = image.shape[1:]
    if abs(down) < rows and abs(right) < columns:
        to_rows, to_columns = _span(down, rows), _span(right, columns)
        from_rows, from_columns = _span(-down, rows), _span(-right, columns)
        moved[:, to_rows, to_columns] = image[:, from_rows, from_columns]
    return moved


def _span(by: int, size: int) -> slice:
    """Where the part that stays within `size` lies after a move by `by`."""
    return slice(max(by, 0), size + min(by, 0))
