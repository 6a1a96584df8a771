"""Which steps become one, seen on graphs alone: nothing is lowered here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native.fusion import Group, Mode, Task, fused
from chainrule.engines.native.records import steps
from chainrule.engines.native.rules import LAYER_RULES, winograd
from chainrule.errors import EngineError
from tests.engines import comparing

TRAITS = {layer: rules.traits for layer, rules in LAYER_RULES.items()}


def groups(net: cr.Network, mode: Mode = "train", **options: Any) -> list[Group]:
    """The groups of a network, on a processor with 32 vector registers of 16 numbers."""
    training = mode == "train"
    task = {"small": True, "lanes": 16, "number_bytes": 4, "channel_vector": 16, "registers": 32, **options}
    return fused(Task(graph=net, mode=mode, training=training, **task), TRAITS)


def names(found: list[Group]) -> list[str]:
    return [" ".join(step.name for step in group.steps) + (" in place" if group.in_place else "") for group in found]


@pytest.fixture(autouse=True)
def wherever_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "WORTH", float("inf"))
    monkeypatch.setattr(winograd, "POINTS", {3: (6,), 5: (8,)})
    monkeypatch.setattr(winograd, "IN_REGISTERS", (True,))


def test_a_convolution_with_relu_and_pooling_by_pairs() -> None:
    net = cr.parse("1x12x12 -> conv 6@5x5 -> relu -> maxpool 2 -> conv 16@3x3 -> maxpool 2 -> fc 10")
    found = groups(net)
    assert names(found) == ["conv1 relu1 maxpool1", "conv2 maxpool2", "flatten1", "linear1"]
    assert (found[0].step.name, found[0].relu, found[0].pool) == ("conv1", net.steps[1], net.steps[2])
    assert (found[1].relu, found[1].pool) == (None, net.steps[4])


@pytest.mark.parametrize(
    "text",
    [
        "1x12x12 -> conv 6@5x5 -> relu -> maxpool 3 stride 2 -> fc 10",  # no pairs
        "1x12x12 -> conv 6@5x5 stride 2 -> relu -> maxpool 2 -> fc 10",  # not by Winograd's algorithm
    ],
)
def test_else_the_relu_comes_after_the_pooling(text: str) -> None:
    net = cr.parse(text)
    found = groups(net)
    assert names(found)[:2] == ["conv1", "relu1 maxpool1"]
    assert (found[1].step.name, found[1].relu, found[1].pool) == ("maxpool1", net.steps[1], None)


def test_registers_lanes_and_trained_weights_decide_over_pairs() -> None:
    net = cr.parse("1x12x12 -> conv 6@5x5 -> maxpool 2 -> fc 10")
    assert names(groups(net))[0] == "conv1 maxpool1"
    assert names(groups(net, registers=16))[0] == names(groups(net, lanes=1))[0] == "conv1"
    odd = cr.parse("1x12x12 -> conv 6@2x2 -> maxpool 2 -> fc 10")  # tiles of five outputs
    assert names(groups(odd))[0] == "conv1"


def test_a_trace_shows_every_value() -> None:
    net = cr.parse("1x12x12 -> conv 6@5x5 -> relu -> maxpool 2 -> conv 3@2x2 -> tanh -> fc 10")
    assert names(groups(net, "trace")) == [step.name for step in net.steps]


def test_a_value_that_others_read_is_left_alone() -> None:
    x = cr.Input((2, 8, 8))
    h = cr.Conv2d(2, 3, 3)(x)
    r = cr.ReLU()(h)
    net = cr.Network(x, cr.Flatten()(cr.Concat()(cr.MaxPool2d(2)(r), cr.MaxPool2d(2)(r), cr.MaxPool2d(2)(h))))
    assert {len(group.steps) for group in groups(net)} == {1}
    assert not any(group.in_place for group in groups(net))
    last = cr.parse("2x8x8 -> conv 3@3x3 -> relu")  # the network's own output
    assert names(groups(last)) == ["conv1", "relu1 in place"]


def test_in_place_where_nobody_needs_the_input_any_more() -> None:
    net = cr.parse("20 -> fc 30 -> relu -> tanh -> dropout 0.5 -> sigmoid -> fc 10")
    training = ["linear1", "relu1 in place", "tanh1", "dropout1", "sigmoid1 in place", "linear2"]
    assert names(groups(net)) == training  # a backward pass reads what ReLU gave
    inference = ["linear1", "relu1 in place", "tanh1 in place", "dropout1", "sigmoid1 in place", "linear2"]
    assert names(groups(net, "inference")) == inference
    first = cr.parse("20 -> relu -> fc 10")  # not over the network's input
    assert names(groups(first))[0] == "relu1"


def test_every_step_is_in_one_group() -> None:
    net = cr.parse("3x16x16 -> conv 8@3x3 -> batchnorm -> relu -> maxpool 2 -> conv 8@3x3 -> relu -> maxpool 2 -> fc 5")
    for mode in ("inference", "gradients", "trace", "train"):
        found = [step for group in groups(net, mode) for step in group.steps]  # type: ignore[arg-type]
        assert sorted(step.index for step in found) == [step.index for step in net.steps]


# --- batch normalisation that becomes part of the weights ------------------------------------------------------------


def normalized(*layers: cr.Layer, shape: tuple[int, ...]) -> cr.Network:
    """With statistics that are not those of the beginning."""
    net = cr.Sequential(*layers, input_shape=shape, seed=3)
    rng = np.random.default_rng(4)
    net.parameters.flat[:] += 0.3 * rng.normal(size=net.parameters.flat.shape)
    for name, buffer in net.buffers.items():
        buffer[:] = rng.uniform(0.05, 3, buffer.shape) if "var" in name else rng.normal(size=buffer.shape)
    return net


TABLE = np.array([[1, 0], [1, 1], [0, 1]], bool)
NORMALIZED = [
    normalized(cr.Conv2d(2, 3, 3), cr.BatchNorm2d(3), cr.ReLU(), cr.MaxPool2d(2), shape=(2, 12, 11)),
    normalized(cr.Conv2d(2, 3, 3, bias=False), cr.BatchNorm2d(3, affine=False), cr.Tanh(), shape=(2, 7, 6)),
    normalized(cr.Conv2d(4, 6, 3, 2, 1, groups=2), cr.BatchNorm2d(6, eps=0.1), cr.MaxPool2d(3), shape=(4, 9, 9)),
    normalized(cr.Conv2d(2, 3, 2, mode="convolution", connections=TABLE), cr.BatchNorm2d(3), shape=(2, 5, 4)),
    normalized(cr.Linear(7, 5), cr.BatchNorm1d(5), cr.Sigmoid(), shape=(7,)),
    normalized(cr.Linear(7, 300, bias=False), cr.BatchNorm1d(300), cr.ReLU(), cr.Linear(300, 2), shape=(7,)),
]


@pytest.mark.parametrize("net", NORMALIZED, ids=str)
@pytest.mark.parametrize("samples", [1, 3, 40])
def test_folded_batch_normalization_gives_the_same_outputs(net: cr.Network, samples: int) -> None:
    net = comparing.copy_of(net)
    assert groups(net, "inference")[0].norm is net.steps[1]
    x = np.random.default_rng(samples).normal(size=(samples, *net.input_shape))
    exact = net(x, engine="reference")
    scale = np.abs(exact).max()
    assert np.abs(net(x, engine="native") - exact).max() <= comparing.EXACT * scale
    assert np.abs(net.snapshot()(x, engine="native") - exact).max() <= comparing.EXACT * scale
    single = net(x, engine="native", dtype="float32")
    assert np.abs(single - exact).max() <= 64 * comparing.FLOAT32 * scale


def test_what_is_folded_follows_training() -> None:
    net = normalized(cr.Conv2d(1, 3, 3), cr.BatchNorm2d(3), cr.ReLU(), cr.Flatten(), shape=(1, 6, 6))
    x, targets = np.random.default_rng(0).normal(size=(30, 1, 6, 6)), np.zeros((30, 48))
    for _ in range(2):
        before = net(x)
        net.fit(x, targets, loss=cr.MSELoss(), optimizer=cr.SGD(0.1), epochs=1, batch_size=10, progress=False)
        assert np.abs(net(x) - before).max() > 1e-3
        np.testing.assert_allclose(net(x), net(x, engine="reference"), rtol=0, atol=1e-12)


def test_batch_normalization_stays_a_step_where_more_is_wanted_than_outputs() -> None:
    net = NORMALIZED[0]
    for mode in ("train", "gradients", "trace"):
        assert all(group.norm is None for group in groups(net, mode))  # type: ignore[arg-type]
    x = cr.Input((2, 8, 8))
    convolution, norm = cr.Conv2d(2, 2, 3, padding=1), cr.BatchNorm2d(2)
    twice = cr.Network(x, norm(convolution(convolution(x))))  # whose weights must stay what they are
    read = cr.Conv2d(2, 2, 3, padding=1)(x)
    both = cr.Network(x, cr.Add()(read, cr.BatchNorm2d(2)(read)))  # read before normalisation too
    shared = cr.Sequential(cr.Linear(4, 3, bias="shared"), cr.BatchNorm1d(3), input_shape=4)
    for other in (twice, both, shared):
        assert all(group.norm is None for group in groups(other, "inference"))


def test_a_fold_beyond_the_parameters_is_refused() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps.Fold, "resolved", lambda self: vars(self) | {"rows": 10**6})
        with pytest.raises(EngineError, match="'fold' is malformed"):
            comparing.copy_of(NORMALIZED[0])(np.zeros((9, 2, 12, 11)), engine="native")
