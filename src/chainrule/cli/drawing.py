"""Pictures in a terminal: two pixels in each character where there is colour, shades of characters elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Array
from chainrule.data.images import resize

if TYPE_CHECKING:
    from rich.text import Text

SHADES, ASCII_SHADES = " ░▒▓█", " .:-=+*#%@"


def in_colours(picture: Array, width: int) -> Text:
    """A picture (rows, columns, 3) in 0..1, each character the upper and the lower of two pixels."""
    from rich.text import Text

    colours = (255 * _within(picture, width)).round().astype(int)
    if len(colours) % 2:
        colours = np.concatenate([colours, colours[-1:]])
    text = Text(no_wrap=True, end="")
    for upper, lower in zip(colours[::2].tolist(), colours[1::2].tolist(), strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append("▀", style=f"rgb({above[0]},{above[1]},{above[2]}) on rgb({below[0]},{below[1]},{below[2]})")
        text.append("\n")
    return text


def in_shades(picture: Array, width: int, shades: str) -> list[str]:
    """The brightness of a picture in characters, light as the strongest; twice as wide as high on the screen's grid."""
    if 2 * picture.shape[1] <= width:
        grey = np.repeat(picture.mean(axis=2), 2, axis=1)
    else:
        fitted = _within(picture, width).mean(axis=2)
        grey = resize(fitted, (max(1, fitted.shape[0] // 2), fitted.shape[1]))
    places = np.minimum((grey * len(shades)).astype(int), len(shades) - 1)
    return ["".join(shades[place] for place in row).rstrip() for row in places.tolist()]


def _within(picture: Array, width: int) -> Array:
    """The picture, scaled down where it has more columns than `width`."""
    rows, columns = picture.shape[:2]
    if columns <= width:
        return picture
    return resize(picture, (max(1, round(rows * width / columns)), width))
