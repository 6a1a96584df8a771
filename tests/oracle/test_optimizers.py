"""Optimizers and schedules against torch.optim, and whole trainings against a loop in torch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from tests.oracle import adapter
from tests.oracle.adapter import Model, near, tensor
from tests.strategies import Problem, problems

STEPS = 20
OPTIMIZERS: list[cr.Optimizer] = [
    *(
        cr.SGD(rate, momentum, nesterov, decay)
        for rate, momentum, nesterov, decay in itertools.product(
            (0.01, 0.3), (0.0, 0.5, 0.9), (False, True), (0.0, 0.1)
        )
        if momentum or not nesterov
    ),
    *(
        kind(rate, betas, eps, decay)
        for kind in (cr.Adam, cr.AdamW)
        for rate, betas, eps, decay in itertools.product(
            (0.001, 0.1), ((0.9, 0.999), (0.5, 0.6), (0.0, 0.9)), (1e-8, 1e-2), (0.0, 0.05)
        )
    ),
    cr.Adam(),
    cr.AdamW(),
    *(
        cr.RMSprop(rate, alpha, eps, decay, momentum, centered)
        for rate, alpha, eps, decay, momentum, centered in itertools.product(
            (0.001, 0.1), (0.99, 0.5), (1e-8, 1e-2), (0.0, 0.05), (0.0, 0.9), (False, True)
        )
    ),
    cr.RMSprop(),
]


def torch_optimizer(ours: cr.Optimizer, parameters: list[Any]) -> Any:
    """The same optimizer in torch; argument names are the same but for the learning rate's."""
    options = ours.hyperparameters()
    return getattr(torch.optim, type(ours).__name__)(parameters, lr=options.pop("learning_rate"), **options)


@pytest.mark.parametrize(("dtype", "rel"), [("float64", 1e-12), ("float32", 2e-6)])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_twenty_steps_agree_with_torch(optimizer: cr.Optimizer, dtype: str, rel: float) -> None:
    rng = np.random.default_rng(3)
    ours = rng.normal(size=37).astype(dtype)
    theirs = tensor(ours, True)
    other, memory = torch_optimizer(optimizer, [theirs]), optimizer.initial_state(ours)
    for step in range(1, STEPS + 1):
        gradients = (rng.normal(size=37) * 10.0 ** rng.integers(-6, 2, 37)).astype(dtype)
        gradients[step % 37] = 0
        theirs.grad = tensor(gradients)
        other.step()
        kept = gradients.copy()
        optimizer.update(ours, gradients, memory, optimizer.learning_rate, step)
        near(f"parameters after step {step}", ours, theirs, rel)
        assert np.array_equal(gradients, kept)
    assert ours.dtype == dtype
    assert all(array.dtype == dtype for array in memory)


def _torch_rates(scheduler: Any, optimizer: Any, steps: int) -> list[float]:
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_agrees_with_torch(final: float) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=11, eta_min=0.3 * final)
    rates = cr.Cosine(final).rates(0.3, 3, 4)
    near("rates", rates.reshape(-1), torch.tensor(_torch_rates(scheduler, optimizer, 12), dtype=torch.float64))


def test_step_decay_agrees_with_torch() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    rates = cr.StepDecay(2, 0.5).rates(0.3, 7, 1)
    near("rates", rates.reshape(-1), torch.tensor(_torch_rates(scheduler, optimizer, 7), dtype=torch.float64))


@pytest.mark.parametrize(("warmup", "start", "final"), [(0.3, 0.04, 1e-4), (0.5, 0.1, 0.01)])
def test_one_cycle_agrees_with_torch(warmup: float, start: float, final: float) -> None:
    optimizer, last = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3), 20
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.3, last + 1, pct_start=(warmup * last + 1) / (last + 1), div_factor=1 / start,
        final_div_factor=start / final, cycle_momentum=False,
    )  # fmt: skip
    rates = cr.OneCycle(warmup, start, final).rates(0.3, 3, 7)
    near("rates", rates.reshape(-1), torch.tensor(_torch_rates(scheduler, optimizer, 21), dtype=torch.float64))


TRAINED = ("Conv2d", "AvgPool2d", "Tanh", "ScaledTanh", "Sigmoid", "BatchNorm2d", "BatchNorm1d", "Dropout", "Linear")


@settings(max_examples=60)
@given(
    problems(samples=6, most_layers=5, names=TRAINED),
    st.sampled_from([cr.SGD(1e-3), cr.SGD(1e-3, 0.9, True, 1e-3), cr.Adam(0.01, eps=1e-3), cr.AdamW(0.01, eps=1e-3)]),
    st.sampled_from([2, 3, 4, 6]),
)
def test_whole_trainings_agree_with_a_loop_in_torch(problem: Problem, optimizer: cr.Optimizer, batch: int) -> None:
    net, model = problem.net, Model.of(problem.net)
    trainable = [value for name, value in model.parameters.items() if name not in net.frozen]
    other = torch_optimizer(optimizer, trainable or [torch.zeros(1)])
    x = tensor(problem.x)
    parts = [slice(start, start + batch) for start in range(0, 6, batch)]
    for step, part in enumerate(2 * parts):
        outputs = model.nodes(x[part], True, step)[-1]
        loss = adapter.loss_value(problem.loss, outputs, problem.targets[part])
        other.zero_grad(set_to_none=False)
        if loss.requires_grad:
            loss.backward()
        for value in trainable:
            if value.grad is None:
                value.grad = torch.zeros_like(value)
        other.step()
    net.fit(
        problem.x, problem.targets, loss=problem.loss, optimizer=optimizer, epochs=2, batch_size=batch, shuffle=False,
        progress=False, engine="reference", dtype="float64",
    )  # fmt: skip
    for name, value in net.parameters.items():
        near(name, value, model.parameters[name], 1e-9)
    for name, value in net.buffers.items():
        near(name, value, model.buffers[name], 1e-9)
