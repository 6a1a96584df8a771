"""The native engine: what the reference computes, the same bits at any number of threads, every instruction set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings

import chainrule as cr
from chainrule import zoo
from chainrule.engines.native import core
from chainrule.engines.native import engine as engine_module
from tests.engines.comparing import assert_engines_agree, assert_rounding_only
from tests.strategies import Problem, problems

ISAS = [isa[0] for isa in core.isas()]


@pytest.mark.parametrize("isa", ISAS)
@settings(max_examples=40)
@given(problem=problems())
def test_every_instruction_set_agrees(isa: str, problem: Problem) -> None:
    before = os.environ.get("CHAINRULE_ISA")
    os.environ["CHAINRULE_ISA"] = isa
    try:
        assert_engines_agree(problem, True)
    finally:
        if before is None:
            del os.environ["CHAINRULE_ISA"]
        else:
            os.environ["CHAINRULE_ISA"] = before


def test_an_unknown_instruction_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", "mmx")
    with pytest.raises(cr.errors.ArgumentError, match=r"mmx.*baseline"):
        cr.Sequential(cr.Linear(2, 2))([[1.0, 2.0]])


def lenet() -> cr.Network:
    """LeNet-5 with dropout and batch normalisation, so that masks and stages count too."""
    text = "1x28x28 -> conv 6@5x5 pad 2 -> batchnorm -> relu -> maxpool 2 -> conv 16@5x5 -> relu -> maxpool 2"
    return cr.parse(text + " -> fc 120 -> relu -> dropout 0.3 -> fc 84 -> relu -> fc 10")


@pytest.mark.parametrize("samples", [1, 2, 3, 5, 8, 9, 16, 17, 33])
def test_batches_of_any_size_agree(samples: int) -> None:
    rng = np.random.default_rng(samples)
    x, targets = rng.normal(size=(samples, 1, 28, 28)), rng.integers(0, 10, samples)
    problem = Problem(lenet(), x, targets, cr.CrossEntropyLoss())
    assert_engines_agree(problem, True)
    assert_rounding_only(problem, True)


TRAINING = """
import hashlib, sys, numpy as np, chainrule as cr
from tests.engines.test_native import lenet
rng = np.random.default_rng(0)
x, targets = rng.integers(0, 256, (200, 1, 28, 28)).astype(np.uint8), rng.integers(0, 10, 200)
for _ in range(int(sys.argv[1])):
    net = lenet()
    history = net.fit(x, targets, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.05, momentum=0.9), epochs=2,
                      batch_size=48, progress=False)
    state = net.parameters.flat.tobytes() + net.buffers.flat.tobytes() + repr(history["loss"]).encode()
    print(hashlib.sha256(state).hexdigest())
"""


def digests(threads: int, times: int) -> set[str]:
    """Digests of everything that training leaves, in a process of its own."""
    environment = os.environ | {"CHAINRULE_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, str(times)], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_training_gives_the_same_bits_at_any_number_of_threads() -> None:
    found = [digests(threads, times) for threads, times in ((1, 1), (2, 8), (3, 3), (8, 2))]
    assert all(len(one) == 1 for one in found)
    assert len(set.union(*found)) == 1


@pytest.mark.parametrize(
    "optimizer",
    [cr.SGD(0.05), cr.SGD(0.05, 0.9, weight_decay=0.01), cr.SGD(0.05, 0.9, True), cr.Adam(0.01), cr.AdamW(0.01)],
    ids=repr,
)
def test_training_agrees_with_the_reference(optimizer: cr.Optimizer) -> None:
    rng = np.random.default_rng(1)
    x, targets = rng.normal(size=(21, 1, 12, 12)), rng.integers(0, 4, 21)
    ends = []
    for engine in ("native", "reference"):
        net = cr.parse("1x12x12 -> conv 4@3x3 -> batchnorm -> tanh -> avgpool 2 -> dropout 0.2 -> fc 4")
        net.freeze("conv1.bias")
        history = net.fit(x, targets, loss=cr.CrossEntropyLoss(), optimizer=optimizer, schedule=cr.OneCycle(), epochs=4,
                          batch_size=8, progress=False, engine=engine)  # fmt: skip
        ends.append((net.parameters.flat, net.buffers.flat, history["loss"], history["accuracy"]))
    for ours, truth in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, truth, rtol=1e-9, atol=1e-11)


def test_bytes_are_divided_by_255() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28)).astype(np.uint8)
    net = lenet()
    np.testing.assert_array_equal(net(pixels, dtype="float64"), net(pixels / 255))


def test_a_layer_of_the_users_own_runs_on_the_reference_engine_and_that_is_said_once() -> None:
    class Doubled(cr.ReLU):
        """A subclass may compute anything, so it is foreign too."""

    net = cr.Sequential(cr.Linear(3, 2), Doubled())
    with pytest.warns(UserWarning, match="Doubled.*reference engine"):
        net(np.ones((1, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net(np.ones((1, 3)))


def test_the_plan_prints_stages_operations_and_memory() -> None:
    text = lenet().plan(loss=cr.CrossEntropyLoss())
    for part in ("3 stage(s)", "arena per thread", "all blocks meet", "convolve", "d conv2.weight"):
        assert part in text


def test_without_batch_normalisation_there_is_one_stage_and_memory_has_a_bound() -> None:
    net, loss = zoo.lenet5(), cr.CrossEntropyLoss()
    for batch in (64, 1024, 1025, 100_000):
        text = net.plan(batch_size=batch, loss=loss)
        assert "1 stage(s)" in text
        kept = re.search(r" samples ([\d,]+) bytes", text)
        assert kept
        # Dense layers keep x and dy of 1,024 samples at most.
        assert (0 < int(kept[1].replace(",", "")) < 60_000) if batch <= 1024 else kept[1] == "0"


def test_large_batches_have_the_same_gradients_without_keeping_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    net = cr.Sequential(cr.Linear(40, 30), cr.Tanh(), cr.Linear(30, 7), seed=1)
    rng = np.random.default_rng(2)
    x, classes = rng.normal(size=(1100, 40)), rng.integers(0, 7, 1100)
    loss = cr.CrossEntropyLoss()
    expected = net.gradients(x, classes, loss=loss, engine="reference")[1].flat
    for small in (0, 2000):
        monkeypatch.setattr(engine_module, "SMALL_BATCH", small)
        found = net.gradients(x, classes, loss=loss, engine="native")[1].flat
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
