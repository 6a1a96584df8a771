"""Every loss with each kind of targets, and every optimizer with each option, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import Array
from tests.interchange.onnx.running import assert_near, data, run, targets_kind
from tests.interchange.onnx.test_rows import TOLERANCES, check_gradients, check_steps
from tests.strategies import Problem

VECTORS = "6 -> fc 5 -> tanh -> fc 4"
MAPS = "2x4x4 -> conv 3@3x3 -> tanh"
CLASSES = (cr.CrossEntropyLoss, cr.MAPLoss)


def problem(text: str, loss: cr.Loss, targets: str = "values", samples: int = 3) -> Problem:
    """A small network with targets of a kind."""
    net, rng = cr.parse(text, seed=4), np.random.default_rng(5)
    shape = net.output_shape
    made: Array = rng.random((samples, *shape))
    if targets == "classes":
        made = rng.integers(0, shape[0], (samples, *shape[1:]))
    elif targets == "probabilities":
        made[0] = np.eye(shape[0])[1].reshape(-1, *(1,) * (len(shape) - 1))  # zeros among them
    return Problem(net, rng.normal(size=(samples, *net.input_shape)), made, loss)


def kinds(loss: type[cr.Loss]) -> list[str]:
    return (["classes"] if loss in CLASSES else ["values"]) + (["probabilities"] if loss is cr.CrossEntropyLoss else [])


LOSSES = [
    (loss, reduction, kind, text)
    for loss in cr.losses.LOSSES.values()
    for reduction in ("mean", "sum")
    for kind in kinds(loss)
    for text in (VECTORS, MAPS)
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("loss", "reduction", "kind", "text"), LOSSES)
def test_a_loss(loss: type[cr.Loss], reduction: str, kind: str, text: str, dtype: str, tmp_path: Path) -> None:
    check_gradients(tmp_path / "g.onnx", problem(text, loss(reduction=reduction), kind), dtype, training=True)


@pytest.mark.parametrize("rubbish", [-2.0, 0.5, 10.0])
def test_the_constant_of_map(rubbish: float, tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(4, 3), cr.RBF(3, 5), seed=1)
    rng = np.random.default_rng(2)
    given = Problem(net, rng.normal(size=(4, 4)), rng.integers(0, 5, 4), cr.MAPLoss(rubbish))
    check_gradients(tmp_path / "g.onnx", given, "float64", training=True)


@pytest.mark.parametrize("size", [1e-3, 1.0, 100.0])
def test_losses_of_small_and_large_outputs(size: float, tmp_path: Path) -> None:
    """Nothing overflows where exponentials are shifted."""
    for loss, kind in (
        (cr.CrossEntropyLoss(), "classes"),
        (cr.BCEWithLogitsLoss(), "values"),
        (cr.MAPLoss(), "classes"),
    ):
        given = problem("6 -> fc 5", loss, kind)
        given.net.parameters.flat[:] *= size
        check_gradients(tmp_path / "g.onnx", given, "float64", training=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", ["classes", "probabilities"])
@pytest.mark.parametrize("text", [VECTORS, "2x4x4 -> conv 4@3x3"])
def test_weights_of_classes_and_smoothing(reduction: str, kind: str, text: str, dtype: str, tmp_path: Path) -> None:
    weight = [0.5, 2.0, 1.0, 0.0]
    loss = cr.CrossEntropyLoss(reduction, weight=weight, label_smoothing=0.2)  # type: ignore[arg-type]
    check_gradients(tmp_path / "g.onnx", problem(text, loss, kind), dtype, training=True)
    if text == VECTORS and kind == "classes":
        binary = cr.BCEWithLogitsLoss(reduction, weight=weight, pos_weight=[3.0, 0.0, 1.0, 2.0])  # type: ignore[arg-type]
        check_gradients(tmp_path / "b.onnx", problem(text, binary), dtype, training=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("class_weights", [False, True])
def test_weights_of_samples(class_weights: bool, dtype: str, tmp_path: Path) -> None:
    weights = [2.0, 0.0, 0.5]
    for loss, reduction, kind, text in LOSSES:
        options = {"weight": [0.5, 2.0, 1.0, 3.0][: 3 if text == MAPS else 4]} if class_weights else {}
        if class_weights and loss is not cr.CrossEntropyLoss:
            continue
        made = problem(text, loss(reduction=reduction, **options), kind)
        path = tmp_path / "g.onnx"
        asked = {"loss": made.loss, "targets": targets_kind(made), "dtype": dtype}
        made.net.to_onnx(path, what="gradients", sample_weight=True, **asked)
        found = run(path, data(made, dtype) | {"sample_weight": np.array(weights, dtype)}, dtype)
        value, gradients, dx = made.net.gradients(
            made.x, made.targets, loss=made.loss, sample_weight=weights, engine="reference"
        )
        expected = {"gradient.x": dx} | {f"gradient.{name}": array for name, array in gradients.items()}
        assert found.pop("loss") == pytest.approx(value, rel=TOLERANCES[dtype], abs=TOLERANCES[dtype]), made.loss
        assert_near(found, expected, TOLERANCES[dtype], repr(made.loss))


@pytest.mark.parametrize("loss", [cr.MSELoss(), cr.CrossEntropyLoss(weight=[1.0, 2.0, 3.0, 4.0])])
def test_a_batch_without_weight_teaches_nothing(loss: cr.Loss, tmp_path: Path) -> None:
    made = problem(VECTORS, loss, "values" if isinstance(loss, cr.MSELoss) else "classes")
    made.net.to_onnx(tmp_path / "g.onnx", what="gradients", loss=loss, sample_weight=True)
    found = run(tmp_path / "g.onnx", data(made, "float32") | {"sample_weight": np.zeros(3, np.float32)}, "float32")
    assert not any(np.any(array) for array in found.values())


OPTIMIZERS = [
    cr.SGD(0.1),
    cr.SGD(0.1, weight_decay=0.02),
    cr.SGD(0.1, momentum=0.8),
    cr.SGD(0.1, momentum=0.8, nesterov=True, weight_decay=0.02),
    cr.Adam(),
    cr.Adam(betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1),
    cr.AdamW(),
    cr.AdamW(weight_decay=0.0),
    cr.AdamW(betas=(0.0, 0.5), eps=0.1, weight_decay=0.3),
    cr.RMSprop(),
    cr.RMSprop(0.01, 0.9, 1e-3, 0.1, 0.8, True),
    cr.RMSprop(momentum=0.5, eps=1e-2),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_an_optimizer(optimizer: cr.Optimizer, dtype: str, tmp_path: Path) -> None:
    check_steps(tmp_path / "s.onnx", problem(VECTORS, cr.CrossEntropyLoss(), "classes"), dtype, optimizer)
