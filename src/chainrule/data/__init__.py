"""Data sets: load("digits") needs no network, load("fashion-mnist") may download, load(path) reads your files."""

from __future__ import annotations

import os
from pathlib import Path

from chainrule.data.bundled import load_digits
from chainrule.data.dataset import Dataset
from chainrule.data.folder import find_idx_files, load_folder, load_npz
from chainrule.data.idx import read_idx, write_idx
from chainrule.data.images import read_picture
from chainrule.data.mnist import load_mnist
from chainrule.data.named import COLLECTIONS
from chainrule.data.pictures import is_folder_of_pictures, load_pictures
from chainrule.data.preparation import Preparation
from chainrule.errors import ArgumentError, FileFormatError, NameLookupError, StorageError

__all__ = [
    "Dataset",
    "Preparation",
    "holds_pictures",
    "load",
    "load_digits",
    "load_folder",
    "load_mnist",
    "load_npz",
    "load_pictures",
    "read_idx",
    "read_picture",
    "write_idx",
]

_NAMED = {"digits": load_digits, "mnist": load_mnist} | {c.name: c.load for c in COLLECTIONS}


def load(
    source: str | Path = "digits",
    *,
    size: int | tuple[int, int] | None = None,
    colour: bool | None = None,
    preparation: Preparation | None = None,
    seed: int = 0,
    skip_broken: bool = False,
) -> Dataset:
    """The data set `source`: a name, a folder of pictures with a subfolder for each class, a folder of IDX files, or an
    .npz file.

    Names are "digits", which comes with the package, and "mnist", "fashion-mnist", "kmnist", "emnist-letters" and
    "cifar-10", which are downloaded once. A name wins over a folder of the same name; write "./digits" for the folder.
    The other arguments are those of `load_pictures`.
    Raises NameLookupError for an unknown name, StorageError for a missing path, FileFormatError otherwise.
    """
    path = Path(source).expanduser()
    options = {"size": size, "colour": colour, "preparation": preparation, "seed": seed, "skip_broken": skip_broken}
    if holds_pictures(source):
        return load_pictures(path, **options)  # type: ignore[arg-type]
    usual = {"size": None, "colour": None, "preparation": None, "seed": 0, "skip_broken": False}
    given = [name for name, value in usual.items() if options[name] != value]
    if given:
        raise ArgumentError(f"{given[0]} is for folders of pictures, and {source} is none")
    return _load(source, path)


def holds_pictures(source: str | Path) -> bool:
    """Whether `load` takes `source` for a folder of pictures."""
    path = Path(source).expanduser()
    named = isinstance(source, str) and source in _NAMED
    return not named and path.is_dir() and not find_idx_files(path) and is_folder_of_pictures(path)


def _load(source: str | Path, path: Path) -> Dataset:
    if isinstance(source, str) and source in _NAMED:
        return _NAMED[source]()
    if path.is_dir():
        return load_folder(path)
    if path.is_file():
        return _load_file(path)
    looks_like_path = isinstance(source, Path) or any(mark in source for mark in (os.sep, "/", "."))
    if looks_like_path:
        raise StorageError(
            f"{path} does not exist; give a folder of pictures or of IDX files, an .npz file, or a name: "
            f"{', '.join(_NAMED)}"
        )
    raise NameLookupError("data set (and no folder or file)", str(source), _NAMED)


def _load_file(path: Path) -> Dataset:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    if start in (b"PK\x03\x04", b"PK\x05\x06"):  # a zip archive, with and without members
        return load_npz(path)
    raise FileFormatError(f"{path} is not an .npz file; for IDX files give the folder that holds them all")
