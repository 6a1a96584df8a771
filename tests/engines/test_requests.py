"""What the core is asked to train is one record, and a malformed one is refused before anything moves."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import core
from chainrule.engines.native.compiled import Compiled
from chainrule.engines.native.engine import NativeEngine
from chainrule.engines.native.program import EpochRequest


def trainable_plan() -> tuple[Compiled, EpochRequest]:
    """A plan, and a request for two steps of four samples each out of ten."""
    net = cr.Sequential(cr.Linear(3, 2), seed=1)
    compiled = NativeEngine().compiled(
        net, "train", 4, np.dtype(np.float64), training=True, loss=cr.MSELoss(), targets=np.zeros((10, 2))
    )
    compiled.load(net)
    rng = np.random.default_rng(0)
    request = EpochRequest(
        inputs=rng.normal(size=(10, 3)),
        bytes=False,
        targets=rng.normal(size=(10, 2)),
        labels=None,
        weights=None,
        order=np.arange(10),
        batch_size=4,
        first=0,
        rates=np.array([0.1, 0.1]),
        scales=np.array([0.125, 0.125]),
        seed=0,
        step=0,
        update=cr.SGD(0.1).native_update(),
        memories=0,
        trainable=[0, 8],
        losses=np.zeros(2),
        correct=np.zeros(2),
        threads=1,
    )
    return compiled, request


def values(compiled: Compiled) -> np.ndarray[Any, Any]:
    found = np.zeros(8)
    compiled.plan.get_values(found, np.zeros(0))
    return found


def test_a_request_is_done_and_its_losses_are_written() -> None:
    compiled, request = trainable_plan()
    before = values(compiled)
    assert compiled.plan.train(request) == 2
    assert (request.losses > 0).all()
    assert (values(compiled) != before).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scales": np.ones(1)}, "one rate and one scale"),
        ({"losses": np.zeros(1)}, "one loss and one count"),
        ({"batch_size": 0}, "no such batch"),
        ({"first": -1}, "no such batch"),
        ({"first": 2}, "more steps than batches"),
        ({"first": 2**61}, "more steps than batches"),
        ({"batch_size": 10}, "more steps than batches"),
        ({"memories": 9}, "remembers too much"),
        ({"memories": -1}, "remembers too much"),
        ({"trainable": [0]}, "beginning without an end"),
        ({"trainable": [0, 9]}, "outside of the parameters"),
        ({"trainable": [4, 3]}, "outside of the parameters"),
        ({"update": {"rule": "newton"}}, "malformed"),
    ],
    ids=str,
)
def test_a_malformed_request_is_refused_and_nothing_moves(change: dict[str, Any], said: str) -> None:
    compiled, request = trainable_plan()
    before = values(compiled)
    with pytest.raises(ValueError, match=said):
        compiled.plan.train(replace(request, **change))
    np.testing.assert_array_equal(values(compiled), before)


@pytest.mark.parametrize("name", [item.name for item in fields(EpochRequest)])
def test_no_field_may_be_of_another_kind(name: str) -> None:
    """What the core writes to, or reads as it lies, is never converted into a copy that nobody sees."""
    compiled, request = trainable_plan()
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        compiled.plan.train(replace(request, **{name: object()}))
    if name in ("order", "rates", "scales", "losses", "correct"):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            compiled.plan.train(replace(request, **{name: getattr(request, name).astype(np.float32)}))


def test_the_core_says_how_memory_is_aligned() -> None:
    alignment = core.limits()["alignment"]
    assert alignment >= 64
    assert alignment & (alignment - 1) == 0
    net = cr.parse("1x9x9 -> conv 3@3x3 -> batchnorm -> fc 4", seed=1)
    description = NativeEngine().compiled(net, "inference", 20, np.dtype(np.float32)).description
    places = [
        value[0]
        for parts in description.stages
        for name, record in parts[0]
        for field, value in record.items()
        if core.schema()[name][field] == "place"
    ]
    assert places
    assert all(place * 4 % alignment == 0 for place in places)
