"""Layers that the package does not know: of their outputs only those that follow a number are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.base import Context
from tests.helpers import Array


class OwnConv(cr.Conv2d):
    """Computes what Conv2d does, but might compute something else; counts its backward passes."""

    calls = 0

    def backward_input(self, parameters: Any, dy: Array, saved: Any) -> Any:
        OwnConv.calls += 1
        return super().backward_input(parameters, dy, saved)

    def backward_parameters(self, parameters: Any, dy: Array, saved: Any) -> dict[str, Array]:
        OwnConv.calls += 1
        return super().backward_parameters(parameters, dy, saved)


class Centred(cr.Identity):
    """y = x - mean(x): every output follows every input."""

    def forward(self, parameters: Any, *xs: Array, context: Context) -> tuple[Array, None]:
        return xs[0] - xs[0].mean(axis=1, keepdims=True), None

    def backward_input(self, parameters: Any, dy: Array, saved: Any) -> Array:
        return dy - dy.mean(axis=1, keepdims=True)


class Rooted(cr.Identity):
    """y = sqrt(x), which has no value below 0."""

    def forward(self, parameters: Any, *xs: Array, context: Context) -> tuple[Array, Array]:
        y = np.sqrt(xs[0])
        return y, y

    def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
        return dy / (2 * saved)


def explained(net: cr.Network, x: Array, of: str) -> cr.Derivation:
    return cr.explain(net, x, np.zeros((1, *net.output_shape)), cr.HalfSquaredErrorLoss(), of, depth=1)


@pytest.mark.parametrize(
    ("of", "most"), [("input[1,4,4]", 9 * 5), ("conv1.weight[2,0,1,1]", 64), ("conv1.bias[1]", 64)]
)
def test_only_the_outputs_that_follow_are_asked(of: str, most: int) -> None:
    known = cr.Sequential(cr.Conv2d(2, 5, 3, padding=1), input_shape=(2, 8, 8))
    own = cr.Sequential(OwnConv(2, 5, 3, padding=1, name="conv1"), input_shape=(2, 8, 8))
    own.parameters = known.parameters
    x = np.random.default_rng(0).normal(size=(1, 2, 8, 8))
    OwnConv.calls = 0
    told = explained(own, x, of)
    assert told.value == pytest.approx(explained(known, x, of).value, rel=1e-12)
    assert told.steps[-1].parts[0].count <= most
    assert OwnConv.calls <= most + 10  # one for each, and a few for the trace


def test_a_number_that_too_many_outputs_follow_is_told_as_a_whole() -> None:
    net = cr.Sequential(Centred(), input_shape=(1500,))
    x = np.random.default_rng(0).normal(size=(1, 1500))
    part = explained(net, x, "input[3]").steps[-1].parts[0]
    assert part.count == 1
    assert "more than 1024" in explained(net, x, "input[3]").text(width=400)
    few = cr.Sequential(Centred(), input_shape=(15,))
    assert explained(few, x[:, :15], "input[3]").steps[-1].parts[0].count == 15


def test_a_layer_without_a_value_beside_its_number_is_told_all_the_same() -> None:
    net = cr.Sequential(Rooted(), input_shape=(2,))
    assert explained(net, np.array([[1e-6, 4.0]]), "input[0]").value == pytest.approx(0.5)
