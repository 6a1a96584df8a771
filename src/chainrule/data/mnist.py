"""The full MNIST: found on disk or downloaded once, resumed after a broken connection, checked before use."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chainrule.data.dataset import Dataset
from chainrule.data.download import RemoteFile, fetch
from chainrule.data.folder import find_idx_files, load_folder
from chainrule.data.preparation import MNIST_DIGIT
from chainrule.data.recognition import MNIST_IMAGES
from chainrule.errors import StorageError

MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)

# SHA-256 and size of the decompressed content: mirrors may compress differently, the data are the same.
FILES: Final = (
    RemoteFile(
        "train-images-idx3-ubyte",
        47_040_016,
        MNIST_IMAGES,
    ),
    RemoteFile("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    RemoteFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    RemoteFile("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)


def cache_folder() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME/chainrule, or the usual cache folder of this system."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if given and Path(given).is_absolute():  # the XDG specification: relative values are ignored
        return Path(given) / "chainrule"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "chainrule" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "chainrule"
    return Path.home() / ".cache" / "chainrule"


def find_mnist() -> Path | None:
    """The first folder with all four files: $CHAINRULE_DATA, its mnist subfolder, the cache; else None."""
    folders = [cache_folder() / "mnist"]
    given = os.environ.get("CHAINRULE_DATA", "")
    if given:
        folders = [Path(given).expanduser(), Path(given).expanduser() / "mnist", *folders]
    for folder in folders:
        if folder.is_dir() and len(find_idx_files(folder)) == 4:
            return folder
    return None


def download_mnist(
    folder: str | Path | None = None, mirrors: Sequence[str] = MIRRORS, *, progress: bool = True
) -> Path:
    """Download what is missing of MNIST into `folder` (default: the cache) and return the folder.

    Each mirror is tried in turn; a file is kept only if its decompressed content has the known SHA-256.
    Raises StorageError when no mirror serves a file; the message says how to put the files there by hand.
    """
    target = Path(folder) if folder is not None else cache_folder() / "mnist"
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create {target}: {error.strerror or error}") from error
    fetch(FILES, target, mirrors, title="MNIST", progress=progress)
    return target


def load_mnist(*, mirrors: Sequence[str] = MIRRORS, progress: bool = True) -> Dataset:
    """The full MNIST, 60,000 training and 10,000 test images; downloaded (11 MB) if it is nowhere on disk."""
    folder = find_mnist() or download_mnist(mirrors=mirrors, progress=progress)
    return load_folder(folder, name="mnist", preparation=MNIST_DIGIT)
