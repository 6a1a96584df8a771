"""Pipelines in ONNX give the probabilities, labels and values that they give in Python, to 1e-6."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

import onnxruntime
import skl2onnx
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.sklearn import CNNClassifier, CNNRegressor
from tests.helpers import Array

X, Y = load_digits(return_X_y=True)
X = X.astype(np.float32)
SOME = slice(0, 400)
NAMES = np.array([f"digit {k}" for k in range(10)])[Y]
SEVERAL = np.stack([Y % 2 == 0, Y > 4, Y == 3], axis=1).astype(int)
NETWORKS = [
    "conv 8@3x3 -> relu -> maxpool 2",
    "fc 32 -> tanh",
    "",
    "conv 4@3x3 pad 1 -> batchnorm -> relu -> avgpool 2 -> conv 4@2x2 -> sigmoid -> dropout 0.2 -> fc 9 -> scaledtanh",
    "conv 6@3x3 -> lrn 3 -> relu -> lppool 2 norm 2",
]


def answers(model: Any, x: Array) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: list[Array] = session.run(None, {"X": x})
    return found


def pipeline(estimator: Any, y: Array) -> Any:
    return make_pipeline(StandardScaler(), estimator).fit(X[SOME], y[SOME])


@pytest.mark.parametrize("network", NETWORKS)
def test_a_classifier(network: str) -> None:
    pipe = pipeline(CNNClassifier(network, image_shape=(8, 8), epochs=5, random_state=0), Y)
    labels, probabilities = answers(skl2onnx.to_onnx(pipe, X[:1], options={"zipmap": False}), X)
    assert np.array_equal(labels, pipe.predict(X))
    for given in (X, X.astype(np.float64)):
        assert np.abs(probabilities - pipe.predict_proba(given)).max() <= 1e-6


@pytest.mark.parametrize("y", [NAMES, Y == 3, Y.astype(float)])
def test_labels_of_any_kind(y: Array) -> None:
    pipe = pipeline(CNNClassifier("fc 16 -> relu", epochs=5, random_state=0), y)
    labels, probabilities = answers(skl2onnx.to_onnx(pipe, X[:1], options={"zipmap": False}), X[:50])
    assert labels.tolist() == pipe.predict(X[:50]).tolist()
    assert np.abs(probabilities - pipe.predict_proba(X[:50])).max() <= 1e-6
    rows: Any = answers(skl2onnx.to_onnx(pipe, X[:1]), X[:2])[1]
    assert list(rows[0]) == pipe.classes_.tolist()


def test_several_labels() -> None:
    pipe = pipeline(CNNClassifier("fc 16 -> relu", epochs=5, random_state=0), SEVERAL)
    labels, probabilities = answers(skl2onnx.to_onnx(pipe, X[:1], options={"zipmap": False}), X)
    assert np.array_equal(labels, pipe.predict(X))
    assert np.abs(probabilities - pipe.predict_proba(X)).max() <= 1e-6


@pytest.mark.parametrize("y", [Y / 9, np.stack([Y / 9, Y % 2], axis=1)])
def test_a_regressor(y: Array) -> None:
    pipe = pipeline(CNNRegressor("conv 4@3x3 -> relu", image_shape=(8, 8), epochs=5, random_state=0), y)
    (values,) = answers(skl2onnx.to_onnx(pipe, X[:1]), X)
    assert np.abs(values - pipe.predict(X).reshape(values.shape)).max() <= 2e-6
    types = [("X", DoubleTensorType([None, 64]))]
    (values,) = answers(skl2onnx.to_onnx(pipe, initial_types=types), X.astype(np.float64))
    assert values.dtype == np.float64
    assert np.abs(values - pipe.predict(X.astype(np.float64)).reshape(values.shape)).max() <= 2e-6
