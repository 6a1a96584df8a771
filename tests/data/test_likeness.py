"""What is unlike the pictures of a data set is told; what is like them hardly ever."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule import data
from chainrule.cli.app import app
from chainrule.cli.train import split
from chainrule.data.images import as_digit, write_png
from chainrule.data.likeness import Likeness
from chainrule.errors import FileFormatError
from tests.helpers import Array

DIGITS = data.load("digits")
KEPT, HELD = split(DIGITS, 0)


@pytest.fixture(scope="module")
def likeness() -> Likeness:
    made = Likeness.of(DIGITS.train_images[KEPT], DIGITS.train_labels[KEPT], DIGITS.train_images[HELD])
    return Likeness.from_json(json.loads(json.dumps(made.to_json())))


def drawn(strokes: list[tuple[float, float, float, float]], side: int = 100) -> Array:
    """A picture with straight strokes (from row, column to row, column, in 0..1)."""
    paper = np.ones((side, side))
    rows, columns = np.indices(paper.shape)
    for a, b, c, d in strokes:
        for t in np.linspace(0, 1, 200):
            r, q = (a + t * (c - a)) * side, (b + t * (d - b)) * side
            paper[(rows - r) ** 2 + (columns - q) ** 2 < 36] = 0
    return paper


def written(strokes: list[tuple[float, float, float, float]]) -> Array:
    """The same, prepared as `predict` does."""
    return as_digit(drawn(strokes))


LETTERS = {
    "A": [(0.9, 0.2, 0.1, 0.5), (0.1, 0.5, 0.9, 0.8), (0.6, 0.32, 0.6, 0.68)],
    "E": [(0.1, 0.25, 0.9, 0.25), (0.1, 0.25, 0.1, 0.75), (0.5, 0.25, 0.5, 0.7), (0.9, 0.25, 0.9, 0.75)],
    "K": [(0.1, 0.25, 0.9, 0.25), (0.5, 0.25, 0.1, 0.75), (0.5, 0.25, 0.9, 0.75)],
    "M": [(0.9, 0.15, 0.1, 0.15), (0.1, 0.15, 0.6, 0.5), (0.6, 0.5, 0.1, 0.85), (0.1, 0.85, 0.9, 0.85)],
    "N": [(0.9, 0.2, 0.1, 0.2), (0.1, 0.2, 0.9, 0.8), (0.9, 0.8, 0.1, 0.8)],
    "W": [(0.1, 0.1, 0.9, 0.3), (0.9, 0.3, 0.3, 0.5), (0.3, 0.5, 0.9, 0.7), (0.9, 0.7, 0.1, 0.9)],
    "X": [(0.1, 0.2, 0.9, 0.8), (0.1, 0.8, 0.9, 0.2)],
}
SEVEN = [(0.1, 0.3, 0.1, 0.7), (0.1, 0.7, 0.9, 0.45)]
ONE = [(0.1, 0.5, 0.9, 0.45)]


def test_hardly_any_digit_is_warned_of(likeness: Likeness) -> None:
    strange = [likeness.strangeness(image) for image in DIGITS.test_images]
    assert np.mean([bool(ways) for ways in strange]) <= 0.02


def test_letters_that_no_digit_looks_like_are(likeness: Likeness) -> None:
    """A thin A is too much like some 4, and a thin E like some 6."""
    told = {name for name in LETTERS if "far from every class" in likeness.strangeness(written(LETTERS[name]))}
    assert told >= {"K", "M", "N", "W", "X"}


@pytest.mark.parametrize("strokes", [SEVEN, ONE], ids=["seven", "one"])
def test_drawn_digits_are_not(strokes: list[tuple[float, float, float, float]], likeness: Likeness) -> None:
    assert likeness.strangeness(written(strokes)) == ()


def test_two_digits_beside_one_another_are_several_shapes(likeness: Likeness) -> None:
    pair = [(a, b / 2, c, d / 2) for a, b, c, d in SEVEN] + [(a, 0.5 + b / 2, c, 0.5 + d / 2) for a, b, c, d in ONE]
    assert "several shapes" in likeness.strangeness(written(pair))


def test_noise_has_no_clear_shape_and_ink_is_weighed(likeness: Likeness) -> None:
    rng = np.random.default_rng(0)
    assert "no clear shape" in likeness.strangeness(as_digit(rng.random((60, 60))))
    empty, full = np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8)
    assert "little ink" in likeness.strangeness(empty)
    assert "much ink" in likeness.strangeness(full)
    assert "much ink" in likeness.strangeness(255 - DIGITS.test_images[0])


def test_bytes_and_parts_of_one_are_judged_alike(likeness: Likeness) -> None:
    for image in DIGITS.test_images[:50]:
        assert likeness.strangeness(image) == likeness.strangeness(image / np.float32(255))


def test_a_picture_of_another_size_is_not_judged(likeness: Likeness) -> None:
    assert likeness.strangeness(np.zeros((3, 32, 32), np.uint8)) == ()


def test_colours_few_images_and_many_classes_are_described() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 3, 10, 8), dtype=np.uint8)
    for classes in (2, 30, 60):
        made = Likeness.of(images, np.arange(60) % classes)
        assert made.classes.shape[0] == classes
        assert np.mean([bool(made.strangeness(image)) for image in images]) < 0.1
        assert len(json.dumps(made.to_json())) < 200_000


@pytest.mark.parametrize("change", [
    {"classes": "!"}, {"extents": [1, 2, 3]}, {"ink": [1]}, {"far": "x"}, {"far": float("nan")}, {"shape": [1, 28]},
    None,
])  # fmt: skip
def test_a_damaged_description_is_refused(change: dict[str, object] | None, likeness: Likeness) -> None:
    with pytest.raises(FileFormatError, match="no description of pictures"):
        Likeness.from_json(None if change is None else likeness.to_json() | change)


def test_predict_says_so_instead_of_naming_a_digit(tmp_path: Path, likeness: Likeness) -> None:
    net = cr.parse("1x28x28 -> fc 10", seed=0)
    net.likeness, net.preparation = likeness, DIGITS.preparation
    net.save(tmp_path / "net.safetensors")
    kept = cr.load(tmp_path / "net.safetensors").likeness
    assert kept is not None
    assert (kept.ink, kept.far, kept.classes.tolist()) == (likeness.ink, likeness.far, likeness.classes.tolist())
    for name, strokes in (("m", LETTERS["M"]), ("seven", SEVEN)):
        write_png(tmp_path / f"{name}.png", np.repeat(drawn(strokes)[..., None], 3, axis=2))
    model = str(tmp_path / "net.safetensors")

    def predicted(name: str, *more: str) -> str:
        return CliRunner().invoke(app, ["predict", model, str(tmp_path / name), *more]).stdout.splitlines()[0]

    assert "unlike the pictures that the network learned from (" in predicted("m.png")
    assert "far from every class" in predicted("m.png")
    assert "不像网络学过的图片（" in predicted("m.png", "--lang", "zh")
    assert "与每个类别都相去甚远" in predicted("m.png", "--lang", "zh")
    assert predicted("seven.png").endswith(tuple("0123456789"))


def test_a_description_of_other_pictures_is_refused(tmp_path: Path, likeness: Likeness) -> None:
    net = cr.parse("1x20x20 -> fc 10")
    net.likeness = likeness
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(FileFormatError, match="pictures that the network does not take"):
        cr.load(tmp_path / "net.safetensors")
