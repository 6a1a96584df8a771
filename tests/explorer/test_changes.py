"""Questions that change something, or try it: anybody computes the same numbers, and all can be undone."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explorer import Exploration
from chainrule.zoo import two_two_two

LOSS = cr.CrossEntropyLoss()
EXACT: Any = {"dtype": "float64", "engine": "reference", "training": False}


def ask(exploration: Exploration, **question: Any) -> Any:
    """An answer that went through JSON."""
    return json.loads(json.dumps(exploration.answer(question), allow_nan=False))


def numbers(array: Any) -> np.ndarray:
    """An array that travelled."""
    return np.frombuffer(base64.b64decode(array["data"]), "<f8").reshape(array["shape"])


def travels(array: np.ndarray) -> Any:
    """An array as the page sends it."""
    return {"shape": list(array.shape), "data": base64.b64encode(array.astype("<f8").tobytes()).decode()}


def branching() -> cr.Network:
    """A branch around a convolution, and a dense layer."""
    x = cr.Input((1, 8, 8))
    h = cr.Add()(cr.Conv2d(1, 1, 3, padding=1)(x), x)
    return cr.Network(x, cr.Linear(16, 3)(cr.Flatten()(cr.MaxPool2d(2)(cr.ReLU()(h)))), seed=3)


@pytest.fixture
def small() -> Exploration:
    x = np.random.default_rng(1).normal(size=(4, 1, 8, 8))
    return Exploration(branching(), x, [0, 1, 2, 1], loss=LOSS)


def loss_of(exploration: Exploration, sample: int) -> float:
    """The loss of one sample, by the network itself."""
    x, target = exploration.sample(sample)[None], exploration.target(sample)
    return exploration.net.trace(x, target, loss=LOSS, **EXACT).loss


WEIGHT = {"quantity": "parameter", "name": "conv1.weight", "index": [0, 0, 1, 2]}
PIXEL = {"quantity": "value", "name": "input", "index": [0, 0, 3, 4]}


@pytest.mark.parametrize("place", [WEIGHT, PIXEL, {"quantity": "parameter", "name": "linear1.bias", "index": [1]}])
def test_a_nudge_gives_the_loss_that_the_changed_network_has(small: Exploration, place: Any) -> None:
    found = ask(small, ask="nudge", place=place, by=0.25)
    start = found["start"]
    assert found["before"] == loss_of(small, 0)
    assert found["predicted"] == found["gradient"] * 0.25
    assert found["change"] == found["after"] - found["before"]
    assert ask(small, ask="nudge", place=place)["before"] == found["before"], "nothing changes for good"
    for value, loss in [(start + 0.25, found["after"]), *((p["value"], p["loss"]) for p in found["points"][::8])]:
        assert ask(small, ask="set", changes=[{"place": place, "value": value}])["ok"]
        assert loss_of(small, 0) == pytest.approx(loss, rel=1e-12)
    for point in found["points"]:
        assert point["predicted_loss"] == pytest.approx(found["before"] + found["gradient"] * point["by"], rel=1e-12)
        assert point["near"] == (abs(point["change"] - point["predicted"]) <= 0.1 * abs(point["predicted"]))


def test_the_curve_of_a_nudge_reaches_to_where_it_bends_or_as_far_as_is_asked(small: Exploration) -> None:
    found = ask(small, ask="nudge", place=WEIGHT)
    assert found["span"] in found["spans"]
    assert len(found["points"]) == 41
    assert not found["points"][0]["near"] or not found["points"][-1]["near"]
    shorter = ask(small, ask="nudge", place=WEIGHT, span=0.001)
    assert [shorter["points"][0]["by"], shorter["points"][20]["by"]] == [-0.001, 0]
    assert all(point["near"] for point in shorter["points"])


def test_what_is_set_is_foretold_by_the_gradients_from_before(small: Exploration) -> None:
    trace = small.view_of(0).traced.trace
    places = [(0, 2, 3), (0, 4, 4)]
    moves = [0.01, -0.02]
    changes = [
        {"place": {**PIXEL, "index": [0, *at]}, "value": float(small.sample(0)[at]) + move}
        for at, move in zip(places, moves, strict=True)
    ]
    expected = sum(trace["input"].gradient[(0, *at)] * move for at, move in zip(places, moves, strict=True))
    before, state = loss_of(small, 0), small.state
    found = ask(small, ask="set", changes=changes)
    assert found["count"] == 2
    assert found["predicted"] == pytest.approx(expected)
    assert found["before"] == before
    assert found["after"] == loss_of(small, 0)
    assert found["near"]
    assert found["state"] > state
    ask(small, ask="reset", what="pixels")
    assert loss_of(small, 0) == before


def test_weights_pixels_and_drawings_are_undone_each_by_itself(small: Exploration) -> None:
    drawn = ask(small, ask="draw", pixels=travels(np.eye(8)), target=2, raw=True)
    assert drawn["sample"] == 4
    at_start = loss_of(small, 4)
    place = {**PIXEL, "index": [4, 0, 0, 0]}
    ask(small, ask="set", changes=[{"place": place, "value": 7.0}, {"place": WEIGHT, "value": 1.0}])
    assert small.sample(4)[0, 0, 0] == 7
    ask(small, ask="reset", what="weights")
    assert small.net.parameters["conv1.weight"][0, 0, 1, 2] == branching().parameters["conv1.weight"][0, 0, 1, 2]
    assert small.sample(4)[0, 0, 0] == 7
    ask(small, ask="reset", what="pixels")
    assert loss_of(small, 4) == at_start
    ask(small, ask="reset")
    assert small.samples == 4


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ([{"place": {"quantity": "value", "name": "conv1", "index": [0, 0, 0, 0]}, "value": 1}], "given"),
        ([{"place": WEIGHT, "value": "much"}], "malformed"),
        ([{"place": WEIGHT}], "malformed"),
        ([], "malformed"),
        ([{"place": {**WEIGHT, "index": [9, 0, 0, 0]}, "value": 1}], "index"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(small: Exploration, changes: Any, kind: str) -> None:
    before, state = loss_of(small, 0), small.state
    valid = {"place": WEIGHT, "value": 5.0}
    found = ask(small, ask="set", changes=[valid, *changes] if changes else changes)
    assert not found["ok"]
    assert found["error"]["kind"] == kind
    assert loss_of(small, 0) == before
    assert small.state == state


def test_a_change_that_makes_the_loss_no_number_is_taken_back() -> None:
    net = cr.Sequential(cr.Linear(1, 1), cr.Linear(1, 1), input_shape=(1,))
    for name in net.parameters:
        net.parameters[name] = np.ones_like(net.parameters[name])
    exploration = Exploration(net, [[1e200]], [[0.0]], loss=cr.HalfSquaredErrorLoss())
    net.parameters["linear1.weight"] = [[1e-200]]
    exploration = Exploration(net, [[1e200]], [[0.0]], loss=cr.HalfSquaredErrorLoss())
    place = {"quantity": "parameter", "name": "linear1.weight", "index": [0, 0]}
    found = ask(exploration, ask="set", changes=[{"place": place, "value": 1.0}])
    assert found["error"]["kind"] == "off_the_scale"
    assert exploration.net.parameters["linear1.weight"][0, 0] == 1e-200
    assert ask(exploration, ask="overview")["ok"]


def test_training_is_gradient_descent_and_is_undone(small: Exploration) -> None:
    parameters = branching().parameters.copy()
    found = ask(small, ask="train", steps=3, learning_rate=0.1, of="sample")
    assert found["losses"][-1] == pytest.approx(loss_of(small, 0))
    net = branching()
    for expected in found["losses"][:3]:
        loss, gradients, _ = net.gradients(small.sample(0)[None], [0], loss=LOSS, dtype="float64", engine="reference")
        assert loss == pytest.approx(expected)
        for name in net.parameters:
            net.parameters[name] = net.parameters[name] - 0.1 * gradients[name]
    for name in net.parameters:
        np.testing.assert_allclose(small.net.parameters[name], net.parameters[name], rtol=1e-9, atol=1e-12)
    assert ask(small, ask="overview")["trained"] == 3
    assert ask(small, ask="undo_training")["ok"]
    assert ask(small, ask="overview")["trained"] == 0
    for name in parameters:
        assert np.array_equal(small.net.parameters[name], parameters[name])


def test_training_in_two_parts_is_training_at_once() -> None:
    x = np.random.default_rng(1).normal(size=(6, 1, 8, 8))
    made = [Exploration(branching(), x, [0, 1, 2, 1, 0, 2], loss=LOSS) for _ in range(2)]
    whole = ask(made[0], ask="train", steps=5, learning_rate=0.1, batch=4)["losses"]
    first = ask(made[1], ask="train", steps=2, learning_rate=0.1, batch=4)["losses"]
    second = ask(made[1], ask="train", steps=3, learning_rate=0.1, batch=4)["losses"]
    assert first[-1] == pytest.approx(second[0])
    assert [*first[:-1], *second] == pytest.approx(whole)


def test_training_that_runs_away_leaves_the_weights(small: Exploration) -> None:
    before = {name: value.copy() for name, value in small.net.parameters.items()}
    deep = Exploration(
        cr.Sequential(*(cr.Linear(2, 2) for _ in range(6)), input_shape=(2,)),
        [[3.0, 4.0]],
        [[1.0, 2.0]],
        loss=cr.HalfSquaredErrorLoss(),
    )
    kept = {name: value.copy() for name, value in deep.net.parameters.items()}
    found = ask(deep, ask="train", steps=50, learning_rate=100.0)
    assert found["error"]["kind"] == "diverged"
    assert all(np.array_equal(deep.net.parameters[name], kept[name]) for name in kept)
    assert ask(deep, ask="overview")["ok"]
    assert ask(small, ask="train", steps=0, learning_rate=0.1)["error"]["kind"] == "malformed"
    assert ask(small, ask="train", steps=1, learning_rate=-0.1)["error"]["kind"] == "malformed"
    assert all(np.array_equal(small.net.parameters[name], before[name]) for name in before)


def test_a_blank_drawing_and_one_for_a_network_without_pictures_are_refused(small: Exploration) -> None:
    assert ask(small, ask="draw", pixels=travels(np.zeros((8, 8))), target=0)["error"]["kind"] == "blank"
    assert ask(small, ask="draw", pixels=travels(np.eye(8)), target=9)["error"]["kind"] == "malformed"
    assert ask(small, ask="draw", pixels=travels(2 * np.eye(8)), target=1)["error"]["kind"] == "malformed"
    flat = Exploration(two_two_two(), [[0.05, 0.1]], [[0.01, 0.99]])
    assert ask(flat, ask="draw", pixels=travels(np.eye(8)), target=0)["error"]["kind"] == "no_picture"


def test_every_mistake_of_every_node_is_shown_beside_what_is_right(small: Exploration) -> None:
    trace = small.view_of(1).traced.trace
    for node in ["input", *(step.name for step in small.net.steps), "loss"]:
        entries = ask(small, ask="mistakes", node=node, sample=1, lang="zh")["mistakes"]
        assert len(entries) >= 4
        for entry in entries[::5]:
            found = ask(small, ask="mistake", node=node, key=entry["key"], sample=1, lang="zh")
            right, wrong = numbers(found["right"]), numbers(found["wrong"])
            own = trace[entry["of"]].gradient
            own = own if entry["of"] in small.net.parameters else own[0]
            assert entry["share"] == (entry["of"] == "input" and node in ("conv1", "add1"))
            if not entry["share"]:
                np.testing.assert_allclose(right.ravel(), own.ravel(), rtol=1e-12, atol=1e-15)
            np.testing.assert_array_equal(numbers(found["difference"]), wrong - right)
            assert found["scale"]["most"] >= max(right.max(), wrong.max(), (wrong - right).max())
            assert entry["sentence"] in " ".join(found["diagnosis"])
    assert ask(small, ask="mistakes", node="nobody")["error"]["kind"] == "no_mistakes"
    assert ask(small, ask="mistake", node="conv1", key="dx.nothing")["error"]["kind"] == "mistake"


def test_maps_of_a_mistake_come_in_pages(small: Exploration) -> None:
    question = {"ask": "mistake", "node": "linear1", "key": "dweight.sign_flipped"}
    whole, part = ask(small, **question), ask(small, **question, first=1, count=1)
    assert (whole["size"], part["count"], part["size"]) == (3, 1, 3)
    np.testing.assert_array_equal(numbers(part["wrong"]), numbers(whole["wrong"])[1:2])
