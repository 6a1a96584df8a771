"""A layer that stands in a network keeps its hyperparameters: shapes, plans and files are made from them once."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError
from tests.engines.comparing import ENGINES
from tests.layers.rows import IDS, ROWS, Row

X = np.random.default_rng(0).normal(size=(5, 3))


def network() -> cr.Network:
    return cr.Sequential(cr.Linear(3, 4), cr.LeakyReLU(0.1), cr.Dropout(0.5), cr.Linear(4, 2), seed=1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_is_refused_and_both_engines_go_on_to_agree(engine: str) -> None:
    net = network()
    before = net(X, engine=engine)  # type: ignore[arg-type]
    said = r"negative_slope of LeakyReLU\(negative_slope=0.1\) .* stands in a network.*build"
    with pytest.raises(ArgumentError, match=said):
        net.layers["leakyrelu1"].negative_slope = 0.9  # type: ignore[attr-defined]
    for again in ENGINES:
        np.testing.assert_allclose(net(X, engine=again), before, rtol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", ROWS, ids=IDS)
def test_no_hyperparameter_of_any_layer_changes(entry: Row) -> None:
    layer = copy.deepcopy(entry.layer)
    inputs = [cr.Input(shape) for shape in entry.shapes]
    layer(*inputs)
    told = repr(layer)
    for name, value in layer.hyperparameters().items():
        with pytest.raises(ArgumentError, match=name):
            setattr(layer, name, value)
        with pytest.raises(ArgumentError, match=name):
            delattr(layer, name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[...] = 0
    assert repr(layer) == told


def test_it_holds_for_copies_of_networks() -> None:
    for net in (copy.deepcopy(network()), pickle.loads(pickle.dumps(network())), network().snapshot()):
        with pytest.raises(ArgumentError, match="stands in a network"):
            net.layers["dropout1"].p = 0.1


def test_a_layer_that_stands_nowhere_may_change_and_so_may_ones_own() -> None:
    layer = cr.Dropout(0.5)
    layer.p = 0.25
    assert repr(layer) == "Dropout(p=0.25)"

    class Counting(cr.ReLU):
        """Keeps count of its calls."""

        calls = 0

    own = Counting()
    cr.Sequential(own, input_shape=3)
    own.calls += 1
    assert own.calls == 1
