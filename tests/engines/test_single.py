"""One sample at a time: vectors of filters, of pixels and of pairs of columns, against the reference engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from tests.engines.comparing import assert_engines_agree
from tests.strategies import Problem


def problem_of(*layers: cr.Layer, shape: tuple[int, ...], seed: int) -> Problem:
    """One sample for layers in a row."""
    net = cr.Sequential(*layers, cr.Flatten(), input_shape=shape, seed=seed)
    rng = np.random.default_rng(seed)
    return Problem(net, rng.normal(size=(1, *shape)), rng.normal(size=(1, *net.output_shape)), cr.MSELoss())


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, int, int]]:
    """Few filters over long rows, where vectors hold pixels, and others."""
    kernel, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    groups = draw(st.sampled_from([1, 1, 2]))
    arguments = {
        "in_channels": groups * draw(st.integers(1, 3)),
        "out_channels": groups * draw(st.sampled_from([1, 2, 6, 9, 17])),
        "kernel_size": kernel,
        "dilation": dilation,
        "padding": draw(st.integers(0, 3)),
        "stride": draw(st.sampled_from([1, 1, (2, 1), 2])),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    reach = dilation * (kernel - 1) + 1
    size = draw(st.integers(reach, reach + 4)), draw(st.integers(reach, reach + 40))
    return arguments, (arguments["in_channels"], *size)


@settings(max_examples=80, deadline=None)
@given(convolutions())
def test_convolution(case: tuple[dict[str, Any], tuple[int, int, int]]) -> None:
    arguments, shape = case
    problem = problem_of(cr.Tanh(), cr.Conv2d(**arguments), shape=shape, seed=11)
    assert_engines_agree(problem, True)


def test_padding_becomes_a_border_where_vectors_hold_pixels() -> None:
    net = cr.Sequential(cr.Conv2d(1, 6, 5, padding=2), input_shape=(1, 28, 28))
    assert "border of conv1" in net.plan(1)
    assert "border of conv1" not in net.plan(64)


@pytest.mark.parametrize("columns", [*range(7, 13), 15, 16, 17, 18, 20, 33, 34, 40])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 2), (1, 2)])
def test_max_pooling_of_pairs(columns: int, kernel: tuple[int, int]) -> None:
    problem = problem_of(cr.Tanh(), cr.MaxPool2d(kernel, stride=2), shape=(3, 7, columns), seed=columns)
    assert_engines_agree(problem, True)


def test_max_pooling_of_pairs_hands_infinity_on() -> None:
    x = cr.Input((1, 8, 8))
    net = cr.Network(x, cr.MaxPool2d(2)(cr.Conv2d(1, 1, 1, bias=False)(x)))
    net.parameters["conv1.weight"] = np.array([[[[1e300]]]])
    values = np.random.default_rng(3).normal(size=(1, 1, 8, 8))
    values[0, 0, 2, 3] = 1e300
    with np.errstate(over="ignore"):
        native, reference = net(values, engine="native"), net(values, engine="reference")
    assert native[0, 0, 1, 1] == np.inf
    assert np.array_equal(native, reference)
