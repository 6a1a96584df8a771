"""Plots are whole PNG files of sensible size, for one class or many, one channel or three."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.training import EpochRow, History

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)


def history(epochs: int = 4, *, accuracy: bool = True, validation: bool = True) -> History:
    rows = [
        EpochRow(k, 1 / k, 1 - 0.5 / k if accuracy else None, 2 / k if validation else None,
                 0.5 if accuracy and validation else None, 0.1, 1.0, 100.0)
        for k in range(1, epochs + 1)
    ]  # fmt: skip
    return History(rows, best_epoch=2 if validation else None)


def network(channels: int) -> cr.Network:
    layers = [cr.Conv2d(channels, 12, 3), cr.ReLU(), cr.MaxPool2d(2), cr.Flatten(), cr.Linear(108, 4)]
    return cr.Sequential(*layers, input_shape=(channels, 8, 8))


def most_confused(path: Path, samples: int, classes: int) -> None:
    probabilities = RNG.dirichlet(np.ones(classes), samples)
    plots.plot_most_confused(
        RNG.uniform(size=(samples, 1, 8, 8)), RNG.integers(0, classes, samples), probabilities, path
    )


DRAWINGS: dict[str, Callable[[Path], None]] = {
    "learning curves": lambda path: plots.plot_learning_curves(history(), path),
    "one epoch": lambda path: plots.plot_learning_curves(history(1, validation=False), path),
    "loss alone": lambda path: plots.plot_learning_curves(history(accuracy=False), path),
    "ten classes": lambda path: plots.plot_confusion(RNG.integers(0, 100, (10, 10)), path),
    "one class": lambda path: plots.plot_confusion(np.array([[3]]), path),
    "fifty classes": lambda path: plots.plot_confusion(np.eye(50, dtype=int), path, [f"class {k}" for k in range(50)]),
    "filters": lambda path: plots.plot_filters(network(1), path),
    "colour filters": lambda path: plots.plot_filters(network(3), path),
    "filters of two channels": lambda path: plots.plot_filters(network(2), path),
    "feature maps": lambda path: plots.plot_feature_maps(network(1), RNG.uniform(size=(1, 8, 8)), path),
    "colour feature maps": lambda path: plots.plot_feature_maps(network(3), np.zeros((1, 3, 8, 8), np.uint8), path),
    "mistakes": lambda path: most_confused(path, 60, 10),
    "few mistakes": lambda path: most_confused(path, 3, 2),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_plot_is_a_whole_png(name: str, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    DRAWINGS[name](path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert len(content) > 3000
    assert [file.name for file in tmp_path.iterdir()] == ["plot.png"]


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cr.errors.DataError, match="no epochs"):
        plots.plot_learning_curves(History(), tmp_path / "plot.png")
    with pytest.raises(cr.errors.ArgumentError, match="no Conv2d"):
        plots.plot_filters(cr.Sequential(cr.Linear(2, 2)), tmp_path / "plot.png")
    with pytest.raises(cr.errors.StorageError, match="cannot write"):
        plots.plot_filters(network(1), tmp_path / "missing" / "plot.png")


def test_without_matplotlib_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(cr.errors.MissingExtraError, match=r"pip install 'chainrule\[plots\]'"):
        plots.plot_filters(network(1), tmp_path / "plot.png")
