"""Data sets: load("digits") needs no network, load("mnist") may download, load(path) reads your files."""

from __future__ import annotations

import os
from pathlib import Path

from chainrule.data.bundled import load_digits
from chainrule.data.dataset import Dataset
from chainrule.data.folder import load_folder, load_npz
from chainrule.data.idx import read_idx, write_idx
from chainrule.data.images import read_picture
from chainrule.data.mnist import load_mnist
from chainrule.data.preparation import Preparation
from chainrule.errors import FileFormatError, NameLookupError, StorageError

__all__ = [
    "Dataset",
    "Preparation",
    "load",
    "load_digits",
    "load_folder",
    "load_mnist",
    "load_npz",
    "read_idx",
    "read_picture",
    "write_idx",
]

_NAMED = {"digits": load_digits, "mnist": load_mnist}


def load(source: str | Path = "digits") -> Dataset:
    """The data set `source`: "digits", "mnist", a folder of IDX files or an .npz file.

    A name wins over a folder of the same name; write "./digits" for the folder.
    Raises NameLookupError for an unknown name, StorageError for a missing path, FileFormatError otherwise.
    """
    if isinstance(source, str) and source in _NAMED:
        return _NAMED[source]()
    path = Path(source).expanduser()
    if path.is_dir():
        return load_folder(path)
    if path.is_file():
        return _load_file(path)
    looks_like_path = isinstance(source, Path) or any(mark in source for mark in (os.sep, "/", "."))
    if looks_like_path:
        raise StorageError(f"{path} does not exist; give a folder of IDX files, an .npz file, or a name: digits, mnist")
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
