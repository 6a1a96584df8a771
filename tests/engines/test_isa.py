"""Every layer and option on every instruction set that this machine has."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import core
from tests.engines import comparing
from tests.engines.comparing import assert_engines_agree, assert_trained_alike, mixed_network
from tests.layers.rows import IDS, ROWS, Row

ISAS = [isa[0] for isa in core.isas()]
FORCED = ISAS[1:]  # the first is the default, which all other tests use
BATCHES = (1, 2, 3, 5, 17, 33) if comparing.LONG else (1, 5)


@pytest.mark.parametrize("isa", FORCED)
@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_option_of_every_layer(isa: str, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    net = comparing.around(row)
    for samples in BATCHES:
        training = comparing.trainable(row, samples)
        assert_engines_agree(comparing.problem_of(net, samples), training)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_training_and_the_plan_says_so(isa: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(37, 2, 8, 7)), rng.integers(0, 4, 37)
    net = mixed_network()
    assert f", {isa}, " in net.plan(loss=cr.CrossEntropyLoss(), dtype=dtype)  # type: ignore[arg-type]
    rtol = 1e-10 if dtype == "float64" else 2e-5
    options = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05, momentum=0.9), "epochs": 2, "batch_size": 16}
    if dtype == "float64":
        assert_trained_alike(net, x, labels, rtol=rtol, **options)
    else:
        ours, theirs = (comparing.fitted(net, e, x, labels, dtype=dtype, **options)[0] for e in comparing.ENGINES)
        np.testing.assert_allclose(ours.parameters.flat, theirs.parameters.flat, rtol=0, atol=rtol)


def test_dropout_masks_do_not_depend_on_the_instruction_set(monkeypatch: pytest.MonkeyPatch) -> None:
    net = cr.Sequential(cr.Dropout(0.4), cr.Linear(70, 2), input_shape=70, seed=3)
    x, labels = np.ones((21, 70)), np.zeros(21, int)
    masks = []
    for isa in ISAS:
        monkeypatch.setenv("CHAINRULE_ISA", isa)
        masks.append(net.trace(x, labels, loss=cr.CrossEntropyLoss())["dropout1"].value)
    for mask in masks:
        assert np.array_equal(mask, masks[0])
        assert 0 < (mask == 0).mean() < 1
