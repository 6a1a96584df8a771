"""Perceptrons trained by scikit-learn and written by its exporter come in, with probabilities and class names."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import Array

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")
skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 4)) * 3 + 1
COLOURS = np.array(["red", "green", "blue"])


def written(path: Path, estimator: Any, **options: Any) -> Path:
    """The estimator in a file, of float64."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proto = skl2onnx.to_onnx(estimator, X[:1], options=options or None)
    path.write_bytes(proto.SerializeToString())
    return path


def fitted(estimator: Any, targets: Array) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few steps are enough here
        return estimator.fit(X, targets)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("zipmap", [True, False])
def test_classifiers(tmp_path: Path, activation: str, zipmap: bool) -> None:
    from sklearn.neural_network import MLPClassifier

    model = fitted(
        MLPClassifier((6, 5), activation=activation, max_iter=20, random_state=0), COLOURS[np.arange(60) % 3]
    )
    net = cr.from_onnx(written(tmp_path / "mlp.onnx", model, zipmap=zipmap))
    np.testing.assert_allclose(net(X), model.predict_proba(X), rtol=1e-6, atol=1e-7)
    if zipmap:
        assert net.class_names == tuple(model.classes_)


def test_two_classes_have_two_probabilities(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPClassifier

    model = fitted(MLPClassifier((6,), max_iter=20, random_state=0), np.arange(60) % 2)
    net = cr.from_onnx(written(tmp_path / "mlp.onnx", model))
    np.testing.assert_allclose(net(X), model.predict_proba(X), rtol=1e-6, atol=1e-7)
    assert net.class_names == ("0", "1")


def test_regressors_behind_a_scaler(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), solver="lbfgs", max_iter=50, random_state=0)
    )
    fitted(model, X[:, 0] ** 2)
    net = cr.from_onnx(written(tmp_path / "mlp.onnx", model))
    np.testing.assert_allclose(net(X)[:, 0], model.predict(X), rtol=1e-6, atol=1e-6)
