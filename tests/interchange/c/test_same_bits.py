"""The same bits: C compiled in several ways, and NumPy in the order of the C."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import LAYERS
from chainrule.zoo.lenet5 import lenet5
from tests.helpers import Array
from tests.interchange.c.compiled import LONG, Compiled, needs_compiler
from tests.interchange.c.networks import GROUPS, branches
from tests.interchange.c.twin import Twin
from tests.interchange.c.twin_layers import FORWARD
from tests.interchange.c.twin_numbers import Elementary

pytestmark = needs_compiler
BUILDS = [(compiler, level) for compiler in ("gcc", "clang") for level in ("-O0", "-O2", "-O3")]
BUILDS = BUILDS if LONG else [("gcc", "-O0"), ("gcc", "-O2")]


def assert_same_bits(what: str, actual: Array, expected: Array) -> None:
    """Not a bit differs."""
    assert actual.dtype == expected.dtype
    actual, expected = actual.ravel(), expected.ravel()
    kind = np.uint32 if actual.dtype == np.float32 else np.uint64
    differ = np.flatnonzero(actual.view(kind) != expected.view(kind))
    assert not len(differ), (
        f"{what}: {len(differ)} of {actual.size} differ, first {actual[differ[:3]]} {expected[differ[:3]]}"
    )


def test_every_layer_has_a_twin() -> None:
    assert {kind.__name__ for kind in FORWARD} == set(LAYERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"] if LONG else ["float32"])
@pytest.mark.parametrize(
    "group", [name for name in GROUPS if name != "coupled"] if LONG else ["convolutions", "vectors"]
)
def test_every_row_has_the_bits_of_its_twin(group: str, dtype: str, tmp_path: Path) -> None:
    net = branches(GROUPS[group], seed=5)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(4, *net.input_shape))
    targets = rng.normal(size=(4, *net.output_shape))
    loss, optimizer = cr.MSELoss("sum"), cr.SGD(0.001, 0.5)
    made = Compiled(net, tmp_path, what="train_step", loss=loss, optimizer=optimizer, batch=2, dtype=dtype)
    twin = Twin(net, loss, optimizer, dtype)
    assert_same_bits("outputs", made.predict(x), twin.predict(x))
    for i in (0, 2):
        made.train_step(x[i : i + 2], targets[i : i + 2], 0.001)
        twin.train_step(x[i : i + 2], targets[i : i + 2], 0.001)
    expected = twin.learned()
    learned, start = made.parameters(expected.size), 0
    for name in twin.learning:
        size = net.parameters[name].size
        assert_same_bits(name, learned[start : start + size], expected[start : start + size])
        start += size


@pytest.mark.parametrize("function", ["exp", "log", "log1p", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementary_functions_are_right_to_a_few_last_places(function: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-90, 80, 20_000).astype(dtype)
    x = np.concatenate([x, rng.normal(size=20_000).astype(dtype), np.array([0, 1e-5, -1e-5], dtype)])
    x = np.abs(x) + np.finfo(dtype).tiny if function == "log" else x
    x = rng.random(20_000).astype(dtype) if function == "log1p" else x
    exact = {"sigmoid": lambda v: 1 / (1 + np.exp(-v))}.get(function, getattr(np, function, None))
    assert exact is not None
    expected = exact(x.astype(np.longdouble))
    got = getattr(Elementary(dtype), function)(x)
    scale = np.maximum(np.abs(expected), 1e-3 if function == "log" else np.finfo(dtype).tiny)
    assert (np.abs(got - expected) / scale).max() < 6 * np.finfo(dtype).eps


def _digits() -> tuple[Array, Array]:
    from chainrule import data

    digits = data.load("digits")
    return digits.train_images[:200].astype(np.float32) / np.float32(255), digits.train_labels[:200]


def test_lenet5_learns_200_digits_to_the_bits_of_its_twin(tmp_path: Path) -> None:
    net = lenet5()
    x, labels = _digits()
    loss, optimizer = cr.CrossEntropyLoss(), cr.SGD(0.01)
    made = Compiled(net, tmp_path, what="train_step", loss=loss, optimizer=optimizer, dtype="float32", flags=("-O2",))
    twin = Twin(net, loss, optimizer)
    steps = 200 if LONG else 10
    for i in range(steps):
        got = made.train_step(x[i : i + 1], labels[i : i + 1], 0.01)
        assert got == float(twin.train_step(x[i : i + 1], labels[i : i + 1], 0.01))
    assert_same_bits("parameters", made.parameters(61_706), twin.learned())


def test_every_compiler_and_level_gives_the_same_bits(tmp_path: Path) -> None:
    """A graph with most kinds of layers, compiled in all ways."""
    net = _mixed()
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6, *net.input_shape)).astype(np.float32)
    labels = rng.integers(0, 4, 6)
    results = {}
    for number, (compiler, level) in enumerate(BUILDS):
        if shutil.which(compiler) is None:
            continue
        made = Compiled(
            net, tmp_path, f"net{number}", what="train_step", loss=cr.CrossEntropyLoss(), optimizer=cr.Adam(0.01),
            batch=3, dtype="float32", compiler=compiler, flags=(level,),
        )  # fmt: skip
        losses = [made.train_step(x[i : i + 3], labels[i : i + 3], 0.01) for i in (0, 3)]
        results[compiler, level] = (losses, made.parameters(net.parameter_count).copy(), made.predict(x))
    first = next(iter(results))
    for build, (losses, learned, outputs) in results.items():
        assert losses == results[first][0], build
        assert_same_bits(f"parameters of {build} and {first}", learned, results[first][1])
        assert_same_bits(f"outputs of {build} and {first}", outputs, results[first][2])


def _mixed() -> cr.Network:
    x = cr.Input((2, 8, 8))
    h = cr.BatchNorm2d(4)(cr.Conv2d(2, 4, 3, padding="same", groups=2)(x))
    a = cr.MaxPool2d(2)(cr.ScaledTanh()(h))
    b = cr.LPPool2d(2.5, 2)(cr.LocalResponseNorm(3)(cr.Sigmoid()(h)))
    c = cr.TrainablePool2d(4, 2)(cr.LeakyReLU()(h))
    joined = cr.Flatten()(cr.Add()(a, b, c))
    hidden = cr.Dropout(0.2)(cr.Tanh()(cr.Linear(64, 10)(joined)))
    return cr.Network(x, cr.Linear(10, 4)(cr.Softmax()(hidden)), seed=3)
