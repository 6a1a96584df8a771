"""Commands call classes by the names that the data set gave them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule.cli import app

from .commands import SMALL, picture, small_data
from .test_foreign_text import check_plain

NAMES = ("top", "middle", "bottom")


def named_data(path: str, names: tuple[str, ...], order: tuple[int, ...] = (0, 1, 2)) -> None:
    """The small data set with names for its classes, numbered in another order."""
    small_data("plain.npz")
    with np.load("plain.npz") as arrays:
        made = {key: np.array(order)[value] if "labels" in key else value for key, value in arrays.items()}
    np.savez(path, class_names=np.array(names), **made)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def train(run: Any, names: tuple[str, ...] = NAMES, net: str = SMALL) -> None:
    named_data("named.npz", names)
    result = run("train", "--data", "named.npz", "--net", net, "--epochs", 3, "--no-plots", "--output", "out")
    assert result.exit_code == 0, result.output
    check_plain(result, escaped=False)


def test_train_keeps_the_names_in_model_and_report(run: Any) -> None:
    train(run, net="1x6x6 -> conv 2@3x3 -> relu -> fc 4")
    assert cr.load("out/model.safetensors").class_names == (*NAMES, "output 3")
    assert json.loads(Path("out/run.json").read_text())["class_names"] == [*NAMES, "output 3"]


def test_evaluate_and_predict_print_names(run: Any) -> None:
    train(run)
    evaluated = run("evaluate", "out", "--data", "named.npz", "--no-plots").stdout
    assert all(f"{name} " in evaluated for name in NAMES)
    assert "bottom 2" in evaluated, "the matrix has the numbers of its columns beside the names"
    pytest.importorskip("PIL")
    first, *rest = run("predict", "out", picture("a.png")).stdout.splitlines()
    named = rest[-len(NAMES) :]
    assert [line.split()[0] for line in named] == list(NAMES)
    if len(rest) == len(NAMES):
        assert first.removeprefix("a.png: ") in NAMES
    else:  # a bar of another width than the few that it was trained on
        assert first.startswith("a.png: unlike the pictures")


def test_evaluate_finds_classes_by_name_not_by_number(run: Any) -> None:
    train(run)
    named_data("turned.npz", ("bottom", "top", "middle"), (1, 2, 0))
    outputs = [
        run("evaluate", "out", "--data", f"{n}.npz", "--no-plots").stdout.split("\n", 1)[1]
        for n in ("named", "turned", "plain")
    ]
    assert outputs[0] == outputs[1] == outputs[2], "plain.npz knows numbers alone"


def test_a_network_without_names_takes_those_of_the_data_set(run: Any) -> None:
    train(run)
    net = cr.load("out/model.safetensors")
    net.class_names = None
    net.save("out/model.safetensors")
    evaluated = run("evaluate", "out", "--data", "named.npz", "--no-plots").stdout
    assert all(f"{name} " in evaluated for name in NAMES)


def test_a_class_that_was_not_learned(run: Any) -> None:
    train(run)
    named_data("other.npz", ("top", "middle", "left"))
    result = run("evaluate", "out", "--data", "other.npz", "--no-plots")
    assert result.exit_code == 2
    assert "other has a class 'left', but the network knows top, middle, bottom" in result.output


def test_foreign_names_are_shown_escaped(run: Any) -> None:
    train(run, ("\x1b]0;owned\x07", "\u202egnp", "line\nchainrule: all is well"))
    check_plain(run("evaluate", "out", "--data", "named.npz", "--no-plots"), escaped=False)
    pytest.importorskip("PIL")
    check_plain(run("predict", "out", picture("a.png")), escaped=False)


@pytest.mark.parametrize("names", [np.arange(3), np.array("abc"), np.array([["a", "b", "c"]])], ids=str)
def test_names_in_a_file_that_are_none(run: Any, names: Any) -> None:
    small_data("plain.npz")
    with np.load("plain.npz") as arrays:
        np.savez("odd.npz", class_names=names, **arrays)
    result = run("train", "--data", "odd.npz", "--net", SMALL, "--epochs", 1)
    assert result.exit_code == 2
    assert "class_names must be an array of texts" in result.output
