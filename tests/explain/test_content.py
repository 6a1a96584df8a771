"""What a derivation says: branches, shared layers, ties, three paths, both ways of softmax, updates, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import ENGINES
from chainrule.explain.derivation import Derivation, DerivationStep
from tests.helpers import Array

RNG = np.random.default_rng(0)


def last(derivation: Derivation) -> DerivationStep:
    """The step of the asked number."""
    return next(step for step in derivation.steps if step.place == derivation.place)


def test_S0_E31_branches_of_a_graph_are_summed() -> None:
    x = cr.Input((2, 4, 4))
    h = cr.Conv2d(2, 2, 3, padding=1)(x)
    net = cr.Network(x, cr.Linear(32, 3)(cr.Flatten()(cr.Add()(cr.ReLU()(h), x))))
    derivation = cr.explain(net, RNG.normal(size=(1, 2, 4, 4)), np.array([1]), cr.CrossEntropyLoss(), of="input[1,2,2]")
    step = last(derivation)
    assert [part.node for part in step.parts] == ["conv1", "add1"]
    assert step.result == pytest.approx(sum(part.total for part in step.parts), rel=1e-14)
    assert "2 consumers take this number" in derivation.text(width=10**4)
    assert derivation.route == ()


def test_a_layer_that_acts_at_several_nodes_lists_all_of_them() -> None:
    x, layer = cr.Input((3,)), cr.Linear(3, 3)
    net = cr.Network(x, layer(cr.Tanh()(layer(x))))
    derivation = cr.explain(
        net, RNG.normal(size=(1, 3)), np.array([2]), cr.CrossEntropyLoss(), of="linear1.weight[1,2]"
    )
    assert [part.node for part in last(derivation).parts] == ["linear1", "linear1@2"]
    assert "used at 2 places" in derivation.text(width=10**4)


def test_shared_weights_say_at_how_many_places_they_act() -> None:
    net = cr.parse("1x5x5 -> conv 1@3x3 pad 1 -> fc 2")
    derivation = cr.explain(net, RNG.normal(size=(2, 1, 5, 5)), np.array([0, 1]), cr.CrossEntropyLoss(),
                            of="conv1.weight[0,0,0,0]", terms=4)  # fmt: skip
    part = last(derivation).parts[0]
    assert (part.count, len(part.terms), part.rest_count) == (2 * 4 * 4, 4, 28)
    assert "acts at 32 places" in derivation.text(width=10**4)
    least = min(abs(term.value) for term in part.terms)
    assert abs(part.rest_total) <= 28 * least


def test_ER1_16_ties_of_a_max_pool_are_named() -> None:
    net = cr.Sequential(cr.MaxPool2d(2), cr.Flatten(), cr.Linear(1, 2), input_shape=(1, 2, 2))
    x = np.array([[[[1.0, 3], [3, 0]]]])
    for of, words in (("input[0,0,1]", "it wins with 3"), ("input[0,1,0]", "the winner is input[0,0,1] with 3")):
        text = cr.explain(net, x, np.array([0]), cr.CrossEntropyLoss(), of=of).text(width=10**4)
        assert words in text
        assert "A tie in the window of maxpool1[0,0,0]: 2 numbers are equal." in text


def test_the_three_paths_of_batch_normalisation_are_told_apart() -> None:
    net = cr.Sequential(cr.Linear(2, 3), cr.BatchNorm1d(3), cr.Linear(3, 2))
    x, targets = RNG.normal(size=(4, 2)), np.array([0, 1, 1, 0])
    ask: Any = {"of": "linear1[1]", "sample": 2}
    training = last(cr.explain(net, x, targets, cr.CrossEntropyLoss(), **ask))
    assert [part.label.key for part in training.parts if part.label] == ["path_direct", "path_mean", "path_variance"]
    inference = last(cr.explain(net, x, targets, cr.CrossEntropyLoss(), training=False, **ask))
    assert len(inference.parts) == 1


def test_softmax_with_cross_entropy_goes_both_ways() -> None:
    net = cr.Sequential(cr.Linear(2, 3))
    step = last(cr.explain(net, RNG.normal(size=(1, 2)), np.array([1]), cr.CrossEntropyLoss(), of="linear1[0]"))
    short, long = step.parts
    assert not short.alternative
    assert long.alternative
    assert short.total == pytest.approx(long.total, rel=1e-12)
    assert short.total == step.result


@pytest.mark.parametrize(
    "optimizer",
    [
        cr.SGD(0.5), cr.SGD(0.1, momentum=0.9), cr.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.2),
        cr.Adam(0.01), cr.Adam(0.01, weight_decay=0.3), cr.AdamW(0.01, weight_decay=0.3), cr.AdamW(0.01),
    ],
    ids=repr,
)  # fmt: skip
def test_the_update_is_the_optimizers(optimizer: cr.Optimizer) -> None:
    net = cr.Sequential(cr.Linear(2, 2))
    x, targets = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))
    derivation = cr.explain(net, x, targets, cr.MSELoss(), of="linear1.weight[1,0]", optimizer=optimizer)
    before = net.parameters["linear1.weight"][1, 0]
    net.fit(x, targets, loss=cr.MSELoss(), optimizer=optimizer, epochs=1, batch_size=3, progress=False,
            dtype="float64", engine="reference")  # fmt: skip
    assert derivation.steps[-1].kind == "update"
    assert derivation.steps[-1].result == pytest.approx(net.parameters["linear1.weight"][1, 0], rel=1e-12)
    assert before != derivation.steps[-1].result


def test_depth_breadth_and_terms_limit_the_length() -> None:
    net = cr.Sequential(*(layer for _ in range(4) for layer in (cr.Linear(8, 8), cr.Tanh())), cr.Linear(8, 3))
    x, targets = RNG.normal(size=(1, 8)), np.array([0])
    ask: Any = {"of": "linear1.weight[0,0]"}
    lengths = [len(cr.explain(net, x, targets, cr.CrossEntropyLoss(), depth=d, **ask).steps) for d in (1, 2, 3, 20)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]
    whole = cr.explain(net, x, targets, cr.CrossEntropyLoss(), **ask)
    assert len(whole.steps) == lengths[-1]
    assert whole.steps[0].kind == "loss"
    narrow = cr.explain(net, x, targets, cr.CrossEntropyLoss(), breadth=1, **ask)
    assert len(narrow.steps) < len(whole.steps)
    cut = cr.explain(net, x, targets, cr.CrossEntropyLoss(), depth=1, **ask)
    assert "The chain is opened 1 layer deep" in cut.text(width=10**4)
    assert cut.value == whole.value


def test_a_missing_link_and_a_frozen_parameter_are_named() -> None:
    table = np.array([[True, False], [True, True]])
    net = cr.Sequential(cr.Conv2d(2, 2, 2, connections=table), cr.Flatten(), cr.Linear(8, 2), input_shape=(2, 3, 3))
    net.freeze("conv1.weight")
    x = RNG.normal(size=(1, 2, 3, 3))
    derivation = cr.explain(net, x, np.array([0]), cr.CrossEntropyLoss(), of="conv1.weight[0,1,0,0]")
    assert derivation.value == 0
    text = derivation.text(width=10**4)
    assert "Filter 0 does not see channel 1" in text
    assert "conv1.weight is frozen" in text


def test_W06_the_maps_of_a_strided_convolution() -> None:
    from chainrule.explain.examples import story

    derivation = story("s2").derivations[0]
    restored, padded, kernel, products = last(derivation).parts[0].tables
    assert restored.cells == ((1, 0, 2), (0, 0, 0), (3, 0, 4))
    assert len(padded.cells) == 7
    assert sum(mark == "window" for mark in padded.marks.values()) == 9
    assert kernel.cells == ((1, 0, 1), (0, 1, 0), (1, 0, 1))
    assert sum(value or 0 for row in products.cells for value in row) == 10 == derivation.value


def test_images_of_bytes_say_that_they_are_divided() -> None:
    net = cr.parse("1x4x4 -> fc 2")
    x = RNG.integers(0, 256, (1, 1, 4, 4)).astype(np.uint8)
    text = cr.explain(net, x, np.array([0]), cr.CrossEntropyLoss(), of="input[0,1,1]").text()
    assert "divided by 255" in text


def test_a_loss_of_the_users_own_says_that_it_has_no_formula_here() -> None:
    class Cubes(cr.MSELoss):
        def terms(self, outputs: Array, targets: Array) -> Array:
            return np.abs(outputs - targets) ** 3

        def term_gradient(self, outputs: Array, targets: Array) -> Array:
            return 3 * (outputs - targets) * np.abs(outputs - targets)

    net = cr.Sequential(cr.Linear(2, 2))
    derivation = cr.explain(net, RNG.normal(size=(3, 2)), np.zeros((3, 2)), Cubes(), of="linear1.weight[0,1]")
    assert "Cubes has no formula here" in derivation.text(width=10**4)
    assert derivation.value == pytest.approx(derivation.engine_value, rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_can_be_explained(engine: str) -> None:
    net = cr.parse("1x12x12 -> conv 4@3x3 pad 1 -> relu -> maxpool 2 -> fc 5")
    x, targets = RNG.normal(size=(3, 1, 12, 12)), np.array([0, 1, 2])
    for of in ("conv1.weight[1,0,2,1]", "input[0,4,4]"):
        derivation = cr.explain(net, x, targets, cr.CrossEntropyLoss(), of=of, sample=1, engine=engine)
        assert derivation.engine == engine
        assert all(step.deviation < 1e-10 for step in derivation.steps)


def test_a_network_without_layers_is_its_loss_alone() -> None:
    x = cr.Input((3,))
    derivation = cr.explain(cr.Network(x, x), np.ones((1, 3)), np.zeros((1, 3)), cr.MSELoss(), of="input[1]")
    assert derivation.value == pytest.approx(2 / 3, rel=1e-15)
