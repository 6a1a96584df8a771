"""train, evaluate, predict and the others on a folder of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule.cli import app

Image = pytest.importorskip("PIL.Image")
NET = "3x8x8 -> conv 4@3x3 -> relu -> fc 2"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder with pictures of red and of blue squares, of several sizes."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        Path("squares", name).mkdir(parents=True)
        for k in range(30):
            pixels = rng.integers(0, 60, (12 + k % 5, 12 + k % 3, 3), dtype=np.uint8)
            pixels[3:9, 3:9, channel] = 230
            Image.fromarray(pixels).save(f"squares/{name}/{k}.png")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def train(run: Any, *more: Any) -> Result:
    size = ("--size", 8, "--net", NET, "--epochs", 8, "--no-plots", "--output", "out")
    result: Result = run("train", "--data", "squares", *size, *more)
    return result


def test_a_folder_is_learned_judged_and_predicted(run: Any) -> None:
    trained = train(run)
    assert trained.exit_code == 0, trained.output
    assert "2 classes, pictures as 3x8x8; no test part was given" in trained.stdout
    net = cr.load("out/model.safetensors")
    assert net.class_names == ("blue", "red")
    judged = run("evaluate", "out", "--data", "squares", "--no-plots")
    assert judged.exit_code == 0, judged.output
    assert "accuracy 100.00 %" in judged.stdout
    predicted = run("predict", "out", "squares/red/0.png", "squares/blue/1.png")
    assert "squares/red/0.png: red" in predicted.stdout
    assert "squares/blue/1.png: blue" in predicted.stdout
    assert run("check", "out/model.safetensors", "--data", "squares").exit_code == 0


def test_the_split_is_the_same_for_evaluate(run: Any) -> None:
    result = train(run, "--split-seed", 3)
    assert "--split-seed 3" in result.stdout.split("chainrule evaluate")[1]
    samples = [
        run("evaluate", "out", "--data", "squares", "--no-plots", "--split-seed", seed).stdout for seed in (3, 4)
    ]
    assert all(" samples, accuracy" in text for text in samples)


def test_mistakes_end_in_one_sentence(run: Any) -> None:
    for options, said in (
        (("--size", "0"), "size must lie between"),
        (("--size", "8x"), '--size must be a number such as 32, or ROWSxCOLUMNS such as "24x32", not'),
        (("--grey",), "the network takes images of 3x8x8, but squares holds images of 1x8x8"),
        (("--prepare", "nonsense"), "no step of a preparation is named 'nonsense'"),
    ):
        result = train(run, *options)
        assert result.exit_code == 2, options
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1
    without = run("train", "--data", "squares", "--net", NET, "--epochs", 1)
    assert "have several sizes" in without.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["squares"]
    other = run("train", "--data", "digits", "--size", 8)
    assert (other.exit_code, "size is for folders of pictures, and digits is none" in other.stderr) == (2, True)


@pytest.mark.filterwarnings("default")
def test_broken_pictures_stop_the_command_or_are_skipped(run: Any) -> None:
    Path("squares/red/bad.png").write_bytes(b"no")
    stopped = train(run)
    assert stopped.exit_code == 2
    assert "red/bad.png" in stopped.stderr
    skipped = train(run, "--skip-broken")
    assert skipped.exit_code == 0
    assert "skipped 1 of 61 pictures" in skipped.stderr
    assert run("evaluate", "out", "--data", "squares", "--no-plots").exit_code == 2
    assert run("evaluate", "out", "--data", "squares", "--no-plots", "--skip-broken").exit_code == 0
