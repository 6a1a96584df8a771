"""Every loss, reduction and form of targets against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.losses import LOSSES
from tests.helpers import Array
from tests.oracle import adapter
from tests.oracle.adapter import near, tensor
from tests.strategies import batch_sizes, losses_with_targets, seeds, shapes

spatial = shapes | st.tuples(st.integers(1, 4), st.integers(1, 5)) | st.tuples(*[st.integers(1, 3)] * 4)


def compare(loss: cr.Loss, outputs: Array, targets: Array, rel: float = 1e-12) -> None:
    """Value and gradient."""
    theirs = tensor(outputs, True)
    expected = adapter.loss_value(loss, theirs, targets)
    expected.backward()
    value, saved = loss.forward(outputs, targets)
    near("loss", value, expected, rel)
    near("doutputs", loss.backward(saved), theirs.grad, rel)


def test_every_loss_has_its_torch_form() -> None:
    assert set(adapter.LOSSES) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=100)
@given(data=st.data(), n=batch_sizes, shape=spatial, scale=st.sampled_from([1.0, 1e-3, 50.0]), seed=seeds)
def test_random_losses_agree_with_torch(name: str, data: Any, n: int, shape: Any, scale: float, seed: int) -> None:
    loss, targets = data.draw(losses_with_targets(n, shape, [name]))
    compare(loss, scale * np.random.default_rng(seed).normal(size=(n, *shape)), targets)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_extreme_outputs_agree_with_torch(name: str, reduction: Any) -> None:
    outputs = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [50.0, -800.0, 745.0]])
    indices = name in ("CrossEntropyLoss", "MAPLoss")
    for shift in range(3):
        labels = (np.arange(4) + shift) % 3
        compare(LOSSES[name](reduction=reduction), outputs, labels if indices else cr.one_hot(labels, 3))
