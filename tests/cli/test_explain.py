"""`chainrule explain`: which sample it takes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.messages import MESSAGES
from tests.cli.commands import SMALL, picture, program, small_data

REPLACED = {"权值": "权重", "步长": "步幅", "推断": "推理", "尖点": "折点", "敏感度": "灵敏度", "梯度检查": "梯度检验"}
"""Words that have one translation: what is not said, and what is said instead."""


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A trained network and its data set, in a folder of their own."""
    small_data(tmp_path / "small.npz")
    with np.load(tmp_path / "small.npz") as data:
        net = cr.parse(SMALL)
        images, labels = data["train_images"], data["train_labels"]
        net.fit(images, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), epochs=2, progress=False)
        net.save(tmp_path / "net.safetensors")
    return tmp_path


def run(folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What the command prints and what it complains of."""
    done = program(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), " ".join(done.stderr.decode().split())


def test_the_worst_image_is_the_one_with_the_largest_loss(trained: Path) -> None:
    said, _ = run(trained, "explain", "conv1.bias", "--model", "net.safetensors", "--data", "small.npz", "--worst")
    net = cr.load(trained / "net.safetensors")
    with np.load(trained / "small.npz") as data:
        images, labels = data["test_images"], data["test_labels"]
    losses = [cr.CrossEntropyLoss()(net.predict(images[k : k + 1]), labels[k : k + 1]) for k in range(len(images))]
    assert f"number {int(np.argmax(losses))}, class {labels[np.argmax(losses)]}" in said
    assert f"1 · {max(losses):.3f}"[:-1] in said


def test_a_picture_of_ones_own_is_explained_as_what_it_shows(trained: Path) -> None:
    picture(trained / "mine.png", row=1)
    losses = []
    for label in ("0", "2"):
        said, _ = run(
            trained, "explain", "input", "--model", "net.safetensors", "--picture", "mine.png", "--label", label
        )
        losses.append(said.split("numbers  L = ")[1].splitlines()[0])
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    "options",
    [
        ["--worst", "--image", "1"],
        ["--picture", "mine.png"],
        ["--label", "1"],
        ["--worst", "--picture", "mine.png", "--label", "1"],
    ],
    ids=" ".join,
)
def test_one_sample_at_a_time(trained: Path, options: list[str]) -> None:
    _, said = run(trained, "explain", "input", "--model", "net.safetensors", "--data", "small.npz", *options, code=2)
    assert "choose the sample by one of --image, --worst, and --picture with --label" in said


def test_a_label_that_does_not_exist_is_refused(trained: Path) -> None:
    picture(trained / "mine.png")
    of = ("explain", "input", "--model", "net.safetensors", "--picture", "mine.png", "--label", "9")
    _, said = run(trained, *of, code=2)
    assert "9" in said


@pytest.mark.parametrize("key", MESSAGES)
def test_a_term_has_one_chinese_word(key: str) -> None:
    assert not [word for word in REPLACED if word in MESSAGES[key][1]]


@pytest.mark.parametrize("path", ["README", "docs/equations", "docs/errata", "docs/coverage", "docs/vectors"])
def test_the_pages_use_the_same_words(path: str) -> None:
    text = (Path(__file__).resolve().parents[2] / f"{path}.zh-CN.md").read_text("utf-8")
    assert not [word for word in REPLACED if word in text]
