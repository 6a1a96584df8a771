"""Every row of the table of layers as a file: inference, gradients and two training steps equal the reference engine's.

In float64 in ONNX's reference to 1e-9, in float32 in ONNX Runtime to 1e-5 of the largest number.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.engines.comparing import LONG, around, problem_of, trainable
from tests.interchange.onnx.running import (
    EXACT,
    SINGLE,
    assert_near,
    data,
    file_steps,
    masks,
    reference_gradients,
    reference_steps,
    run,
    targets_kind,
)
from tests.layers.rows import ROWS, Row
from tests.strategies import Problem

SPREAD = [row for number, row in enumerate(ROWS) if LONG or number % 9 == 0]
TOLERANCES = {"float64": EXACT, "float32": SINGLE}


def problem_for(row: Row) -> Problem:
    """A batch for a network around the row's layer, with numbers so small that no softmax is nearly sure: softmax minus
    one-hot would then be all rounding."""
    problem = problem_of(around(row), row.batch if trainable(row, row.batch) else 2)
    return replace(problem, x=0.3 * problem.x)


def largest_output(problem: Problem) -> float:
    """What a small loss is the difference of."""
    return float(np.abs(problem.net(problem.x, engine="reference", dtype="float64")).max())


def check_inference(path: Path, problem: Problem, dtype: str, **options: Any) -> None:
    problem.net.to_onnx(path, dtype=dtype, **options)
    given = data(problem, dtype)["x"]
    expected = problem.net(problem.x, engine="reference", dtype="float64")
    assert_near(run(path, {"x": given}, dtype), {"y": expected}, TOLERANCES[dtype], "inference")


def check_gradients(path: Path, problem: Problem, dtype: str, training: bool) -> None:
    options: dict[str, Any] = {"loss": problem.loss, "targets": targets_kind(problem), "training": training}
    problem.net.to_onnx(path, what="gradients", dtype=dtype, **options)
    feeds = data(problem, dtype) | (masks(problem.net, len(problem.x), 0) if training else {})
    expected = reference_gradients(problem, training)
    actual = run(path, feeds, dtype)
    loss = {"loss": actual.pop("loss")}
    assert_near(loss, {"loss": expected.pop("loss")}, TOLERANCES[dtype], "loss", at_least=largest_output(problem))
    assert_near(actual, expected, TOLERANCES[dtype], "gradients")


def check_steps(path: Path, problem: Problem, dtype: str, optimizer: cr.Optimizer) -> None:
    rates = [0.1, 0.05]
    options: dict[str, Any] = {"loss": problem.loss, "optimizer": optimizer, "targets": targets_kind(problem)}
    problem.net.to_onnx(path, what="train_step", dtype=dtype, **options)
    losses, found = file_steps(path, problem, dtype, rates)
    wanted_losses, expected = reference_steps(problem, optimizer, rates)
    actual = {"losses": np.array(losses)}
    outputs = largest_output(problem)
    assert_near(actual, {"losses": np.array(wanted_losses)}, TOLERANCES[dtype], "losses", at_least=outputs)
    assert_near(found, expected, TOLERANCES[dtype], "steps")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", SPREAD, ids=lambda row: row.name)
def test_a_row_in_a_file(row: Row, dtype: str, tmp_path: Path) -> None:
    problem = problem_for(row)
    check_inference(tmp_path / "inference.onnx", problem, dtype)
    check_gradients(tmp_path / "gradients.onnx", problem, dtype, training=False)
    check_gradients(tmp_path / "gradients.onnx", problem, dtype, training=True)
    check_steps(tmp_path / "step.onnx", problem, dtype, cr.SGD(0.1, momentum=0.9, weight_decay=0.01))
