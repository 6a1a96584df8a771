"""Which steps become one, seen on graphs alone: nothing is lowered here."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as cr
from chainrule.engines.native.fusion import Group, Mode, Task, fused
from chainrule.engines.native.rules import LAYER_RULES, winograd

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
    monkeypatch.setattr(winograd, "POINTS", (6,))
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
