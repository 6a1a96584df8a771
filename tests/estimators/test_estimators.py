"""What the estimators do beside scikit-learn's contract: images, searches, weights, going on, stopping early."""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

import chainrule as cr
from chainrule.engines.native.threads import at_most, threads
from chainrule.errors import ArgumentError, ChainruleError
from chainrule.sklearn import CNNClassifier, CNNRegressor
from chainrule.sklearn.workers import threads_of
from tests.helpers import Array

X, Y = load_digits(return_X_y=True)
X = X[:400] / 16
Y = Y[:400]
NAMES = np.array([f"digit {k}" for k in range(10)])[Y]
SEVERAL = np.stack([Y % 2 == 0, Y > 4, Y == 3], axis=1).astype(int)
VALUES = np.stack([Y / 9, (Y % 3) / 2], axis=1)
LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
CONVOLUTION = "conv 4@3x3 -> relu -> maxpool 2"


def classifier(**options: Any) -> CNNClassifier:
    return CNNClassifier(**{"network": CONVOLUTION, "image_shape": (8, 8), "epochs": 8, "random_state": 0, **options})


@pytest.fixture(scope="module")
def fitted() -> CNNClassifier:
    return classifier().fit(X, Y)


# --- data ------------------------------------------------------------------------------------------------------------


def test_images_and_rows_are_the_same(fitted: CNNClassifier) -> None:
    images = X.reshape(-1, 1, 8, 8)
    again = classifier(image_shape=(1, 8, 8)).fit(images, Y)
    assert np.array_equal(again.predict_proba(images), fitted.predict_proba(X))
    assert again.n_features_in_ == 64


def test_the_network_is_the_text_between_input_and_output(fitted: CNNClassifier) -> None:
    assert str(fitted.network_) == f"1x8x8 -> {CONVOLUTION} -> fc 10"
    assert str(classifier(network="", epochs=1).fit(X, Y).network_).endswith("-> fc 10")


@pytest.mark.parametrize("labels", [Y, NAMES, Y == 3, Y.astype(float) - 4, NAMES.astype(object)])
def test_labels_of_any_kind(labels: Array, fitted: CNNClassifier) -> None:
    one = classifier().fit(X, labels)
    assert np.array_equal(one.classes_, np.unique(labels))
    assert set(one.predict(X)) <= set(labels.tolist())
    assert one.score(X, labels) > 0.8
    probabilities = one.predict_proba(X)
    assert probabilities.shape == (400, len(one.classes_))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.array_equal(one.classes_[probabilities.argmax(axis=1)], one.predict(X))
    if len(one.classes_) == 10:
        assert np.array_equal(probabilities, fitted.predict_proba(X))


def test_several_labels_for_each_sample() -> None:
    one = classifier(epochs=20).fit(X, SEVERAL)
    assert np.array_equal(one.predict(X), (one.predict_proba(X) > 0.5).astype(int))
    assert (one.predict(X) == SEVERAL).mean() > 0.85
    assert isinstance(one.network_.loss, cr.BCEWithLogitsLoss)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_several_values_for_each_sample(loss: str) -> None:
    one = CNNRegressor(CONVOLUTION, image_shape=(8, 8), loss=loss, epochs=15, random_state=0).fit(X, VALUES)
    assert one.predict(X).shape == (400, 2)
    assert one.score(X, VALUES) > 0.3
    flat = clone(one).fit(X, VALUES[:, 0])
    assert flat.predict(X).shape == (400,)


# --- searches, workers, copies ---------------------------------------------------------------------------------------


def test_a_search_over_architectures() -> None:
    grid = {"network": ["fc 16 -> relu", CONVOLUTION], "optimizer": ["sgd", "rmsprop"], "learning_rate": [0.005]}
    with parallel_config("loky" if LONG else "threading"):
        search = GridSearchCV(classifier(epochs=3), grid, cv=2, n_jobs=2).fit(X, Y)
    assert search.best_params_["network"] in grid["network"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    for k in range(2):  # the same bits in any worker
        here = cross_val_score(classifier(epochs=3, **search.cv_results_["params"][k]), X, Y, cv=2).mean()
        assert search.cv_results_["mean_test_score"][k] == pytest.approx(here)


def test_a_worker_takes_its_share_of_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def used(_: int) -> int:
        with threads_of(-1):
            return threads()

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cr.set_threads(8)
    try:
        assert used(0) == 8
        assert Parallel(n_jobs=2, backend="threading")(delayed(used)(k) for k in range(4)) == [1] * 4
        monkeypatch.setenv("OMP_NUM_THREADS", "3")  # what joblib tells the processes that it starts
        assert Parallel(n_jobs=2, backend="threading")(delayed(used)(k) for k in range(2)) == [3] * 2
        for asked, expected in ((None, 1), (-1, 8), (2, 2)):
            with threads_of(asked):
                assert threads() == expected
        with at_most(4), at_most(2):
            assert threads() == 2
        assert threads() == 8
    finally:
        cr.set_threads(None)
    with pytest.raises(ArgumentError, match="n_jobs"):
        classifier(n_jobs=0).fit(X, Y)


def test_copies_answer_the_same(fitted: CNNClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "network_")


# --- weights ---------------------------------------------------------------------------------------------------------


def test_weights_of_classes_go_by_label() -> None:
    heavy = classifier(epochs=4, class_weight={"digit 3": 50.0}).fit(X, NAMES)
    plain = classifier(epochs=4).fit(X, NAMES)
    assert (heavy.predict(X) == "digit 3").sum() > (plain.predict(X) == "digit 3").sum()
    balanced = classifier(epochs=4, class_weight="balanced").fit(X, NAMES)
    by_hand = classifier(epochs=4).fit(X, NAMES, sample_weight=40 / np.bincount(Y)[Y])
    assert np.allclose(balanced.predict_proba(X), by_hand.predict_proba(X), atol=1e-9)


# --- going on, stopping ----------------------------------------------------------------------------------------------


def test_partial_fit_learns_batch_by_batch() -> None:
    one = classifier()
    for _ in range(10):
        for begin in range(0, 400, 100):
            part = slice(begin, begin + 100)
            one.partial_fit(X[part], NAMES[part], classes=np.unique(NAMES))
    assert one.n_iter_ == 40
    assert one.score(X, NAMES) > 0.8
    values = CNNRegressor(random_state=0)
    assert values.partial_fit(X, VALUES).partial_fit(X, VALUES).n_iter_ == 2


def test_a_warm_start_goes_on() -> None:
    one = classifier(epochs=4, warm_start=True).fit(X, Y)
    first = one.loss_
    assert one.fit(X, Y).n_iter_ == 8
    assert one.loss_ < first
    with pytest.raises(ArgumentError, match=r"the class 1[01]"):
        one.fit(X, Y + 2)


def test_early_stopping_keeps_the_best_epoch() -> None:
    one = classifier(epochs=60, early_stopping=True, patience=2, learning_rate=0.05).fit(X, Y)
    history = one.history_
    assert one.n_iter_ == len(history.rows) < 60
    assert history.best_epoch == int(np.argmin(history["validation_loss"])) + 1
    weights = np.where(np.arange(400) < 200, 1.0, 0.5)
    assert len(classifier(epochs=3, early_stopping=True).fit(X, Y, weights).history_["validation_loss"]) == 3
    values = CNNRegressor(early_stopping=True, epochs=3, random_state=0).fit(X, VALUES)
    assert values.history_["validation_loss"][0] is not None


# --- bad input -------------------------------------------------------------------------------------------------------


def test_before_fit() -> None:
    for call in (classifier().predict, classifier().predict_proba, CNNRegressor().predict):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call(X)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"network": 3}, "network must be a text"),
        ({"network": "conv 4@9x9"}, "9x9 does not fit"),
        ({"network": "cnv 4"}, "cnv"),
        ({"image_shape": (8, 9)}, "72 pixels, but X has 64 features"),
        ({"image_shape": 8}, "image_shape must be"),
        ({"optimizer": "adagrad"}, "optimizer must be"),
        ({"schedule": "never"}, "schedule must be"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"class_weight": [1, 2]}, "class_weight must be"),
        ({"class_weight": {"ten": 2.0}}, "'ten', which is not among the classes"),
        ({"early_stopping": True, "validation_fraction": 1.0}, "leaves none to learn from"),
        ({"label_smoothing": 2.0}, "label_smoothing"),
        ({"engine": "gpu"}, "gpu"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ChainruleError, match=says) as caught:
        classifier(**options).fit(X, Y)
    assert "\n" not in str(caught.value) or isinstance(caught.value, cr.errors.GrammarError)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: classifier().partial_fit(X, Y), "needs classes="),
        (lambda: classifier().fit(X, np.stack([Y, Y], axis=1)), "several classes for each sample"),
        (lambda: classifier(label_smoothing=0.1).fit(X, SEVERAL), "not for several labels"),
        (lambda: classifier(class_weight="balanced").fit(X, SEVERAL), "class_weight needs targets"),
        (lambda: CNNRegressor(loss="cubes").fit(X, VALUES), "loss must be"),
        (lambda: CNNRegressor(warm_start=True, epochs=1).fit(X, VALUES).fit(X, VALUES[:, 0]), "y has 1 outputs"),
        (lambda: classifier(epochs=1).fit(X, Y).predict(X[:, :10]), "64 features"),
        (lambda: classifier().fit(np.full((10, 64), np.nan), Y[:10]), "NaN"),
        (lambda: classifier().fit(X, Y, sample_weight=-np.ones(400)), "[Nn]egative"),
    ],
)
def test_calls_that_cannot_be(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
