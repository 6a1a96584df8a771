"""Pictures become digits as MNIST's makers made them: found, cropped, scaled to 20x20, centred by mass."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import data
from chainrule.data.images import as_digit, read_picture, resize
from chainrule.data.preparation import MNIST_DIGIT, assumed
from chainrule.errors import DataError, FileFormatError, ShapeError, StorageError

Image = pytest.importorskip("PIL.Image")
SEVEN = np.zeros((60, 40))
SEVEN[5:12, 5:35] = 1  # the bar
SEVEN[12:55, 28:35] = 1  # the stem


def scene(ink: float, ground: float, rows: int = 200, columns: int = 300, top: int = 20, left: int = 200) -> Any:
    picture = np.full((rows, columns), ground)
    area = picture[top : top + 60, left : left + 40]
    area[...] = np.where(SEVEN > 0, ink, ground)
    return picture


def test_the_place_the_polarity_and_the_contrast_do_not_matter() -> None:
    digits = [
        as_digit(scene(0, 1)),
        as_digit(scene(1, 0)),
        as_digit(scene(0.3, 0.7, top=100, left=10)),
        as_digit(scene(0.9, 0.5, rows=100)),
    ]
    for digit in digits[1:]:
        assert np.abs(digit.astype(int) - digits[0]).mean() < 12


def test_the_digit_fills_20_pixels_and_its_mass_is_centred() -> None:
    digit = as_digit(scene(0, 1))
    assert digit.shape == (1, 28, 28)
    assert digit.dtype == np.uint8
    rows = np.nonzero(digit[0] > 40)[0]
    assert 19 <= rows.max() - rows.min() + 1 <= 21
    weight = digit[0].astype(float)
    for axis in (0, 1):
        mass = weight.sum(axis=1 - axis)
        assert abs((mass * (np.arange(28) + 0.5)).sum() / mass.sum() - 14.5) <= 0.51


def test_digits_of_mnist_come_back_nearly_as_they_were() -> None:
    images = data.load("digits").test_images[:40, 0]
    back = np.stack([as_digit(1 - image / 255)[0] for image in images])
    assert np.abs(back.astype(float) - images).mean() < 3


def test_the_grain_of_a_photograph_is_no_ink() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(scene(0.15, 0.8) + rng.normal(0, 0.02, (200, 300)), 0, 1)
    assert np.abs(as_digit(noisy).astype(int) - as_digit(scene(0.15, 0.8))).mean() < 18


@pytest.mark.parametrize("picture", [np.full((30, 30), 0.5), np.ones((1, 1)), 0.5 + 0.01 * np.eye(30)])
def test_an_empty_picture_is_refused(picture: Any) -> None:
    with pytest.raises(DataError, match="is empty: nothing stands out"):
        as_digit(picture)


def test_resizing_keeps_the_mean_and_takes_any_size() -> None:
    picture = np.random.default_rng(0).uniform(size=(37, 53))
    for size in ((5, 7), (37, 53), (60, 90)):
        assert resize(picture, size).shape == size
        assert resize(picture, size).mean() == pytest.approx(picture.mean())
    assert resize(picture, (37, 53)) == pytest.approx(picture)


def save(path: Path, mode: str, ground: int = 255, ink: int = 0) -> Path:
    pixels = np.where(scene(1, 0) > 0, ink, ground).astype(np.uint8)
    if mode == "RGBA":  # black ink on nothing
        shown = np.zeros((*pixels.shape, 4), np.uint8)
        shown[..., 3] = np.where(pixels == ink, 255, 0)
        Image.fromarray(shown).save(path)
    elif mode == "I;16":
        Image.fromarray(pixels.astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16"])
def test_every_kind_of_png_gives_the_same_digit(tmp_path: Path, mode: str) -> None:
    digit = MNIST_DIGIT.sample(read_picture(save(tmp_path / "seven.png", mode)), (1, 28, 28))
    assert np.abs(digit.astype(int) - as_digit(scene(0, 1))).max() <= 30


def test_white_ink_on_nothing_is_seen_on_black(tmp_path: Path) -> None:
    shown = np.full((200, 300, 4), 255, np.uint8)
    shown[..., 3] = 255 * scene(1, 0).astype(np.uint8)
    Image.fromarray(shown).save(tmp_path / "white.png")
    digit = as_digit(read_picture(tmp_path / "white.png").mean(axis=2))
    assert np.abs(digit.astype(int) - as_digit(scene(0, 1))).max() <= 30


def test_color_networks_get_the_whole_picture(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "seven.jpg", "RGB"))
    sample = assumed((3, 32, 32)).sample(picture, (3, 32, 32))
    assert sample.shape == (3, 32, 32)
    assert sample.dtype == np.uint8
    with pytest.raises(ShapeError, match="1 or 3, rows, columns"):
        MNIST_DIGIT.sample(picture, (784,))


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        read_picture(tmp_path / "missing.png")
    with pytest.raises(StorageError):
        read_picture(tmp_path)
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(FileFormatError, match="is not a picture"):
        read_picture(tmp_path / "text.png")
    whole = save(tmp_path / "whole.png", "L").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError, match="damaged"):
        read_picture(tmp_path / "half.png")


def test_damaged_notes_in_a_picture_are_passed_over_in_silence(tmp_path: Path) -> None:
    pixels = Image.fromarray((255 * scene(0, 1)).astype(np.uint8))
    pixels.save(tmp_path / "whole.jpg")
    pixels.save(tmp_path / "notes.jpg", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x05")
    assert np.array_equal(read_picture(tmp_path / "notes.jpg"), read_picture(tmp_path / "whole.jpg"))


def test_whatever_a_decoder_raises_is_a_damaged_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    with pytest.raises(FileFormatError, match="damaged picture: unpack requires"):
        read_picture(save(tmp_path / "seven.png", "L"))
