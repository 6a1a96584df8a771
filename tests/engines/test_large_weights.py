"""Layers whose weights do not stay in cache: blocks go through them side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import compiled
from chainrule.engines.native.rules import convolution
from tests.engines.comparing import assert_engines_agree, fitted
from tests.strategies import Problem


def shared() -> cr.Network:
    """A layer used twice, whose uses add to one raw gradient, and whose weights count as large."""
    x = cr.Input((24,))
    twice = cr.Linear(24, 24)
    return cr.Network(x, cr.Linear(24, 3)(twice(cr.Tanh()(twice(x)))), seed=2)


def convolutional() -> cr.Network:
    """More weights than pixels."""
    return cr.Sequential(
        cr.Conv2d(16, 24, 3, stride=2), cr.Tanh(), cr.Flatten(), cr.Linear(24, 3), input_shape=(16, 4, 4)
    )


@pytest.fixture(autouse=True)
def small_weights_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small networks will do."""
    monkeypatch.setattr(convolution, "LARGE_WEIGHTS", 0)


@pytest.mark.parametrize("make", [shared, convolutional])
@pytest.mark.parametrize("samples", [3, 33, 130, 600])
@pytest.mark.parametrize("shards", [2, 16])
def test_they_compute_the_same(make: Any, samples: int, shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "SHARDS", shards)
    net, rng = make(), np.random.default_rng(samples)
    x = rng.normal(size=(samples, *net.input_shape))
    problem = Problem(net, x, rng.integers(0, 3, samples), cr.CrossEntropyLoss())
    assert_engines_agree(problem, True)


@pytest.mark.parametrize("make", [shared, convolutional])
@pytest.mark.parametrize("shards", [3, 16])
def test_any_number_of_threads_gives_the_same_bits(make: Any, shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "SHARDS", shards)
    rng = np.random.default_rng(5)
    net = make()
    x, classes = rng.normal(size=(700, *net.input_shape)), rng.integers(0, 3, 700)
    found = []
    for threads in (1, 2, 3, 8):
        cr.set_threads(threads)
        options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1, 0.9), "epochs": 2}
        made, _ = fitted(net, "native", x, classes, batch_size=300, dtype="float32", **options)
        found.append(made.parameters.flat)
    cr.set_threads(None)
    for other in found[1:]:
        assert np.array_equal(found[0], other)


def test_groups_are_made_where_weights_are_large() -> None:
    engine = cr.engines.ENGINES["native"]
    plan = engine.compiled(shared(), "inference", 64, np.dtype(np.float32))  # type: ignore[attr-defined]
    assert plan.sizes["group"] == compiled.GROUP
