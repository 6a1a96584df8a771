"""How a picture becomes a sample of a data set: a few named steps that travel with every network trained on it.

A network knows pictures only as its data set made them. Digits of MNIST are cut out, scaled into a box and centred by
their mass; clothes, letters and photographs are not. `predict` therefore prepares pictures as the network's file says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.data.images import as_digit, border, extent, resize
from chainrule.errors import ArgumentError, ChainruleError, FileFormatError, NameLookupError, ShapeError
from chainrule.shapes import Shape, shape_text

Size = tuple[int, int]


def _light_on_dark(picture: Array, size: Size) -> Array:
    return 1 - picture if _ground(picture) > 0.5 else picture


def _dark_on_light(picture: Array, size: Size) -> Array:
    return 1 - picture if _ground(picture) < 0.5 else picture


def _crop(picture: Array, size: Size) -> Array:
    return picture[extent(picture.mean(axis=2))]


def _fit(picture: Array, size: Size) -> Array:
    factor = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
    rows, columns = (max(1, round(factor * length)) for length in picture.shape[:2])
    field = np.broadcast_to(np.median(border(picture), axis=0), (*size, picture.shape[2])).copy()
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    field[top : top + rows, left : left + columns] = resize(picture, (rows, columns))
    return field


def _stretch(picture: Array, size: Size) -> Array:
    return resize(picture, size)


def _mnist_digit(picture: Array, size: Size) -> Array:
    digit = as_digit(picture.mean(axis=2), size)[0] / 255
    return np.repeat(digit[..., None], picture.shape[2], axis=2)


def _ground(picture: Array) -> float:
    """The brightness of the border, which is taken for that of the ground."""
    return float(np.median(border(picture.mean(axis=2))))


@dataclass(frozen=True)
class _Step:
    """A step maps (rows, columns, channels) in 0..1 and the wanted size; `stage` says where it may stand."""

    says: str
    stage: int
    apply: Callable[[Array, Size], Array]


STEPS: Final = {
    "light-on-dark": _Step("inverted where the ground is light", 0, _light_on_dark),
    "dark-on-light": _Step("inverted where the ground is dark", 0, _dark_on_light),
    "crop": _Step("cut down to what stands out from the ground", 1, _crop),
    "fit": _Step("scaled in its shape until it fits, the rest filled with the ground", 2, _fit),
    "stretch": _Step("scaled to the size, its shape not kept", 2, _stretch),
    "mnist-digit": _Step(
        "found by its contrast, light on dark, scaled into 20 of 28 pixels, centred by its mass", 3, _mnist_digit
    ),
}
"""Every step there is. One of stage 2 ends a preparation; the step of stage 3 is a whole preparation by itself."""


@dataclass(frozen=True)
class Preparation:
    """Named steps from a picture to a sample, and the numbers that stand for black and white.

    `Preparation(("light-on-dark", "fit"))` inverts pictures with a light ground and scales them into the input's size.
    Size and channels are those of the network's input. Raises ArgumentError or NameLookupError for steps that do not
    exist or do not follow one another.
    """

    steps: tuple[str, ...]
    black: float = 0.0
    white: float = 1.0

    def __post_init__(self) -> None:
        steps = tuple(self.steps)
        for step in steps:
            if step not in STEPS:
                raise NameLookupError("step of a preparation", str(step), STEPS)
        stages = [STEPS[step].stage for step in steps]
        if stages != sorted(set(stages)) or not (stages == [3] or (stages and stages[-1] == 2)):
            raise ArgumentError(
                "a preparation is mnist-digit alone, or light-on-dark or dark-on-light (or neither), crop (or not), "
                f"and at the end fit or stretch; given: {', '.join(steps) or 'nothing'}"
            )
        if not (math.isfinite(self.black) and math.isfinite(self.white)) or self.black == self.white:
            raise ArgumentError(f"black and white must be two different numbers, not {self.black} and {self.white}")
        object.__setattr__(self, "steps", steps)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`, for steps: "light-on-dark, fit"."""
        return cls(tuple(step.strip().lower() for step in text.split(",")))

    @classmethod
    def measured(cls, images: Array) -> Self:
        """A preparation that fits images (n, channels, rows, columns) of which nothing else is known.

        Where nearly all have a dark (or a light) border, pictures get such a ground and keep their shape; others are
        scaled as they are. Floating-point images say by their range which numbers stand for black and white.
        """
        black, white = _range(images)
        some = images[:: max(1, len(images) // 1000)].mean(axis=1)
        grounds = np.median(border(np.moveaxis(some, 0, 2)), axis=0)
        grounds = grounds / 255 if images.dtype == np.uint8 else (grounds - black) / (white - black)
        if (grounds < 0.25).mean() >= 0.9:
            return cls(("light-on-dark", "fit"), black, white)
        if (grounds > 0.75).mean() >= 0.9:
            return cls(("dark-on-light", "fit"), black, white)
        return cls(("stretch",), black, white)

    @property
    def ground(self) -> str | None:
        """ "dark" or "light" where every sample has such a ground, else None."""
        return {"light-on-dark": "dark", "mnist-digit": "dark", "dark-on-light": "light"}.get(self.steps[0])

    def sample(self, picture: Array, shape: Shape) -> Array:
        """A picture (rows, columns, 3) in 0..1 as one sample of `shape`: uint8, or float32 where 0 and 1 are others.

        Raises ShapeError where `shape` is not (1 or 3, rows, columns), DataError where nothing is found in the picture.
        """
        if len(shape) != 3 or shape[0] not in (1, 3):
            raise ShapeError(f"pictures fit networks whose input is (1 or 3, rows, columns), not {shape_text(shape)}")
        size = (shape[1], shape[2])
        made = picture.mean(axis=2, keepdims=True) if shape[0] == 1 else picture
        for step in self.steps:
            made = STEPS[step].apply(made, size)
        values = np.moveaxis(np.clip(made, 0, 1), 2, 0)
        if (self.black, self.white) == (0.0, 1.0):
            return np.ascontiguousarray((255 * values).round().astype(np.uint8))
        return np.ascontiguousarray(self.black + (self.white - self.black) * values, np.float32)

    def picture(self, sample: Array) -> Array:
        """A sample (channels, rows, columns) as a picture (rows, columns, 3) in 0..1 again."""
        values = sample / 255 if sample.dtype == np.uint8 else (sample - self.black) / (self.white - self.black)
        made = np.moveaxis(np.clip(values, 0, 1), 0, 2)
        return np.repeat(made, 3, axis=2) if made.shape[2] == 1 else made

    def __str__(self) -> str:
        values = "" if (self.black, self.white) == (0.0, 1.0) else f" (black {self.black:g}, white {self.white:g})"
        return ", ".join(self.steps) + values

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for the file of a network."""
        return {"steps": list(self.steps), "black": self.black, "white": self.white}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The inverse of `to_json`. Raises FileFormatError for anything else, also for a step that is unknown here."""
        if not isinstance(data, dict) or set(data) != {"steps", "black", "white"}:
            raise FileFormatError('its "preparation" lacks "steps", "black" or "white", or has more')
        steps, numbers = data["steps"], (data["black"], data["white"])
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise FileFormatError('the "steps" of its "preparation" are not a list of names')
        if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
            raise FileFormatError('"black" and "white" of its "preparation" are not numbers')
        try:
            return cls(tuple(steps), float(numbers[0]), float(numbers[1]))
        except (ChainruleError, OverflowError) as error:
            raise FileFormatError(f"it prepares pictures in a way that is unknown here: {error}") from None


def _range(images: Array) -> tuple[float, float]:
    """The numbers of black and white: those of a usual convention that holds all values, else the least and largest."""
    if images.dtype == np.uint8:
        return 0.0, 1.0
    low, high = float(images.min()), float(images.max())
    for black, white in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        if black <= low and high <= white:
            return black, white
    return (low, high) if low < high else (0.0, 1.0)


MNIST_DIGIT: Final = Preparation(("mnist-digit",))


def assumed(shape: Shape) -> Preparation:
    """For networks whose file does not say: what was done to every picture before files said so."""
    return MNIST_DIGIT if shape[:1] == (1,) else Preparation(("stretch",))


def listing(steps: Iterable[str] = STEPS) -> str:
    """One line for each step."""
    return "\n".join(f"{step:<14} {STEPS[step].says}" for step in steps)
