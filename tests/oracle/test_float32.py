"""In float32 the distance to torch's float64 is one of rounding: a few times that of torch's own float32 at most."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings

from tests.helpers import Array
from tests.layers.rows import IDS, KINKED, ROWS, Row
from tests.oracle import adapter
from tests.oracle.adapter import Model, tensor
from tests.strategies import UNARY, Problem, problems

ROUNDING = float(np.finfo(np.float32).eps)
SMOOTH = tuple(name for name in UNARY if name not in (*KINKED, "MaxPool2d"))  # rounding crosses kinks


def within_rounding(name: str, ours: Array, theirs: Array, exact: Array) -> None:
    """Fail if our error exceeds 4 times torch's and 32 roundings of the largest number."""
    assert ours.dtype == np.float32
    error, other = float(np.abs(ours - exact).max(initial=0)), float(np.abs(theirs - exact).max(initial=0))
    allowed = 4 * other + 32 * ROUNDING * max(1.0, float(np.abs(exact).max(initial=0)))
    assert error <= allowed, f"{name}: error {error:.3g}, torch's {other:.3g}, allowed {allowed:.3g}"


def _grad(value: torch.Tensor, like: Array) -> Array:
    return np.zeros_like(like) if value.grad is None else value.grad.numpy()


def _torch_layer(row: Row, arrays: tuple, dtype: str) -> list[Array]:
    values, xs, dy = arrays
    learned = row.parameters(values)
    theirs = {name: tensor(value.astype(dtype), name in learned) for name, value in values.items()}
    inputs = [tensor(x.astype(dtype), True) for x in xs]
    y = adapter.layer_forward(row.layer, theirs, inputs, row.context())
    y.backward(tensor(dy.astype(dtype)))
    dxs = [_grad(x, a) for x, a in zip(inputs, xs, strict=True)]
    return [y.detach().numpy(), *dxs, *(_grad(theirs[name], values[name]) for name in learned)]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_layers_in_float32(row: Row) -> None:
    values, xs, dy = row.arrays("float32")
    y, saved = row.layer.forward(values, *xs, context=row.context())
    dx = row.layer.backward_input(values, dy, saved)
    gradients = row.layer.backward_parameters(values, dy, saved)
    ours = [y, *(dx if isinstance(dx, tuple) else (dx,)), *(gradients[name] for name in row.parameters(values))]
    results = [_torch_layer(row, (values, xs, dy), dtype) for dtype in ("float32", "float64")]
    for i, triple in enumerate(zip(ours, *results, strict=True)):
        within_rounding(f"tensor {i}", *triple)


def _torch_problem(problem: Problem, dtype: str) -> list[Array]:
    model, x = Model.of(problem.net, dtype), tensor(problem.x.astype(np.float32).astype(dtype), True)
    nodes = model.nodes(x, True)
    adapter.loss_value(problem.loss, nodes[-1], problem.targets).backward()
    return [
        nodes[-1].detach().numpy(),
        _grad(x, problem.x),
        *(_grad(p, p.detach().numpy()) for p in model.parameters.values()),
    ]


@settings(max_examples=120)
@given(problems(names=SMOOTH, most_layers=6))
def test_networks_in_float32(problem: Problem) -> None:
    x = problem.x.astype(np.float32)
    trace = problem.net.trace(x, problem.targets, loss=problem.loss, engine="reference")
    names = list(problem.net.parameters)
    ours = [trace[problem.net.names[-1]].value, trace["input"].gradient, *(trace[name].gradient for name in names)]
    results = [_torch_problem(problem, dtype) for dtype in ("float32", "float64")]
    for name, triple in zip(["outputs", "dx", *names], zip(ours, *results, strict=True), strict=True):
        within_rounding(name, *triple)
