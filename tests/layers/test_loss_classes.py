"""What each loss reads off outputs and targets: the class, the chances of the classes, and who names none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DtypeError, ShapeError
from chainrule.losses import LOSSES
from tests.helpers import assert_close

OUTPUTS = np.array([[1.0, -2.0, 0.5], [-1.0, 3.0, 0.0]])
ONE = np.array([[1.0], [-2.0], [0.0]])


@pytest.mark.parametrize("name", LOSSES)
def test_the_class_is_where_the_output_is_largest_or_nearest(name: str) -> None:
    loss = LOSSES[name]()
    expected = [1, 0] if name == "MAPLoss" else [0, 1]
    assert loss.predicted_classes(OUTPUTS).tolist() == expected  # type: ignore[union-attr]
    assert loss.guess((3,)) == ("smallest" if name == "MAPLoss" else "largest")


def test_one_output_names_a_class_by_its_sign_or_not_at_all() -> None:
    binary = cr.BCEWithLogitsLoss()
    assert binary.guess((1,)) == "sign"
    assert binary.predicted_classes(ONE).tolist() == [1, 0, 0]  # type: ignore[union-attr]
    for loss in (cr.MSELoss(), cr.HalfSquaredErrorLoss(), cr.CrossEntropyLoss()):
        assert loss.predicted_classes(ONE) is None
        assert loss.predicted_classes(ONE[:, 0]) is None


def test_chances_of_the_classes() -> None:
    e = np.exp(OUTPUTS)
    assert_close("logits", cr.CrossEntropyLoss().probabilities(OUTPUTS), e / e.sum(1, keepdims=True), rtol=1e-14)
    n = np.exp(-OUTPUTS)
    assert_close("penalties", cr.MAPLoss().probabilities(OUTPUTS), n / n.sum(1, keepdims=True), rtol=1e-14)
    values = cr.MSELoss().probabilities(np.array([[1.0, 3.0], [0.5, -2.0]]))
    assert_close("values", values, [[0.25, 0.75], [1, 0]], atol=1e-15)
    binary = cr.BCEWithLogitsLoss()
    p = 1 / (1 + math.exp(-1))
    assert_close("one logit", binary.probabilities(ONE[:1]), [[1 - p, p]], rtol=1e-14)
    assert_close("two logits", binary.probabilities(np.array([[0.0, 0.0]])), [[0.5, 0.5]], rtol=1e-14)


@pytest.mark.parametrize("loss", [cr.MSELoss(), cr.HalfSquaredErrorLoss(), cr.BCEWithLogitsLoss()])
def test_values_name_classes_only_as_one_hot_rows(loss: cr.Loss) -> None:
    assert loss.true_classes(np.eye(3)[[2, 0]]).tolist() == [2, 0]  # type: ignore[union-attr]
    others: list[Any] = [np.ones((2, 3)), np.zeros((2, 3)), np.full((2, 2), 0.5), np.eye(3)[:, :, None]]
    assert [loss.true_classes(targets) for targets in others] == [None] * 4


def test_one_target_names_a_class_for_the_binary_loss_alone() -> None:
    assert cr.BCEWithLogitsLoss().true_classes(np.array([[1.0], [0.0]])).tolist() == [1, 0]  # type: ignore[union-attr]
    assert cr.BCEWithLogitsLoss().true_classes(np.array([[1.0], [0.5]])) is None
    assert cr.MSELoss().true_classes(np.array([[1.0], [0.0]])) is None


def test_sentences_of_targets() -> None:
    with pytest.raises(ShapeError, match=r"^MSELoss needs targets of shape \(2, 3\), not \(2, 2\)$"):
        cr.MSELoss()(OUTPUTS, np.zeros((2, 2)))
    with pytest.raises(DtypeError, match=r"probabilities \(2, 3, 4, 5\).*float64 of shape \(2, 4, 5\); convert with"):
        cr.CrossEntropyLoss()(np.zeros((2, 3, 4, 5)), np.zeros((2, 4, 5)))
    with pytest.raises(ShapeError, match=r"BatchNorm1d\(3\): expects \(features,\) or \(channels, length\) with 3 "):
        cr.BatchNorm1d(3)(cr.Input((2,)))
    with pytest.raises(ShapeError, match=r"BatchNorm2d\(3\): expects \(channels, rows, columns\) with 3 "):
        cr.BatchNorm2d(3)(cr.Input((2, 4, 4)))
