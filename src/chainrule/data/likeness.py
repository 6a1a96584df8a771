"""What the pictures of a data set have in common, in a few kilobytes, so that one of another kind can be told.

A network names a class for whatever it is shown. Four things are kept of the pictures that it learned from: how much
ink they have, how much of that is grey, what share of it lies outside of their largest shape, and for each class its
mean with the directions in which its pictures vary most. What strays farther than nearly all of them is not one of
them.
"""

from __future__ import annotations

import base64
import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.pooling import adaptive_mean_matrix
from chainrule.errors import FileFormatError
from chainrule.shapes import Shape

Strange = Literal["little ink", "much ink", "no clear shape", "several shapes", "far from every class"]
"""In which way a picture is unlike the others."""

SIDE = 14
"""Rows and columns at most of the pictures that classes are described by."""
DIRECTIONS = 8
MOST_NUMBERS = 100_000
"""Numbers that describe the classes, at most; each is a byte in a file."""
LOOKED_AT = 1000
"""Pictures whose shapes are looked at."""
INK_RARE, SHAPES_RARE, FAR_RARE = 0.0005, 0.004, 0.0075
"""How many pictures of the data set may be unlike it: those with the least and the most ink, the most shapes, the
farthest."""
FAINT = 0.3
"""Brightness by which ink stands out from the ground."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """The description: ranges, and `classes` (class, 1 + directions, numbers) in which the first row is the mean."""

    ink: tuple[float, float]
    grey: float
    outside: float
    far: float
    shape: Shape
    classes: Array

    @classmethod
    def of(cls, images: Array, labels: Array, held: Array | None = None) -> Self:
        """Of images (n, channels, rows, columns), bytes or 0..1, and their classes; ranges are those of `held`, images
        that the classes were not described by, if there are some."""
        sketches = _sketch(_unit(images))
        described = [_directions(sketches[labels == k], _rank(labels, sketches)) for k in np.unique(labels)]
        judged = images if held is None or not len(held) else held
        inks = np.concatenate([_inks(_unit(part)) for part in (images, judged)])
        step = max(1, len(images) // LOOKED_AT)
        greys = _greys(_unit(images))
        outside = [_outside(picture) for picture in _unit(images[::step])]
        wide = float(inks.std()) / 10
        low, high = np.quantile(inks, [INK_RARE, 1 - INK_RARE])
        made = cls(
            (max(0.0, float(low) - wide), float(high) + wide),
            float(np.quantile(greys, 1 - INK_RARE)) + float(greys.std()) / 10,
            float(np.quantile(outside, 1 - SHAPES_RARE)),
            math.inf,
            tuple(images.shape[1:]),
            _rounded(np.stack(described)),
        )
        return replace(made, far=float(np.quantile(made._distances(_unit(judged)), 1 - FAR_RARE)))

    def strangeness(self, sample: Array) -> tuple[Strange, ...]:
        """In which ways a sample (channels, rows, columns) is unlike the pictures described; none is the rule."""
        if sample.shape != self.shape:
            return ()
        picture = _unit(sample[None])
        ink = float(_inks(picture)[0])
        found: list[Strange] = []
        if ink < self.ink[0]:
            found.append("little ink")
        if ink > self.ink[1]:
            found.append("much ink")
        if _greys(picture)[0] > self.grey:
            found.append("no clear shape")
        if _outside(picture[0]) > self.outside:
            found.append("several shapes")
        if self._distances(picture)[0] > self.far:
            found.append("far from every class")
        return tuple(found)

    def _distances(self, pictures: Array) -> Array:
        """How far each is from the nearest class: what no sum of its mean and its directions gives."""
        sketches = _sketch(pictures)
        left = []
        for own in self.classes:
            rest = sketches - own[0]
            # The directions were rounded, so that they are not quite at right angles.
            within = rest @ own[1:].T @ np.linalg.pinv(own[1:] @ own[1:].T) @ own[1:]
            left.append(np.linalg.norm(rest - within, axis=1))
        nearest: Array = np.min(left, axis=0)
        return nearest

    def to_json(self) -> dict[str, Any]:
        """For the metadata of a file; `from_json` reads it."""
        scale = float(np.abs(self.classes).max()) or 1.0
        packed = np.round(self.classes / scale * 127).astype(np.int8)
        return {
            "ink": list(self.ink),
            "grey": self.grey,
            "outside": self.outside,
            "far": self.far,
            "shape": list(self.shape),
            "scale": scale,
            "extents": list(packed.shape),
            "classes": base64.b64encode(packed.tobytes()).decode(),
        }

    @classmethod
    def from_json(cls, found: Any) -> Self:
        """From the metadata of a file. Raises FileFormatError where it is something else."""
        try:
            extents = tuple(int(extent) for extent in found["extents"])
            packed = np.frombuffer(base64.b64decode(found["classes"], validate=True), np.int8).reshape(extents)
            low, high = (float(value) for value in found["ink"])
            numbers = [low, high, *(float(found[name]) for name in ("grey", "outside", "far", "scale"))]
            shape = tuple(int(extent) for extent in found["shape"])
            grey, outside, far, scale = numbers[2:]
            made = cls((low, high), grey, outside, far, shape, packed * (scale / 127))
            sides = _sides(shape)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise FileFormatError('the "likeness" in its metadata is no description of pictures') from None
        if not np.isfinite(numbers).all() or packed.ndim != 3 or packed.shape[2] != shape[0] * sides[0] * sides[1]:
            raise FileFormatError('the "likeness" in its metadata is no description of pictures')
        return made


def _unit(images: Array) -> Array:
    """In 0..1."""
    return np.asarray(images, np.float64) / (255 if images.dtype == np.uint8 else 1)


def _ground(picture: Array) -> Array:
    """The brightness of the border of each channel."""
    edges = [picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1]]
    return np.asarray(np.median(np.concatenate(edges, axis=1), axis=1))[:, None, None]


def _inks(pictures: Array) -> Array:
    """How much each stands out from black, on the mean."""
    return np.asarray(pictures.mean(axis=(1, 2, 3)))


def _greys(pictures: Array) -> Array:
    """How much of each is neither black nor white, in shares of its ink."""
    grey = (pictures * (1 - pictures)).sum(axis=(1, 2, 3))
    return np.asarray(grey / np.maximum(pictures.sum(axis=(1, 2, 3)), 1e-9))


def _sides(shape: Shape) -> tuple[int, int]:
    _, rows, columns = shape
    return min(rows, SIDE), min(columns, SIDE)


def _sketch(pictures: Array) -> Array:
    """Each in few numbers: (n, channels · rows · columns), reduced by means."""
    tall, wide = (
        adaptive_mean_matrix(size, side)
        for size, side in zip(pictures.shape[2:], _sides(pictures.shape[1:]), strict=True)
    )
    return np.asarray((tall @ pictures @ wide.T).reshape(len(pictures), -1))


def _rank(labels: Array, sketches: Array) -> int:
    """How many directions each class gets."""
    classes, counts = np.unique(labels, return_counts=True)
    room: int = MOST_NUMBERS // (len(classes) * sketches.shape[1]) - 1
    return max(0, min(DIRECTIONS, room, int(counts.min()) - 1))


def _directions(sketches: Array, rank: int) -> Array:
    """The mean of a class, and below it the directions in which its pictures vary most."""
    mean = sketches.mean(axis=0)
    rest = sketches - mean
    directions = np.linalg.eigh(rest.T @ rest)[1].T[::-1][:rank]
    return np.concatenate([mean[None], directions])


def _rounded(classes: Array) -> Array:
    """As a file keeps them, so that a network judges alike before it was saved and after."""
    scale = float(np.abs(classes).max()) or 1.0
    return np.round(classes / scale * 127).astype(np.int8) * (scale / 127)


def _outside(picture: Array) -> float:
    """The share of a picture's ink that lies outside of its largest shape; pixels that touch at a corner are one."""
    ink = np.abs(picture - _ground(picture)).max(axis=0) > FAINT
    left = {(int(r), int(c)) for r, c in np.argwhere(ink)}
    count, largest = len(left), 0
    while left:
        waiting = deque([left.pop()])
        size = 0
        while waiting:
            r, c = waiting.popleft()
            size += 1
            near = {(r + a, c + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & left
            left -= near
            waiting.extend(near)
        largest = max(largest, size)
    return 1 - largest / count if count else 0.0


__all__ = ["Likeness", "Strange"]
