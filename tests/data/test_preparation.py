"""How pictures become samples: named steps, measured from data, stored with networks, refused where unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import data
from chainrule.data.preparation import MNIST_DIGIT, STEPS, Preparation, assumed
from chainrule.errors import ArgumentError, DataError, FileFormatError, NameLookupError, ShapeError

RNG = np.random.default_rng(0)


def scene(ink: float, ground: float, size: tuple[int, int] = (40, 40), top: int = 4, left: int = 6) -> Any:
    """A bar of 20x8 near the upper left corner."""
    picture = np.full((*size, 3), ground)
    picture[top : top + 20, left : left + 8] = ink
    return picture


def clothes(ground: int = 0, ink: int = 200, count: int = 50) -> Any:
    """Images that fill their field as those of Fashion-MNIST do, each at a place of its own."""
    images = np.full((count, 1, 28, 28), ground, np.uint8)
    for image in images:
        top, left = RNG.integers(0, 8, 2)
        image[0, top : top + 20, left : left + 14] = ink
    return images


# --- the steps ---


def test_what_fits_already_is_left_as_it_is() -> None:
    image = clothes()[0]
    seen = Preparation(("light-on-dark", "fit")).sample(Preparation(("stretch",)).picture(image), (1, 28, 28))
    assert np.array_equal(seen, image)  # not cropped, not centred: what a network of clothes learned from


def test_a_digit_is_centred_and_clothes_are_not() -> None:
    picture = scene(1, 0)
    digit = MNIST_DIGIT.sample(picture, (1, 40, 40)) / 255
    fitted = Preparation(("light-on-dark", "fit")).sample(picture, (1, 40, 40)) / 255
    columns = np.arange(40) + 0.5
    assert (digit.sum(axis=(0, 1)) * columns).sum() / digit.sum() == pytest.approx(20.5, abs=0.6)
    assert (fitted.sum(axis=(0, 1)) * columns).sum() / fitted.sum() == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("ground", [0.0, 0.2, 0.9, 1.0])
def test_the_polarity_is_that_of_the_data_set(ground: float) -> None:
    picture = scene(1 - ground, ground)
    dark = Preparation(("light-on-dark", "fit")).sample(picture, (1, 40, 40))
    light = Preparation(("dark-on-light", "fit")).sample(picture, (1, 40, 40))
    alone = Preparation(("fit",)).sample(picture, (1, 40, 40))
    assert dark[0, 0, 0] < 128 < light[0, 0, 0]
    assert dark[0, 10, 10] > 128 > light[0, 10, 10]
    assert np.array_equal(alone, dark if ground < 0.5 else light)


def test_crop_cuts_down_to_what_stands_out() -> None:
    seen = Preparation(("crop", "stretch")).sample(scene(1, 0), (1, 20, 8))
    assert (seen == 255).all()
    with pytest.raises(DataError, match="empty"):
        Preparation(("crop", "fit")).sample(np.ones((20, 20, 3)), (1, 8, 8))


def test_fit_keeps_the_shape_and_fills_with_the_ground() -> None:
    picture = np.zeros((40, 20, 3))
    picture[...] = (0.0, 0.5, 1.0)
    seen = Preparation(("fit",)).sample(picture, (3, 32, 32))
    assert (seen == np.array([0, 128, 255])[:, None, None]).all()
    tall = Preparation(("fit",)).sample(scene(1, 0, (80, 40), 30, 16), (1, 40, 40)) > 128
    assert tall[0].sum() == pytest.approx(10 * 4, abs=6)
    wide = Preparation(("stretch",)).sample(scene(1, 0, (80, 40), 30, 16), (1, 40, 40)) > 128
    assert wide[0].sum() == pytest.approx(10 * 8, abs=6)


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 17, 31), (3, 32, 32), (3, 1, 1), (1, 64, 48)])
@pytest.mark.parametrize("steps", [("fit",), ("stretch",), ("dark-on-light", "crop", "fit"), ("mnist-digit",)])
def test_size_and_channels_are_those_of_the_input(shape: tuple[int, int, int], steps: tuple[str, ...]) -> None:
    sample = Preparation(steps).sample(scene(0, 1), shape)
    assert sample.shape == shape
    assert sample.dtype == np.uint8


@pytest.mark.parametrize("shape", [(784,), (2, 28, 28), (1, 28)])
def test_an_input_that_is_no_picture_is_refused(shape: Any) -> None:
    with pytest.raises(ShapeError, match="1 or 3, rows, columns"):
        assumed(shape).sample(scene(0, 1), shape)


def test_black_and_white_are_the_numbers_that_the_network_learned_from() -> None:
    preparation = Preparation(("light-on-dark", "fit"), black=-1.0, white=3.0)
    sample = preparation.sample(scene(0, 1), (1, 40, 40))
    assert sample.dtype == np.float32
    assert (sample.min(), sample.max()) == (-1, 3)
    assert preparation.picture(sample) == pytest.approx(scene(1, 0))


# --- measured from the images ---


@pytest.mark.parametrize(
    "images, expected",
    [
        (clothes(), Preparation(("light-on-dark", "fit"))),
        (clothes(255, 10), Preparation(("dark-on-light", "fit"))),
        (RNG.integers(0, 256, (50, 3, 8, 8)).astype(np.uint8), Preparation(("stretch",))),
        (clothes().astype(np.float32) / 255, Preparation(("light-on-dark", "fit"))),
        (clothes().astype(np.float32), Preparation(("light-on-dark", "fit"), 0.0, 255.0)),
        (clothes(0, 255) / 127.5 - 1, Preparation(("light-on-dark", "fit"), -1.0, 1.0)),
        ((clothes(0, 255) / 255 - 0.25) / 0.125, Preparation(("light-on-dark", "fit"), -2.0, 6.0)),
        (np.zeros((3, 1, 4, 4)), Preparation(("light-on-dark", "fit"))),
    ],
    ids=["light on dark", "dark on light", "photographs", "0..1", "0..255", "-1..1", "standardised", "one value"],
)
def test_what_is_not_known_is_measured(images: Any, expected: Preparation) -> None:
    assert Preparation.measured(images) == expected


def test_named_data_sets_know_their_preparation_and_others_are_measured(tmp_path: Path) -> None:
    assert data.load("digits").picture_preparation() == MNIST_DIGIT
    labels = np.arange(50) % 3
    np.savez(tmp_path / "own.npz", train_images=clothes(255, 10), train_labels=labels)
    own = data.load(tmp_path / "own.npz")
    assert own.preparation is None
    assert own.picture_preparation().steps == ("dark-on-light", "fit")


# --- names and files ---


@pytest.mark.parametrize(
    "text", ["fit", "stretch", "mnist-digit", "light-on-dark, fit", "Dark-On-Light,crop , stretch"]
)
def test_a_text_names_the_steps(text: str) -> None:
    preparation = Preparation.parse(text)
    assert Preparation.parse(str(preparation)) == preparation
    assert Preparation.from_json(json.loads(json.dumps(preparation.to_json()))) == preparation


@pytest.mark.parametrize(
    "steps",
    [
        (), ("crop",), ("light-on-dark",), ("fit", "crop"), ("fit", "fit"), ("fit", "stretch"), ("mnist-digit", "fit"),
        ("light-on-dark", "mnist-digit"), ("light-on-dark", "dark-on-light", "fit"),
    ],
)  # fmt: skip
def test_steps_that_do_not_follow_one_another_are_refused(steps: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError, match="at the end fit or stretch"):
        Preparation(steps)


def test_an_unknown_step_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(NameLookupError, match="did you mean 'stretch'"):
        Preparation.parse("light-on-dark, strech")
    with pytest.raises(ArgumentError, match="two different numbers"):
        Preparation(("fit",), 1.0, 1.0)
    with pytest.raises(ArgumentError, match="two different numbers"):
        Preparation(("fit",), float("nan"), 1.0)


def test_every_step_says_what_it_does() -> None:
    assert all(step.says for step in STEPS.values())


def test_a_network_carries_its_preparation(tmp_path: Path) -> None:
    net = cr.parse("1x8x8 -> fc 3")
    assert net.preparation is None
    net.save(tmp_path / "old.safetensors")
    assert cr.load(tmp_path / "old.safetensors").preparation is None
    net.preparation = Preparation(("light-on-dark", "crop", "fit"), -1.0, 1.0)
    net.save(tmp_path / "new.safetensors")
    assert cr.load(tmp_path / "new.safetensors").preparation == net.preparation
    assert net.snapshot().preparation == net.preparation


GOOD = {"steps": ["fit"], "black": 0.0, "white": 1.0}
BAD: dict[str, Any] = {
    "unknown step": {**GOOD, "steps": ["sharpen", "fit"]},
    "wrong order": {**GOOD, "steps": ["fit", "crop"]},
    "no steps": {**GOOD, "steps": []},
    "steps are no list": {**GOOD, "steps": "fit"},
    "steps are no names": {**GOOD, "steps": [1]},
    "missing": {"steps": ["fit"]},
    "more": {**GOOD, "gamma": 2.2},
    "text": "fit",
    "no number": {**GOOD, "black": "dark"},
    "truth": {**GOOD, "black": True},
    "not finite": {**GOOD, "white": float("inf")},
    "too large": {**GOOD, "white": 10**400},
    "equal": {**GOOD, "white": 0.0},
    "null": None,
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_with_another_preparation_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    net = cr.parse("1x8x8 -> fc 3")
    net.preparation = Preparation(("fit",))
    net.save(path)
    content = path.read_bytes()
    stop = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:stop])
    header["__metadata__"]["preparation"] = json.dumps(BAD[name])
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[stop:])
    with pytest.raises(FileFormatError, match=r"cannot be loaded: .*prepar"):
        cr.load(path)
