"""Every loss by hand: its value, and what "mean" divides by, on outputs of one and of several axes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.losses import LOSSES
from chainrule.shapes import Shape
from tests.helpers import Array, assert_close

OUTPUTS = np.array([[1.0, -2.0, 0.0], [3.0, 0.5, -1.0]])
VALUES = np.array([[0.0, 1.0, 0.0], [1.0, 0.5, 1.0]])
LABELS = np.array([1, 2])


def _log_sum(*values: float) -> float:
    return math.log(sum(math.exp(v) for v in values))


def _binary(x: float, t: float) -> float:
    p = 1 / (1 + math.exp(-x))
    return -t * math.log(p) - (1 - t) * math.log(1 - p)


# (targets, sum over everything, what "mean" divides it by)
BY_HAND: dict[str, tuple[Array, float, int]] = {
    "MSELoss": (VALUES, 1 + 9 + 0 + 4 + 0 + 4, 6),
    "L1Loss": (VALUES, 1 + 3 + 0 + 2 + 0 + 2, 6),
    "HuberLoss": (VALUES, 0.5 + 2.5 + 0 + 1.5 + 0 + 1.5, 6),
    "HalfSquaredErrorLoss": (VALUES, (1 + 9 + 0 + 4 + 0 + 4) / 2, 2),
    "BCEWithLogitsLoss": (
        VALUES, sum(_binary(x, t) for x, t in zip(OUTPUTS.ravel(), VALUES.ravel(), strict=True)), 6,
    ),
    "CrossEntropyLoss": (LABELS, _log_sum(1, -2, 0) + 2 + _log_sum(3, 0.5, -1) + 1, 2),
    "MAPLoss": (LABELS, -2 + _log_sum(-1, -1, 2, 0) - 1 + _log_sum(-1, -3, -0.5, 1), 2),
}  # fmt: skip


ELEMENTWISE = ("MSELoss", "L1Loss", "HuberLoss", "BCEWithLogitsLoss")


def test_every_loss_is_written_out() -> None:
    assert set(BY_HAND) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_by_hand(name: str) -> None:
    targets, total, count = BY_HAND[name]
    assert LOSSES[name](reduction="sum")(OUTPUTS, targets) == pytest.approx(total, rel=1e-14)
    assert LOSSES[name]()(OUTPUTS, targets) == pytest.approx(total / count, rel=1e-14)
    mean, whole = LOSSES[name](), LOSSES[name](reduction="sum")
    gradients = [loss.backward(loss.forward(OUTPUTS, targets)[1]) for loss in (mean, whole)]
    assert_close("gradient", count * gradients[0], gradients[1], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        *((name, (4, 3), 12) for name in ELEMENTWISE),
        *((name, (4, 3, 2, 5), 120) for name in ELEMENTWISE),
        *((name, (4,), 4) for name in (*ELEMENTWISE, "HalfSquaredErrorLoss")),
        *(("HalfSquaredErrorLoss", shape, 4) for shape in ((4, 3), (4, 1), (4, 3, 2, 5))),
        *((name, (4, 3), 4) for name in ("CrossEntropyLoss", "MAPLoss")),
        *((name, (4, 3, 2, 5), 40) for name in ("CrossEntropyLoss", "MAPLoss")),
    ],
)
def test_what_mean_divides_by(name: str, shape: Shape, count: int) -> None:
    """Elements, samples, or samples times places: what each docstring names."""
    assert LOSSES[name]().count(shape) == count
    assert LOSSES[name]().scale(shape) == 1 / count
    assert LOSSES[name](reduction="sum").scale(shape) == 1


def test_the_rubbish_class_of_MAPLoss_holds_back_far_penalties() -> None:
    outputs = np.array([[4.0, 2.0]])
    for rubbish in (-1.0, 0.0, 3.0):
        expected = 4 + _log_sum(-rubbish, -4, -2)
        assert cr.MAPLoss(rubbish)(outputs, [0]) == pytest.approx(expected, rel=1e-14)
