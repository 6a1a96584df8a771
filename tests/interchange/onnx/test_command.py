"""`chainrule export MODEL --to onnx`: files as `to_onnx` writes them, and mistakes in one sentence with exit code 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule.cli.app import app
from tests.interchange.onnx.running import checked, inputs_of, run


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cr.Network:
    """A saved network in an empty folder."""
    monkeypatch.chdir(tmp_path)
    net = cr.parse("1x6x6 -> conv 2@3x3 -> relu -> fc 3", seed=1)
    net.loss = cr.MSELoss()
    net.save("net.safetensors")
    return net


def export(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["export", "net.safetensors", *map(str, arguments)])


def test_inference_is_what_is_written_where_nothing_is_said(model: cr.Network) -> None:
    result = export()
    assert result.exit_code == 0, result.output
    assert result.output == "written to net.onnx\n"
    x = np.random.default_rng(0).random((2, 1, 6, 6), np.float32)
    assert np.abs(run(Path("net.onnx"), {"x": x}, "float32")["y"] - model(x)).max() < 1e-6


def test_every_option(model: cr.Network) -> None:
    result = export("out.onnx", "--to", "onnx", "--what", "train_step", "--optimizer", "adam", "--weight-decay", 0.1,
                    "--batch", 4, "--dtype", "float64", "--weights", "beside", "--opset", 20, "--uint8")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output == "written to out.onnx\nwritten to out.safetensors\n"
    inputs = inputs_of(Path("out.onnx"))
    assert inputs["x"] == ("UINT8", [4, 1, 6, 6])
    assert inputs["targets"] == ("DOUBLE", [4, 3])  # the loss that the network came with
    assert "square.conv1.bias" in inputs
    assert checked(Path("out.onnx")).opset_import[0].version == 20
    assert "weight_decay=0.1" in checked(Path("out.onnx")).doc_string


def test_gradients_and_sgd(model: cr.Network) -> None:
    assert export("g.onnx", "--what", "gradients").exit_code == 0
    assert "gradient.x" in [output.name for output in checked(Path("g.onnx")).graph.output]
    assert export("s.onnx", "--what", "train_step", "--momentum", 0).exit_code == 0
    assert not [name for name in inputs_of(Path("s.onnx")) if "velocity" in name]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "onyx"], "no form is named 'onyx'; did you mean 'onnx'?"),
        (["--what", "training"], 'what must be "inference"'),
        (["--opset", 3], "opset must be a number from"),
        (["--dtype", "float16"], "dtype must be"),
        (["--momentum", 0.5], "--momentum is for --what train_step"),
        (["--what", "gradients", "--weight-decay", 0.5], "--weight-decay is for --what train_step"),
        (["--what", "train_step", "--optimizer", "sdg"], "no optimizer is named 'sdg'"),
        (["nowhere/net.onnx"], "cannot write nowhere/net.onnx: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments: list[Any], sentence: str, model: cr.Network) -> None:
    result = export(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in Path.cwd().iterdir()] == ["net.safetensors"]
