"""Training: what fit does, what it remembers, how it stops, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import assert_close

RNG = np.random.default_rng(11)
X = RNG.normal(size=(64, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(seed: int = 0) -> cr.Network:
    return cr.Sequential(cr.Linear(3, 8), cr.Tanh(), cr.Linear(8, 2), seed=seed)


def fit(net: cr.Network, **changes: Any) -> Any:
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.2), "epochs": 3, "batch_size": 16}
    return net.fit(X, LABELS, **{**options, "progress": False, **changes})


# --- what happens ----------------------------------------------------------------------------------------------


def test_training_lowers_the_loss_and_the_history_says_so() -> None:
    history = fit(network(), epochs=40, optimizer=cr.Adam(0.02))
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["accuracy"][-1] > 0.9
    assert history["epoch"] == list(range(1, 41))
    assert len(history.rows) == 40
    assert history.stopped == "finished"
    assert set(history) == {
        "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate", "seconds",
        "samples_per_second",
    }  # fmt: skip
    assert "40 epochs" in repr(history)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    nets = [network(), network(), network()]
    for net, seed in zip(nets, (5, 5, 6), strict=True):
        fit(net, seed=seed)
    assert (nets[0].parameters.flat == nets[1].parameters.flat).all()
    assert (nets[0].parameters.flat != nets[2].parameters.flat).any()


def test_one_batch_of_all_samples_is_gradient_descent() -> None:
    net, other = network(), network()
    _, gradients, _ = net.gradients(X, LABELS, loss=cr.CrossEntropyLoss())
    fit(other, epochs=1, batch_size=64)
    assert_close(
        "parameters", other.parameters.flat, net.parameters.flat - 0.2 * gradients.flat, rtol=1e-12, atol=1e-15
    )


def test_the_last_smaller_batch_counts_by_its_samples() -> None:
    net = network()
    fit(net, optimizer=cr.SGD(0.0), epochs=1, batch_size=48, shuffle=False)
    history = fit(net, optimizer=cr.SGD(0.0), epochs=1, batch_size=48)
    assert history["loss"][0] == pytest.approx(net.evaluate(X, LABELS).loss, rel=1e-12)
    assert history["accuracy"][0] == net.evaluate(X, LABELS).accuracy


def test_frozen_parameters_stay_and_the_others_move() -> None:
    net = network()
    net.freeze("linear1.*", "linear2.bias")
    before = {name: array.copy() for name, array in net.parameters.items()}
    fit(net)
    moved = [name for name, array in net.parameters.items() if (array != before[name]).any()]
    assert moved == ["linear2.weight"]


def test_no_epochs_change_nothing() -> None:
    net = network()
    before = net.parameters.flat.copy()
    assert fit(net, epochs=0).rows == []
    assert (net.parameters.flat == before).all()


def test_the_last_loss_is_what_evaluate_uses() -> None:
    net = network()
    fit(net, loss=cr.CrossEntropyLoss(reduction="sum"), epochs=1, optimizer=cr.SGD(1e-3))
    mean = net.evaluate(X, LABELS, loss=cr.CrossEntropyLoss()).loss
    assert net.evaluate(X, LABELS).loss == pytest.approx(64 * mean)


def test_float32_training_stays_near_float64() -> None:
    nets = [network(), network()]
    for net, dtype in zip(nets, ("float32", "float64"), strict=True):
        fit(net, dtype=dtype)
    assert_close("parameters", nets[0].parameters.flat, nets[1].parameters.flat, rtol=1e-4, atol=1e-5)
    assert nets[0].parameters.flat.dtype == np.float64


# --- validation ------------------------------------------------------------------------------------------------

HELD = (RNG.normal(size=(30, 3)), RNG.integers(0, 2, 30))  # labels without sense: the validation loss soon rises


def test_validation_is_judged_after_each_epoch_in_inference() -> None:
    net = network()
    history = fit(net, validation=HELD, epochs=2)
    judged = net.evaluate(*HELD)
    assert history["validation_loss"][-1] == judged.loss
    assert history["validation_accuracy"][-1] == judged.accuracy
    assert history.best_epoch == 1 + int(np.argmin(history["validation_loss"]))


def test_patience_stops_early() -> None:
    history = fit(network(), validation=HELD, epochs=200, patience=3, optimizer=cr.Adam(0.05))
    assert history.stopped == "early"
    assert len(history.rows) == history.best_epoch + 3


def test_keep_best_ends_with_the_best_epoch() -> None:
    best = network()
    history = fit(best, validation=HELD, epochs=30, keep_best=True, optimizer=cr.Adam(0.05))
    assert best.evaluate(*HELD).loss == min(history["validation_loss"]) < history["validation_loss"][-1]


@pytest.mark.parametrize("option", [{"patience": 2}, {"keep_best": True}])
def test_patience_and_keep_best_need_validation(option: Any) -> None:
    with pytest.raises(cr.errors.ArgumentError, match="give validation="):
        fit(network(), **option)


# --- how it may end --------------------------------------------------------------------------------------------


def test_an_interrupt_keeps_what_was_learned() -> None:
    net, same = network(), network()

    def interrupt(row: Any) -> None:
        if row.epoch == 2:
            raise KeyboardInterrupt

    history = fit(net, epochs=10, on_epoch=interrupt)
    assert history.stopped == "interrupted"
    assert len(history.rows) == 2
    fit(same, epochs=2)
    assert (net.parameters.flat == same.parameters.flat).all()


def test_overflow_names_epoch_and_tensor_and_leaves_finite_parameters() -> None:
    net = cr.Sequential(cr.Linear(3, 8), cr.ReLU(), cr.Linear(8, 2))
    with pytest.raises(cr.errors.NonFiniteError, match=r"in epoch \d+.*at step \d+.*tensor that is not finite is"):
        fit(net, optimizer=cr.SGD(1e18), epochs=50, dtype="float32")
    assert np.isfinite(net.parameters.flat).all()


def test_an_update_that_overflows_is_taken_back() -> None:
    net = network()
    with pytest.raises(cr.errors.NonFiniteError, match="weight after the update"):
        fit(net, optimizer=cr.SGD(1e300, weight_decay=1e300), epochs=1, batch_size=64)
    assert (net.parameters.flat == network().parameters.flat).all()


@pytest.mark.parametrize(
    "x, targets, message",
    [
        (X, LABELS[:-1], "x has 64 samples, but targets has 63"),
        (X, LABELS + 1, "label 2, but the network has 2 outputs"),
        (X, LABELS.astype(float), "integer class indices or probabilities"),
        (X[:, :2], LABELS, r"x must have shape \(n, 3\), not \(64, 2\)"),
        (np.where(np.arange(64)[:, None] == 7, np.nan, X), LABELS, r"x holds nan at index \[7, 0\]"),
        (X[:0], LABELS[:0], "x holds no samples"),
    ],
)
def test_bad_data_is_refused_before_anything_changes(x: Any, targets: Any, message: str) -> None:
    net = network()
    before = net.parameters.flat.copy()
    with pytest.raises(cr.ChainruleError, match=message):
        net.fit(x, targets, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), progress=False)
    assert (net.parameters.flat == before).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"epochs": -1}, "epochs must lie between 0"),
        ({"batch_size": 0}, "batch_size must lie between 1"),
        ({"batch_size": 2.5}, "batch_size must be an integer"),
        ({"loss": "cross"}, "loss must be a loss"),
        ({"optimizer": 0.1}, "optimizer must be an optimizer"),
        ({"schedule": "cosine"}, "schedule must be a schedule"),
        ({"update_order": "random"}, "update_order must be"),
        ({"dtype": "float16"}, 'dtype must be "float32" or "float64"'),
        ({"engine": "cuda"}, "no engine is named 'cuda'"),
        ({"validation": (X, LABELS[:3])}, "validation x has 64 samples, but validation targets has 3"),
    ],
)
def test_bad_arguments_are_refused(changes: Any, message: str) -> None:
    with pytest.raises(cr.ChainruleError, match=message):
        fit(network(), **changes)


# --- optimizers by hand ----------------------------------------------------------------------------------------


def steps(optimizer: cr.Optimizer, gradients: list[float], start: float = 1.0, rate: float = 0.1) -> list[float]:
    w = np.array([start])
    memory = optimizer.initial_state(w)
    found = []
    for step, g in enumerate(gradients, start=1):
        optimizer.update(w, np.array([g]), memory, rate, step)
        found.append(float(w[0]))
    return found


def test_sgd_by_hand() -> None:
    assert steps(cr.SGD(0.1), [2.0, -1.0]) == pytest.approx([0.8, 0.9])  # 1 - .1*2, .8 + .1
    assert steps(cr.SGD(0.1, weight_decay=0.5), [2.0]) == pytest.approx([0.75])  # g = 2 + .5*1
    # v = 2, w = .8; v = .9*2 - 1 = .8, w = .72
    assert steps(cr.SGD(0.1, momentum=0.9), [2.0, -1.0]) == pytest.approx([0.8, 0.72])
    # v = 2, step 2 + .9*2 = 3.8; v = .8, step -1 + .9*.8 = -.28
    assert steps(cr.SGD(0.1, momentum=0.9, nesterov=True), [2.0, -1.0]) == pytest.approx([0.62, 0.648])


def test_adam_by_hand() -> None:
    # t = 1: m / (1 - b1) = 2, sqrt(v / (1 - b2)) = 2; the first step is the rate itself
    first, second = steps(cr.Adam(0.1, eps=0.0), [2.0, -1.0])
    assert first == pytest.approx(0.9)
    mean = (0.9 * 0.1 * 2 - 0.1) / (1 - 0.81)
    square = (0.999 * 0.001 * 4 + 0.001) / (1 - 0.999**2)
    assert second == pytest.approx(0.9 - 0.1 * mean / np.sqrt(square))
    assert steps(cr.Adam(0.1, eps=0.0, weight_decay=0.5), [2.0]) == pytest.approx([0.9])  # in the gradient: g = 2.5
    assert steps(cr.AdamW(0.1, eps=0.0, weight_decay=0.5), [2.0]) == pytest.approx([0.85])  # 1*(1 - .05) - .1
    assert steps(cr.Adam(0.1, eps=2.0), [2.0]) == pytest.approx([0.95])  # 2 / (2 + 2)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: cr.SGD(-1), "learning_rate must be"),
        (lambda: cr.SGD(float("nan")), "learning_rate must be"),
        (lambda: cr.SGD(0.1, nesterov=True), "nesterov=True needs a momentum"),
        (lambda: cr.Adam(betas=(0.9, 1.0)), "betas must be below 1"),
        (lambda: cr.Adam(betas=0.9), "betas must be two numbers"),  # type: ignore[arg-type]
        (lambda: cr.AdamW(weight_decay=-1), "weight_decay"),
    ],
)
def test_optimizers_refuse_impossible_numbers(build: Any, message: str) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=message):
        build()


# --- schedules -------------------------------------------------------------------------------------------------


def test_schedules_by_hand() -> None:
    assert_close("constant", cr.Constant().rates(0.3, 2, 2), np.full((2, 2), 0.3))
    decayed = cr.StepDecay(2, 0.1).rates(1.0, 5, 1)[:, 0]
    assert_close("step", decayed, [1, 1, 0.1, 0.1, 0.01], rtol=1e-12)
    assert_close("cosine", cr.Cosine().rates(2.0, 1, 5)[0], [2, 1 + 0.5**0.5, 1, 1 - 0.5**0.5, 0], atol=1e-12)
    warm = cr.Cosine(final=0.1, warmup=0.5).rates(1.0, 1, 5)[0]
    assert_close("warm-up", warm, [0, 0.5, 1, 0.55, 0.1], atol=1e-12)
    cycle = cr.OneCycle(warmup=0.5, start=0.2, final=0.0).rates(1.0, 1, 5)[0]
    assert_close("one cycle", cycle, [0.2, 0.6, 1, 0.5, 0], atol=1e-12)


def test_the_history_holds_the_learning_rate_of_each_epochs_last_step() -> None:
    history = fit(network(), schedule=cr.StepDecay(1, 0.5), epochs=3)
    assert history["learning_rate"] == pytest.approx([0.2, 0.1, 0.05])


@pytest.mark.parametrize("build", [lambda: cr.StepDecay(0), lambda: cr.Cosine(final=2), lambda: cr.OneCycle(warmup=-1)])
def test_schedules_refuse_impossible_numbers(build: Any) -> None:
    with pytest.raises(cr.errors.ArgumentError):
        build()


# --- evaluation ------------------------------------------------------------------------------------------------


def test_evaluation_by_hand() -> None:
    net = cr.Sequential(cr.Identity(), input_shape=3)
    logits = np.array([[3.0, 1, 0], [0, 2, 1], [5, 1, 1], [0, 1, 4], [9, 0, 0]])
    result = net.evaluate(logits, [0, 1, 1, 2, 0], batch_size=2)
    assert result.accuracy == 0.8
    assert result.confusion is not None
    assert result.confusion.tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 1]]  # row: true class
    assert result.precision is not None
    assert result.recall is not None
    assert result.f1 is not None
    assert_close("precision", result.precision, [2 / 3, 1, 1])
    assert_close("recall", result.recall, [1, 0.5, 1])
    assert_close("f1", result.f1, [0.8, 2 / 3, 1])
    assert "accuracy 80.00 %" in str(result)


def test_a_class_that_never_occurs_has_no_recall() -> None:
    result = cr.Sequential(cr.Identity(), input_shape=3).evaluate([[1.0, 0, 0], [0, 1, 0]], [0, 1])
    assert result.recall is not None
    assert np.isnan(result.recall[2])


def test_values_as_targets_have_no_accuracy() -> None:
    result = cr.Sequential(cr.Linear(3, 2)).evaluate(X, RNG.normal(size=(64, 2)))
    assert result.accuracy is None
    assert result.confusion is None
    assert str(result).startswith("loss ")


def test_evaluation_in_batches_equals_evaluation_at_once() -> None:
    net = network()
    assert net.evaluate(X, LABELS, batch_size=7).loss == pytest.approx(net.evaluate(X, LABELS, batch_size=64).loss)


def test_progress_prints_a_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    fit(network(), epochs=2, validation=HELD, progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss 0.")
    assert "validation" in lines[0]
    assert max(map(len, lines)) < 80
    fit(network(), epochs=2)
    assert capsys.readouterr().out == ""


def test_a_network_that_ends_in_rbf_units_is_judged_by_its_nearest_centre() -> None:
    net = cr.Sequential(cr.RBF(2, 3), input_shape=(2,))
    net.parameters["rbf1.weight"] = [[0, 0], [4, 0], [0, 4]]
    x = np.array([[0.1, 0.2], [3.9, 0.3], [0.2, 4.2]])
    assert net.evaluate(x, [0, 1, 2]).accuracy == 1
    assert net.evaluate(x, [1, 2, 0]).accuracy == 0
