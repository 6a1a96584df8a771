"""Every loss and reduction: gradients by central differences, targets that fit and that do not, extreme logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, ShapeError
from chainrule.losses import LOSSES, default_loss
from tests.helpers import Array, assert_close
from tests.layers.test_gradients import differences
from tests.strategies import losses_with_targets, seeds, shapes

REDUCTIONS = ("mean", "sum")
INDICES = (cr.CrossEntropyLoss, cr.MAPLoss)
rng = np.random.default_rng(5)


def _cases() -> list[tuple[cr.Loss, Array, Array]]:
    """(loss, outputs, targets) for every loss, reduction and form of targets."""
    cases: list[tuple[cr.Loss, Array, Array]] = []
    for loss in LOSSES.values():
        for reduction in REDUCTIONS:
            for shape in ((1, 1), (1, 4), (3, 5), (2, 3, 2, 4), (2, 3, 1)):
                outputs = rng.normal(size=shape)
                if loss in INDICES:
                    cases.append(
                        (loss(reduction=reduction), outputs, rng.integers(0, shape[1], (shape[0], *shape[2:])))
                    )
                if loss is not cr.MAPLoss:
                    targets = rng.random(shape)
                    if loss in (cr.L1Loss, cr.HuberLoss):  # away from the kinks
                        targets = outputs + rng.choice([-1.6, -0.4, 0.4, 1.6], shape)
                    if loss is cr.CrossEntropyLoss:
                        targets /= targets.sum(axis=1, keepdims=True)
                    cases.append((loss(reduction=reduction), outputs, targets))
    for reduction in REDUCTIONS:
        weighted = cr.CrossEntropyLoss(reduction, weight=[0.5, 2.0, 0.0, 1.5], label_smoothing=0.3)
        binary = cr.BCEWithLogitsLoss(reduction, weight=[0.5, 2.0, 0.0, 1.5], pos_weight=[3.0, 1.0, 0.2, 0.0])
        for shape in ((5, 4), (3, 4, 2)):
            outputs, labels = rng.normal(size=shape), rng.integers(0, 4, (shape[0], *shape[2:]))
            cases.append((weighted, outputs, labels))
            cases.append((weighted, outputs, rng.dirichlet(np.ones(4), (shape[0], *shape[2:])).swapaxes(1, -1)))
        cases.append((binary, rng.normal(size=(5, 4)), rng.random((5, 4))))
        cases.append(
            (cr.BCEWithLogitsLoss(reduction, pos_weight=[2.5]), rng.normal(size=(2, 3, 2)), rng.random((2, 3, 2)))
        )
    cases += [(cr.MAPLoss(j), rng.normal(size=(3, 4)), np.array([0, 3, 1])) for j in (-3.0, 0.0, 50.0)]
    cases.append((cr.CrossEntropyLoss(), rng.normal(size=(2, 3)), 2 * rng.random((2, 3))))  # rows that sum to no 1
    cases.append((cr.BCEWithLogitsLoss(), rng.normal(size=(4,)), np.array([0.0, 1.0, 1.0, 0.5])))
    return cases


CASES = _cases()
IDS = [f"{loss!r} {loss.reduction} {outputs.shape} {targets.dtype}" for loss, outputs, targets in CASES]
cases = pytest.mark.parametrize(("loss", "outputs", "targets"), CASES, ids=IDS)


def test_every_loss_is_tried() -> None:
    assert {type(loss) for loss, _, _ in CASES} == set(LOSSES.values())


@cases
def test_gradients_equal_central_differences(loss: cr.Loss, outputs: Array, targets: Array) -> None:
    x = outputs.copy()
    gradient = loss.backward(loss.forward(x, targets)[1])
    expected = differences(lambda: loss.forward(x, targets)[0], x)
    assert_close("doutputs", gradient, expected, atol=1e-10 * max(1, np.abs(expected).max()))


@cases
def test_sum_is_mean_times_count(loss: cr.Loss, outputs: Array, targets: Array) -> None:
    pair = [type(loss)(**{**loss.hyperparameters(), "reduction": reduction}) for reduction in REDUCTIONS]
    prepared = loss.prepare_targets(targets, len(outputs), outputs.shape[1:])
    count = loss.count((1, *outputs.shape[1:])) * loss.masses(prepared).sum()
    mean, total = (entry.forward(outputs, targets) for entry in pair)
    assert total[0] == pytest.approx(count * mean[0], rel=1e-13)
    assert_close("gradient", pair[1].backward(total[1]), count * pair[0].backward(mean[1]), rtol=1e-13, atol=1e-15)


@cases
def test_float32_stays_float32_and_nothing_is_changed(loss: cr.Loss, outputs: Array, targets: Array) -> None:
    narrow = outputs.astype(np.float32)
    narrow.flags.writeable = False
    fixed = targets.copy()
    fixed.flags.writeable = False
    value, saved = loss.forward(narrow, fixed)
    gradient = loss.backward(saved)
    assert gradient.dtype == np.float32
    assert isinstance(value, float)
    exact, exact_saved = loss.forward(outputs, targets)
    assert value == pytest.approx(exact, rel=1e-5, abs=1e-6)
    assert_close("gradient", gradient, loss.backward(exact_saved), rtol=1e-5, atol=1e-6)


@cases
def test_descriptions_build_an_equal_loss(loss: cr.Loss, outputs: Array, targets: Array) -> None:
    for again in (type(loss)(**loss.hyperparameters()), eval(repr(loss), vars(cr).copy())):
        assert type(again) is type(loss)
        assert again.hyperparameters() == loss.hyperparameters()
        assert again(outputs, targets) == loss(outputs, targets)


@given(st.data(), shapes, st.integers(1, 4), seeds)
def test_any_loss_is_finite_and_flat_where_it_should_be(data: Any, shape: tuple[int, ...], n: int, seed: int) -> None:
    loss, targets = data.draw(losses_with_targets(n, shape))
    outputs = np.random.default_rng(seed).normal(size=(n, *shape))
    value, saved = loss.forward(outputs, targets)
    gradient = loss.backward(saved)
    assert np.isfinite(value)
    assert gradient.shape == outputs.shape
    if isinstance(loss, cr.CrossEntropyLoss):  # softmax does not see a shift of all logits
        assert_close("sum over classes", gradient.sum(axis=1), np.zeros((n, *shape[1:])), atol=1e-13)


# --- extreme logits --------------------------------------------------------------------------------------------------

FAR = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("loss", "targets", "value"),
    [
        (cr.CrossEntropyLoss("sum"), np.array([0, 2, 1]), np.log(2) + np.log(3)),
        (cr.CrossEntropyLoss("sum"), np.array([1, 0, 1]), 2e4 + 2e4 + np.log(2) + np.log(3)),
        (cr.CrossEntropyLoss("sum"), np.eye(3)[[2, 1, 0]], 1e4 + np.log(2) + np.log(3)),
        (cr.BCEWithLogitsLoss("sum"), np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 0]]), np.log(2)),
        (cr.BCEWithLogitsLoss("sum"), np.array([[0.0, 1, 1], [1, 0, 1], [0, 0, 0.5]]), 4e4 + 5e3 + np.log(2)),
        (cr.MAPLoss(reduction="sum"), np.array([1, 0, 0]), np.log(3)),
        (cr.MSELoss("sum"), np.zeros((3, 3)), 8e8),
        (cr.HalfSquaredErrorLoss("sum"), np.zeros((3, 3)), 4e8),
        (cr.L1Loss("sum"), np.zeros((3, 3)), 8e4),
        (cr.HuberLoss("sum", 0.5), np.zeros((3, 3)), 4e4 - 1),
        (cr.BCEWithLogitsLoss("sum", pos_weight=[3.0]), np.eye(3), 4e4 + np.log(2)),
        (cr.CrossEntropyLoss("sum", weight=[2.0, 1.0, 3.0]), np.array([0, 2, 1]), 3 * np.log(2) + np.log(3)),
    ],
)
def test_extreme_outputs_neither_overflow_nor_warn(loss: cr.Loss, targets: Array, value: float, dtype: str) -> None:
    outputs = FAR.astype(dtype)
    result, saved = loss.forward(outputs, targets)
    assert result == pytest.approx(value, rel=1e-6, abs=2e-3 if dtype == "float32" else 1e-9)
    assert np.isfinite(loss.backward(saved)).all()


def test_saturated_gradients_are_exact() -> None:
    loss = cr.CrossEntropyLoss("sum")
    gradient = loss.backward(loss.forward(FAR, np.array([1, 1, 0]))[1])
    assert_close("gradient", gradient, [[1, -1, 0], [0, -0.5, 0.5], [-2 / 3, 1 / 3, 1 / 3]], atol=1e-15)
    binary = cr.BCEWithLogitsLoss("sum")
    gradient = binary.backward(binary.forward(FAR[:1], np.array([[0.0, 1.0, 1.0]]))[1])
    assert_close("gradient", gradient, [[1, -1, -0.5]], atol=1e-15)


# --- targets that do not fit -----------------------------------------------------------------------------------------

OUTPUTS = np.zeros((3, 4))
SPATIAL = np.zeros((2, 3, 2, 2))
VALUE_LOSSES = [cr.MSELoss(), cr.L1Loss(), cr.HuberLoss(), cr.HalfSquaredErrorLoss(), cr.BCEWithLogitsLoss()]
WRONG: list[tuple[cr.Loss, Array, Any, type[ChainruleError], str]] = [
    *((loss, OUTPUTS, np.zeros((3, 3)), ShapeError, r"\(3, 4\), not \(3, 3\)") for loss in VALUE_LOSSES),
    *((loss, OUTPUTS, np.zeros(3, int), ShapeError, r"one_hot\(targets, 4\)") for loss in VALUE_LOSSES),
    *((loss, OUTPUTS, np.full((3, 4), np.nan), DataError, "targets holds nan") for loss in VALUE_LOSSES),
    *((loss, OUTPUTS, None, DtypeError, "NoneType") for loss in [*VALUE_LOSSES, *(cls() for cls in INDICES)]),
    (cr.BCEWithLogitsLoss(), OUTPUTS, OUTPUTS + 1.5, DataError, "1.5"),
    (cr.BCEWithLogitsLoss(), OUTPUTS, OUTPUTS - 1, DataError, "-1.0"),
    *((cls(), OUTPUTS, np.array([0, 4, 1]), DataError, r"label 4, but the network has 4 outputs") for cls in INDICES),
    *((cls(), OUTPUTS, np.array([0, -1, 1]), DataError, "label -1") for cls in INDICES),
    *((cls(), OUTPUTS, np.array([0, 1]), ShapeError, r"\(3,\).*not \(2,\)") for cls in INDICES),
    *((cls(), OUTPUTS, np.array([0.0, 1.0, 2.0]), DtypeError, "astype") for cls in INDICES),
    *((cls(), OUTPUTS, np.array(["a", "b", "c"]), DtypeError, "real numbers") for cls in INDICES),
    *((cls(), SPATIAL, np.zeros(2, int), ShapeError, r"\(2, 2, 2\).*not \(2,\)") for cls in INDICES),
    *((cls(), np.zeros(3), np.zeros(3, int), ShapeError, "one number") for cls in INDICES),
    (cr.CrossEntropyLoss(), OUTPUTS, np.full((3, 4), -0.5), DataError, "-0.5"),
    (cr.CrossEntropyLoss(), OUTPUTS, np.full((3, 4), np.inf), DataError, "inf"),
    (cr.CrossEntropyLoss(), OUTPUTS, np.zeros((3, 4), int), ShapeError, r"class indices of shape \(3,\)"),
    (cr.CrossEntropyLoss(), OUTPUTS, np.zeros((3, 4, 1)), ShapeError, r"\(3, 4, 1\)"),
    *((cls(), np.array(1.0), np.array(1.0), ShapeError, "outputs") for cls in LOSSES.values()),
    *((cls(), np.zeros((0, 4)), np.zeros((0, 4)), DataError, "no samples") for cls in LOSSES.values()),
    *((cls(), np.zeros((0, 4)), np.zeros(0, int), DataError, "no samples") for cls in LOSSES.values()),
    *((cls(), np.array([["a"]]), np.zeros((1, 1)), DtypeError, "outputs must hold real") for cls in LOSSES.values()),
]


@pytest.mark.parametrize(("loss", "outputs", "targets", "error", "says"), WRONG)
def test_targets_that_do_not_fit_are_refused(
    loss: cr.Loss, outputs: Array, targets: Any, error: type[ChainruleError], says: str
) -> None:
    with pytest.raises(error, match=says):
        loss(outputs, targets)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64", "bool", "list"])
def test_targets_of_any_integer_kind_mean_the_same(kind: str) -> None:
    labels = np.array([0, 1, 1])
    given = labels.tolist() if kind == "list" else labels.astype(kind)
    outputs = rng.normal(size=(3, 2))
    values = cr.one_hot(labels, 2)
    rows = values.tolist() if kind == "list" else values.astype(kind)
    for loss in [cr.CrossEntropyLoss(), cr.MAPLoss()]:
        if kind != "bool":
            assert loss(outputs, given) == loss(outputs, labels)
    for loss in VALUE_LOSSES:
        assert loss(outputs, rows) == loss(outputs, values)
        assert_close("gradient", *(loss.backward(loss.forward(outputs, t)[1]) for t in (rows, values)))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("reduction", [None, "none", "Mean", 1, True, [], np.nan])
def test_a_reduction_is_mean_or_sum(loss: type[cr.Loss], reduction: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        loss(reduction=reduction)
    assert repr(reduction) in str(caught.value)


def test_the_default_loss_follows_the_targets() -> None:
    assert isinstance(default_loss([0, 1]), cr.CrossEntropyLoss)
    assert isinstance(default_loss([0.0, 1.0]), cr.MSELoss)
