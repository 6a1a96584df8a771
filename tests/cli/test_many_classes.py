"""Data sets of very many classes: what would need a matrix of classes times classes is left out, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from chainrule.cli import app

CLASSES = 20_000
NET = f"1x2x2 -> fc {CLASSES}"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command in a folder with such a data set, where a matrix of classes times classes would not fit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAINRULE_MEMORY", "1 GB")
    images = np.arange(12 * 4, dtype=np.uint8).reshape(12, 1, 2, 2)
    labels = np.linspace(0, CLASSES - 1, 12).astype(int)
    np.savez("many.npz", train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def train(run: Any, *more: str) -> dict[str, Any]:
    options = ("--data", "many.npz", "--net", NET, "--epochs", "1", "--output", "out")
    result = run("train", *options, *more)
    assert result.exit_code == 0, result.output
    assert "1,000 classes" in result.output or "--no-plots" in more
    found: dict[str, Any] = json.loads(Path("out/run.json").read_text())
    return found


def test_the_report_of_training_does_without_the_matrix(run: Any) -> None:
    test = train(run, "--no-plots")["test"]
    assert test["confusion"] is None
    assert 0 <= test["accuracy"] <= 1


def test_the_other_plots_are_drawn(run: Any) -> None:
    pytest.importorskip("matplotlib")
    train(run)
    assert Path("out/most_confused.png").exists()
    assert not Path("out/confusion.png").exists()
    result = run("evaluate", "out", "--data", "many.npz")
    assert result.exit_code == 0, result.output
    assert "1,000 classes" in result.output
