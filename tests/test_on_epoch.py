"""What `on_epoch` does has an effect, or is refused in a sentence: nothing of it is lost silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError
from chainrule.training import EpochRow
from tests.engines.comparing import ENGINES

X = np.random.default_rng(1).normal(size=(20, 4))
T = np.random.default_rng(2).integers(0, 3, 20)
engines = pytest.mark.parametrize("engine", ENGINES)


def network() -> cr.Network:
    return cr.Sequential(cr.Linear(4, 6), cr.Tanh(), cr.Linear(6, 3), seed=5)


def fit(net: cr.Network, on_epoch: Any = None, **options: Any) -> cr.training.History:
    asked = {"optimizer": cr.SGD(0.1, 0.9), "epochs": 4, "batch_size": 8, "progress": False, **options}
    return net.fit(X, T, loss=cr.CrossEntropyLoss(), on_epoch=on_epoch, **asked)


class Steps(cr.Schedule):
    """Full rate in the first two epochs, `gamma` of it afterwards."""

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma

    def factor(self, progress: float, epoch: int) -> float:
        return 1.0 if epoch < 2 else self.gamma


@engines
def test_a_changed_learning_rate_holds_from_the_next_epoch_on(engine: str) -> None:
    ours, theirs, optimizer = network(), network(), cr.SGD(0.1, 0.9)

    def halve(row: EpochRow) -> None:
        if row.epoch == 2:
            optimizer.learning_rate = 0.05

    history = fit(ours, halve, optimizer=optimizer, engine=engine)
    assert history["learning_rate"] == [0.1, 0.1, 0.05, 0.05]
    fit(theirs, schedule=Steps(0.5), engine=engine)
    np.testing.assert_array_equal(ours.parameters.flat, theirs.parameters.flat)


@engines
def test_a_schedule_multiplies_the_changed_rate(engine: str) -> None:
    optimizer = cr.Adam(0.01)

    def change(row: EpochRow) -> None:
        optimizer.learning_rate = 0.01 / (row.epoch + 1)

    history = fit(network(), change, optimizer=optimizer, schedule=Steps(0.25), engine=engine)
    np.testing.assert_allclose(history["learning_rate"], [0.01, 0.01 / 2, 0.01 / 12, 0.01 / 16])


@engines
def test_other_settings_of_the_optimizer_hold_from_the_next_epoch_on(engine: str) -> None:
    nets, optimizer = [network(), network()], cr.SGD(0.1, 0.9)

    def decay(row: EpochRow) -> None:
        optimizer.weight_decay = 0.5

    fit(nets[0], decay, optimizer=optimizer, engine=engine)
    fit(nets[1], optimizer=cr.SGD(0.1, 0.9), engine=engine)
    assert np.abs(nets[0].parameters.flat).sum() < 0.9 * np.abs(nets[1].parameters.flat).sum()


@engines
@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "fast", None])
def test_a_learning_rate_that_is_none_is_refused(engine: str, rate: Any) -> None:
    net, optimizer = network(), cr.SGD(0.1)
    with pytest.raises(ArgumentError, match="learning_rate"):
        fit(net, lambda row: setattr(optimizer, "learning_rate", rate), optimizer=optimizer, engine=engine)
    assert np.isfinite(net.parameters.flat).all()
    assert not np.array_equal(net.parameters.flat, network().parameters.flat)


@engines
def test_stop_ends_training(engine: str) -> None:
    ours, theirs = network(), network()
    history = fit(ours, lambda row: "stop" if row.epoch == 2 else None, epochs=9, schedule=cr.Constant(), engine=engine)
    assert len(history.rows) == 2
    assert history.stopped == "on_epoch"
    fit(theirs, epochs=2, engine=engine)
    np.testing.assert_array_equal(ours.parameters.flat, theirs.parameters.flat)


def test_stop_and_the_best_epoch() -> None:
    net = network()
    history = fit(
        net, lambda row: "stop" if row.epoch == 3 else None, epochs=9, validation=(X, T), keep_best=True,
        optimizer=cr.SGD(0.01),
    )  # fmt: skip
    assert history.best_epoch == 3
    assert history.stopped == "on_epoch"
    assert net.evaluate(X, T).loss == history.rows[2].validation_loss


@pytest.mark.parametrize("answer", [True, False, 0, 1, "Stop", np.True_, [1], StopIteration])
def test_any_other_answer_is_refused(answer: Any) -> None:
    net = network()
    with pytest.raises(ArgumentError, match=r'on_epoch returned .*return "stop" to end training, or nothing'):
        fit(net, lambda row: answer)
    trained = network()
    fit(trained, epochs=1)
    np.testing.assert_array_equal(net.parameters.flat, trained.parameters.flat)


def change_weights(net: cr.Network) -> None:
    net.parameters["linear1.weight"] = np.zeros((6, 4))


def change_flat(net: cr.Network) -> None:
    net.parameters.flat *= 0.5


def train_between(net: cr.Network) -> None:
    fit(net, epochs=1, batch_size=5)


def freeze(net: cr.Network) -> None:
    net.freeze("linear1.*")


@engines
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_weights, r"linear1\.weight"),
        (change_flat, r"linear1\.weight"),
        (train_between, r"linear1\.weight"),
        (freeze, "frozen"),
    ],
)
def test_what_training_would_lose_is_refused(engine: str, change: Callable[[cr.Network], None], named: str) -> None:
    net = network()
    with pytest.raises(ArgumentError, match=rf"on_epoch changed .*{named}.*fit"):
        fit(net, lambda row: change(net), engine=engine)


@engines
def test_an_optimizer_that_would_need_memory_is_refused(engine: str) -> None:
    optimizer = cr.SGD(0.1)
    with pytest.raises(ArgumentError, match=r"on_epoch changed the optimizer .*SGD\(.*momentum=0.9.*fit"):
        fit(network(), lambda row: setattr(optimizer, "momentum", 0.9), optimizer=optimizer, engine=engine)


@engines
def test_looking_is_free(engine: str) -> None:
    """Evaluating, explaining and saving between epochs changes nothing."""
    ours, theirs, seen = network(), network(), []

    def look(row: EpochRow) -> None:
        seen.append(ours.evaluate(X, T).loss)
        ours.gradients(X, T, loss=cr.CrossEntropyLoss())
        ours.snapshot()(X)

    fit(ours, look, engine=engine)
    fit(theirs, engine=engine)
    assert len(seen) == 4
    np.testing.assert_array_equal(ours.parameters.flat, theirs.parameters.flat)


def test_on_epoch_must_be_callable() -> None:
    with pytest.raises(ArgumentError, match="on_epoch must be a function"):
        fit(network(), "every epoch")
