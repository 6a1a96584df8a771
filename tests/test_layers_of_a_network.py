"""`net.layers` is there to be read; what would change nothing is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import chainrule as cr
from chainrule.errors import ArgumentError


@pytest.fixture
def net() -> cr.Network:
    return cr.parse("1x6x6 -> conv 2@3x3 -> relu -> fc 3")


def test_a_layer_is_not_exchanged_or_taken_away(net: Any) -> None:
    first = net.layers["conv1"]
    with pytest.raises(ArgumentError, match=r"layers\['conv1'\] cannot be assigned; make a new network"):
        net.layers["conv1"] = cr.Conv2d(1, 2, 3, padding=1)
    with pytest.raises(ArgumentError, match=r"layers\['relu1'\] cannot be deleted"):
        del net.layers["relu1"]
    with pytest.raises(AttributeError):
        net.layers = {}
    assert net.layers["conv1"] is first


def test_the_layers_read_as_a_mapping(net: cr.Network) -> None:
    assert list(net.layers) == [step.name for step in net.steps]
    assert net.layers == {step.name: step.layer for step in net.steps}
    assert "conv2" not in net.layers
    assert repr(net.layers).startswith("{'conv1': Conv2d(")


def test_copies_have_layers_of_the_same_names(net: cr.Network) -> None:
    for made in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(made.layers) == list(net.layers)
        assert all(made.layers[step.layer_name] is step.layer for step in made.steps)
