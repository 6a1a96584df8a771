"""Weights of samples and of classes: a weight k is k samples, 0 is none, in every loss, engine and report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, ShapeError
from tests.helpers import Array, assert_close

RNG = np.random.default_rng(2)
X, LABELS = RNG.normal(size=(37, 1, 6, 6)), RNG.integers(0, 4, 37)
VALUES = RNG.random((37, 4))
WEIGHTS = RNG.integers(0, 4, 37).astype(float)
TIMES = WEIGHTS.astype(int)
CLASS_WEIGHTS = [0.5, 1.0, 2.0, 0.25]
CASES: list[tuple[cr.Loss, Array]] = [
    (cr.CrossEntropyLoss(), LABELS),
    (cr.CrossEntropyLoss("sum"), LABELS),
    (cr.CrossEntropyLoss(weight=CLASS_WEIGHTS, label_smoothing=0.1), LABELS),
    (cr.CrossEntropyLoss(weight=CLASS_WEIGHTS), VALUES),
    (cr.MSELoss(), VALUES),
    (cr.HalfSquaredErrorLoss(), VALUES),
    (cr.L1Loss(), VALUES),
    (cr.HuberLoss(delta=0.3), VALUES),
    (cr.BCEWithLogitsLoss(weight=CLASS_WEIGHTS, pos_weight=[2.0]), VALUES),
    (cr.MAPLoss(), LABELS),
]
cases = pytest.mark.parametrize(("loss", "targets"), CASES, ids=lambda value: repr(value)[:40])
engines = pytest.mark.parametrize("engine", ["native", "reference"])


def network() -> cr.Network:
    return cr.parse("1x6x6 -> conv 3@3x3 -> tanh -> maxpool 2 -> fc 4", seed=3)


def trained(x: Array, targets: Array, loss: cr.Loss, **options: Any) -> tuple[cr.Network, Any]:
    net = network()
    options = {"optimizer": cr.SGD(0.05, momentum=0.9), "epochs": 3, "batch_size": 8, "progress": False, **options}
    return net, net.fit(x, targets, loss=loss, **options)


# --- the equation ----------------------------------------------------------------------------------------------------


def test_a_weighted_mean_by_hand() -> None:
    outputs, targets = np.array([[1.0, 2.0], [0.0, 5.0]]), np.array([[0.0, 0.0], [1.0, 2.0]])
    # sample 0: 1 + 4 = 5, sample 1: 1 + 9 = 10; (3 * 5 + 2 * 10) / (2 * (3 + 2))
    assert cr.MSELoss()(outputs, targets, [3, 2]) == pytest.approx(3.5, rel=1e-15)
    assert cr.MSELoss("sum")(outputs, targets, [3, 2]) == 35
    loss = cr.MSELoss()
    doutputs = loss.backward(loss.forward(outputs, targets, np.array([3.0, 2.0]))[1])
    assert_close("doutputs", doutputs, [[3 * 2 * 1 / 10, 3 * 2 * 2 / 10], [-2 * 2 / 10, 2 * 2 * 3 / 10]], rtol=1e-15)


def test_a_weight_of_classes_divides_by_the_weights_of_the_right_ones() -> None:
    outputs = np.log([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    weighted = cr.CrossEntropyLoss(weight=[1, 10, 4])(outputs, [0, 2], [2, 1])
    assert weighted == pytest.approx((2 * 1 * -np.log(0.5) + 1 * 4 * -np.log(0.6)) / (2 * 1 + 1 * 4), rel=1e-14)


@cases
@engines
def test_a_weight_is_so_many_samples(loss: cr.Loss, targets: Array, engine: Any) -> None:
    weighted = network().gradients(X, targets, loss=loss, sample_weight=WEIGHTS, engine=engine)
    repeated = network().gradients(X.repeat(TIMES, 0), targets.repeat(TIMES, 0), loss=loss, engine=engine)
    assert weighted[0] == pytest.approx(repeated[0], rel=1e-13)
    assert_close("parameters", weighted[1].flat, repeated[1].flat, atol=1e-12 * np.abs(repeated[1].flat).max())
    together = np.add.reduceat(repeated[2], np.cumsum(TIMES) - TIMES)[TIMES > 0]
    assert_close("dx", weighted[2][TIMES > 0], together, atol=1e-12 * np.abs(together).max())
    assert not weighted[2][TIMES == 0].any()


@cases
@engines
def test_gradients_are_those_of_the_weighted_loss(loss: cr.Loss, targets: Array, engine: Any) -> None:
    net = cr.parse("1x6x6 -> conv 2@3x3 stride 3 -> tanh -> fc 4", seed=1)
    some = slice(0, 5)
    report = cr.check_gradients(
        net, X[some], targets[some], loss, sample_weight=WEIGHTS[some] + 0.5, sample=12, engine=engine
    )
    assert report.ok, report


@cases
def test_both_engines_train_alike_and_with_the_same_bits_on_any_number_of_threads(
    loss: cr.Loss, targets: Array
) -> None:
    asked: dict[str, Any] = {"sample_weight": WEIGHTS, "validation": (X, targets, WEIGHTS)}
    expected, history = trained(X, targets, loss, engine="reference", **asked)
    found: list[Array] = []
    for count in (1, 2, 3):
        cr.set_threads(count)
        try:
            net, row = trained(X, targets, loss, engine="native", **asked)
        finally:
            cr.set_threads(None)
        found.append(net.parameters.flat.copy())
        for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
            numbers = history[name]
            assert row[name] == (numbers if numbers[0] is None else pytest.approx(numbers, rel=1e-11)), name
    assert_close("parameters", found[0], expected.parameters.flat, atol=1e-11)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


# --- fit -------------------------------------------------------------------------------------------------------------


@engines
def test_samples_of_weight_0_might_as_well_not_be_there(engine: Any) -> None:
    kept = WEIGHTS > 0
    with_zeros, history = trained(X, LABELS, cr.CrossEntropyLoss(), sample_weight=WEIGHTS, engine=engine)
    without, other = trained(X[kept], LABELS[kept], cr.CrossEntropyLoss(), sample_weight=WEIGHTS[kept], engine=engine)
    assert np.array_equal(with_zeros.parameters.flat, without.parameters.flat)
    assert history["loss"] == other["loss"]


@engines
def test_a_history_counts_by_weights(engine: Any) -> None:
    """Without a step the epoch's means are those of one evaluation, however the batches fall."""
    still: dict[str, Any] = {"optimizer": cr.SGD(0.0), "epochs": 1, "sample_weight": WEIGHTS, "engine": engine}
    for loss in (cr.CrossEntropyLoss(), cr.CrossEntropyLoss(weight=CLASS_WEIGHTS)):
        net, history = trained(X, LABELS, loss, **still)
        judged = net.evaluate(X, LABELS, sample_weight=WEIGHTS, engine=engine)
        assert history["loss"] == pytest.approx([judged.loss], rel=1e-12)
        assert history["accuracy"] == pytest.approx([judged.accuracy], rel=1e-12)


@engines
def test_a_batch_of_classes_that_weigh_nothing_teaches_nothing(engine: Any) -> None:
    loss = cr.CrossEntropyLoss(weight=[0.0, 1.0, 1.0, 1.0])
    net, history = trained(X[:8], np.zeros(8, int), loss, engine=engine, epochs=2, optimizer=cr.SGD(1.0))
    assert np.array_equal(net.parameters.flat, network().parameters.flat)
    assert history["loss"] == [0.0, 0.0]


@pytest.mark.parametrize("given", [{0: 0.5, 2: 2.0, 3: 0.25}, CLASS_WEIGHTS, np.array(CLASS_WEIGHTS)])
def test_class_weight_in_fit_is_the_weight_of_the_loss(given: Any) -> None:
    by_fit, history = trained(X, LABELS, cr.CrossEntropyLoss(), class_weight=given)
    by_loss, other = trained(X, LABELS, cr.CrossEntropyLoss(weight=CLASS_WEIGHTS))
    assert_close("parameters", by_fit.parameters.flat, by_loss.parameters.flat, atol=1e-13)
    assert history["loss"] == pytest.approx(other["loss"], rel=1e-13)


def test_balanced_classes_weigh_the_same_together() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [3])
    x, weights = X[:10], np.array([1.0] * 9 + [2.0])
    balanced, _ = trained(x, labels, cr.CrossEntropyLoss(), class_weight="balanced", sample_weight=weights)
    by_hand = 11 / 3 / np.array([6, 3, 1, 2])  # W / (K W_k); of class 2 there is none
    explicit, _ = trained(x, labels, cr.CrossEntropyLoss(), class_weight=by_hand, sample_weight=weights)
    assert_close("parameters", balanced.parameters.flat, explicit.parameters.flat, atol=1e-14)


def test_a_share_kept_apart_takes_its_weights_along() -> None:
    net, history = trained(X, LABELS, cr.CrossEntropyLoss(), sample_weight=WEIGHTS + 1, validation_split=0.3, seed=4)
    order = np.random.default_rng([4, 37]).permutation(37)
    apart = np.sort(order[: round(0.3 * 37)])
    judged = net.evaluate(X[apart], LABELS[apart], sample_weight=WEIGHTS[apart] + 1)
    assert history["validation_loss"][-1] == pytest.approx(judged.loss, rel=1e-12)


# --- reports ---------------------------------------------------------------------------------------------------------


def test_an_evaluation_counts_by_weights() -> None:
    net = network()
    weighted = net.evaluate(X, LABELS, sample_weight=WEIGHTS)
    repeated = net.evaluate(X.repeat(TIMES, 0), LABELS.repeat(TIMES))
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-13)
    assert weighted.accuracy == pytest.approx(repeated.accuracy, rel=1e-13)
    for name in ("confusion", "precision", "recall", "f1"):
        assert_close(name, getattr(weighted, name), getattr(repeated, name), rtol=1e-13)
    assert weighted.f1_macro == pytest.approx(np.mean(repeated.f1[(repeated.confusion + repeated.confusion.T).any(0)]))
    assert weighted.f1_micro == weighted.accuracy


def test_r2_of_values() -> None:
    net, loss = network(), cr.MSELoss()
    y = net(X)
    weighted, repeated = (
        net.evaluate(X, VALUES, loss=loss, sample_weight=WEIGHTS).r2,
        net.evaluate(X.repeat(TIMES, 0), VALUES.repeat(TIMES, 0), loss=loss).r2,
    )
    assert weighted == pytest.approx(repeated, rel=1e-12)
    by_hand = 1 - ((y - VALUES) ** 2).sum(0) / ((VALUES - VALUES.mean(0)) ** 2).sum(0)
    judged = net.evaluate(X, VALUES, loss=loss)
    assert judged.r2 == pytest.approx(by_hand.mean(), rel=1e-12)
    assert "R² " in str(judged)
    assert net.evaluate(X, y, loss=loss).r2 == 1
    assert net.evaluate(X, np.zeros((37, 4)), loss=loss).r2 == 0
    assert net.evaluate(X[:1], VALUES[:1], loss=loss).r2 is None


@cases
@pytest.mark.parametrize("of", ["linear1[2]", "conv1.weight[0,0,1,1]"])
def test_an_explanation_shows_the_weight(loss: cr.Loss, targets: Array, of: str) -> None:
    net, some = network(), slice(0, 3)
    ask: dict[str, Any] = {"of": of, "sample_weight": [1.5, 0.0, 4.0], "sample": 2 if "." not in of else None}
    derivation = cr.explain(net, X[some], targets[some], loss, **ask)
    gradients = net.gradients(X[some], targets[some], loss=loss, sample_weight=[1.5, 0, 4], engine="reference")[1]
    if "." in of:
        assert derivation.value == pytest.approx(gradients["conv1.weight"][0, 0, 1, 1], rel=1e-10, abs=1e-15)
    if derivation.nudge is not None:
        some_loss = (
            network().trace(X[some], targets[some], loss=loss, sample_weight=[1.5, 0, 4], engine="reference").loss
        )
        assert derivation.nudge.before == pytest.approx(some_loss, rel=1e-12)
    text = derivation.text(width=10**4)
    assert "ω[n]" in text
    assert "is the weight of a sample" in text
    assert "样本权重" in cr.explain(net, X[some], targets[some], loss, lang="zh", **ask).text(width=10**4)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "error", "says"),
    [
        (np.full(37, np.nan), DataError, "sample_weight holds nan at index"),
        (-np.ones(37), DataError, "must not be negative, but weight 0 is -1"),
        (np.zeros(37), DataError, "only zeros"),
        (np.ones(36), ShapeError, r"one weight for each of the 37 samples, not shape \(36,\)"),
        (np.ones((37, 1)), ShapeError, r"not shape \(37, 1\)"),
        (["a"] * 37, DtypeError, "sample_weight must hold real numbers"),
    ],
)
def test_weights_that_are_none_are_refused(weights: Any, error: type[ChainruleError], says: str) -> None:
    net = network()
    for call in (
        lambda: trained(X, LABELS, cr.CrossEntropyLoss(), sample_weight=weights),
        lambda: net.gradients(X, LABELS, loss=cr.CrossEntropyLoss(), sample_weight=weights),
        lambda: net.evaluate(X, LABELS, sample_weight=weights),
        lambda: cr.CrossEntropyLoss()(net(X), LABELS, weights),
    ):
        with pytest.raises(error, match=says):
            call()


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ("even", ArgumentError, '"balanced"'),
        ({4: 1.0}, ArgumentError, "between 0 and 3, not 4"),
        ({1: -1.0}, ArgumentError, r"class_weight\[1\]"),
        ([1.0, 2.0], ArgumentError, "each of 4 classes"),
        ([1.0, np.nan, 1.0, 1.0], DataError, "class_weight holds nan"),
        ({0: 0, 1: 0, 2: 0, 3: 0}, DataError, "leave no sample"),
    ],
)
def test_class_weights_that_are_none_are_refused(given: Any, error: type[ChainruleError], says: str) -> None:
    with pytest.raises(error, match=says):
        trained(X, LABELS, cr.CrossEntropyLoss(), class_weight=given)


def test_class_weights_need_classes() -> None:
    with pytest.raises(ArgumentError, match="MSELoss with these targets has not; give sample_weight"):
        trained(X, VALUES, cr.MSELoss(), class_weight="balanced")


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (lambda: cr.CrossEntropyLoss(weight=[1.0, 2.0]), "weight has 2 numbers, but the outputs have 4 classes"),
        (lambda: cr.BCEWithLogitsLoss(pos_weight=[1.0, 2.0]), "pos_weight has 2 numbers"),
        (lambda: cr.CrossEntropyLoss(weight=[[1.0]]), "one for each class"),
        (lambda: cr.CrossEntropyLoss(weight=[1.0, -1.0]), r"at least 0, one for each class, not \[1.0, -1.0\]"),
        (lambda: cr.CrossEntropyLoss(weight=[np.nan]), r"one for each class, not \[nan\]"),
        (lambda: cr.CrossEntropyLoss(label_smoothing=1.5), "label_smoothing must be"),
        (lambda: cr.HuberLoss(delta=0), "delta must be"),
        (lambda: cr.RMSprop(alpha=1), "alpha must be below 1"),
        (lambda: cr.RMSprop(centered=1), "centered must be True or False"),  # type: ignore[arg-type]
    ],
)
def test_options_that_cannot_be_are_refused(loss: Any, says: str) -> None:
    with pytest.raises(ChainruleError, match=says):
        _train_with(loss)


def _train_with(make: Any) -> None:
    loss = make()
    trained(X, LABELS if isinstance(loss, cr.CrossEntropyLoss) else VALUES, loss)
