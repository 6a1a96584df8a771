"""A folder of pictures is a data set: classes by subfolder, sizes, colours, parts by seed, broken files named."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import data
from chainrule.data.pictures import load_pictures
from chainrule.errors import ArgumentError, DataError, MissingExtraError

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)


def put(folder: Path, names: dict[str, int], *, size: tuple[int, int] = (6, 8), colour: bool = False) -> Path:
    """Pictures, so many of each class, each of one brightness and all different."""
    number = 0
    for name, count in names.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for k in range(count):
            number += 1
            pixels = np.full((*size, 3), number, np.uint8)
            if colour:
                pixels[..., 0] += 50
            Image.fromarray(pixels).save(folder / name / f"{k}.png")
    return folder


def marks(images: Any) -> list[int]:
    """What tells the pictures apart."""
    return sorted(int(image[-1, 0, 0]) for image in images)


def test_subfolders_are_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    dataset = data.load(put(tmp_path / "pets", {"dog": 8, "cat": 4, "owl": 2}))
    assert dataset.name == "pets"
    assert dataset.class_names == ("cat", "dog", "owl")
    assert dataset.input_shape == (1, 6, 8), "grey, since every picture is"
    assert marks([*dataset.train_images, *dataset.test_images]) == list(range(1, 15))
    assert "held out (seed 0)" in dataset.notes
    by_label = dict(zip([1, 9, 13], [1, 0, 2], strict=True))  # the first pictures of dog, cat and owl
    for images, labels in ((dataset.train_images, dataset.train_labels), (dataset.test_images, dataset.test_labels)):
        for image, label in zip(images, labels, strict=True):
            mark = int(image[0, 0, 0])
            assert label == by_label[1 if mark < 9 else 9 if mark < 13 else 13]


def test_each_class_has_both_parts_and_later_pictures_move_no_other(tmp_path: Path) -> None:
    folder = put(tmp_path, {"a": 20, "b": 2})
    first = load_pictures(folder)
    for name in range(100, 130):
        Image.fromarray(np.full((6, 8), name, np.uint8)).save(folder / "a" / f"{name}.png")
    second = load_pictures(folder)
    assert {0, 1} == set(first.test_labels.tolist()) == set(first.train_labels.tolist())
    held = set(marks(first.test_images))
    assert held <= set(marks(second.test_images))
    assert set(marks(first.train_images)) <= set(marks(second.train_images))
    others = [set(marks(load_pictures(folder, seed=seed).test_images)) for seed in range(4)]
    assert len({tuple(sorted(other)) for other in others}) == 4


@pytest.mark.parametrize("test", ["test", "val", "valid", "validation"])
def test_parts_of_ones_own(tmp_path: Path, test: str) -> None:
    put(tmp_path / "train", {"a": 3, "b": 2})
    put(tmp_path / test, {"a": 1, "b": 1})
    dataset = data.load(tmp_path)
    assert (len(dataset.train_images), len(dataset.test_images), dataset.notes) == (5, 2, "")
    assert dataset.class_names == ("a", "b")
    put(tmp_path / test, {"c": 1})
    with pytest.raises(DataError, match="holds the class 'c', which train lacks"):
        data.load(tmp_path)


def test_colours(tmp_path: Path) -> None:
    put(tmp_path, {"a": 3}, colour=True)
    put(tmp_path, {"b": 3})
    assert data.load(tmp_path).input_shape == (3, 6, 8)
    assert data.load(tmp_path, colour=False).input_shape == (1, 6, 8)
    grey = put(tmp_path / "grey", {"a": 3, "b": 3})
    assert data.load(grey, colour=True).input_shape == (3, 6, 8)
    np.testing.assert_array_equal(data.load(grey).train_images, data.load(grey, colour=False).train_images)


def test_sizes(tmp_path: Path) -> None:
    put(tmp_path, {"a": 3})
    put(tmp_path, {"b": 3}, size=(10, 5))
    with pytest.raises(ArgumentError, match=r"have several sizes \(a.0\.png is 6x8, b.0\.png 10x5\).*size, such as 32"):
        data.load(tmp_path)
    assert data.load(tmp_path, size=4).input_shape == (1, 4, 4)
    assert data.load(tmp_path, size=(4, 7)).input_shape == (1, 4, 7)
    for wrong in (0, -1, (3,), "4", 2.5):
        with pytest.raises(ArgumentError, match="size"):
            data.load(tmp_path, size=wrong)  # type: ignore[arg-type]
    big = put(tmp_path / "big", {"a": 1, "b": 1}, size=(801, 4))
    with pytest.raises(ArgumentError, match="are 801x4; say a smaller size"):
        data.load(big)


def test_a_camera_held_upright(tmp_path: Path) -> None:
    put(tmp_path, {"a": 2, "b": 2})
    turned = Image.fromarray(np.zeros((8, 6), np.uint8))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a" / "turned.jpg", exif=exif)
    assert data.load(tmp_path).input_shape == (1, 6, 8)


def test_pictures_become_images_as_predict_prepares_them(tmp_path: Path) -> None:
    put(tmp_path, {"a": 2, "b": 2}, size=(9, 5))
    made = data.Preparation(("light-on-dark", "stretch"))
    dataset = data.load(tmp_path, size=4, preparation=made)
    assert dataset.preparation == made
    expected = made.sample(data.read_picture(tmp_path / "a" / "0.png"), (1, 4, 4))
    assert any(np.array_equal(expected, image) for image in (*dataset.train_images, *dataset.test_images))


def test_broken_pictures_are_all_named_or_skipped(tmp_path: Path) -> None:
    put(tmp_path, {"a": 6, "b": 6})
    (tmp_path / "a" / "bad.png").write_bytes(b"no picture")
    whole = (tmp_path / "b" / "0.png").read_bytes()
    (tmp_path / "b" / "\x1b[31mcut\n.png").write_bytes(whole[:-25])
    with pytest.raises(DataError) as caught:
        data.load(tmp_path)
    text = str(caught.value)
    assert text.count("\n") == 0
    assert "2 of 14 pictures" in text
    assert "a/bad.png: is not a picture" in text
    assert r"b/\x1b[31mcut\n.png: is a damaged picture" in text
    assert "--skip-broken" in text
    with pytest.warns(UserWarning, match="skipped 2 of 14 pictures"):
        dataset = data.load(tmp_path, skip_broken=True)
    assert len(dataset.train_images) + len(dataset.test_images) == 12


def test_many_broken_pictures_are_counted(tmp_path: Path) -> None:
    put(tmp_path, {"a": 2, "b": 2})
    for k in range(30):
        (tmp_path / "a" / f"x{k:02}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"30 of 34 pictures.*x09.png.*and 20 more \("):
        data.load(tmp_path)


def test_a_class_of_broken_pictures_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a": 4, "b": 0})
    for k in range(3):
        (tmp_path / "b" / f"{k}.png").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="no picture of the class 'b' is left to train on"):
            data.load(tmp_path, skip_broken=True)


def test_folders_that_are_no_data_set(tmp_path: Path) -> None:
    one = put(tmp_path / "one", {"a": 3})
    with pytest.raises(DataError, match="holds 1 class; a data set needs"):
        data.load(one)
    (one / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty holds no picture \(.png"):
        data.load(one)
    single = put(tmp_path / "single", {"a": 1, "b": 1})
    with pytest.raises(DataError, match="too few to hold out a test part"):
        data.load(single)
    put(tmp_path / "single", {"c": 2})
    assert data.load(single).train_labels.tolist() == [0, 1, 2]


def test_what_is_no_picture_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a": 3, "b": 3, ".git": 1})
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "a" / "._0.png").write_bytes(b"left by a file manager")
    put(tmp_path / "b", {"more": 2})
    dataset = data.load(tmp_path)
    assert len(dataset.train_images) + len(dataset.test_images) == 8, "pictures in deeper folders belong to the class"


def test_the_memory_budget_is_asked_before_any_picture_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a": 2, "b": 2})
    monkeypatch.setenv("CHAINRULE_MEMORY", "100 MB")
    monkeypatch.setattr("chainrule.data.pictures.read_picture", lambda path: pytest.fail("a picture was read"))
    with pytest.raises(DataError, match=r"4 images of 3x9000x9000 would take .* take a smaller size"):
        data.load(tmp_path, size=9000)


def test_options_of_pictures_for_other_data(tmp_path: Path) -> None:
    for options in (
        {"size": 3},
        {"colour": True},
        {"seed": 1},
        {"skip_broken": True},
        {"preparation": data.Preparation(("fit",))},
    ):
        with pytest.raises(
            ArgumentError, match=f"{next(iter(options))} is for folders of pictures, and digits is none"
        ):
            data.load("digits", **options)  # type: ignore[arg-type]


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a": 2, "b": 2})
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    for size in (None, 4):
        with pytest.raises(MissingExtraError, match=r"chainrule\[images\]"):
            data.load(tmp_path, size=size, skip_broken=True)
