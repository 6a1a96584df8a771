"""Data sets of the user's own: a folder of IDX files named as MNIST names them, or an .npz file."""

from __future__ import annotations

import itertools
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.data.dataset import Dataset, check_images, check_labels
from chainrule.data.idx import read_idx
from chainrule.data.pictures import SUFFIXES
from chainrule.data.preparation import Preparation
from chainrule.data.recognition import known_preparation
from chainrule.errors import DataError, FileFormatError, ShapeError, StorageError

Part = tuple[NDArray[Any], NDArray[np.int64]]

HOLD_OUT: Final = 6  # one sample in six becomes the test part where none is given
HOLD_OUT_SEED: Final = 0
_IDX_NAME: Final = re.compile(
    r"(?:.*[-_.])?(train|t10k|test)[-_.](images|labels)(?:[-_.]idx[13])?(?:[-_.](?:ubyte|idx))?(?:\.gz)?",
    re.IGNORECASE,
)
_NPZ_KEYS: Final = {
    "train": (("train_images", "train_labels"), ("x_train", "y_train")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
}
_NAMES: Final = "class_names"


def load_folder(folder: str | Path, name: str | None = None, *, preparation: Preparation | None = None) -> Dataset:
    """The data set in a folder of IDX files: train-images..., train-labels..., t10k-... or test-..., or gzip.

    Without a test part every sixth sample on average, drawn with a fixed seed, is held out; `notes` says so.
    Raises StorageError, FileFormatError or a DataError that names the missing or wrong file.
    """
    folder = Path(folder)
    found = find_idx_files(folder)
    train = _read_part(folder, found, "train")
    test = _read_part(folder, found, "test") if any(part == "test" for part, _ in found) else None
    return assemble(name or folder.resolve().name, train, test, preparation)


def find_idx_files(folder: Path) -> dict[tuple[str, str], Path]:
    """Which file holds which part: {("train", "images"): path, ...}; a plain file wins over its .gz twin."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    except OSError as error:
        raise StorageError(f"cannot read the folder {folder}: {error.strerror or error}") from error
    found: dict[tuple[str, str], Path] = {}
    for path in paths:
        match = _IDX_NAME.fullmatch(path.name)
        if match is None:
            continue
        key = ("train" if match[1].lower() == "train" else "test", match[2].lower())
        other = found.setdefault(key, path)
        if other != path and other.name != path.name.removesuffix(".gz"):
            raise DataError(f"{folder}: both {other.name} and {path.name} look like the {' '.join(key)}; keep one")
    return found


def _read_part(folder: Path, found: dict[tuple[str, str], Path], part: str) -> Part:
    if not found:
        _refuse_pictures(folder)
    missing = [kind for kind in ("images", "labels") if (part, kind) not in found]
    if missing:
        seen = ", ".join(path.name for path in found.values()) or "no IDX file"
        prefix, axes = "train" if part == "train" else "t10k", 3 if missing[0] == "images" else 1
        raise DataError(f"{folder}: no file {prefix}-{missing[0]}-idx{axes}-ubyte (or with .gz); found {seen}")
    images_path, labels_path = found[part, "images"], found[part, "labels"]
    images = check_images(_to_nchw(read_idx(images_path), str(images_path)), str(images_path))
    return images, check_labels(read_idx(labels_path), str(labels_path))


def _refuse_pictures(folder: Path) -> None:
    """Raise DataError where a folder without IDX files holds pictures that stand in no subfolder."""
    picture = next(
        (path for path in itertools.islice(folder.glob("*"), 10_000) if path.suffix.lower() in SUFFIXES), None
    )
    if picture is not None:
        raise DataError(
            f"{folder} holds pictures ({picture.name}), but no subfolders with the names of their classes; put each "
            f"picture into the folder of its class, or all into an .npz file as train_images (n, rows, columns) and "
            f"train_labels (n,)"
        )


def load_npz(path: str | Path, name: str | None = None) -> Dataset:
    """The data set in an .npz file: train_images, train_labels (or x_train, y_train), and the same for test.

    Images (n, h, w), (n, c, h, w) or (n, h, w, 1 or 3) become NCHW; labels are (n,) or (n, 1). class_names, where
    it is there, is an array of texts, one for each class; else classes are called 0, 1, ... Pickled
    objects are refused, since loading them could run code. A missing test part is as in `load_folder`.
    """
    path = Path(path)
    arrays = _read_npz(path)
    parts: dict[str, Part] = {}
    for part, spellings in _NPZ_KEYS.items():
        for images_key, labels_key in spellings:
            if images_key in arrays and labels_key in arrays:
                where = f"{path}, {images_key}"
                images = check_images(_to_nchw(arrays[images_key], where), where)
                labels = arrays[labels_key]
                if labels.ndim == 2 and labels.shape[1] == 1:  # as Keras keeps those of CIFAR-10
                    labels = labels[:, 0]
                parts[part] = images, check_labels(labels, f"{path}, {labels_key}")
                break
        else:
            given = [key for pair in spellings for key in pair if key in arrays]
            if part == "train" or given:
                wanted = " or ".join(" and ".join(pair) for pair in spellings)
                raise DataError(f"{path}: expected the arrays {wanted}; the file has {', '.join(arrays) or 'none'}")
    return assemble(name or path.stem, parts["train"], parts.get("test"), names=_npz_names(path, arrays))


def _npz_names(path: Path, arrays: dict[str, NDArray[Any]]) -> tuple[str, ...] | None:
    """The names of the classes in an .npz file, where it holds them."""
    names = arrays.get(_NAMES)
    if names is None:
        return None
    if names.dtype.kind != "U" or names.ndim != 1:
        raise DataError(f"{path}: {_NAMES} must be an array of texts (classes,), not {names.dtype} of {names.shape}")
    return tuple(names.tolist())


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    wanted = {_NAMES} | {key for pairs in _NPZ_KEYS.values() for pair in pairs for key in pair}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: np.asarray(archive[key]) for key in archive.files if key in wanted}
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise FileFormatError(f"{path}: an array claims a size that does not fit in memory: {error}") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise FileFormatError(f"{path}: the .npz archive is truncated or corrupt: {error}") from error
    except Exception as error:  # each reader inside has errors of its own: zipfile, tokenize, struct, NumPy
        raise FileFormatError(f"{path}: not a readable .npz file: {error}") from error


def _to_nchw(images: NDArray[Any], where: str) -> NDArray[Any]:
    """(n, h, w), (n, h, w, 1|3) or (n, c, h, w) to (n, c, h, w); 1 or 3 in axis 1 means channels first."""
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4:
        channels_last = images.shape[3] in (1, 3) and images.shape[1] not in (1, 3)
        return images.transpose(0, 3, 1, 2) if channels_last else images
    raise ShapeError(f"{where}: images must be (n, h, w), (n, c, h, w) or (n, h, w, c), got shape {images.shape}")


def assemble(
    name: str,
    train: Part,
    test: Part | None,
    preparation: Preparation | None = None,
    names: tuple[str, ...] | None = None,
) -> Dataset:
    """A Dataset with classes of these names, or called 0, 1, ... up to the largest label; if need be holds a test part
    out."""
    notes, preparation = "", preparation or known_preparation(train[0])
    if test is None:
        train, test, notes = _hold_out(name, *train)
    largest = max((int(labels.max()) for _, labels in (train, test) if labels.size), default=0)
    if largest >= 1 << 16:
        raise DataError(f"data set {name!r}: label {largest} is not a class number (more than 65,536 classes)")
    names = names or tuple(map(str, range(max(largest, 0) + 1)))
    return Dataset(name, *train, *test, class_names=names, notes=notes, preparation=preparation)


def _hold_out(name: str, images: NDArray[Any], labels: NDArray[np.int64]) -> tuple[Part, Part, str]:
    count = len(images)
    if count != len(labels):
        raise DataError(f"data set {name!r}: {count} images but {len(labels)} labels; each image needs one")
    if count < 2:
        raise DataError(f"data set {name!r}: {count} image is too few to hold out a test part; give one")
    order = np.random.default_rng(HOLD_OUT_SEED).permutation(count)
    held = max(1, count // HOLD_OUT)
    test, train = np.sort(order[:held]), np.sort(order[held:])
    notes = f"no test part was given: {held} of {count} training samples were held out (seed {HOLD_OUT_SEED})"
    return (images[train], labels[train]), (images[test], labels[test]), notes
