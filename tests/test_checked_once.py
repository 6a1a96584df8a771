"""NaN is found in x wherever x comes in, in the same words, and no number is looked at twice to find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import arrays
from chainrule.errors import DataError
from tests.engines.comparing import ENGINES
from tests.helpers import Array

N = 300
T = np.random.default_rng(1).integers(0, 3, N)
CROSS = cr.CrossEntropyLoss()
SGD = cr.SGD(0.1)


def network() -> cr.Network:
    return cr.Sequential(cr.Linear(4, 3), seed=1)


CALLS: dict[str, Callable[..., Any]] = {
    "call": lambda net, x, **o: net(x, **o),
    "predict": lambda net, x, **o: net.predict(x, batch_size=64, **o),
    "gradients": lambda net, x, **o: net.gradients(x, T, loss=CROSS, **o),
    "trace": lambda net, x, **o: net.trace(x, T, loss=CROSS, **o),
    "evaluate": lambda net, x, **o: net.evaluate(x, T, batch_size=64, **o),
    "fit": lambda net, x, **o: net.fit(x, T, loss=CROSS, optimizer=SGD, epochs=3, progress=False, **o),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
engines = pytest.mark.parametrize("engine", ENGINES)


def data(dtype: str) -> Array:
    """(N, 4) numbers."""
    return np.random.default_rng(0).normal(size=(N, 4)).astype(dtype)


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many numbers of arrays shaped like x each scan looks at."""
    sizes: list[int] = []
    real = arrays.is_finite

    def counting(array: Array) -> bool:
        if array.ndim == 2 and array.shape[1] == 4 and len(array) > 3:  # no weight
            sizes.append(array.size)
        return real(array)

    monkeypatch.setattr(arrays, "is_finite", counting)
    return sizes


@engines
@calls
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_number_is_looked_at_twice(call: Callable[..., Any], engine: str, dtype: str, scanned: list[int]) -> None:
    net, x = network(), data(dtype)
    call(net, x, engine=engine)
    in_the_core = engine == "native" and call is not CALLS["fit"]  # which sees all numbers as it reads them
    assert sum(scanned) == (0 if in_the_core else x.size)


@engines
@pytest.mark.parametrize("name", ["call", "predict", "gradients", "trace", "evaluate"])
def test_a_conversion_is_looked_at_instead_of_what_is_converted(name: str, engine: str, scanned: list[int]) -> None:
    x = data("float64")
    CALLS[name](network(), x, engine=engine, dtype="float32")
    assert sum(scanned) == x.size


def test_the_gradient_check_and_explanations_look_once_too(scanned: list[int]) -> None:
    x = data("float64")
    cr.explain(network(), x, T, CROSS, of="linear1.bias[0]", engine="native")
    assert sum(scanned) <= x.size
    scanned.clear()
    cr.check_gradients(network(), x, T, CROSS, sample=1)
    assert sum(scanned) <= x.size


@engines
@calls
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize("given", ["float16", "float32", "float64"])
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_it_is_found_and_named(call: Callable[..., Any], engine: str, dtype: Any, given: str, bad: str) -> None:
    x = data(given)
    x[270, 2] = float(bad)  # in the last batch: the index is that of the whole
    net = network()
    before = net.parameters.flat.copy()
    with pytest.raises(DataError) as caught:
        call(net, x, engine=engine, dtype=dtype)
    assert str(caught.value) == f"x holds {bad} at index [270, 2]; remove or replace such values first"
    np.testing.assert_array_equal(net.parameters.flat, before)


@engines
@calls
def test_numbers_too_large_for_the_precision_are_named(call: Callable[..., Any], engine: str) -> None:
    x = data("float64")
    x[20, 1] = 1e300
    with pytest.raises(DataError, match=r"x as float32 holds inf at index \[20, 1\]"):
        call(network(), x, engine=engine, dtype="float32")


@engines
def test_large_finite_numbers_are_no_error(engine: str) -> None:
    """Their sum overflows, they do not."""
    x = np.full((4, 4), 1e308)
    with np.errstate(all="ignore"):
        network()(x, engine=engine)
        network().predict(x, engine=engine)
        network().gradients(x, T[:4], loss=CROSS, engine=engine)


@engines
def test_validation_data_is_named_as_such(engine: str) -> None:
    x, v = data("float64"), data("float64")
    v[3, 0] = np.nan
    with pytest.raises(DataError, match=r"^validation x holds nan at index \[3, 0\]"):
        network().fit(x, T, loss=CROSS, optimizer=SGD, validation=(v, T), progress=False, engine=engine)  # type: ignore[arg-type]
