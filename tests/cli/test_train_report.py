"""run.json says what was really used; --data says what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from chainrule.cli import app

from .commands import SMALL, small_data


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    small_data("small.npz")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def report(run: Any, *more: Any) -> dict[str, Any]:
    options = ("--data", "small.npz", "--net", SMALL, "--no-plots", "--quiet", "--output", "out")
    result = run("train", *options, *more)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(Path("out/run.json").read_text())
    return found


def nulls(value: Any, place: str) -> Iterator[str]:
    if value is None:
        yield place
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from nulls(item, f"{place}.{key}")


def test_defaults_are_written_as_what_they_stood_for(run: Any) -> None:
    found = report(run)
    assert list(nulls(found["settings"], "settings")) == []
    expected = {
        "epochs": 15, "batch_size": 32, "optimizer": "sgd", "learning_rate": 0.03, "momentum": 0.9,
        "weight_decay": 5e-4, "schedule": "one-cycle", "shifts": 0,
    }  # fmt: skip
    assert {key: found["settings"][key] for key in expected} == expected
    assert found["engine"] in ("native", "reference")
    assert found["dtype"] == "float32"
    assert found["preparation"]["steps"]
    assert found["images"] == {"training": 41, "validation": 4, "test": 15}
    assert found["chainrule"]


@pytest.mark.parametrize("optimizer, rate, decay", [("adam", 2e-3, 0.0), ("ADAMW", 3e-3, 0.05), ("sgd", 0.03, 5e-4)])
def test_defaults_that_depend_on_the_optimizer(run: Any, optimizer: str, rate: float, decay: float) -> None:
    settings = report(run, "--optimizer", optimizer, "--epochs", 1)["settings"]
    assert (settings["optimizer"], settings["learning_rate"], settings["weight_decay"]) == (
        optimizer.lower(),
        rate,
        decay,
    )
    assert ("momentum" in settings) == (optimizer == "sgd")


def test_what_is_given_is_written_as_it_was_given(run: Any) -> None:
    found = report(
        run, "--learning-rate", 0.01, "--epochs", 2, "--shifts", 1, "--dtype", "float64", "--engine", "reference"
    )
    assert found["settings"]["learning_rate"] == 0.01
    assert (found["settings"]["epochs"], found["settings"]["shifts"]) == (2, 1)
    assert (found["engine"], found["dtype"]) == ("reference", "float64")


def test_a_report_can_be_repeated(run: Any) -> None:
    first = report(run, "--epochs", 2)
    options = [part for key, value in first["settings"].items() for part in (f"--{key.replace('_', '-')}", value)]
    again = report(run, *options, "--engine", first["engine"], "--dtype", first["dtype"], "--seed", first["seed"])
    assert again["settings"] == first["settings"]
    assert again["test"] == first["test"]


def test_a_folder_of_pictures_without_classes_is_refused_in_plain_words(run: Any) -> None:
    Path("flat").mkdir()
    Path("flat", "1.png").write_bytes(b"")
    result = run("train", "--data", "flat")
    assert result.exit_code == 2
    assert "no subfolders with the names of their classes" in result.stderr
    assert ".npz" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    Path("empty").mkdir()
    assert "found no IDX file" in run("train", "--data", "empty").stderr


def test_help_says_what_data_reads(run: Any) -> None:
    for command in ("train", "evaluate", "explain"):
        text = " ".join(run(command, "--help").output.split())
        assert "a folder of IDX files" in text
        assert "a folder of pictures with a subfolder for each class" in text
