"""Random graphs in C, the memory that was announced, and a header that C++ reads."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two
from tests.helpers import assert_close
from tests.interchange.c.compiled import COMPILER, LONG, Compiled, needs_compiler
from tests.strategies import Problem, problems

pytestmark = needs_compiler


PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Each example is compiled; to shrink one would take minutes."""


def test_a_sum_whose_first_input_comes_again(tmp_path: Path) -> None:
    x = cr.Input(3)
    h, g = cr.Linear(3, 3)(x), cr.Linear(3, 3)(x)
    net = cr.Network(x, cr.Add()(h, g, h))
    values = np.random.default_rng(0).normal(size=(2, 3))
    expected = net(values, engine="reference")
    assert_close("outputs", Compiled(net, tmp_path).predict(values), expected, atol=1e-14)


@settings(max_examples=60 if LONG else 5, deadline=None, phases=PHASES)
@given(problems(chain=False, most_layers=12), st.booleans())
def test_random_graphs_with_shared_layers(problem: Problem, together: bool) -> None:
    """Outputs, and the parameters after a step; the samples of a step at once or one by one."""
    net, x, targets, loss = problem.net, problem.x, problem.targets, problem.loss
    net.unfreeze("*") if net.parameters else None
    coupled = any(step.layer.couples_samples(True) for step in net.steps)
    assume(bool(net.parameters) and np.isfinite(net(x, engine="reference")).all())
    form = "classes" if targets.dtype.kind in "iu" else "probabilities"
    asked: dict[str, Any] = {"targets": form} if isinstance(loss, cr.CrossEntropyLoss) else {}
    batch = len(x) if together or coupled else 1
    with tempfile.TemporaryDirectory() as folder:
        optimizer = cr.SGD(0.01)
        made = Compiled(net, Path(folder), what="train_step", loss=loss, optimizer=optimizer, batch=batch, **asked)
        expected = net(x, engine="reference", dtype="float64")
        assert_close("outputs", made.predict(x), expected, atol=1e-11 * max(1, np.abs(expected).max()))
        for i in range(0, len(x), batch):
            made.train_step(x[i : i + batch], targets[i : i + batch], 0.01)
        net.fit(
            x, targets, loss=loss, optimizer=optimizer, batch_size=batch, shuffle=False, progress=False,
            engine="reference", dtype="float64",
        )  # fmt: skip
        learned = net.parameters.flat
        assert_close("learned", made.parameters(learned.size), learned, atol=1e-10 * max(1, np.abs(learned).max()))


ZOO: dict[str, cr.Network] = {"lenet5 of 1998": lenet5("1998"), "2-2-2": two_two_two()}
if LONG:
    small: dict[str, Any] = {"input_shape": (3, 16, 16), "widths": (6, 8), "seed": 1}
    ZOO |= {"vgg": vgg_like(**small), "resnet": resnet_like(**small), "mlp": mlp((1, 8, 8))}


@pytest.mark.parametrize("net", ZOO.values(), ids=ZOO)
def test_networks_of_the_zoo(net: cr.Network, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    loss = net.loss or cr.MSELoss()
    x = rng.random((2, *net.input_shape))
    targets = rng.integers(0, 10, 2) if loss.by_class else rng.random((2, *net.output_shape))
    made = Compiled(net, tmp_path, what="train_step", loss=loss, optimizer=cr.SGD(0.001), batch=2)
    expected = net(x, engine="reference")
    assert_close("outputs", made.predict(x), expected, atol=1e-11 * np.abs(expected).max())
    made.train_step(x, targets, 0.001)
    net.fit(
        x, targets, loss=loss, optimizer=cr.SGD(0.001), batch_size=2, shuffle=False, progress=False, engine="reference",
        dtype="float64",
    )  # fmt: skip
    learned = np.concatenate([value.ravel() for name, value in net.parameters.items() if name not in net.frozen])
    assert_close("learned", made.parameters(learned.size), learned, atol=1e-11)


@pytest.mark.skipif(shutil.which("size") is None, reason="size, of the binutils, is not installed")
@pytest.mark.parametrize(("optimizer", "batch"), [(cr.SGD(0.1), 1), (cr.Adam(0.1), 8)], ids=["sgd", "adam"])
def test_the_plan_is_what_the_compiler_reserves(optimizer: cr.Optimizer, batch: int, tmp_path: Path) -> None:
    net = lenet5()
    plan = net.to_c(tmp_path / "net", what="train_step", loss=cr.CrossEntropyLoss(), optimizer=optimizer, batch=batch)
    command = [str(COMPILER), "-std=c99", "-O0", "-c", "net.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(["size", "net.o"], cwd=tmp_path, check=True, capture_output=True, text=True)
    _, data, bss, *_ = (int(number) for number in done.stdout.splitlines()[1].split()[:3])
    assert plan.ram_bytes <= data + bss <= plan.ram_bytes + 512  # pointers, counters, and gaps between arrays
    if batch == 1 and isinstance(optimizer, cr.SGD):
        assert plan.ram_bytes < 320 * 1024


def test_a_network_without_memory_of_its_own_predicts(tmp_path: Path) -> None:
    """Layers that only rename: the outputs are the inputs."""
    net = cr.Sequential(cr.Identity(), cr.Flatten(), input_shape=(2, 3))
    x = np.arange(12.0).reshape(2, 2, 3)
    assert_close("outputs", Compiled(net, tmp_path).predict(x), x.reshape(2, 6), atol=0)


def test_names_of_classes_are_in_the_header(tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(3, 2))
    net.class_names = ['a "cat" ??/ \\', "狗"]
    made = Compiled(net, tmp_path)
    names = (ctypes.c_char_p * 2).in_dll(made.library, "net_classes")
    assert [name.decode() for name in names if name is not None] == list(net.class_names)


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler on the PATH")
def test_the_header_is_one_for_c_plus_plus_too(tmp_path: Path) -> None:
    cr.Sequential(cr.Linear(3, 2)).to_c(tmp_path / "net", what="train_step", loss=cr.MSELoss(), optimizer=cr.SGD(0.1))
    (tmp_path / "use.cpp").write_text('#include "net.h"\nint main() { net_predict(nullptr, nullptr); }\n')
    subprocess.run(["g++", "-Wall", "-Wextra", "-Werror", "-c", "use.cpp"], cwd=tmp_path, check=True)
