"""Pictures are prepared as those were that the network learned from, and shown as the network sees them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule import data
from chainrule.cli import app

from .commands import program

Image = pytest.importorskip("PIL.Image")
NET = "1x12x12 -> conv 4@3x3 -> relu -> fc 4"


def corners(count: int, ink: int = 220, ground: int = 0, size: int = 12) -> tuple[Any, Any]:
    """Images of a square in one of four corners, which is their class: centred, all classes look the same."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 4
    images = np.full((count, 1, size, size), ground, np.int64)
    half = size // 2
    for image, label in zip(images, labels.tolist(), strict=True):
        top, left = half * (label // 2), half * (label % 2)
        image[0, top + 1 : top + half - 1, left + 1 : left + half - 1] = ink
    noisy = np.clip(images + rng.integers(-8, 9, images.shape), 0, 255)
    noisy[..., [0, -1], :] = noisy[..., :, [0, -1]] = ground
    return noisy.astype(np.uint8), labels


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder with images of corners, and a network trained on them in `out`."""
    monkeypatch.chdir(tmp_path)
    images, labels = corners(200)
    np.savez("corners.npz", train_images=images, train_labels=labels)

    def invoke(*arguments: Any) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments])

    result = invoke("train", "--data", "corners.npz", "--net", NET, "--epochs", 8, "--output", "out", "--no-plots")
    assert result.exit_code == 0, result.output
    assert "pictures will be prepared for it by: light-on-dark, fit" in result.output
    return invoke


def as_file(path: str, image: Any, scale: int = 9, *, inverted: bool = False) -> str:
    pixels = np.kron(image[0], np.ones((scale, scale), np.uint8))
    Image.fromarray(255 - pixels if inverted else pixels).save(path)
    return path


def answers(result: Result) -> list[int]:
    assert result.exit_code == 0, result.output
    return [int(line.split(": ")[1]) for line in result.stdout.splitlines() if ".png: " in line]


@pytest.mark.parametrize("inverted", [False, True])
def test_pictures_that_must_not_be_centred_are_not(run: Any, inverted: bool) -> None:
    images, labels = corners(4)
    names = [as_file(f"{k}.png", image, inverted=inverted) for k, image in enumerate(images)]
    assert answers(run("predict", "out", *names)) == labels.tolist()
    everything_centred = run("predict", "out", *names, "--prepare", "mnist-digit")
    likeliest = re.findall(r"choose:\n +(\d)", everything_centred.output)
    assert len(likeliest) == len(names), "what is centred is unlike what the network learned from"
    assert len(set(likeliest)) == 1


def test_what_is_written_is_what_the_network_sees(run: Any) -> None:
    images, _ = corners(4)
    as_file("a.png", images[2], inverted=True)
    result = run("predict", "out", "a.png", "--write", "seen")
    assert answers(result) == [2]
    seen = np.asarray(Image.open("seen/1-a.png").convert("L"))
    assert np.array_equal(seen, images[2, 0])


def test_show_draws_it_in_characters(run: Any) -> None:
    images, _ = corners(4)
    as_file("a.png", images[1])
    result = run("predict", "out", "a.png", "--show")
    assert "seen as 1x12x12, prepared by: light-on-dark, fit" in result.output
    drawing = result.output.split("fit\n")[1].split("\n")[:12]
    assert [drawing[row].rstrip() for row in (2, 3)] == ["  " + " " * 14 + "█" * 8] * 2 or "▓" in drawing[2]
    assert all(not line.strip() for line in drawing[6:])


def test_show_fits_narrow_terminals_and_those_without_unicode(run: Any, tmp_path: Path) -> None:
    as_file("a.png", corners(4)[0][3])
    for columns in (10, 24, 50, 80):
        options = {**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "ascii"}
        result = program("predict", "out", "a.png", "--show", cwd=tmp_path, env=options)
        assert result.returncode == 0, result.stderr
        drawing = result.stdout.decode("ascii").split("fit\n")[1]
        assert set(drawing) & set("+*#%@")
        assert max(map(len, drawing.splitlines())) <= max(columns, 10)


def test_a_file_that_does_not_say_is_told_what_is_assumed(run: Any) -> None:
    net = cr.load("out/model.safetensors")
    net.preparation = None
    net.save("old.safetensors")
    as_file("a.png", corners(4)[0][3])
    result = run("predict", "old.safetensors", "a.png")
    assert result.exit_code == 0
    assert "does not say how its pictures were prepared; assumed: mnist-digit" in result.stderr
    said = run("predict", "old.safetensors", "a.png", "--prepare", "light-on-dark,fit")
    assert answers(said) == [3]
    assert said.stderr == ""


def test_digits_are_still_prepared_as_digits(run: Any) -> None:
    result = run("train", "--net", "mlp", "--epochs", 1, "--shifts", 0, "--output", "digits", "--no-plots")
    assert "prepared for it by" not in result.output
    assert str(cr.load("digits/model.safetensors").preparation) == "mnist-digit"


def test_train_can_be_told(run: Any) -> None:
    options = ("--data", "corners.npz", "--net", NET, "--epochs", 1, "--no-plots")
    assert run("train", *options, "--output", "told", "--prepare", "crop, stretch").exit_code == 0
    assert str(cr.load("told/model.safetensors").preparation) == "crop, stretch"
    result = run("train", *options, "--output", "wrong", "--prepare", "strech")
    assert result.exit_code == 2
    assert "did you mean 'stretch'" in result.stderr
    assert not Path("wrong/model.safetensors").exists()


def test_networks_whose_input_is_no_picture_are_refused(run: Any) -> None:
    cr.parse("144 -> fc 4").save("flat.safetensors")
    as_file("a.png", corners(4)[0][0])
    result = run("predict", "flat.safetensors", "a.png")
    assert result.exit_code == 2
    assert "1 or 3, rows, columns" in result.stderr


# --- evaluate ---


def save(name: str, images: Any, labels: Any) -> str:
    np.savez(name, train_images=images[:4], train_labels=labels[:4], test_images=images, test_labels=labels)
    return name


def accuracy(result: Result) -> float:
    assert result.exit_code == 0, result.output
    return float(result.output.split("accuracy ")[1].split(" %")[0])


def test_evaluate_uses_images_as_they_are_where_they_are_made_alike(run: Any) -> None:
    result = run("evaluate", "out", "--data", save("same.npz", *corners(40)), "--no-plots")
    assert accuracy(result) == 100
    assert "prepared" not in result.output


def test_evaluate_prepares_images_of_the_other_polarity_and_says_so(run: Any) -> None:
    pytest.importorskip("matplotlib")
    inverted = save("inverted.npz", *corners(40, ink=20, ground=255))
    result = run("evaluate", "out", "--data", inverted, "--output", "plots")
    assert accuracy(result) == 100
    assert "each image prepared by: light-on-dark, fit" in result.output
    assert accuracy(run("evaluate", "out", "--data", inverted, "--no-plots", "--no-prepare")) < 60


def test_evaluate_prepares_images_of_other_numbers(run: Any) -> None:
    images, labels = corners(40)
    result = run("evaluate", "out", "--data", save("bytes.npz", images.astype(np.float32), labels), "--no-plots")
    assert accuracy(result) == 100
    assert "each image prepared by" in result.output


def test_evaluate_prepares_images_of_another_size_where_asked(run: Any) -> None:
    larger = save("larger.npz", *corners(40, size=24))
    refused = run("evaluate", "out", "--data", larger, "--no-plots")
    assert refused.exit_code == 2
    assert "--prepare" in refused.stderr
    assert accuracy(run("evaluate", "out", "--data", larger, "--no-plots", "--prepare")) == 100


def test_evaluate_names_the_image_in_which_nothing_is_found(run: Any) -> None:
    images, labels = corners(8)
    images[5] = 0
    cr.parse("1x12x12 -> fc 4").save("old.safetensors")
    result = run("evaluate", "old.safetensors", "--data", save("empty.npz", images, labels), "--no-plots", "--prepare")
    assert result.exit_code == 2
    assert "test image 5: the picture is empty" in result.stderr


def test_the_library_can_do_the_same(run: Any) -> None:
    images, labels = corners(4)
    as_file("a.png", images[3], inverted=True)
    net = cr.load("out/model.safetensors")
    assert net.preparation is not None
    sample = net.preparation.sample(data.read_picture("a.png"), net.input_shape)
    assert net(sample[None]).argmax() == labels[3]
