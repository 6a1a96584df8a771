"""What an update left in a gradient, and what nearly explains it."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis import TensorDiagnosis
from chainrule.errors import ArgumentError, ShapeError
from tests.helpers import Array

RNG = np.random.default_rng(9)
X, W, DY = RNG.normal(size=(6, 5)), RNG.normal(size=(3, 5)), RNG.normal(size=(6, 3))
RIGHT = DY.T @ X


def judge(dweight: Array) -> TensorDiagnosis:
    """The diagnosis of a dense layer's dweight."""
    return cr.diagnose_linear(X, W, DY, dweight=dweight)["dweight"]


def test_weight_decay_that_was_left_in_is_named_with_its_number() -> None:
    found = judge(RIGHT + 0.0005 * W)
    assert found.mistakes == ("weight_decay_left_in",)
    assert "It fits a weight decay of 0.0005" in str(found.lines())


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
def test_clipped_numbers_are_named_with_the_bound(bound: float) -> None:
    found = judge(np.clip(RIGHT, -bound, bound))
    assert found.mistakes == ("clipped_by_value",)
    assert f"clipped at ±{bound:g};" in str(found.lines())


def test_a_gradient_that_was_scaled_to_a_round_length_is_named() -> None:
    found = judge(RIGHT / np.linalg.norm(RIGHT))
    assert found.mistakes == ("clipped_by_norm",)
    assert judge(RIGHT * 0.3217).mistakes == ("constant_factor",)


def test_what_explains_nearly_all_is_offered_as_a_hint() -> None:
    wrong = np.outer(DY[-1], X[-1])
    wrong[1, 2] += 0.3
    found = judge(wrong)
    assert found.mistakes == ()
    assert found.hint is not None
    assert found.hint.startswith("Only one sample's contribution is there")
    assert "Nearest: " in "\n".join(found.lines())


def test_noise_is_like_nothing() -> None:
    found = judge(RNG.normal(size=RIGHT.shape))
    assert (found.mistakes, found.hint) == ((), None)


def test_batch_normalisation_as_people_write_it() -> None:
    x, weight, dy = RNG.normal(size=(8, 4)) + 3, RNG.normal(size=4) + 2, RNG.normal(size=(8, 4))
    spread = np.sqrt(x.var(axis=0) + 1e-5)
    right = cr.diagnose_batchnorm(x, weight, dy, dbias=dy.sum(axis=0))
    assert right.ok
    wrong = cr.diagnose_batchnorm(x, weight, dy, dx=dy * weight / spread, dweight=(dy * x).sum(axis=0))
    assert wrong.mistakes == {"dx": ("statistics_taken_as_constants",), "dweight": ("input_instead_of_normalised",)}


def test_what_does_not_fit_batch_normalisation_or_dropout_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"x must be \(n, c\) or \(n, c, h, w\)"):
        cr.diagnose_batchnorm(np.ones(3), np.ones(3), np.ones(3), dx=np.ones(3))
    with pytest.raises(ShapeError, match="weight must have shape"):
        cr.diagnose_batchnorm(X, np.ones(4), X, dx=X)
    with pytest.raises(ArgumentError, match="constant and eps is 0"):
        cr.diagnose_batchnorm(np.ones((3, 2)), np.ones(2), np.ones((3, 2)), dx=np.ones((3, 2)), eps=0)
    with pytest.raises(ArgumentError, match="mask must hold 1"):
        cr.diagnose_dropout(2 * np.ones((2, 2)), np.ones((2, 2)), dx=np.ones((2, 2)))
    with pytest.raises(ArgumentError, match="must be less than 1"):
        cr.diagnose_dropout(np.ones((2, 2)), np.ones((2, 2)), dx=np.ones((2, 2)), p=1.0)
