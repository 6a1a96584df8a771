"""Further judges of the same files, the web runtime under Node and OpenVINO: one training step of many rows in each."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import chainrule as cr
from tests.engines.comparing import LONG
from tests.interchange.onnx.running import (
    SINGLE,
    Arrays,
    assert_near,
    data,
    inputs_of,
    masks,
    reference_steps,
    stored,
)
from tests.interchange.onnx.test_graphs import forked, problem
from tests.interchange.onnx.test_rows import largest_output, problem_for
from tests.layers.rows import ROWS
from tests.strategies import Problem

RUNTIME = Path(__file__).parents[3] / "examples" / "node_modules" / "onnxruntime-web" / "dist" / "ort.node.min.mjs"
RATE = 0.1


def cases() -> dict[str, tuple[Problem, cr.Optimizer]]:
    """A step of many rows, of a graph with forks, and of an optimizer that counts."""
    sgd = cr.SGD(RATE, momentum=0.9)
    found: dict[str, tuple[Problem, cr.Optimizer]] = {
        f"{number:03}": (problem_for(row), sgd) for number, row in enumerate(ROWS[:: 3 if LONG else 9])
    }
    plain = cr.parse("1x6x6 -> conv 2@3x3 -> tanh -> fc 3", seed=1)
    return found | {"forked": (problem(forked()), sgd), "counting": (problem(plain), cr.AdamW())}


def feeds_of(path: Path, made: Problem) -> Arrays:
    """All inputs of a step's file at the first step."""
    places = inputs_of(path)
    zeros = {name: np.zeros(shape, np.float32) for name, (_, shape) in places.items() if not shape or "n" not in shape}
    given = data(made, "float32") | masks(made.net, len(made.x), 0) | stored(made.net, "float32")
    given |= {"learning_rate": np.array(RATE, np.float32), "step": np.array(1)}
    return {name: given.get(name, zeros.get(name)) for name in places}


def written(folder: Path, name: str, made: Problem, optimizer: cr.Optimizer, **options: Any) -> Arrays:
    """NAME.onnx and the inputs for it."""
    path = folder / f"{name}.onnx"
    made.net.to_onnx(path, what="train_step", loss=made.loss, optimizer=optimizer, weights="inputs", **options)
    feeds = feeds_of(path, made)
    save_file({key: np.ascontiguousarray(array) for key, array in feeds.items()}, folder / f"{name}.in.safetensors")
    return feeds


def check(what: str, actual: Arrays, made: Problem, optimizer: cr.Optimizer) -> None:
    losses, expected = reference_steps(made, optimizer, [RATE])
    found = {"loss": actual.pop("loss").reshape(())}
    assert_near(found, {"loss": np.array(losses[0])}, SINGLE, what, at_least=largest_output(made))
    assert_near(actual, expected, SINGLE, what)


@pytest.mark.skipif(not shutil.which("node") or not RUNTIME.exists(), reason="needs node, and npm install in examples")
def test_the_web_runtime_learns_the_same(tmp_path: Path) -> None:
    made = cases()
    for name, (given, optimizer) in made.items():
        written(tmp_path, name, given, optimizer)
    command = ["node", str(Path(__file__).with_name("judge.mjs")), str(RUNTIME), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    for name, (given, optimizer) in made.items():
        lists: dict[str, Any] = json.loads((tmp_path / f"{name}.out.json").read_text())
        actual = {key: np.array(entry["data"]).reshape(entry["dims"]) for key, entry in lists.items()}
        check(repr(given), actual, given, optimizer)


def test_openvino_learns_the_same(tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    for name, (given, optimizer) in cases().items():
        feeds = written(tmp_path, name, given, optimizer, batch=len(given.x))  # its kernels have fixed shapes
        compiled = core.compile_model(core.read_model(tmp_path / f"{name}.onnx"), "CPU", precise)
        results = compiled({key: array for key, array in feeds.items() if key in names_of(compiled)})
        actual = {port.any_name: np.array(array) for port, array in results.items()}
        check(repr(given), actual, given, optimizer)


def names_of(compiled: Any) -> set[str]:
    """All inputs of a compiled model; those that nothing needs are gone."""
    return {name for port in compiled.inputs for name in port.names}
