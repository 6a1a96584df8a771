"""Dataset, the bundled digits, folders, .npz files and `load`: what is accepted, how the rest is refused."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import data
from chainrule.data import Dataset, load, load_folder, load_npz, mnist, recognition, write_idx
from chainrule.data.preparation import MNIST_DIGIT
from chainrule.errors import (
    DataError,
    DtypeError,
    FileFormatError,
    NameLookupError,
    ShapeError,
    StorageError,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 5, 4), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 3
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
ARRAYS = (IMAGES, LABELS, IMAGES[:6], LABELS[:6])


def make(**changes: Any) -> Dataset:
    fields: dict[str, Any] = {
        "name": "toy",
        "train_images": IMAGES[:, None],
        "train_labels": LABELS,
        "test_images": IMAGES[:6, None],
        "test_labels": LABELS[:6],
        "class_names": ("a", "b", "c"),
    }
    return Dataset(**{**fields, **changes})


def put(folder: Path, suffix: str = "", *, parts: int = 4) -> Path:
    for name, array in list(zip(NAMES, ARRAYS, strict=True))[:parts]:
        write_idx(folder / (name + suffix), array)
    return folder


# --- the type ---


def test_dataset_describes_itself() -> None:
    dataset = make()
    assert dataset.input_shape == (1, 5, 4)
    assert dataset.train_labels.dtype == np.int64
    assert repr(dataset) == "Dataset('toy': 12 training and 6 test images of 1x5x4, 3 classes)"


def test_float_images_are_kept_as_they_are() -> None:
    images = np.linspace(-1, 1, 12 * 20, dtype=np.float32).reshape(12, 1, 5, 4)
    dataset = make(train_images=images)
    assert dataset.train_images.dtype == np.float32
    np.testing.assert_array_equal(dataset.train_images, images)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"train_images": IMAGES}, ShapeError, "train part.*channels"),
        ({"test_images": IMAGES[:6, None, :4]}, ShapeError, "must agree"),
        ({"test_images": IMAGES[:0, None], "test_labels": LABELS[:0]}, DataError, "test part.*empty"),
        ({"train_images": IMAGES[:, None].astype(int)}, DtypeError, "uint8, float32 or float64, got int64"),
        ({"train_images": np.full((12, 1, 5, 4), np.nan)}, DataError, "nan"),
        ({"train_labels": LABELS[:5]}, DataError, "12 images but 5 labels"),
        ({"train_labels": LABELS.astype(float)}, DtypeError, "integers, got float64"),
        ({"train_labels": np.eye(12, 3, dtype=int)}, ShapeError, "one-hot"),
        ({"class_names": ("a", "b")}, DataError, r"label 2 is outside 0 \.\. 1"),
        ({"train_labels": LABELS.astype(int) - 1}, DataError, "label -1"),
        ({"train_labels": np.full(12, 2**64 - 1, np.uint64)}, DataError, "too large"),
        ({"class_names": ("a", "a", "b")}, DataError, "different names"),
        ({"class_names": ()}, DataError, "different names"),
    ],
)
def test_what_dataset_refuses(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(**changes)


# --- the bundled digits ---


def test_bundled_digits_are_balanced_distinct_and_small() -> None:
    digits = load()
    assert digits.name == "digits"
    assert digits.train_images.shape == (5000, 1, 28, 28)
    assert digits.test_images.shape == (1000, 1, 28, 28)
    assert digits.train_images.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(digits.train_labels), np.full(10, 500))
    np.testing.assert_array_equal(np.bincount(digits.test_labels), np.full(10, 100))
    assert digits.class_names == tuple("0123456789")
    assert len({image.tobytes() for image in (*digits.train_images, *digits.test_images)}) == 6000
    folder = Path(data.__file__).parent / "digits"
    assert sum(path.stat().st_size for path in folder.glob("*.gz")) < 1_100_000
    assert "Attribution-ShareAlike 3.0" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif("CHAINRULE_DATA" not in os.environ, reason="needs the full MNIST: set CHAINRULE_DATA")
def test_bundled_digits_come_from_the_training_part_of_mnist_only() -> None:
    mnist, digits = load("mnist"), load("digits")
    assert mnist.train_images.shape == (60000, 1, 28, 28)
    assert mnist.test_images.shape == (10000, 1, 28, 28)
    known = {image.tobytes(): int(label) for image, label in zip(mnist.train_images, mnist.train_labels, strict=True)}
    unseen = {image.tobytes() for image in mnist.test_images}
    for images, labels in (
        (digits.train_images, digits.train_labels),
        (digits.test_images, digits.test_labels),
    ):
        for image, label in zip(images, labels, strict=True):
            assert known[image.tobytes()] == label
            assert image.tobytes() not in unseen


# --- folders of IDX files ---


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_plain_and_gzip(tmp_path: Path, suffix: str) -> None:
    dataset = load(put(tmp_path, suffix))
    assert dataset.name == tmp_path.name
    np.testing.assert_array_equal(dataset.train_images, IMAGES[:, None])
    np.testing.assert_array_equal(dataset.test_labels, LABELS[:6])
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.notes == ""


def test_folder_names_of_other_collections(tmp_path: Path) -> None:
    names = (
        "emnist-letters-train-images-idx3-ubyte",
        "train-labels.idx1-ubyte",
        "test-images.idx",
        "test-labels",
    )
    for name, array in zip(names, ARRAYS, strict=True):
        write_idx(tmp_path / name, array)
    (tmp_path / "._train-images-idx3-ubyte").write_bytes(b"left by a file manager")
    (tmp_path / "readme.txt").write_text("not data")
    assert len(load_folder(tmp_path).test_images) == 6


def test_folder_of_color_images(tmp_path: Path) -> None:
    put(tmp_path)
    write_idx(tmp_path / NAMES[0], RNG.integers(0, 256, (12, 5, 4, 3), dtype=np.uint8))
    write_idx(tmp_path / NAMES[2], RNG.integers(0, 256, (6, 3, 5, 4), dtype=np.uint8))
    assert load(tmp_path).input_shape == (3, 5, 4)


def test_without_a_test_part_one_sixth_is_held_out_and_said(tmp_path: Path) -> None:
    put(tmp_path, parts=2)
    first, second = load(tmp_path), load(tmp_path)
    assert (len(first.train_images), len(first.test_images)) == (10, 2)
    assert "2 of 12 training samples were held out" in first.notes
    assert "held out" in repr(first)
    np.testing.assert_array_equal(first.test_images, second.test_images)
    both = np.concatenate([first.train_images, first.test_images])
    assert {image.tobytes() for image in both} == {image.tobytes() for image in IMAGES}


def test_folder_that_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file train-images-idx3-ubyte.*found no IDX file"):
        load(tmp_path)
    put(tmp_path, parts=3)
    with pytest.raises(DataError, match=r"no file t10k-labels-idx1-ubyte.*found.*t10k-images"):
        load(tmp_path)
    write_idx(tmp_path / NAMES[3], LABELS)
    with pytest.raises(DataError, match="6 images but 12 labels"):
        load(tmp_path)


def test_folder_with_twins_and_with_doubt(tmp_path: Path) -> None:
    put(put(tmp_path), ".gz")
    assert len(load(tmp_path).train_images) == 12  # a plain file and its .gz twin are the same thing
    write_idx(tmp_path / "other-train-images-idx3-ubyte", IMAGES)
    with pytest.raises(DataError, match="keep one"):
        load(tmp_path)


def test_folder_with_swapped_or_odd_files(tmp_path: Path) -> None:
    put(tmp_path)
    write_idx(tmp_path / NAMES[0], LABELS)
    with pytest.raises(ShapeError, match="train-images"):
        load(tmp_path)
    put(tmp_path)
    write_idx(tmp_path / NAMES[1], LABELS.astype(np.int32) * 1_000_000)
    with pytest.raises(DataError, match="not a class number"):
        load(tmp_path)
    put(tmp_path)
    write_idx(tmp_path / NAMES[1], LABELS.astype(np.int32) - 5)
    with pytest.raises(DataError, match="label -5"):
        load(tmp_path)


def test_one_image_cannot_be_split(tmp_path: Path) -> None:
    write_idx(tmp_path / NAMES[0], IMAGES[:1])
    write_idx(tmp_path / NAMES[1], LABELS[:1])
    with pytest.raises(DataError, match="too few"):
        load(tmp_path)
    write_idx(tmp_path / NAMES[0], IMAGES[:0])
    write_idx(tmp_path / NAMES[1], LABELS[:0])
    with pytest.raises(DataError, match="empty"):
        load(tmp_path)


# --- .npz files ---


def test_npz_with_both_spellings(tmp_path: Path) -> None:
    path = tmp_path / "toy.npz"
    for keys in (
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("x_train", "y_train", "x_test", "y_test"),
    ):
        np.savez_compressed(path, **dict(zip(keys, ARRAYS, strict=True)))
        dataset = load(path)
        assert dataset.name == "toy"
        np.testing.assert_array_equal(dataset.train_images, IMAGES[:, None])
        np.testing.assert_array_equal(dataset.test_labels, LABELS[:6])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((12, 5, 4), (1, 5, 4)),
        ((12, 1, 5, 4), (1, 5, 4)),
        ((12, 3, 5, 4), (3, 5, 4)),
        ((12, 5, 4, 3), (3, 5, 4)),
        ((12, 5, 4, 1), (1, 5, 4)),
        ((12, 3, 5, 3), (3, 5, 3)),
        ((12, 16, 5, 4), (16, 5, 4)),
    ],
)
def test_npz_axes(tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=LABELS[:, None], x_test=images, y_test=LABELS[:, None])
    dataset = load_npz(tmp_path / "a.npz")
    assert dataset.input_shape == expected
    first = images[0] if images.ndim == 3 or shape[1:] == expected else np.moveaxis(images[0], -1, 0)
    np.testing.assert_array_equal(dataset.train_images[0].reshape(first.shape), first)
    assert dataset.train_images.flags.c_contiguous


def test_npz_without_a_test_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS, unrelated=np.array([object()]))
    dataset = load(tmp_path / "a.npz")
    assert len(dataset.test_images) == 2
    assert "held out" in dataset.notes


def test_npz_that_lacks_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, images=IMAGES)
    with pytest.raises(DataError, match="train_images and train_labels or x_train and y_train"):
        load(path)
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES)
    with pytest.raises(DataError, match=r"x_test and y_test; the file has .*x_test"):
        load(path)
    np.savez(path)
    with pytest.raises(DataError, match="none"):
        load(path)


def test_npz_never_unpickles(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x_train=np.array([{"any": "object"}]), y_train=LABELS)
    with pytest.raises(FileFormatError, match="allow_pickle"):
        load(path)


def test_npz_that_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x_train=IMAGES, y_train=LABELS)
    whole = path.read_bytes()
    for content in (whole[:200], whole[:-30], whole[:60] + bytes(50) + whole[110:]):
        path.write_bytes(content)
        with pytest.raises(FileFormatError):
            load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': oops}  ")
        archive.writestr("y_train.npy", b"no array")
    with pytest.raises(FileFormatError):
        load(path)


def test_npz_with_an_absurd_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000000, 28, 28), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(FileFormatError):
        load(path)


# --- load ---


def test_load_refuses_names_and_files_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(NameLookupError, match="did you mean 'digits'"):
        load("digit")
    with pytest.raises(StorageError, match="does not exist"):
        load(tmp_path / "absent")
    with pytest.raises(StorageError, match="does not exist"):
        load("./digit")
    write_idx(tmp_path / "a.idx", IMAGES)
    with pytest.raises(FileFormatError, match=r"not an \.npz file"):
        load(tmp_path / "a.idx")


def test_mnist_is_recognised_by_its_images_wherever_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((6, 28, 28), np.uint8)
    images[:, 10:20, 12:16] = 200
    content = b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    monkeypatch.setattr(recognition, "MNIST_IMAGES", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(recognition, "MNIST_COUNT", len(images))
    labels = np.arange(6)
    data.write_idx(tmp_path / "train-images-idx3-ubyte", images)
    data.write_idx(tmp_path / "train-labels-idx1-ubyte", labels.astype(np.uint8))
    np.savez(tmp_path / "same.npz", x_train=images, y_train=labels)
    np.savez(tmp_path / "other.npz", x_train=images[::-1] // 2, y_train=labels)
    assert data.load(tmp_path).preparation == MNIST_DIGIT
    assert data.load_folder(tmp_path).preparation == MNIST_DIGIT
    assert data.load(tmp_path / "same.npz").preparation == MNIST_DIGIT
    assert data.load(tmp_path / "other.npz").preparation is None


@pytest.mark.skipif("CHAINRULE_DATA" not in os.environ, reason="needs the full MNIST: set CHAINRULE_DATA")
def test_the_full_mnist_in_a_folder_is_recognised() -> None:
    folder = mnist.find_mnist()
    assert folder is not None
    assert data.load_folder(folder).preparation == MNIST_DIGIT
