"""Every mistake of the tables is planted on ordinary data, and is named: alone, or with those that give the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis import entrances  # noqa: F401  fills the tables
from chainrule.diagnosis.activations import LEAKY, SOFTMAX, ActivationProblem, LeakyProblem, SoftmaxProblem
from chainrule.diagnosis.convolution import CONV, Conv2dProblem
from chainrule.diagnosis.dense import DENSE, LinearProblem
from chainrule.diagnosis.losses import LOSS, LossProblem
from chainrule.diagnosis.normalization import DROPOUT, NORM, BatchNormProblem, DropoutProblem
from chainrule.diagnosis.pooling import POOL, PoolProblem
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import TensorDiagnosis, examine
from chainrule.diagnosis.upstream import Upstream
from chainrule.equations import conv2d_forward, linear_forward
from chainrule.equations.activations import ACTIVATIONS
from chainrule.shapes import Window
from tests.helpers import Array

EPS = float(np.finfo(float).eps)


def conv(
    rng: np.random.Generator, size: Any, kernel: Any, channels: int, filters: int, **options: Any
) -> Conv2dProblem:
    """A convolution layer with random numbers."""
    groups, mode = options.pop("groups", 1), options.pop("mode", "correlation")
    window = Window(kernel, **options)
    x = rng.normal(size=(3, channels, *size))
    weight = rng.normal(size=(filters, channels // groups, *kernel))
    dy = rng.normal(size=(3, filters, *window.output_size(size)))
    return Conv2dProblem(x, weight, dy, window, groups, mode)


def pool(rng: np.random.Generator, kind: Any, ties: bool = False, **options: Any) -> PoolProblem:
    """A pooling layer; with `ties` many pixels are equal."""
    window = Window((3, 2), **options)
    x = rng.integers(-2, 2, (2, 2, 7, 6)).astype(float) if ties else rng.normal(size=(2, 2, 7, 6))
    return PoolProblem(x, rng.normal(size=(2, 2, *window.output_size((7, 6)))), window, kind)


def loss(rng: np.random.Generator, loss: cr.Loss, targets: Array) -> LossProblem:
    """A loss at random outputs."""
    outputs = rng.normal(size=(5, 4))
    return LossProblem(loss, outputs, loss.prepare_targets(targets, 5, (4,)))


def batchnorm(rng: np.random.Generator, shape: tuple[int, ...]) -> BatchNormProblem:
    """Batch normalisation of random numbers that are not normalised already."""
    x = 2 * rng.normal(size=shape) + 1
    return BatchNormProblem(x, rng.normal(size=shape[1]) + 3, rng.normal(size=shape), 1e-5)


PROBLEMS: dict[str, Callable[[np.random.Generator], Problem]] = {
    "conv": lambda rng: conv(rng, (6, 7), (3, 3), 2, 4),
    "conv_convolution": lambda rng: conv(rng, (6, 7), (3, 2), 2, 4, mode="convolution"),
    "conv_stride": lambda rng: conv(rng, (8, 9), (3, 3), 2, 4, stride=(2, 3)),
    "conv_padding": lambda rng: conv(rng, (6, 8), (3, 2), 2, 4, padding=(2, 0, 1, 1)),
    "conv_all": lambda rng: conv(
        rng, (10, 9), (3, 2), 4, 6, stride=(2, 1), padding=(1, 2, 0, 1), dilation=(1, 2), groups=2
    ),
    "conv_dilation": lambda rng: conv(rng, (8, 9), (3, 2), 2, 4, dilation=(2, 3)),
    "conv_square": lambda rng: conv(rng, (6, 7), (3, 3), 4, 4, padding=(1, 1, 1, 1)),
    "linear": lambda rng: LinearProblem(rng.normal(size=(4, 5)), rng.normal(size=(3, 5)), rng.normal(size=(4, 3))),
    "linear_square": lambda rng: LinearProblem(*(rng.normal(size=(4, 4)) for _ in range(3))),
    "linear_shared": lambda rng: LinearProblem(
        rng.normal(size=(4, 5)), rng.normal(size=(3, 5)), rng.normal(size=(4, 3)), shared=True
    ),
    "max": lambda rng: pool(rng, "max", stride=(2, 2)),
    "max_ties": lambda rng: pool(rng, "max", ties=True, stride=(2, 2), padding=(1, 1, 0, 1)),
    "average": lambda rng: pool(rng, "average", stride=(2, 2), padding=(1, 1, 0, 1)),
    "l2": lambda rng: pool(rng, "l2", stride=(3, 2)),
    "leaky": lambda rng: LeakyProblem(rng.integers(-3, 4, (4, 5)).astype(float), rng.normal(size=(4, 5)), 0.3),
    "softmax": lambda rng: SoftmaxProblem(rng.normal(size=(4, 5)), rng.normal(size=(4, 5))),
    "norm": lambda rng: batchnorm(rng, (6, 3)),
    "norm_maps": lambda rng: batchnorm(rng, (3, 2, 4, 5)),
    "dropout": lambda rng: DropoutProblem((rng.random((5, 6)) > 0.3).astype(float), rng.normal(size=(5, 6)), 0.3),
    "cross_entropy": lambda rng: loss(rng, cr.CrossEntropyLoss(), rng.integers(0, 4, 5)),
    "cross_entropy_sum": lambda rng: loss(rng, cr.CrossEntropyLoss("sum"), rng.integers(0, 4, 5)),
    "half_squared": lambda rng: loss(rng, cr.HalfSquaredErrorLoss(), rng.normal(size=(5, 4))),
    "bce": lambda rng: loss(rng, cr.BCEWithLogitsLoss(), rng.integers(0, 2, (5, 4)).astype(float)),
    **{
        f"conv_{name}": lambda rng, name=name: _with_activation(conv(rng, (6, 7), (3, 3), 2, 4), name)  # type: ignore[misc]
        for name in ACTIVATIONS
    },
    "linear_sigmoid": lambda rng: _with_activation(PROBLEMS["linear"](rng), "sigmoid"),
    **{
        f"only_{name}": lambda rng, name=name: ActivationProblem(  # type: ignore[misc]
            Upstream(name, rng.integers(-2, 3, (5, 6)) / 2, rng.normal(size=(5, 6)))
        )
        for name in ACTIVATIONS
    },
}

SAME_NUMBERS = {("average", "everyone_gets_it", "missing_mean")}
"""Two names for one mistake: a mean without its 1/area."""


def _with_activation(p: Any, name: str) -> Problem:
    if isinstance(p, Conv2dProblem):
        above = Upstream(name, conv2d_forward(p.x, p.weight, **p.options()), p.dy)
        return Conv2dProblem(p.x, p.weight, above.dz(), p.window, p.groups, p.mode, above=above)
    above = Upstream(name, linear_forward(p.x, p.weight), p.dy)
    return LinearProblem(p.x, p.weight, above.dz(), above=above)


def planted(problem: Problem, tensor: str) -> list[tuple[str, Array, TensorDiagnosis]]:
    """Every mistake of the table that changes the numbers, with its diagnosis."""
    truth = problem.truths()[tensor]
    found = []
    for suspect, wrong in problem.wrong(tensor):
        given = truth.value + 0.1 * wrong if suspect.fitted else wrong
        if not truth.same(given, EPS):
            found.append((suspect.key, given, examine(tensor, given, problem, EPS)))
    return found


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_planted_mistake_is_named(name: str) -> None:
    problem = PROBLEMS[name](np.random.default_rng(11))
    for tensor in problem.truths():
        for key, _, diagnosis in planted(problem, tensor):
            assert key in diagnosis.mistakes, f"{tensor}: {key} was taken for {diagnosis.mistakes}"


@pytest.mark.parametrize("name", [n for n in PROBLEMS if not n.startswith(("max_ties", "only_relu"))])
def test_what_is_named_besides_gives_the_very_same_numbers(name: str) -> None:
    problem = PROBLEMS[name](np.random.default_rng(12))
    for tensor in problem.truths():
        made = planted(problem, tensor)
        for key, given, diagnosis in made:
            table = {k for k, other, _ in made if other.shape == given.shape and np.allclose(other, given)}
            extra = {(name, key, other) for other in set(diagnosis.mistakes) - table - {key}}
            assert extra <= SAME_NUMBERS, f"{tensor}: {key} is also called {extra}"


def test_every_suspect_is_planted_somewhere() -> None:
    rng = np.random.default_rng(3)
    seen = set()
    for problem in (make(rng) for make in PROBLEMS.values()):
        for tensor, truth in problem.truths().items():
            wrong = problem.wrong(tensor)
            seen |= {(type(problem).__name__, tensor, s.key) for s, a in wrong if s.fitted or not truth.same(a, EPS)}
    tables = {
        "Conv2dProblem": CONV,
        "LinearProblem": DENSE,
        "PoolProblem": POOL,
        "LeakyProblem": LEAKY,
        "SoftmaxProblem": SOFTMAX,
        "LossProblem": LOSS,
        "BatchNormProblem": NORM,
        "DropoutProblem": DROPOUT,
    }
    all_of_them = {(kind, row.tensor, row.key) for kind, table in tables.items() for row in table.rows}
    assert all_of_them <= seen, f"never planted: {sorted(all_of_them - seen)}"
    assert len(all_of_them) > 90
