"""One small type for every data set: images and labels, checked once, so that no one else need doubt them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import check_finite
from chainrule.data.preparation import Preparation
from chainrule.errors import DataError, DtypeError, ShapeError
from chainrule.shapes import Shape


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images in a training and a test part.

    Images have shape (n, channels, height, width); uint8 (0 to 255) or finite float32 / float64 values.
    Labels have shape (n,), are converted to int64 and lie in 0 .. len(class_names) - 1.
    `notes` says what a reader of results should know, for instance how a test part was drawn.
    `preparation` says how pictures were made into these images, where that is known.
    Raises ShapeError, DtypeError or DataError, naming the part that is wrong.
    """

    name: str
    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    test_images: NDArray[Any]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    notes: str = ""
    preparation: Preparation | None = None

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.class_names)
        if not names or len(set(names)) != len(names):
            raise DataError(f"data set {self.name!r}: class_names must be one or more different names: {names}")
        object.__setattr__(self, "class_names", names)
        for part in ("train", "test"):
            self._check_part(part)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ShapeError(
                f"data set {self.name!r}: training images are {self.train_images.shape[1:]}"
                f" (channels, height, width), test images {self.test_images.shape[1:]}; they must agree"
            )

    def _check_part(self, part: str) -> None:
        where = f"data set {self.name!r}, {part} part"
        images = check_images(getattr(self, f"{part}_images"), where)
        labels = check_labels(getattr(self, f"{part}_labels"), where)
        if len(images) != len(labels):
            raise DataError(f"{where}: {len(images)} images but {len(labels)} labels; each image needs one")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(self.class_names):
            wrong = low if low < 0 else high
            raise DataError(f"{where}: label {wrong} is outside 0 .. {len(self.class_names) - 1}")
        object.__setattr__(self, f"{part}_images", images)
        object.__setattr__(self, f"{part}_labels", labels)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of every image."""
        _, channels, height, width = self.train_images.shape
        return channels, height, width

    def picture_preparation(self) -> Preparation:
        """How a picture becomes such an image: as is known, else as the training images show."""
        return self.preparation or Preparation.measured(self.train_images)

    def test_labels_among(self, known: tuple[str, ...] | None) -> NDArray[np.int64]:
        """The labels of the test images as a network numbers its classes, whose names are `known`: by name, where both
        have names.

        Classes called 0, 1, ... have none. Raises DataError for a class that the network has not learned.
        """
        named = self.class_names
        if known is None or known[: len(named)] == named or _numbered(named) or _numbered(known):
            return self.test_labels
        missing = [name for name in named if name not in known]
        if missing:
            more = ", ..." if len(known) > 12 else ""
            raise DataError(
                f"{self.name} has a class {missing[0]!r}, but the network knows {', '.join(known[:12])}{more}"
            )
        return np.array([known.index(name) for name in named])[self.test_labels]

    def prepared_test_images(self, preparation: Preparation, shape: Shape) -> NDArray[Any]:
        """The test images as if they were pictures, each made into a sample of `shape`.

        Raises ShapeError where `shape` is no image, DataError naming the first image in which nothing is found.
        """
        own, made = self.picture_preparation(), []
        for number, image in enumerate(self.test_images):
            try:
                made.append(preparation.sample(own.picture(image), shape))
            except DataError as error:
                raise DataError(f"data set {self.name!r}, test image {number}: {error}") from None
        return np.stack(made)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.input_shape))
        notes = f", notes={self.notes!r}" if self.notes else ""
        return (
            f"Dataset({self.name!r}: {len(self.train_images)} training and {len(self.test_images)} test"
            f" images of {shape}, {len(self.class_names)} classes{notes})"
        )


def _numbered(names: tuple[str, ...]) -> bool:
    return all(name == str(k) for k, name in enumerate(names))


def check_images(images: NDArray[Any], where: str) -> NDArray[Any]:
    """`images` as a C-contiguous array, refused unless (n, c, h, w), not empty, uint8 or finite floats."""
    images = np.asarray(images)
    if images.ndim != 4:
        raise ShapeError(f"{where}: images must be (n, channels, height, width), got shape {images.shape}")
    if images.size == 0:
        raise DataError(f"{where}: images are empty, shape {images.shape}")
    if images.dtype not in (np.uint8, np.float32, np.float64):
        raise DtypeError(f"{where}: images must be uint8, float32 or float64, got {images.dtype}")
    check_finite(images, f"{where}: the array of images")
    return np.ascontiguousarray(images)


def check_labels(labels: NDArray[Any], where: str) -> NDArray[np.int64]:
    """`labels` as int64, refused unless they are integers of shape (n,)."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise DtypeError(f"{where}: labels must be integers, got {labels.dtype}")
    if labels.ndim != 1:
        raise ShapeError(f"{where}: labels must have shape (n,), got {labels.shape}; one-hot? use argmax(axis=1)")
    if labels.dtype == np.uint64 and labels.size and int(labels.max()) > np.iinfo(np.int64).max:
        raise DataError(f"{where}: label {int(labels.max())} is too large")
    return labels.astype(np.int64)
