"""The command line: what it writes, what it says, and how it ends when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule import data
from chainrule.cli import app
from chainrule.cli.recipes import Settings

Run = Callable[..., Result]
SMALL = "1x6x6 -> conv 2@3x3 -> relu -> fc 3"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder that holds a small data set, small.npz."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = rng.integers(0, 60, (60, 1, 6, 6), dtype=np.uint8)
    images[np.arange(60), 0, 2 * labels] += 180  # the class is a bright row
    np.savez(
        "small.npz",
        train_images=images[:45],
        train_labels=labels[:45],
        test_images=images[45:],
        test_labels=labels[45:],
    )
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def train(run: Run, *more: Any) -> Result:
    return run(
        "train", "--data", "small.npz", "--net", SMALL, "--epochs", 6, "--batch-size", 5, "--output", "out", *more
    )


# --- train -----------------------------------------------------------------------------------------------------


def test_training_ends_with_model_plots_report_and_advice(run: Run) -> None:
    pytest.importorskip("matplotlib")
    result = train(run)
    assert result.exit_code == 0, result.output
    assert "test accuracy 100.00 %" in result.output
    assert "chainrule predict out" in result.output
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "confusion.png", "feature_maps.png", "filters.png", "learning_curves.png", "model.safetensors",
        "most_confused.png", "run.json",
    ]  # fmt: skip
    report = json.loads(Path("out/run.json").read_text())
    assert report["test"]["accuracy"] == 1.0
    assert len(report["history"]) == 6
    held = data.load("small.npz")
    assert cr.load("out/model.safetensors").evaluate(held.test_images, held.test_labels).accuracy == 1.0


def test_quiet_training_prints_one_line_and_no_plots_draws_none(run: Run) -> None:
    result = train(run, "--quiet", "--no-plots")
    assert len(result.output.splitlines()) == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["model.safetensors", "run.json"]


def test_the_same_seed_trains_the_same_network(run: Run) -> None:
    models = []
    for seed in (3, 3, 4):
        assert train(run, "--quiet", "--no-plots", "--seed", seed).exit_code == 0
        models.append(Path("out/model.safetensors").read_bytes())
    assert models[0] == models[1] != models[2]


def test_runs_without_output_are_numbered(run: Run) -> None:
    for _ in range(2):
        options = ("--epochs", 1, "--quiet", "--no-plots")
        assert run("train", "--data", "small.npz", "--net", SMALL, *options).exit_code == 0
    assert sorted(path.name for path in Path("chainrule-runs").iterdir()) == ["small-custom-1", "small-custom-2"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "step", "constant"])
def test_every_optimizer_and_schedule(run: Run, optimizer: str, schedule: str) -> None:
    options = (
        "--optimizer",
        optimizer,
        "--schedule",
        schedule,
        "--quiet",
        "--no-plots",
        "--patience",
        3,
        "--keep-best",
    )
    assert train(run, *options).exit_code == 0


def test_lenet5_of_1998_has_a_rate_of_its_own() -> None:
    settings = Settings(None, 32, "sgd", None, 0.9, None, "one-cycle")
    usual, penalties = (settings.make_optimizer(loss) for loss in (cr.CrossEntropyLoss(), cr.MAPLoss()))
    assert penalties.learning_rate < usual.learning_rate
    assert settings.epochs_for(5_000) == 15
    assert settings.epochs_for(60_000) == 5


def test_an_interrupt_saves_the_model_and_ends_with_130(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from chainrule.cli import main; main()", "train", "--data", "small.npz"]
    options = ["--net", SMALL, "--epochs", "1000000", "--output", "out", "--engine", "reference"]
    process = subprocess.Popen(
        command + options, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "interrupted after" in output
    assert "Traceback" not in errors
    assert cr.load(tmp_path / "out" / "model.safetensors").input_shape == (1, 6, 6)


# --- the other commands ----------------------------------------------------------------------------------------


@pytest.fixture
def model(run: Run) -> str:
    train(run, "--quiet", "--no-plots")
    return "out"


def test_evaluate_prints_scores_and_confusion(run: Run, model: str) -> None:
    result = run("evaluate", model, "--data", "small.npz", "--no-plots")
    assert result.exit_code == 0
    assert "accuracy 100.00 %" in result.output
    assert "precision" in result.output
    assert "true \\ predicted" in result.output


def picture(path: str, row: int) -> str:
    image = pytest.importorskip("PIL.Image")
    pixels = np.full((90, 90), 255, np.uint8)
    pixels[20:70, 30 + 10 * row : 40 + 10 * row] = 0
    image.fromarray(pixels).save(path)
    return path


def test_predict_names_a_class_and_goes_on_after_bad_files(run: Run, model: str) -> None:
    Path("bad.png").write_bytes(b"no picture")
    result = run("predict", model, picture("a.png", 0), "bad.png", "missing.png", picture("b.png", 1))
    assert result.exit_code == 2
    assert "a.png: " in result.output
    assert "b.png: " in result.output
    assert "bad.png is not a picture" in result.stderr
    assert "cannot read missing.png" in result.stderr
    single = run("predict", model, "a.png")
    assert single.exit_code == 0
    shown = [line.split()[0] for line in single.output.splitlines()]
    assert shown[-3:] == ["0", "1", "2"]  # a single picture shows every class
    assert len(shown) <= 2 + 3  # behind its name, or what is strange about it
    assert "%" in single.output


def test_summary_of_a_model_a_name_and_a_text(run: Run, model: str) -> None:
    assert "61,706" in run("summary").output
    assert "60,000" in run("summary", "--net", "lenet5-1998").output
    for arguments in ((model,), ("--net", SMALL)):
        result = run("summary", *arguments)
        assert result.exit_code == 0
        assert "conv1" in result.output


def test_check_passes_right_networks(run: Run, model: str) -> None:
    for arguments in ((model,), (model, "--data", "small.npz"), ("--net", "two-two-two", "--samples", 0)):
        result = run("check", *arguments)
        assert result.exit_code == 0, result.output
        assert "The gradients are right" in result.output
        assert max(map(len, result.output.splitlines())) <= 80


def test_check_ends_with_1_where_a_gradient_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cr.Tanh, "backward_input", lambda self, parameters, dy, saved: dy * (1 - saved))
    result = run("check", "--net", "4 -> fc 3 -> tanh -> fc 2", "--engine", "reference")
    assert result.exit_code == 1
    assert "WRONG" in result.output


def test_version_and_help(run: Run) -> None:
    assert run("--version").output == f"chainrule {cr.__version__}\n"
    for command in ("train", "evaluate", "predict", "summary", "check"):
        assert command in run("--help").output
        assert run(command, "--help").exit_code == 0


# --- what is wrong is said in one sentence ---------------------------------------------------------------------

WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown data": (("train", "--data", "digit"), "did you mean 'digits'?"),
    "missing data": (("train", "--data", "./nowhere"), "nowhere does not exist"),
    "unknown network": (("train", "--net", "lenet6"), "did you mean 'lenet5'"),
    "bad grammar": (("train", "--net", "1x28x28 -> cnv 6@5x5"), "            ^"),
    "too few outputs": (("train", "--net", "1x28x28 -> fc 5"), "end it with fc 10"),
    "wrong input": (("train", "--net", "1x30x30 -> fc 10"), "holds images of 1x28x28"),
    "no epochs": (("train", "--epochs", "-1"), "epochs must lie between 0"),
    "no rate": (("train", "--learning-rate", "nan"), "learning_rate must be"),
    "no batch": (("train", "--batch-size", "0"), "batch_size must lie between 1"),
    "unknown optimizer": (("train", "--optimizer", "sdg"), "did you mean 'sgd'"),
    "unknown schedule": (("train", "--schedule", "cosin"), "did you mean 'cosine'"),
    "unknown engine": (("train", "--engine", "gpu"), "no engine is named 'gpu'"),
    "unknown precision": (("train", "--dtype", "float16"), 'dtype must be "float32" or "float64"'),
    "negative seed": (("train", "--seed", "-1"), "--seed must be 0 or larger"),
    "output is a file": (("train", "--output", "small.npz"), "cannot write to the folder small.npz"),
    "missing model": (("evaluate", "missing.safetensors"), "cannot read missing.safetensors"),
    "corrupt model": (("evaluate", "corrupt.safetensors"), "is not a complete safetensors file"),
    "other data": (("evaluate", "other.safetensors"), "the network takes images of"),
    "model and net": (("summary", "corrupt.safetensors", "--net", "lenet5"), "either MODEL or --net"),
    "no numbers": (("check", "--samples", "-3"), "sample must lie between 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_sentence_and_exit_code_2(name: str, run: Run) -> None:
    Path("corrupt.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{not json")
    cr.parse("1x5x5 -> fc 3").save("other.safetensors")
    arguments, message = WRONG[name]
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("chainrule: ")
    assert "Traceback" not in result.output + result.stderr
    assert not list(Path().glob("chainrule-runs/*/model.safetensors"))


@pytest.mark.parametrize("flaw", ["label", "nan", "one image"])
def test_bad_data_sets_are_refused(flaw: str, run: Run) -> None:
    images, labels = np.zeros((8, 1, 6, 6), np.float32), np.arange(8) % 3
    if flaw == "nan":
        images[3, 0, 1, 1] = np.nan
    if flaw == "label":
        labels[5] = -1
    count = 1 if flaw == "one image" else 8
    np.savez(
        "bad.npz", train_images=images[:count], train_labels=labels[:count], test_images=images, test_labels=labels
    )
    result = run("train", "--data", "bad.npz", "--net", SMALL, "--no-plots")
    assert result.exit_code == 2
    assert result.stderr.startswith("chainrule: ")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_found_before_training(run: Run) -> None:
    Path("locked").mkdir(mode=0o500)
    result = run("train", "--output", "locked/run")
    assert result.exit_code == 2
    assert "cannot write to the folder" in result.stderr


def test_overflow_ends_with_a_sentence(run: Run) -> None:
    result = train(run, "--learning-rate", 1e30, "--quiet")
    assert result.exit_code == 2
    assert "in epoch 1" in result.stderr
    assert "smaller learning rate" in result.stderr


def test_without_matplotlib_training_says_how_to_get_plots(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = train(run)
    assert result.exit_code == 0
    assert "pip install 'chainrule[plots]'" in result.output
