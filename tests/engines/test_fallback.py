"""What the native engine cannot compute runs on the reference engine, and never silently."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, EngineError

X = np.random.default_rng(0).normal(size=(6, 3))
T = np.random.default_rng(1).normal(size=(6, 2))


class OwnLoss(cr.MSELoss):
    """A subclass may compute anything, so it is foreign."""


class OwnReLU(cr.ReLU):
    """As a layer."""


class OwnSGD(cr.SGD):
    """As an optimizer."""


def network(*layers: cr.Layer) -> cr.Network:
    return cr.Sequential(cr.Linear(3, 2), *layers, seed=1)


def gradients(net: cr.Network, **options: Any) -> Any:
    return net.gradients(X, T, **options)


def trace(net: cr.Network, **options: Any) -> Any:
    return net.trace(X, T, **options)


def fit(net: cr.Network, **options: Any) -> Any:
    asked = {"loss": cr.MSELoss(), "optimizer": cr.SGD(0.1), "progress": False, **options}
    return net.fit(X, T, **asked)


def call(net: cr.Network, **options: Any) -> Any:
    return net(X, **options)


@contextmanager
def silence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


REASONS: dict[str, tuple[Callable[..., Any], tuple[cr.Layer, ...], dict[str, Any], str]] = {
    "layer, called": (call, (OwnReLU(),), {}, "OwnReLU is not a layer of chainrule"),
    "layer, fitted": (fit, (OwnReLU(),), {}, "OwnReLU is not a layer of chainrule"),
    "loss, gradients": (gradients, (), {"loss": OwnLoss()}, "OwnLoss is not a loss of chainrule"),
    "loss, trace": (trace, (), {"loss": OwnLoss()}, "OwnLoss is not a loss of chainrule"),
    "loss, fitted": (fit, (), {"loss": OwnLoss()}, "OwnLoss is not a loss of chainrule"),
    "optimizer": (fit, (), {"optimizer": OwnSGD(0.1)}, "OwnSGD is not an optimizer of chainrule"),
    "update order": (fit, (), {"update_order": "sequential"}, 'update_order="sequential"'),
}
reasons = pytest.mark.parametrize(("do", "layers", "options", "said"), REASONS.values(), ids=REASONS)


@reasons
def test_it_is_said_once_for_each_network_and_points_at_the_callers_line(
    do: Callable[..., Any], layers: tuple[cr.Layer, ...], options: dict[str, Any], said: str
) -> None:
    for _ in range(2):
        net = network(*layers)
        with pytest.warns(UserWarning, match=re.escape(said)) as caught:
            do(net, **options)
        assert len(caught) == 1
        assert "reference engine, which is slower" in str(caught[0].message)
        assert caught[0].filename == __file__
        with silence():
            do(net, **options)


@reasons
def test_who_chooses_the_reference_engine_hears_nothing_and_gets_the_same(
    do: Callable[..., Any], layers: tuple[cr.Layer, ...], options: dict[str, Any], said: str
) -> None:
    nets = network(*layers), network(*layers)
    with pytest.warns(UserWarning, match=re.escape(said)):
        do(nets[0], **options)
    with silence():
        do(nets[1], **options, engine="reference")
    np.testing.assert_array_equal(nets[0].parameters.flat, nets[1].parameters.flat)


def test_each_reason_is_said() -> None:
    net = network(OwnReLU())
    with pytest.warns(UserWarning, match="reference engine") as caught:
        fit(net, loss=OwnLoss(), optimizer=OwnSGD(0.1))
    assert [str(item.message).partition(" is ")[0] for item in caught] == ["OwnReLU", "OwnLoss", "OwnSGD"]


def test_a_schedule_of_ones_own_runs_on_the_native_engine() -> None:
    class Halved(cr.Schedule):
        """Half the rate."""

        def factor(self, progress: float, epoch: int) -> float:
            return 0.5

    nets = network(), network()
    with silence():
        fit(nets[0], schedule=Halved())
    fit(nets[1], optimizer=cr.SGD(0.05))
    np.testing.assert_array_equal(nets[0].parameters.flat, nets[1].parameters.flat)


@pytest.mark.parametrize(
    ("layers", "loss", "said"),
    [((OwnReLU(),), None, "OwnReLU is not a layer"), ((), OwnLoss(), "OwnLoss is not a loss")],
)
def test_there_is_no_plan_of_what_the_native_engine_does_not_compute(
    layers: tuple[cr.Layer, ...], loss: cr.Loss | None, said: str
) -> None:
    with pytest.raises(EngineError, match=said):
        network(*layers).plan(loss=loss)


def test_a_plan_needs_a_loss() -> None:
    with pytest.raises(ArgumentError, match="loss must be a loss such as"):
        network().plan(loss=3)  # type: ignore[arg-type]
