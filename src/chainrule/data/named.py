"""Data sets that are downloaded once, by name: Fashion-MNIST, KMNIST, the letters of EMNIST, CIFAR-10.

Each file is kept only if its SHA-256 is the one that is published with TensorFlow Datasets for the bytes as served.
A download that was broken off goes on where it ended; $CHAINRULE_DATA/NAME is looked at before the cache.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.atomic import write_atomically
from chainrule.data.dataset import Dataset
from chainrule.data.download import RemoteFile, fetch
from chainrule.data.folder import find_idx_files, load_folder
from chainrule.data.mnist import cache_folder
from chainrule.data.preparation import MNIST_DIGIT, Preparation
from chainrule.errors import FileFormatError, StorageError

IDX_NAMES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Collection:
    """A data set by name: the files that mirrors serve, and how they are read."""

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    class_names: tuple[str, ...]
    preparation: Preparation
    read: Callable[[Collection, Path], Dataset]
    """Makes the data set of a folder."""
    found: Callable[[Collection, Path], bool]
    """Whether a folder holds all that `read` needs."""
    unpack: Callable[[Path], None] | None = None
    """What is done once after the download."""

    def load(self, *, mirrors: Sequence[str] | None = None, progress: bool = True) -> Dataset:
        """The data set, downloaded if it is nowhere on disk.

        Raises DownloadError where no mirror serves a file, FileFormatError for a file that is not as it should be.
        """
        target = cache_folder() / self.name
        given = os.environ.get("CHAINRULE_DATA", "")
        folders = [*([Path(given).expanduser() / self.name] if given else []), target]
        folder = next((folder for folder in folders if folder.is_dir() and self.found(self, folder)), None)
        if folder is None:
            folder = target
            try:
                target.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"cannot create {target}: {error.strerror or error}") from error
            fetch(self.files, target, mirrors or self.mirrors, title=self.title, progress=progress)
            if self.unpack is not None:
                self.unpack(target)
        return self.read(self, folder)


def _all_idx(collection: Collection, folder: Path) -> bool:
    return len(find_idx_files(folder)) == 4


def _idx(collection: Collection, folder: Path) -> Dataset:
    """The four files in MNIST's format."""
    made = load_folder(folder, name=collection.name, preparation=collection.preparation)
    return _named(collection, (made.train_images, made.train_labels), (made.test_images, made.test_labels))


def _letters(collection: Collection, folder: Path) -> Dataset:
    """EMNIST keeps its images column by column, and counts letters from 1."""
    made = load_folder(folder, name=collection.name)
    train, test = (np.ascontiguousarray(images.swapaxes(2, 3)) for images in (made.train_images, made.test_images))
    return _named(collection, (train, made.train_labels - 1), (test, made.test_labels - 1))


Part = tuple[NDArray[Any], NDArray[Any]]


def _named(collection: Collection, train: Part, test: Part) -> Dataset:
    names, preparation = collection.class_names, collection.preparation
    return Dataset(collection.name, *train, *test, class_names=names, preparation=preparation)


def _unpack_letters(folder: Path) -> None:
    """Take the four files of the letters out of the archive of all of EMNIST, which is not needed any more."""
    archive = folder / "gzip.zip"
    with _reading(archive), zipfile.ZipFile(archive) as file:
        for name in IDX_NAMES:
            called = f"emnist-letters-{name.replace('t10k', 'test')}.gz"
            write_atomically(folder / called, file.read(f"gzip/{called}"))
    archive.unlink()


CIFAR_ROWS: Final = 10_000
CIFAR_BYTES: Final = 1 + 3 * 32 * 32
CIFAR_ARCHIVE: Final = "cifar-10-binary.tar.gz"
CIFAR_PARTS: Final = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")


def _cifar(collection: Collection, folder: Path) -> Dataset:
    """Records of a label and three planes of 32x32; five files to train on, one to test."""
    records = []
    archive = folder / CIFAR_ARCHIVE
    with _reading(archive), tarfile.open(archive) as file:
        for name in CIFAR_PARTS:
            member = file.extractfile(f"cifar-10-batches-bin/{name}")
            content = b"" if member is None else member.read(CIFAR_ROWS * CIFAR_BYTES + 1)
            if not content or len(content) % CIFAR_BYTES or len(content) > CIFAR_ROWS * CIFAR_BYTES:
                raise FileFormatError(
                    f"{archive}: {name} has {len(content)} bytes, which are no records of {CIFAR_BYTES}"
                )
            records.append(np.frombuffer(content, np.uint8).reshape(-1, CIFAR_BYTES))
    parts = [(part[:, 1:].reshape(-1, 3, 32, 32), part[:, 0]) for part in (np.concatenate(records[:5]), records[5])]
    return _named(collection, parts[0], parts[1])


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    """An archive that is damaged or lacks a file ends in FileFormatError."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise FileFormatError(f"{archive} is truncated or corrupt: {error}") from None
    except OSError as error:
        raise StorageError(f"cannot read {archive}: {error.strerror or error}") from None


def _packed(*files: tuple[str, int, str]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, size, digest, as_served=True) for name, size, digest in files)


COLLECTIONS: Final = (
    Collection(
        "fashion-mnist",
        "Fashion-MNIST",
        _packed(
            (f"{IDX_NAMES[0]}.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (f"{IDX_NAMES[1]}.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (f"{IDX_NAMES[2]}.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (f"{IDX_NAMES[3]}.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        (
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        Preparation(("light-on-dark", "fit")),
        _idx,
        _all_idx,
    ),
    Collection(
        "kmnist",
        "KMNIST",
        _packed(
            (f"{IDX_NAMES[0]}.gz", 18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (f"{IDX_NAMES[1]}.gz", 29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (f"{IDX_NAMES[2]}.gz", 3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (f"{IDX_NAMES[3]}.gz", 5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        Preparation(("light-on-dark", "crop", "fit")),
        _idx,
        _all_idx,
    ),
    Collection(
        "emnist-letters",
        "EMNIST",
        _packed(("gzip.zip", 561_753_746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e")),
        ("https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"),
        tuple("abcdefghijklmnopqrstuvwxyz"),
        MNIST_DIGIT,
        _letters,
        _all_idx,
        _unpack_letters,
    ),
    Collection(
        "cifar-10",
        "CIFAR-10",
        _packed((CIFAR_ARCHIVE, 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")),
        ("https://www.cs.toronto.edu/~kriz/",),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        Preparation(("stretch",)),
        _cifar,
        lambda collection, folder: (folder / CIFAR_ARCHIVE).is_file(),
    ),
)
"""Everything that `load` knows by name besides "digits" and "mnist"."""
