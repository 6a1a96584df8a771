"""Snapshots of networks: the same answers, for good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import zoo
from chainrule.errors import ArgumentError
from tests.engines.comparing import ENGINES


@pytest.fixture
def net() -> cr.Network:
    """A network that has parameters and buffers."""
    return cr.Sequential(cr.Linear(4, 6), cr.BatchNorm1d(6), cr.Tanh(), cr.Linear(6, 3), seed=5)


X = np.random.default_rng(1).normal(size=(40, 4))
CLASSES = np.random.default_rng(2).integers(0, 3, 40)


def trained(net: cr.Network) -> None:
    """Move parameters and buffers."""
    net.fit(X, CLASSES, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), epochs=2, batch_size=8, progress=False)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("samples", [1, 3, 40])
def test_it_answers_as_the_network_did(net: cr.Network, engine: cr.network.EngineName, samples: int) -> None:
    trained(net)
    taken, before = net.snapshot(), net(X[:samples], engine=engine)
    for _ in range(2):
        assert np.array_equal(taken(X[:samples], engine=engine), before)
        assert np.array_equal(taken.predict(X[:samples], engine=engine), before)
        trained(net)
        assert not np.array_equal(net(X[:samples], engine=engine), before)


def test_two_snapshots_do_not_meet(net: cr.Network) -> None:
    first = net.snapshot()
    old = first(X)
    trained(net)
    second = net.snapshot()
    assert np.array_equal(second(X), net(X))
    assert np.array_equal(first(X), old)
    assert not np.array_equal(first(X), second(X))


def test_nothing_can_change_it(net: cr.Network) -> None:
    taken = net.snapshot()
    with pytest.raises(ArgumentError, match=r"linear1\.weight belongs to a snapshot"):
        taken.parameters["linear1.weight"] = np.zeros((6, 4))
    for array in (taken.parameters["linear1.weight"], taken.parameters.flat, taken.buffers["batchnorm1.running_mean"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(ArgumentError, match="cannot be trained"):
        trained(taken)


def test_it_does_what_networks_do(net: cr.Network, tmp_path: Path) -> None:
    trained(net)
    taken = net.snapshot()
    loss = cr.CrossEntropyLoss()
    ours, theirs = taken.gradients(X, CLASSES, loss=loss), net.gradients(X, CLASSES, loss=loss)
    assert ours[0] == theirs[0]
    assert np.array_equal(ours[1].flat, theirs[1].flat)
    assert taken.evaluate(X, CLASSES).loss == net.evaluate(X, CLASSES).loss
    assert str(taken.summary()) == str(net.summary())
    taken.save(tmp_path / "taken.crn")
    loaded = cr.load(tmp_path / "taken.crn")
    trained(loaded)
    assert not np.array_equal(loaded(X), taken(X))


def test_a_snapshot_of_a_snapshot(net: cr.Network) -> None:
    assert np.array_equal(net.snapshot().snapshot()(X), net(X))


def test_inputs_are_checked_as_ever() -> None:
    taken = zoo.lenet5().snapshot()
    with pytest.raises(cr.errors.ShapeError, match="one sample"):
        taken(np.zeros((1, 28, 28)))
    with pytest.raises(cr.errors.DataError, match="nan"):
        taken(np.full((1, 1, 28, 28), np.nan, np.float32))
    huge = np.full((1, 1, 28, 28), 1e25, np.float32)  # whose squares overflow
    assert taken(huge).shape == (1, 10)
