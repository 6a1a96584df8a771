"""A folder of pictures as a data set: one subfolder for each class, called as the class is.

FOLDER/cat/1.jpg, FOLDER/cat/2.png, FOLDER/dog/1.jpg, ...           a test part is held out
FOLDER/train/cat/1.jpg, ..., FOLDER/test/cat/9.jpg, ...             "val" or "valid" may stand for "test"
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.data.dataset import Dataset
from chainrule.data.images import picture_size, read_picture
from chainrule.data.preparation import Preparation
from chainrule.errors import ArgumentError, ChainruleError, DataError, MissingExtraError, StorageError, shown, warn
from chainrule.memory import require_memory
from chainrule.shapes import integer, pair

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
TEST_NAMES: Final = ("test", "val", "valid", "validation")
HOLD_OUT: Final = 6
"""One picture in so many, on average, becomes the test part where none is given."""
LARGEST_WITHOUT_SIZE: Final = 800
NAMED: Final = 10
"""Broken pictures that an error names."""


@dataclass(frozen=True)
class _Picture:
    path: Path
    label: int
    test: bool


def load_pictures(
    folder: str | Path,
    name: str | None = None,
    *,
    size: int | tuple[int, int] | None = None,
    colour: bool | None = None,
    preparation: Preparation | None = None,
    seed: int = 0,
    skip_broken: bool = False,
) -> Dataset:
    """The data set in a folder of pictures with a subfolder for each class; images (n, 1 or 3, rows, columns) of uint8.

    size          rows and columns of the images, (rows, columns) or one number for both; without it all pictures must
                  have one size
    colour        True for three channels, False for one; without it three where any picture has a colour
    preparation   the steps from a picture to an image, by default ("fit",); kept by networks for `predict`
    seed          which pictures, a sixth of each class on average, become the test part where there is none; pictures
                  that come later do not move others from part to part
    skip_broken   leave out pictures that cannot be read, with a warning, in place of a DataError that names them

    Raises DataError for folders of another form, StorageError or MissingExtraError.
    """
    folder = Path(folder)
    names, pictures, own_test = _listed(folder, integer("seed", seed, 0))
    made = preparation or Preparation(("fit",))
    extents = _common_size(folder, pictures) if size is None else pair("size", size, 1)
    images, whole = _read(folder, pictures, extents, made, colour, skip_broken)
    labels = np.array([picture.label for picture in whole], np.int64)
    held = np.array([picture.test for picture in whole])
    if not held.any():
        raise DataError(f"{folder}: its {len(held)} pictures are too few to hold out a test part; give more of a class")
    for label, called in enumerate(names):
        if not (labels[~held] == label).any():
            raise DataError(f"{folder}: no picture of the class {called!r} is left to train on")
    notes = (
        "" if own_test else f"no test part was given: {held.sum()} of {len(held)} pictures were held out (seed {seed})"
    )
    parts = (images[~held], labels[~held], images[held], labels[held])
    return Dataset(name or folder.resolve().name, *parts, class_names=names, notes=notes, preparation=made)


def is_folder_of_pictures(folder: Path) -> bool:
    """Whether subfolders of a folder hold pictures."""
    return any(next(_pictures_in(sub), None) for sub in _subfolders(folder))


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError as error:
        raise StorageError(f"cannot read the folder {folder}: {error.strerror or error}") from None


def _pictures_in(folder: Path) -> Iterator[Path]:
    """All pictures in a folder and the folders within, in the order of their names; links to folders are left alone."""
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return (path for path in sorted(paths) if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _listed(folder: Path, seed: int) -> tuple[tuple[str, ...], list[_Picture], bool]:
    """The names of the classes, every picture with its label and part, and whether it has a test part."""
    subfolders = {path.name: path for path in _subfolders(folder)}
    tests = [part for part in TEST_NAMES if part in subfolders]
    own_test = "train" in subfolders and bool(tests) and set(subfolders) <= {"train", *TEST_NAMES}
    if own_test:
        if len(tests) > 1:
            raise DataError(f"{folder} holds {' and '.join(tests)}; keep one test part beside train")
        found = {part: _classes(subfolders[part]) for part in ("train", tests[0])}
        names = tuple(found["train"])
        strange = [name for name in found[tests[0]] if name not in names]
        if strange:
            raise DataError(f"{folder}: {tests[0]} holds the class {strange[0]!r}, which train lacks")
        parts = [(found["train"], False), (found[tests[0]], True)]
        listed = [_Picture(p, names.index(c), test) for part, test in parts for c, ps in part.items() for p in ps]
    else:
        classes = _classes(folder)
        names = tuple(classes)
        listed = [
            _Picture(path, label, path in held)
            for label, paths in enumerate(classes.values())
            for held in [_held_out(folder, paths, seed)]
            for path in paths
        ]
    if len(names) < 2:
        raise DataError(f"{folder} holds {len(names)} class; a data set needs a subfolder for each of two or more")
    return names, listed, own_test


def _classes(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each subfolder, by its name."""
    classes = {sub.name: list(_pictures_in(sub)) for sub in _subfolders(folder)}
    empty = [name for name, paths in classes.items() if not paths]
    if empty:
        raise DataError(f"{folder / empty[0]} holds no picture ({', '.join(SUFFIXES)}); each subfolder is a class")
    return classes


def _held_out(folder: Path, paths: list[Path], seed: int) -> set[Path]:
    """The test pictures of a class: those whose name, hashed with the seed, falls into the first sixth. At least one,
    and never all of several."""

    def place(path: Path) -> int:
        text = f"{seed}/{path.relative_to(folder).as_posix()}".encode(errors="surrogateescape")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")

    order = sorted(paths, key=place)
    count = sum(place(path) < 2**64 // HOLD_OUT for path in order)
    return set(order[: min(max(count, 1), len(order) - 1)])


def _common_size(folder: Path, pictures: list[_Picture]) -> tuple[int, int]:
    """The one size of all pictures that can be opened. Raises ArgumentError where there are several."""
    sizes: dict[tuple[int, int], Path] = {}
    for picture in pictures:
        try:
            sizes.setdefault(picture_size(picture.path), picture.path)
        except MissingExtraError:
            raise
        except ChainruleError:
            continue  # which pictures are broken is said when they are read
        if len(sizes) > 1:
            (one, first), (two, second) = sizes.items()
            raise ArgumentError(
                f"the pictures in {folder} have several sizes ({first.relative_to(folder)} is {one[0]}x{one[1]}, "
                f"{second.relative_to(folder)} {two[0]}x{two[1]}); say which the images should have: size, such as 32"
            )
    found = next(iter(sizes), (1, 1))
    if max(found) > LARGEST_WITHOUT_SIZE:
        raise ArgumentError(f"the pictures in {folder} are {found[0]}x{found[1]}; say a smaller size, such as 32")
    return found


def _read(
    folder: Path, pictures: list[_Picture], size: tuple[int, int], made: Preparation, colour: bool | None, skip: bool
) -> tuple[NDArray[Any], list[_Picture]]:
    """The images (n, 1 or 3, rows, columns) of all whole pictures."""
    channels, (rows, columns) = (1 if colour is False else 3), size
    bytes_each = channels * rows * columns * (2 if colour is None else 1)
    what = f"{len(pictures):,} images of {channels}x{rows}x{columns}"
    require_memory(len(pictures) * bytes_each, what, "take a smaller size or fewer pictures", DataError)
    images = np.empty((len(pictures), channels, rows, columns), np.uint8)
    whole: list[_Picture] = []
    broken: list[str] = []
    for picture in pictures:
        try:
            images[len(whole)] = made.sample(read_picture(picture.path), (channels, rows, columns))
            whole.append(picture)
        except MissingExtraError:
            raise
        except ChainruleError as error:
            said = str(error).removeprefix(shown(picture.path)).strip()
            broken.append(f"{shown(picture.path.relative_to(folder))}: {said}")
    if broken:
        _report(folder, broken, len(pictures), skip)
    images = images[: len(whole)]
    grey = colour is None and (images[:, 0] == images[:, 1]).all() and (images[:, 1] == images[:, 2]).all()
    return (np.ascontiguousarray(images[:, :1]) if grey else images), whole


def _report(folder: Path, broken: list[str], count: int, skip: bool) -> None:
    """Name the broken pictures, in a warning or an error."""
    more = f"; and {len(broken) - NAMED:,} more" if len(broken) > NAMED else ""
    text = f"{len(broken):,} of {count:,} pictures in {folder} cannot be used: {'; '.join(broken[:NAMED])}{more}"
    if not skip:
        raise DataError(f"{text} (remove them, or skip them: skip_broken, --skip-broken)")
    warn(f"skipped {text}")
