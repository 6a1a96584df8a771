"""Every row of the layers' table in C, in float64: outputs, loss, and what a step of training learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import Input
from chainrule.interchange.c.rules import LAYER_RULES
from chainrule.layers import LAYERS
from tests.helpers import Array, assert_close
from tests.interchange.c.compiled import Compiled, needs_compiler
from tests.interchange.c.networks import APART, GROUPS, branches, fresh
from tests.layers.rows import ACTIVATIONS, Row

pytestmark = needs_compiler
TOLERANCE = 1e-12


def test_every_layer_is_in_a_group() -> None:
    tried = {type(row.layer).__name__ for rows in GROUPS.values() for row in rows}
    assert tried == set(LAYERS)


def assert_learns_alike(net: cr.Network, made: Compiled, x: Array, targets: Array, loss: cr.Loss, rate: float) -> None:
    """One step in C and one in the reference engine, from the same parameters."""
    before = net.parameters.flat.copy()
    expected_loss, gradients, _ = net.gradients(x, targets, loss=loss, engine="reference", dtype="float64")
    got = made.train_step(x, targets, rate)
    assert got == pytest.approx(expected_loss, rel=1e-12)
    net.fit(
        x, targets, loss=loss, optimizer=cr.SGD(rate), batch_size=len(x), shuffle=False, progress=False,
        engine="reference", dtype="float64",
    )  # fmt: skip
    learned = made.parameters(before.size)
    scale = max(1.0, rate * float(np.abs(gradients.flat).max()))
    for name, part in net.parameters.slices().items():
        assert_close(name, learned[part], net.parameters[name].ravel(), atol=TOLERANCE * scale)


@pytest.mark.parametrize("group", GROUPS)
def test_rows_predict_and_learn_as_the_reference_engine(group: str, tmp_path: Path) -> None:
    net = branches(GROUPS[group], seed=7)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, *net.input_shape))
    targets = rng.normal(size=(3, *net.output_shape))
    loss = cr.HalfSquaredErrorLoss()
    made = Compiled(net, tmp_path, what="train_step", loss=loss, optimizer=cr.SGD(0.1), batch=3)
    assert_close("outputs", made.predict(x), net(x, engine="reference"), atol=TOLERANCE * 10)
    assert_learns_alike(net, made, x, targets, loss, 0.5)
    after = net(x, engine="reference")
    assert_close("outputs", made.predict(x), after, atol=TOLERANCE * 10 * np.abs(after).max())


@pytest.mark.parametrize("row", APART[::4], ids=lambda row: row.name)
def test_rows_whose_samples_only_an_input_has(row: Row, tmp_path: Path) -> None:
    """Twice in a row, so that the second asks the first for its dx."""
    x = Input(row.shapes[0])
    net = cr.Network(x, fresh(row)(fresh(row)(x)), seed=1)
    rng = np.random.default_rng(3)
    batch = rng.normal(size=(row.batch, *net.input_shape))
    targets = rng.normal(size=(row.batch, *net.output_shape))
    made = Compiled(net, tmp_path, what="train_step", loss=cr.MSELoss(), optimizer=cr.SGD(0.1), batch=row.batch)
    assert_learns_alike(net, made, batch, targets, cr.MSELoss(), 0.5)


def test_curves_are_written_from_their_expressions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with a template of their own too, without it; side by side with batch normalisation, sample by sample."""
    curves = [layer for layer in (entry.layer for entry in ACTIVATIONS) if not layer.is_identity(True)]
    for layer in curves:
        monkeypatch.delitem(LAYER_RULES, type(layer).__name__, raising=False)
    x = Input((3, 2))
    ends = [type(layer)(**layer.hyperparameters())(cr.BatchNorm1d(3)(x)) for layer in curves]
    net = cr.Network(x, cr.Concat()(*ends))
    rng = np.random.default_rng(3)
    batch, targets = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, *net.output_shape))
    made = Compiled(net, tmp_path, what="train_step", loss=cr.MSELoss(), optimizer=cr.SGD(0.1), batch=4)
    assert "relu_forward" not in (tmp_path / "net.c").read_text()
    assert_learns_alike(net, made, batch, targets, cr.MSELoss(), 0.5)
