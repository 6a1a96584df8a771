"""Winograd's algorithm in the native engine against the reference engine's plain sums, whatever it would cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.native import convolution_rules
from tests.engines.comparing import assert_engines_agree
from tests.strategies import Problem


@pytest.fixture(autouse=True, params=[(6,), (8,)], ids=["6 points", "8 points"])
def wherever_possible(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The algorithm is taken wherever it can be."""
    monkeypatch.setattr(convolution_rules, "_WORTH", np.inf)
    monkeypatch.setattr(convolution_rules, "_POINTS", request.param)


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, int, int], int]:
    """(arguments of a convolution, input shape, samples)."""
    kernel = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    padding = draw(st.integers(0, min(kernel) - 1))
    groups = draw(st.sampled_from([1, 1, 1, 2]))
    arguments = {
        "in_channels": groups * draw(st.sampled_from([1, 3, 8, 17])),
        "out_channels": groups * draw(st.sampled_from([1, 2, 5, 18])),
        "kernel_size": kernel,
        "padding": padding,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    size = draw(st.integers(kernel[0], 12)), draw(st.integers(kernel[1], 40))
    return arguments, (arguments["in_channels"], *size), draw(st.sampled_from([3, 5, 9, 17, 33]))


def network(arguments: dict[str, Any], shape: tuple[int, int, int]) -> cr.Network:
    """The layer with something before it, so that its input gradient is one among others, and something behind."""
    first = cr.ScaledTanh()
    return cr.Sequential(first, cr.Conv2d(**arguments), cr.Tanh(), cr.Flatten(), input_shape=shape, seed=3)


@settings(max_examples=60, deadline=None)
@given(layers())
def test_it_equals_the_plain_sum(case: tuple[dict[str, Any], tuple[int, int, int], int]) -> None:
    """S3-E24 and the gradients that follow from it, by other sums."""
    arguments, shape, samples = case
    net = network(arguments, shape)
    assert "winograd_forward" in net.plan(samples, dtype="float64")
    rng = np.random.default_rng(7)
    x = rng.normal(size=(samples, *shape))
    problem = Problem(net, x, rng.normal(size=(samples, *net.output_shape)), cr.MSELoss())
    assert_engines_agree(problem, True)


def test_a_map_higher_than_the_highest_strip() -> None:
    """Strips meet without a seam."""
    rng = np.random.default_rng(8)
    arguments: dict[str, Any] = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1}
    net = network(arguments, (2, 100, 9))
    problem = Problem(net, rng.normal(size=(5, 2, 100, 9)), rng.normal(size=(5, 3 * 900)), cr.MSELoss())
    assert_engines_agree(problem, True)


@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_rounding_stays_near_that_of_the_plain_sum(kernel: int) -> None:
    """In float32 errors are at most a few times larger."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(32, 24, 20, 32))
    net = cr.Sequential(cr.Conv2d(24, 24, kernel), input_shape=x.shape[1:], seed=4)
    exact = net.predict(x, engine="reference", dtype="float64")
    plain = np.abs(net.predict(x, engine="reference", dtype="float32") - exact).max()
    assert "winograd_forward" in net.plan(32)
    assert np.abs(net.predict(x, dtype="float32") - exact).max() < 6 * plain
