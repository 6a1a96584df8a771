"""Winograd's algorithm in the native engine against the reference engine's plain sums, whatever it would cost."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.native.compiled import instruction_set
from chainrule.engines.native.rules import winograd
from tests.engines.comparing import assert_engines_agree
from tests.strategies import Problem

IN_REGISTERS = instruction_set().registers >= 32


@pytest.fixture(autouse=True, params=[{3: (6,)}, {3: (8,), 5: (8,)}], ids=["6 points", "8 points"])
def wherever_possible(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The algorithm is taken wherever it can be."""
    monkeypatch.setattr(winograd, "WORTH", np.inf)
    monkeypatch.setattr(winograd, "POINTS", request.param)


@pytest.fixture(params=[False, True], ids=["in memory", "in registers"])
def in_registers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Where the sums at the points are kept, however many channels there are."""
    if request.param and not IN_REGISTERS:
        pytest.skip("this processor has 16 vector registers")
    monkeypatch.setattr(winograd, "IN_REGISTERS", (request.param,))
    monkeypatch.setattr(winograd, "NEAR_BYTES", np.inf)
    return bool(request.param)


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, int, int], int]:
    """(arguments of a convolution, input shape, samples)."""
    kernel = draw(st.integers(1, 5)), draw(st.sampled_from(sorted(winograd.POINTS)))
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


@pytest.mark.parametrize("columns", range(1, 8))
def test_kernels_of_other_columns_are_plain_sums(columns: int) -> None:
    """However many rows they have."""
    for rows in (1, 3):
        net = cr.Sequential(cr.Conv2d(3, 4, (rows, columns)), input_shape=(3, 9, 30), seed=3)
        assert ("winograd_forward" in net.plan(33)) == (columns in winograd.POINTS)
        x = np.random.default_rng(3).normal(size=(33, 3, 9, 30))
        np.testing.assert_allclose(net(x, dtype="float64"), net(x, engine="reference", dtype="float64"), atol=1e-12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=layers())
def test_it_equals_the_plain_sum(in_registers: bool, case: tuple[dict[str, Any], tuple[int, int, int], int]) -> None:
    """S3-E24 and the gradients that follow from it, by other sums."""
    arguments, shape, samples = case
    net = network(arguments, shape)
    assert "winograd_forward" in net.plan(samples, dtype="float64")
    rng = np.random.default_rng(7)
    x = rng.normal(size=(samples, *shape))
    problem = Problem(net, x, rng.normal(size=(samples, *net.output_shape)), cr.MSELoss())
    assert_engines_agree(problem, True)


@pytest.mark.parametrize("between", [(), (cr.ReLU(),)], ids=["pool", "relu and pool"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=layers())
def test_only_the_maxima_of_pairs_are_stored(in_registers: bool, between: tuple[cr.Layer, ...], case: Any) -> None:
    """A pooling by two rows and two columns is done where its inputs leave their registers, if tiles have pairs; going
    back, gradients are read where they belong."""
    arguments, shape, samples = case
    try:
        layers = (cr.Conv2d(**arguments), *between, cr.MaxPool2d(2), cr.Flatten())
        net = cr.Sequential(*layers, input_shape=shape, seed=3)
    except cr.errors.ShapeError:
        assume(False)
    rng, loss = np.random.default_rng(7), cr.MSELoss()
    x = rng.normal(size=(samples, *shape))
    problem = Problem(net, x, rng.normal(size=(samples, *net.output_shape)), loss)
    assert_engines_agree(problem, True)
    pairs = arguments["out_channels"] // arguments.get("groups", 1) > 1  # else the sums leave their registers
    for plan in (net.plan(samples, dtype="float64"), net.plan(samples, dtype="float64", loss=loss)):
        assert ("max_pool_forward" in plan) == ("max_pool_backward" in plan or not in_registers or not pairs)
        assert ("max_pool_forward" in plan) == (not in_registers or not pairs)


def test_the_first_of_equal_pixels_wins() -> None:
    """On empty images, where all outputs are the bias. Where a tile is not empty, rounding decides."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(20, 2, 9, 14))
    x[::2] = 0
    layers = (cr.Conv2d(2, 4, 3, padding=1), cr.MaxPool2d(2), cr.Flatten())
    net = cr.Sequential(*layers, input_shape=(2, 9, 14), seed=3)
    assert_engines_agree(Problem(net, x, rng.normal(size=(20, *net.output_shape)), cr.MSELoss()), True)


@pytest.mark.parametrize("shared", [False, True])
def test_frozen_and_shared_layers_before_a_pooling(in_registers: bool, shared: bool) -> None:
    """Trained like in the reference engine, whichever gradients are wanted."""
    x = cr.Input((3, 8, 10))
    first, second = cr.Conv2d(3, 3, 3, padding=1), cr.Conv2d(3, 3, 3, padding=1)
    y = cr.MaxPool2d(2)(cr.ReLU()(first(second(first(x)) if shared else second(x))))
    made = [cr.Network(x, cr.Linear(60, 4)(cr.Flatten()(y)), seed=5) for _ in range(2)]
    rng = np.random.default_rng(9)
    images, classes = rng.normal(size=(50, 3, 8, 10)), rng.integers(0, 4, 50)
    for net, engine in zip(made, ("native", "reference"), strict=True):
        net.freeze("conv2.*")
        options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05, momentum=0.9), "epochs": 2}
        net.fit(images, classes, batch_size=20, dtype="float64", progress=False, engine=engine, **options)
    np.testing.assert_allclose(made[0].parameters.flat, made[1].parameters.flat, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("branch", ["pool of threes", "stride", "padding", "two readers", "output", "average"])
def test_only_such_a_pooling(branch: str) -> None:
    """Others, and convolutions that somebody else reads, are left as they are."""
    x = cr.Input((2, 9, 14))
    y = cr.Conv2d(2, 3, 3, padding=1)(x)
    pools = {
        "pool of threes": cr.MaxPool2d(3),
        "stride": cr.MaxPool2d(2, stride=1),
        "padding": cr.MaxPool2d(2, padding=1),
    }
    if branch == "output":
        net = cr.Network(x, y)
    elif branch == "two readers":
        net = cr.Network(x, cr.Concat()(cr.Flatten()(cr.MaxPool2d(2)(y)), cr.Flatten()(y)))
    else:
        net = cr.Network(x, pools.get(branch, cr.AvgPool2d(2))(y))
    assert "winograd_forward" in net.plan(33)
    images = np.random.default_rng(3).normal(size=(33, 2, 9, 14))
    expected = net(images, engine="reference", dtype="float64")
    np.testing.assert_allclose(net(images, dtype="float64"), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_a_nan_is_found_where_it_is_read() -> None:
    """In any lane, in the last incomplete block, in the rest of a row, in float32 and float64."""
    net = cr.Sequential(cr.Conv2d(1, 2, 3), cr.MaxPool2d(2), input_shape=(1, 5, 7), seed=4)
    images = np.random.default_rng(5).normal(size=(37, 1, 5, 7))
    for dtype in (np.float32, np.float64):
        for bad, place in itertools.product([np.nan, np.inf, -np.inf], [(0, 0, 0, 0), (17, 0, 4, 6), (36, 0, 4, 6)]):
            spoilt = images.astype(dtype)
            spoilt[place] = bad
            with pytest.raises(cr.errors.DataError, match=re.escape(f"at index {list(place)}")):
                net(spoilt)
            one = spoilt[place[0]][None]
            with pytest.raises(cr.errors.DataError, match=re.escape(f"at index {[0, *place[1:]]}")):
                net(one)
    assert np.isfinite(net(images)).all()


def test_a_map_higher_than_the_highest_strip(in_registers: bool) -> None:
    """Strips meet without a seam."""
    rng = np.random.default_rng(8)
    arguments: dict[str, Any] = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1}
    net = network(arguments, (2, 100, 9))
    problem = Problem(net, rng.normal(size=(5, 2, 100, 9)), rng.normal(size=(5, 3 * 900)), cr.MSELoss())
    assert_engines_agree(problem, True)


def test_rounding_stays_near_that_of_the_plain_sum() -> None:
    """In float32 errors are at most a few times larger."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(32, 24, 20, 32))
    for kernel in winograd.POINTS:
        net = cr.Sequential(cr.Conv2d(24, 24, kernel), input_shape=x.shape[1:], seed=4)
        exact = net.predict(x, engine="reference", dtype="float64")
        plain = np.abs(net.predict(x, engine="reference", dtype="float32") - exact).max()
        assert "winograd_forward" in net.plan(32)
        assert np.abs(net.predict(x, dtype="float32") - exact).max() < 6 * plain
