"""Training in C against the reference engine in float64: losses, optimizers, batches, shared and frozen layers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.interchange.c.rules import LOSS_TEMPLATES, OPTIMIZER_TEMPLATES
from chainrule.losses import LOSSES
from tests.helpers import Array, assert_close
from tests.interchange.c.compiled import LONG, Compiled, needs_compiler

pytestmark = needs_compiler
STEPS = 4


def assert_same_training(
    net: cr.Network, folder: Path, loss: cr.Loss, optimizer: cr.Optimizer, x: Array, wanted: Array, batch: int,
    **more: Any,
) -> Compiled:  # fmt: skip
    """Several steps in C, and as many by `fit`, end at the same parameters."""
    made = Compiled(net, folder, what="train_step", loss=loss, optimizer=optimizer, batch=batch, **more)
    rate = optimizer.learning_rate
    losses = [made.train_step(x[i : i + batch], wanted[i : i + batch], rate) for i in range(0, len(x), batch)]
    history = net.fit(
        x, wanted, loss=loss, optimizer=optimizer, batch_size=batch, shuffle=False, progress=False, engine="reference",
        dtype="float64",
    )  # fmt: skip
    if loss.reduction == "mean":
        masses = loss.masses(loss.prepare_targets(wanted, len(x), net.output_shape))
        sizes = [masses[i : i + batch].sum() for i in range(0, len(x), batch)]
        assert np.dot(losses, sizes) / masses.sum() == pytest.approx(history.rows[0].loss, rel=1e-11)
    assert_close("outputs", made.predict(x), net(x, engine="reference"), atol=1e-11)
    return made


def _dense(outputs: int, seed: int = 0) -> cr.Network:
    return cr.Sequential(cr.Linear(5, 6), cr.Tanh(), cr.Linear(6, outputs), seed=seed)


def _maps(seed: int = 0, classes: int = 3) -> cr.Network:
    return cr.Sequential(cr.Conv2d(2, 4, 3), cr.Tanh(), cr.Conv2d(4, classes, 2), input_shape=(2, 5, 6), seed=seed)


def _targets(loss: cr.Loss, net: cr.Network, n: int, form: str, rng: np.random.Generator) -> Array:
    shape = net.output_shape
    if form == "classes":
        return rng.integers(0, shape[0], (n, *shape[1:]))
    values = rng.random((n, *shape))
    return values / values.sum(axis=1, keepdims=True) if loss.by_class else values


def _form(kind: type[cr.Loss], form: str) -> dict[str, str]:
    return {"targets": form} if kind is cr.CrossEntropyLoss else {}


FORMS = [
    (kind, form)
    for kind in LOSSES.values()
    for form in ("classes", "probabilities")
    if kind().by_class == (form == "classes") or kind is cr.CrossEntropyLoss
]


def test_every_loss_and_every_optimizer_has_a_template() -> None:
    assert set(LOSS_TEMPLATES) == set(LOSSES)
    optimizers = {
        name for name in dir(cr) if isinstance(kind := getattr(cr, name), type) and issubclass(kind, cr.Optimizer)
    }
    assert set(OPTIMIZER_TEMPLATES) == optimizers - {"Optimizer"}


@pytest.mark.parametrize("reduction", ["mean", "sum"] if LONG else ["mean"])
@pytest.mark.parametrize(("kind", "form"), FORMS, ids=lambda value: getattr(value, "__name__", value))
def test_every_loss(kind: type[cr.Loss], form: str, reduction: Any, tmp_path: Path) -> None:
    net = (_maps if reduction == "mean" else lambda: _dense(4))()
    rng = np.random.default_rng(4)
    loss = kind(reduction=reduction)
    x = rng.normal(size=(7, *net.input_shape))
    targets = _targets(loss, net, 7, form, rng)
    assert_same_training(net, tmp_path, loss, cr.SGD(0.05), x, targets, 3, **_form(kind, form))


FACTORS = (0.5, 2.0, 0.0, 1.5)
WEIGHTED: list[tuple[cr.Loss, str]] = [
    *(
        (cr.CrossEntropyLoss(reduction, weight=weight, label_smoothing=smoothing), form)
        for reduction in ("mean", "sum")
        for form in ("classes", "probabilities")
        for weight, smoothing in ((FACTORS, 0.0), (None, 0.3), (FACTORS, 0.2))
    ),
    (cr.BCEWithLogitsLoss(weight=FACTORS), "probabilities"),
    (cr.BCEWithLogitsLoss(pos_weight=(3.0, 1.0, 0.2, 0.0)), "probabilities"),
    (cr.BCEWithLogitsLoss("sum", weight=(0.5,), pos_weight=(2.5,)), "probabilities"),
    (cr.HuberLoss(delta=0.3), "probabilities"),
]


@pytest.mark.parametrize(("loss", "form"), WEIGHTED if LONG else WEIGHTED[2:5] + WEIGHTED[-4:], ids=repr)
def test_losses_with_weights_and_smoothing(loss: cr.Loss, form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    net = _dense(4) if loss.reduction == "sum" or not loss.by_class else _maps(classes=4)
    x, targets = rng.normal(size=(7, *net.input_shape)), _targets(loss, net, 7, form, rng)
    assert_same_training(net, tmp_path, loss, cr.SGD(0.05), x, targets, 3, **_form(type(loss), form))


OPTIMIZERS: list[cr.Optimizer] = [
    *(cr.SGD(0.05, m, n, d) for m, n, d in itertools.product((0.0, 0.9), (False, True), (0.0, 0.1)) if m or not n),
    *(kind(0.02, (0.8, 0.95), 1e-3, decay) for kind in (cr.Adam, cr.AdamW) for decay in (0.0, 0.1)),
    cr.RMSprop(0.01, 0.9, 1e-3),
    cr.RMSprop(0.01, 0.9, 1e-3, 0.1, 0.8, True),
]


BATCHED = [
    (optimizer, batch) for n, optimizer in enumerate(OPTIMIZERS) for batch in (1, 3) if LONG or n % 2 == batch // 2
]
"""Every optimizer at batch 1 or 3, in the long tests at both."""


@pytest.mark.parametrize(("optimizer", "batch"), BATCHED, ids=repr)
def test_every_optimizer(optimizer: cr.Optimizer, batch: int, tmp_path: Path) -> None:
    net = _dense(3)
    rng = np.random.default_rng(5)
    x, targets = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)
    made = assert_same_training(net, tmp_path, cr.CrossEntropyLoss(), optimizer, x, targets, batch)
    assert ("gradients" in made.plan.ram) == (batch > 1)
    assert_close("parameters", made.parameters(net.parameters.flat.size), net.parameters.flat, atol=1e-12)


def _shared(seed: int = 0) -> cr.Network:
    """A residual graph in which a convolution and its normalisation are used twice."""
    x = cr.Input((2, 5, 5))
    conv, norm = cr.Conv2d(2, 2, 3, padding=1), cr.BatchNorm2d(2)
    h = norm(conv(x))
    h = cr.Add()(cr.Tanh()(norm(conv(h))), h, x, h)
    joined = cr.Concat()(cr.Flatten()(h), cr.Flatten()(cr.MaxPool2d(2)(conv(h))))
    return cr.Network(x, cr.Linear(58, 3)(cr.Dropout(0.3)(joined)), seed=seed)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_graph_with_shared_layers_forks_and_dropout(batch: int, tmp_path: Path) -> None:
    net = _shared()
    rng = np.random.default_rng(6)
    x, targets = rng.normal(size=(8, 2, 5, 5)), rng.integers(0, 3, 8)
    made = assert_same_training(net, tmp_path, cr.CrossEntropyLoss(), cr.SGD(0.05, 0.5), x, targets, batch)
    assert "gradients" in made.plan.ram
    assert "conv1 is used at several places" in str(made.plan)


@pytest.mark.parametrize("last", [1, 2, 3])
def test_only_the_last_layers_learn_and_the_others_are_constant(last: int, tmp_path: Path) -> None:
    """Behind the first that learns nothing is kept for a way back: no winners, no running sums."""
    kinds = [cr.Conv2d(2, 4, 3), cr.MaxPool2d((1, 2)), cr.Tanh(), cr.Conv2d(4, 3, 2), cr.Flatten(), cr.Linear(6, 2)]
    net = cr.Sequential(*kinds, input_shape=(2, 5, 6))
    rng = np.random.default_rng(7)
    x, targets = rng.normal(size=(4, 2, 5, 6)), rng.integers(0, 2, 4)
    asked = {"what": "train_step", "loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1), "dtype": "float64"}
    net.to_c(tmp_path / "by_last.c", last=last, name="net", **asked)
    frozen = {f"{name}.{own}" for name in ("conv1", "conv2", "linear1")[:-last] for own in ("weight", "bias")}
    net.frozen |= frozen
    net.to_c(tmp_path / "by_freezing.c", name="net", **asked)
    written = [(tmp_path / f"by_{how}.c").read_text().replace(f"by_{how}", "net") for how in ("last", "freezing")]
    assert written[0] == written[1]
    made = assert_same_training(net, tmp_path, cr.CrossEntropyLoss(), cr.SGD(0.1), x, targets, 1)
    learning = [net.parameters[name].ravel() for name in net.parameters if name not in frozen]
    assert_close("learned", made.parameters(sum(a.size for a in learning)), np.concatenate(learning), atol=1e-12)
    still = sum(net.parameters[name].size for name in frozen)
    assert made.plan.constants.get("parameters that do not learn", 0) == 8 * still
    assert ("winners of max pooling" in made.plan.ram) == (last == 3)


def test_a_frozen_bias_beside_a_weight_that_learns(tmp_path: Path) -> None:
    net = _dense(3)
    net.freeze("linear1.weight", "linear2.bias")
    rng = np.random.default_rng(8)
    x, targets = rng.normal(size=(4, 5)), rng.integers(0, 3, 4)
    assert_same_training(net, tmp_path, cr.CrossEntropyLoss(), cr.Adam(0.01), x, targets, 2)


def test_weights_in_a_buffer_of_the_callers(tmp_path: Path) -> None:
    net = _shared()
    net.freeze("conv1.bias")
    rng = np.random.default_rng(9)
    x, targets = rng.normal(size=(4, 2, 5, 5)), rng.integers(0, 3, 4)
    made = assert_same_training(net, tmp_path, cr.CrossEntropyLoss(), cr.SGD(0.1), x, targets, 2, weights="beside")
    free = [value.ravel() for name, value in net.parameters.items() if name not in net.frozen]
    still = [value.ravel() for name, value in net.parameters.items() if name in net.frozen]
    buffers = [value.ravel() for value in net.buffers.values()]
    assert_close("numbers", made.numbers, np.concatenate([*free, *still, *buffers]), atol=1e-12)


def test_a_step_refuses_batches_that_do_not_fit(tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(5, 4), cr.BatchNorm1d(4))
    made = Compiled(net, tmp_path, what="train_step", loss=cr.MSELoss(), optimizer=cr.SGD(0.1), batch=3)
    x, targets = np.ones((4, 5)), np.ones((4, 4))
    kept = made.parameters(net.parameters.flat.size).copy()
    assert [np.isnan(made.train_step(x, targets, 0.1, count)) for count in (-1, 0, 1, 4)] == [True] * 4
    assert (made.parameters(kept.size) == kept).all()
    assert np.isfinite(made.train_step(x, targets, 0.1, 2))
