"""Pictures from files, and the arithmetic that makes samples of them; above all digits as MNIST's makers made them.

A digit is found by its contrast with the border of the picture, cropped, scaled to fit 20x20 pixels in its own shape,
and put into 28x28 so that its centre of mass is the centre; light ink on black ground.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from chainrule.arrays import Array
from chainrule.atomic import write_atomically
from chainrule.errors import DataError, FileFormatError, MissingExtraError, StorageError

BOX = 20 / 28
"""Share of the width and height that a digit fills at most."""
LARGEST_SIDE = 800
"""Larger pictures are reduced to this as they are read."""
SEARCHED_SIDE = 200
"""A digit is looked for in a picture of at most this side; averaging takes the grain of photographs away."""
FAINT, FAINT_IN_GRAIN = 0.05, 0.25
"""Share of the strongest ink that the edge of a digit has at least, on a clean ground and on a grainy one."""
HALF = 0.5
"""MNIST's centres of mass lie in the middle of pixel (14, 14), half a pixel from the middle of the field."""
ORIENTATION = 0x0112
"""EXIF's tag of how a camera was held; from 5 on, rows and columns are exchanged."""
FAINTEST = 0.08
"""Contrast, of the full range, below which a picture counts as empty."""


def read_picture(path: str | Path) -> Array:
    """The picture in a PNG, JPEG, ... file as (rows, columns, 3) numbers in 0..1, transparent parts filled in.

    Raises StorageError for a file that cannot be opened, FileFormatError for one that is not a whole picture.
    """
    return cast(Array, _opened(path, lambda file, upright: _floats(upright(file))))


def picture_size(path: str | Path) -> tuple[int, int]:
    """(rows, columns) of a picture as it is to be seen, without reading its pixels. Raises as `read_picture`."""

    def size(file: Any, upright: Callable[[Any], Any]) -> tuple[int, int]:
        columns, rows = file.size
        return (columns, rows) if file.getexif().get(ORIENTATION, 1) >= 5 else (rows, columns)

    return cast(tuple[int, int], _opened(path, size))


def _opened(path: str | Path, use: Callable[[Any, Callable[[Any], Any]], object]) -> object:
    """What `use` makes of the open picture and of the function that turns a picture upright."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("reading pictures", "images") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged notes beside the pixels
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                return use(file, ImageOps.exif_transpose)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileFormatError(f"{path} is too large a picture; reduce it below 89 million pixels") from None
    except UnidentifiedImageError:
        raise FileFormatError(f"{path} is not a picture in a format that can be read (PNG, JPEG, ...)") from None
    except OSError as error:
        if error.errno is not None:
            raise StorageError(f"cannot read {path}: {error.strerror}") from None
        raise FileFormatError(f"{path} is a damaged picture: {error}") from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise FileFormatError(f"{path} is a damaged picture: {error}") from None


def write_png(path: str | Path, picture: Array) -> None:
    """Write a picture (rows, columns, 3) in 0..1 as a PNG file, whole or not at all."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("writing pictures", "images") from None
    data = io.BytesIO()
    Image.fromarray((255 * np.clip(picture, 0, 1)).round().astype(np.uint8)).save(data, format="png")
    write_atomically(Path(path), data.getvalue())


def _floats(image: Any) -> Array:
    """A Pillow image as (rows, columns, 3) in 0..1; its transparent parts get the ground that its ink asks for."""
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits of grey
        return np.repeat(_deep_grey(image)[..., None], 3, axis=2)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    pixels = np.asarray(image.convert("RGBA"), np.float64) / 255
    colors, alpha = pixels[..., :3], pixels[..., 3:]
    if alpha.min() == 1:
        return colors
    seen = float(alpha.sum())
    ink = float((colors * alpha).sum()) / (3 * seen) if seen else 0.0
    ground = 0.0 if ink > 0.5 else 1.0
    filled: Array = colors * alpha + ground * (1 - alpha)
    return filled


def _deep_grey(image: Any) -> Array:
    """16 bits of grey in 0..1; 32 bits, whose range is not known, from the darkest to the lightest."""
    grey = np.asarray(image, np.float64)
    reduction = min(1, LARGEST_SIDE / max(grey.shape))
    if reduction < 1:
        grey = resize(grey, (math.ceil(grey.shape[0] * reduction), math.ceil(grey.shape[1] * reduction)))
    if not np.isfinite(grey).all():
        raise ValueError("it holds NaN or infinity")
    if image.mode.startswith("I;16") or (image.mode == "I" and grey.min() >= 0 and 255 < grey.max() <= 65535):
        return np.asarray(grey / 65535)
    return np.asarray((grey - grey.min()) / max(float(np.ptp(grey)), 1e-300))


def as_digit(grey: Array, size: tuple[int, int] = (28, 28)) -> Array:
    """A grey picture (rows, columns) in 0..1, dark on light or light on dark, as a digit (1, *size) of uint8.

    Raises DataError where nothing stands out from the border.
    """
    ink, place = _found(grey)
    cut = ink[place]
    factor = min(BOX * size[0] / cut.shape[0], BOX * size[1] / cut.shape[1])
    small = (max(1, round(cut.shape[0] * factor)), max(1, round(cut.shape[1] * factor)))
    scaled = resize(cut, small)
    centred = _centre(scaled / scaled.max(), size)
    digit: Array = (255 * centred).round().astype(np.uint8)[None]
    return digit


def extent(grey: Array) -> tuple[slice, slice]:
    """The rows and columns of a grey picture in 0..1 that hold what stands out from its border.

    Raises DataError where nothing does.
    """
    ink, place = _found(grey)
    scales = (grey.shape[0] / ink.shape[0], grey.shape[1] / ink.shape[1])
    rows, columns = (
        slice(math.floor(part.start * scale), math.ceil(part.stop * scale))
        for part, scale in zip(place, scales, strict=True)
    )
    return rows, columns


def _found(grey: Array) -> tuple[Array, tuple[slice, slice]]:
    """The ink of a picture, reduced to `SEARCHED_SIDE`, and the rows and columns that it covers there."""
    reduction = min(1, SEARCHED_SIDE / max(grey.shape))
    ink, faint = _ink(resize(grey, (math.ceil(grey.shape[0] * reduction), math.ceil(grey.shape[1] * reduction))))
    rows, columns = np.flatnonzero(ink.max(axis=1) > faint), np.flatnonzero(ink.max(axis=0) > faint)
    return ink, (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))


def border(picture: Array) -> Array:
    """The pixels of the four edges, (count, ...), of a picture (rows, columns, ...)."""
    edges: Array = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return edges


def _ink(grey: Array) -> tuple[Array, float]:
    """How strongly each pixel differs from the ground, on the side where the ink is, and what counts as its edge."""
    edges = border(grey)
    ground = float(np.median(edges))
    darker, lighter = np.clip(ground - grey, 0, None), np.clip(grey - ground, 0, None)
    ink = darker if (darker**2).sum() >= (lighter**2).sum() else lighter
    peak = float(np.quantile(ink, 0.995)) if ink.size > 2000 else float(ink.max())
    peak = max(peak, 0.5 * float(ink.max()))
    if peak < FAINTEST:
        raise DataError("the picture is empty: nothing stands out from its border")
    grain = float(np.median(np.abs(edges - ground)))
    noise = min(0.5 * peak, 4 * grain)
    return np.clip((ink - noise) / (peak - noise), 0, 1), FAINT_IN_GRAIN if grain > 0.002 else FAINT


def resize(picture: Array, size: tuple[int, int]) -> Array:
    """(rows, columns, ...) at another size: each new pixel the mean of the area it covers."""
    for axis, length in enumerate(size):
        weights = _coverage(picture.shape[axis], length)
        picture = np.moveaxis(np.tensordot(weights, picture, axes=(1, axis)), 0, axis)
    return picture


def _coverage(old: int, new: int) -> Array:
    """(new, old): the share of each old pixel in each new one, rows summing to 1."""
    edges = np.linspace(0, old, new + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(old)
    overlap = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)
    shares: Array = overlap / overlap.sum(axis=1, keepdims=True)
    return shares


def _centre(digit: Array, size: tuple[int, int]) -> Array:
    """`digit` in a field of `size`, its centre of mass as near the middle as its extent allows."""
    field = np.zeros(size)
    begin = []
    for axis in (0, 1):
        mass = digit.sum(axis=1 - axis)
        centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
        place = math.floor(size[axis] / 2 + HALF - centre + 0.5)
        begin.append(min(max(place, 0), size[axis] - len(mass)))
    top, left = begin
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return field
