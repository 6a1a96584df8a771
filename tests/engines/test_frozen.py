"""Parameters that training leaves alone: the native engine has no gradient for them, and writes none."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import zoo
from tests.engines import comparing
from tests.engines.comparing import assert_trained_alike
from tests.helpers import Array
from tests.layers.rows import ROWS, Row

WITH_PARAMETERS = [row for row in ROWS if row.layer.parameter_shapes(*row.shapes)]
SGD: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.01, momentum=0.9), "epochs": 2}


def subsets(names: list[str]) -> list[tuple[str, ...]]:
    """All but the empty one."""
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]


def own_names(net: cr.Network, row: Row) -> list[str]:
    """The parameters of the row's layer inside the network around it."""
    name = next(name for name, layer in net.layers.items() if layer is row.layer)
    return [parameter for parameter in net.parameters if parameter.startswith(f"{name}.")]


@pytest.mark.parametrize("row", WITH_PARAMETERS, ids=[row.name for row in WITH_PARAMETERS])
def test_every_subset_of_a_layers_parameters(row: Row) -> None:
    """Five samples in batches of three, and alone: also where nothing before the layer is trained."""
    net = comparing.around(row)
    problem = comparing.problem_of(net, 5)
    before = [name for name in net.parameters if name not in own_names(net, row) and not name.startswith("linear")]
    for frozen in subsets(own_names(net, row)):
        for also in ([], before) if before else ([],):
            net.frozen = {*frozen, *also}
            for batch_size in (3, 1) if comparing.trainable(row, 1) else (3,):
                assert_trained_alike(net, problem.x, problem.targets, batch_size=batch_size, **SGD)


@pytest.mark.parametrize("version", ["1998", "modern"])
@pytest.mark.parametrize("pattern", ["*.bias", "*.weight", "*"])
def test_lenet5(version: str, pattern: str) -> None:
    """The pooling of 1998 has a weight and a bias of its own for each map."""
    net = zoo.lenet5(version)
    net.freeze(pattern)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(6, *net.input_shape)), rng.integers(0, 10, 6)
    options: dict[str, Any] = {"loss": cr.MAPLoss() if version == "1998" else cr.CrossEntropyLoss()}
    assert_trained_alike(net, x, labels, optimizer=cr.SGD(1e-4), epochs=1, batch_size=3, **options)


def layered() -> cr.Network:
    """One of each layer that has two parameters, and a layer used twice."""
    x = cr.Input((2, 8, 8))
    twice = cr.Conv2d(3, 3, 3, padding=1)
    h = cr.BatchNorm2d(3)(twice(cr.Tanh()(twice(cr.Conv2d(2, 3, 3, padding=1)(x)))))
    h = cr.LocallyConnected2d(3, 2, 3)(cr.Tanh()(h))
    h = cr.Flatten()(cr.Tanh()(cr.TrainablePool2d(2, 2)(h)))
    shared = cr.Linear(h.shape[0], h.shape[0], bias="shared")
    return cr.Network(x, cr.RBF(h.shape[0], 4)(cr.Tanh()(shared(cr.Tanh()(shared(h))))), seed=4)


def batch(net: cr.Network, samples: int = 20) -> tuple[Array, Array]:
    rng = np.random.default_rng(samples)
    return rng.normal(size=(samples, *net.input_shape)), rng.integers(0, 4, samples)


@pytest.mark.parametrize("name", [*layered().parameters, "*", "*.weight", "*.bias"])
def test_one_parameter_frozen_and_one_alone_trained(name: str) -> None:
    for invert in (False, True):
        net = layered()
        net.unfreeze("*")
        net.freeze(name)
        if invert:
            net.frozen = set(net.parameters) - net.frozen
        assert_trained_alike(net, *batch(net), batch_size=7, **SGD | {"loss": cr.MAPLoss()})


def test_frozen_between_two_fits_and_trained_again() -> None:
    """One network through all of them: the engine keeps plans for each."""
    nets = {}
    for engine in ("native", "reference"):
        net = layered()
        x, labels = batch(net)
        options = SGD | {"loss": cr.MAPLoss(), "batch_size": 7, "engine": engine, "progress": False}
        for patterns in (["*.bias"], ["trainablepool1.*"], ["*"], ["conv2.weight", "linear1.bias"]):
            net.freeze(*patterns)
            before = {name: net.parameters[name].copy() for name in net.frozen}
            net.fit(x, labels, **options)
            for name, array in before.items():
                assert np.array_equal(net.parameters[name], array), name
            net.unfreeze(*patterns)
            net.fit(x, labels, **options)
        nets[engine] = net
    np.testing.assert_allclose(nets["native"].parameters.flat, nets["reference"].parameters.flat, rtol=0, atol=1e-9)


def test_gradients_of_frozen_parameters_are_still_computed() -> None:
    net = layered()
    x, labels = batch(net)
    free = net.gradients(x, labels, loss=cr.MAPLoss(), engine="native")[1]
    net.freeze("*")
    frozen = net.gradients(x, labels, loss=cr.MAPLoss(), engine="native")[1]
    assert free.flat.any()
    assert np.array_equal(free.flat, frozen.flat)
