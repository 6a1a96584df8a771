"""Optimizers and schedules against their formulas, written out one number at a time in plain Python."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import Array, assert_close

STEPS, SIZE, RATE = 6, 7, 0.05

SGDS = [
    cr.SGD(RATE, momentum, nesterov, decay)
    for momentum, nesterov, decay in itertools.product((0.0, 0.5, 0.9), (False, True), (0.0, 0.1))
    if momentum or not nesterov
]
ADAMS = [
    kind(RATE, betas, eps, decay)
    for kind in (cr.Adam, cr.AdamW)
    for betas, eps, decay in itertools.product(((0.9, 0.999), (0.5, 0.6), (0.0, 0.9)), (1e-8, 1e-2), (0.0, 0.05))
]


def sgd(one: cr.SGD, w: float, gradients: Iterator[float], rate: float) -> Iterator[float]:
    v = 0.0
    for dw in gradients:
        g = dw + one.weight_decay * w
        v = one.momentum * v + g
        w = w - rate * (g + one.momentum * v if one.nesterov else v)
        yield w


def adam(one: cr.Adam, w: float, gradients: Iterator[float], rate: float) -> Iterator[float]:
    m = v = 0.0
    (b1, b2), decoupled = one.betas, isinstance(one, cr.AdamW)
    for t, dw in enumerate(gradients, start=1):
        w = w * (1 - rate * one.weight_decay) if decoupled else w
        g = dw if decoupled else dw + one.weight_decay * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        w = w - rate * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + one.eps)
        yield w


@pytest.mark.parametrize("rate", [RATE, 0.3])
@pytest.mark.parametrize("one", [*SGDS, *ADAMS], ids=repr)
def test_every_step_is_the_formula(one: Any, rate: float) -> None:
    """The rate is the one given to `update`, as a schedule made it, not the optimizer's own."""
    rng = np.random.default_rng(2)
    w, gradients = rng.normal(size=SIZE), rng.normal(size=(STEPS, SIZE)) * 10.0 ** rng.integers(-3, 2, SIZE)
    formula = sgd if isinstance(one, cr.SGD) else adam
    expected = np.array([list(formula(one, w[i], iter(gradients[:, i]), rate)) for i in range(SIZE)]).T
    memory = one.initial_state(w)
    assert len(memory) == one.memories
    for step in range(STEPS):
        kept = gradients[step].copy()
        one.update(w, gradients[step], memory, rate, step + 1)
        assert_close(f"after step {step + 1}", w, expected[step], rtol=1e-12, atol=1e-14)
        assert np.array_equal(gradients[step], kept)


def test_what_is_remembered() -> None:
    w = np.arange(3, dtype=np.float32)
    for one, count in ((cr.SGD(0.1), 0), (cr.SGD(0.1, 0.9), 1), (cr.Adam(), 2), (cr.AdamW(), 2)):
        memory = one.initial_state(w)
        assert one.memories == len(memory) == count
        for array in memory:
            assert array.shape == w.shape
            assert array.dtype == w.dtype
            assert not array.any()
        assert len({id(array) for array in memory}) == count


def test_what_each_begins_with() -> None:
    assert cr.SGD(0.5).hyperparameters() == {
        "learning_rate": 0.5, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0,
    }  # fmt: skip
    common = {"learning_rate": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
    assert cr.Adam().hyperparameters() == {**common, "weight_decay": 0.0}
    assert cr.AdamW().hyperparameters() == {**common, "weight_decay": 1e-2}


def test_what_the_native_core_is_told() -> None:
    """The rule by name; what a rule does not have is 0."""
    assert cr.SGD(0.1, 0.9, True, 1e-4).native_update() == {
        "rule": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4, "beta1": 0.0, "beta2": 0.0, "eps": 0.0,
        "centered": False,
    }  # fmt: skip
    own = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.2, "beta1": 0.5, "beta2": 0.6, "eps": 1e-3}
    own["centered"] = False
    assert cr.Adam(0.1, (0.5, 0.6), 1e-3, 0.2).native_update() == {"rule": "adam", **own}
    assert cr.AdamW(0.1, (0.5, 0.6), 1e-3, 0.2).native_update() == {"rule": "adamw", **own}
    assert cr.RMSprop(0.1, 0.6, 1e-3, 0.2, 0.9, True).native_update() == {
        "rule": "rmsprop", **own, "beta1": 0.0, "momentum": 0.9, "centered": True,
    }  # fmt: skip


@pytest.mark.parametrize("kind", [cr.SGD, cr.Adam, cr.AdamW, cr.RMSprop])
def test_an_optimizer_of_ones_own_is_not_mistaken_for_its_parent(kind: type[cr.Optimizer]) -> None:
    own = type("Own", (kind,), {})
    assert own(0.1).native_update() == {}  # type: ignore[call-arg]


def test_descriptions() -> None:
    assert repr(cr.SGD(0.1)) == "SGD(learning_rate=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)"
    assert repr(cr.StepDecay(2, 0.5)) == "StepDecay(every=2, gamma=0.5)"
    assert repr(cr.Constant()) == "Constant()"


# --- schedules -------------------------------------------------------------------------------------------------------


def cosine(share: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * share)) / 2


def literal(schedule: cr.Schedule, progress: float, epoch: int) -> float:
    """The factor as each docstring says it."""
    if isinstance(schedule, cr.StepDecay):
        return schedule.gamma ** (epoch // schedule.every)
    assert isinstance(schedule, cr.Cosine | cr.OneCycle)
    warmup, final = schedule.warmup, schedule.final
    start = schedule.start if isinstance(schedule, cr.OneCycle) else 0.0
    if progress < warmup:
        share = progress / warmup
        return start + (1 - start) * (share if isinstance(schedule, cr.Cosine) else 1 - cosine(share))
    share = (progress - warmup) / (1 - warmup) if warmup < 1 else 0.0
    return final + (1 - final) * cosine(share)


SCHEDULES = [
    cr.StepDecay(1), cr.StepDecay(2, 0.5), cr.StepDecay(3, 0.0), cr.Cosine(), cr.Cosine(0.1), cr.Cosine(0.1, 0.3),
    cr.Cosine(warmup=1.0), cr.Cosine(1.0, 0.5), cr.OneCycle(), cr.OneCycle(0.5, 0.2, 0.1), cr.OneCycle(0.0, 0.5, 0.3),
    cr.OneCycle(1.0, 0.5, 0.3), cr.OneCycle(0.25, 1.0, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (2, 1), (5, 1), (3, 4), (7, 3)])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_every_rate_is_the_formula(schedule: cr.Schedule, epochs: int, steps: int) -> None:
    """Progress is 0 at the first step and 1 at the last; with one step alone it is 0."""
    last = epochs * steps - 1
    expected = np.empty((epochs, steps))
    for number in range(epochs * steps):
        epoch, step = divmod(number, steps)
        expected[epoch, step] = 0.3 * literal(schedule, number / last if last else 0.0, epoch)
    rates: Array = schedule.rates(0.3, epochs, steps)
    assert_close("rates", rates, expected, rtol=1e-14, atol=1e-17)


def test_a_constant_schedule_is_one_everywhere() -> None:
    assert cr.Constant().factor(0.5, 3) == 1.0
    assert_close("rates", cr.Constant().rates(0.3, 2, 4), np.full((2, 4), 0.3))


def test_what_schedules_begin_with() -> None:
    for schedule, options in (
        (cr.StepDecay(3), {"every": 3, "gamma": 0.1}),
        (cr.Cosine(), {"final": 0.0, "warmup": 0.0}),
        (cr.OneCycle(), {"warmup": 0.3, "start": 0.04, "final": 1e-4}),
    ):
        assert vars(schedule) == options
