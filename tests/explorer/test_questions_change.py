"""Questions that change something: the answers afterwards are those of the changed network, and reset undoes it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data.preparation import assumed
from chainrule.diagnosis import diagnose_conv2d
from chainrule.explorer import Exploration
from chainrule.explorer.questions.examples import KINDS
from tests.explorer.cases import CASES, CLASSES, Case
from tests.explorer.helpers import ask, explore, packed, refused, told, unpacked


@pytest.fixture
def small() -> tuple[Case, Exploration]:
    case = CASES["images"]()
    return case, explore(case)


def pixel(sample: int, row: int, column: int) -> dict[str, Any]:
    return {"quantity": "value", "name": "input", "index": [sample, 0, row, column]}


WEIGHT = {"quantity": "parameter", "name": "conv1.weight", "index": [1, 0, 2, 0]}


def loss_of(exploration: Exploration, sample: int = 0) -> float:
    return float(told(exploration, "overview", sample=sample)["loss"]["value"])


@pytest.mark.parametrize(
    "place", [WEIGHT, pixel(0, 2, 3), {"quantity": "value", "name": "relu1", "index": [0, 1, 2, 2]}]
)
def test_a_nudge_shows_the_loss_that_the_changed_network_has_and_changes_nothing(
    small: tuple[Case, Exploration], place: dict[str, Any]
) -> None:
    _, exploration = small
    before, state = loss_of(exploration), exploration.state
    found = told(exploration, "nudge", place=place, by=0.02)
    assert (found["before"], found["step"]) == (before, 0.02)
    assert found["predicted"] == found["gradient"] * 0.02
    assert found["change"] == found["after"] - found["before"]
    own = {**place, "quantity": "parameter" if place is WEIGHT else "gradient"}
    assert found["gradient"] == told(exploration, "step", place=own)["step"]["engine_value"]
    assert exploration.state == state
    assert [point["by"] for point in found["points"]] == [found["span"] * k / 20 for k in range(-20, 21)]
    assert found["points"][20]["loss"] == pytest.approx(before, rel=1e-12)
    if place["name"] != "relu1":
        told(exploration, "set", changes=[{"place": place, "value": found["start"] + 0.02}])
        assert loss_of(exploration) == pytest.approx(found["after"], rel=1e-12)


def test_without_a_step_a_nudge_is_that_of_explain() -> None:
    case = CASES["branches"]()
    found = told(explore(case), "nudge", place={"quantity": "parameter", "name": "linear1.weight", "index": [2, 1]})
    expected = cr.explain(
        case.net, case.x[:1], case.targets[:1], case.loss, "linear1.weight[2,1]", training=False
    ).nudge
    assert expected is not None
    assert (found["start"], found["step"], found["after"]) == (expected.start, expected.step, expected.after)


def test_pixels_and_weights_are_set_together_and_reset_takes_all_back(small: tuple[Case, Exploration]) -> None:
    case, exploration = small
    before = loss_of(exploration)
    changes = [{"place": pixel(0, 1, 1), "value": 0.25}, {"place": pixel(0, 1, 2), "value": 0.75}]
    told(exploration, "set", changes=[*changes, {"place": WEIGHT, "value": -2}])
    x = case.x[:1] / 255
    x[0, 0, 1, 1], x[0, 0, 1, 2] = 0.25, 0.75
    net = CASES["images"]().net
    net.parameters["conv1.weight"][1, 0, 2, 0] = -2
    expected = net.trace(x, case.targets[:1], loss=case.loss, training=False, dtype="float64", engine="reference").loss
    assert loss_of(exploration) == expected
    assert loss_of(exploration, 1) != before  # other samples keep their pixels, not the weight
    state = exploration.state
    told(exploration, "reset")
    assert exploration.state > state
    assert loss_of(exploration) == before
    assert case.net.parameters["conv1.weight"][1, 0, 2, 0] != -2


def test_of_changes_one_of_which_is_wrong_none_is_made(small: tuple[Case, Exploration]) -> None:
    _, exploration = small
    before = loss_of(exploration)
    wrong = {"place": {**WEIGHT, "index": [9, 9, 9, 9]}, "value": 1}
    assert refused(exploration, "set", changes=[{"place": WEIGHT, "value": 5}, wrong]) == "index"
    assert loss_of(exploration) == before


def test_another_sample_is_looked_at_and_answers_can_still_name_any(small: tuple[Case, Exploration]) -> None:
    _, exploration = small
    losses = [loss_of(exploration, k) for k in range(3)]
    state = exploration.state
    assert told(exploration, "sample", index=2)["sample"] == 2
    assert exploration.state == state + 1
    assert told(exploration, "overview")["loss"]["value"] == losses[2]
    step = told(exploration, "step", place=WEIGHT, sample=1)["step"]
    assert step["result"] != told(exploration, "step", place=WEIGHT)["step"]["result"]
    assert told(exploration, "sample", index=2)["state"] == exploration.state == state + 1


def test_a_drawing_is_prepared_as_predict_prepares_a_picture() -> None:
    exploration = explore(CASES["lenet5"]())
    picture = np.zeros((120, 100))
    picture[20:100, 45:55] = 1
    found = told(exploration, "draw", pixels=packed(picture), target=1)
    assert found["sample"] == 3
    prepared = assumed((1, 28, 28)).sample(np.repeat(picture[:, :, None], 3, axis=2), (1, 28, 28))
    array = told(exploration, "array", name="input", quantity="value")["array"]
    assert np.array_equal(unpacked(array)[0], prepared[0] / 255)
    overview = told(exploration, "overview")
    assert (overview["samples"], overview["drawn"], overview["target"]) == (4, 1, "1")
    raw = told(exploration, "draw", pixels=packed(np.eye(28) - 0.5), target=7, raw=True)
    assert raw["sample"] == 4
    array = told(exploration, "array", name="input", quantity="value")["array"]
    assert np.array_equal(unpacked(array)[0], np.eye(28) - 0.5)


def test_of_many_drawings_the_oldest_gives_way_and_edits_stay_with_their_samples() -> None:
    exploration = explore(CASES["images"]())
    for k in range(8):
        told(exploration, "draw", pixels=packed(np.full((6, 6), k / 8)), target=k % 3, raw=True)
    told(exploration, "set", changes=[{"place": pixel(10, 0, 0), "value": 9}])
    assert told(exploration, "draw", pixels=packed(np.ones((6, 6))), target=0, raw=True)["sample"] == 10
    first = unpacked(told(exploration, "array", name="input", quantity="value", sample=3)["array"])
    assert first[0, 0, 0] == 1 / 8
    moved = unpacked(told(exploration, "array", name="input", quantity="value", sample=9)["array"])
    assert (moved[0, 0, 0], moved[0, 1, 1]) == (9, 7 / 8)
    assert told(exploration, "overview")["samples"] == 11


def test_training_lowers_the_loss_of_the_copy_alone_and_can_be_undone() -> None:
    case = CASES["images"]()
    exploration = explore(case)
    before = {name: value.copy() for name, value in case.net.parameters.items()}
    start = loss_of(exploration)
    found = told(exploration, "train", steps=30, learning_rate=0.1)
    assert (len(found["losses"]), found["steps"], found["learned_from"]) == (31, 30, 3)
    assert found["losses"][-1] < found["losses"][0]
    assert loss_of(exploration) != start
    assert all(np.array_equal(before[name], value) for name, value in case.net.parameters.items())
    told(exploration, "draw", pixels=packed(np.eye(6)), target=0, raw=True)
    told(exploration, "undo_training")
    assert loss_of(exploration) == start
    assert told(exploration, "overview")["samples"] == 4


def test_training_is_nets_own_fit_step_by_step() -> None:
    case = CASES["2-2-2"]()
    exploration = explore(case)
    losses = told(exploration, "train", steps=3, learning_rate=0.5)["losses"]
    history = case.net.fit(
        case.x, case.targets, loss=case.loss, optimizer=cr.SGD(0.5), epochs=3, batch_size=1, progress=False
    )  # fmt: skip
    assert losses[:3] == pytest.approx([row.loss for row in history.rows], rel=1e-12)
    assert losses[0] == pytest.approx(0.298371109, rel=1e-8)


def test_training_that_runs_away_leaves_the_weights_as_they_were() -> None:
    case = CASES["own layer"]()
    exploration = explore(case)
    start = loss_of(exploration)
    assert refused(exploration, "train", steps=200, learning_rate=100.0) == "diverged"
    assert loss_of(exploration) == start


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind == "story"])
def test_every_story_can_be_explored_and_its_tour_ends_at_its_goal(name: str) -> None:
    exploration = explore(CASES["one number"]())
    listed = {entry["name"]: entry for entry in told(exploration, "examples", lang="zh")["examples"]}
    found = told(exploration, "example", name=name, lang="zh")
    assert found["title"] == listed[name]["title"] == told(exploration, "overview", lang="zh")["title"]
    assert found["title"] != told(exploration, "overview", lang="en")["title"]
    overview = told(exploration, "overview")
    tour = told(exploration, "tour")
    assert tour["of"] == overview["goals"][0]
    last = tour["stops"][-1]["place"]
    step = told(exploration, "step", place=last)["step"]
    index = last["index"] if last["quantity"] == "parameter" else last["index"][1:]
    assert tour["of"] == f"{last['name']}[{','.join(map(str, index))}]"
    assert step["title"] == tour["stops"][-1]["title"]
    text = told(exploration, "text")["html"]
    assert re.sub("</?math[^>]*>", "", step["symbol"]["mathml"]) in text


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind == "network"])
def test_every_network_of_the_examples_can_be_explored(name: str) -> None:
    exploration = explore(CASES["one number"]())
    told(exploration, "example", name=name)
    overview = told(exploration, "overview")
    if name != "2-2-2":
        assert overview["capabilities"]["draw"]
        assert not overview["classes"][0]["right"]  # the first sample is one that it gets wrong
        assert overview["class_names"] == list("0123456789")
        assert "trained for" in overview["title"]
    assert {stop["pass"] for stop in told(exploration, "tour")["stops"]} == {"forward", "backward"}
    told(exploration, "train", steps=1, learning_rate=0.01)


def test_examples_are_never_changed_by_what_one_exploration_does() -> None:
    first, second = (explore(CASES["one number"]()) for _ in range(2))
    told(first, "example", name="mlp-digits")
    before = loss_of(first)
    told(first, "train", steps=5, learning_rate=0.1)
    assert loss_of(first) != before
    told(second, "example", name="mlp-digits")
    assert loss_of(second) == before


def test_a_planted_mistake_shows_what_it_does_and_diagnosis_names_it() -> None:
    case = CASES["vgg"]()
    exploration = explore(case)
    listed = {m["key"]: m for m in told(exploration, "mistakes", node="conv2")["mistakes"]}
    assert {entry["tensor"] for entry in listed.values()} == {"dx", "dweight", "dbias"}
    found = told(exploration, "mistake", node="conv2", key="dx.kernel_not_rotated")
    right, wrong = unpacked(found["right"]), unpacked(found["wrong"])
    assert np.array_equal(right, unpacked(told(exploration, "array", name="relu1", quantity="gradient")["array"]))
    assert np.array_equal(unpacked(found["difference"]), wrong - right)
    trace = exploration.view_of(0).traced.trace
    arguments = trace["relu1"].value, case.net.parameters["conv2.weight"], trace["conv2"].gradient
    judged = diagnose_conv2d(*arguments, dx=wrong[None], padding=1)
    assert judged.mistakes == {"dx": ("kernel_not_rotated",)}
    assert listed["dx.kernel_not_rotated"]["sentence"] in "\n".join(found["diagnosis"])
    chinese = told(exploration, "mistake", node="conv2", key="dx.kernel_not_rotated", lang="zh")
    assert chinese["sentence"] in "\n".join(chinese["diagnosis"])
    assert chinese["sentence"] != found["sentence"]


def test_a_branch_can_be_forgotten() -> None:
    exploration = explore(CASES["branches"]())
    keys = [entry["key"] for entry in told(exploration, "mistakes", node="input")["mistakes"]]
    assert "branch.dx.one_branch_only" in keys
    found = told(exploration, "mistake", node="input", key="branch.dx.one_branch_only")
    assert found["right"]["shape"] == [2, 6, 6]


@pytest.mark.parametrize("name", CASES)
def test_every_node_of_every_network_has_mistakes_that_can_be_shown(name: str) -> None:
    case = CASES[name]()
    exploration = explore(case)
    for node in case.net.names[-4:]:
        for entry in told(exploration, "mistakes", node=node)["mistakes"][:2]:
            found = told(exploration, "mistake", node=node, key=entry["key"])
            assert np.abs(unpacked(found["difference"])).max() > 0


def test_the_text_is_that_of_explain() -> None:
    case = CASES["branches"]()
    text = told(explore(case), "text", sample=1, of="conv1.bias[2]", lang="zh")
    derivation = cr.explain(
        case.net, case.x[1:2], case.targets[1:2], case.loss, "conv1.bias[2]", training=False, lang="zh"
    )
    assert text["html"] == derivation.html(page=False)


def test_the_targets_of_drawings_are_what_the_others_are() -> None:
    net = cr.Sequential(cr.Flatten(), cr.Linear(64, 3), input_shape=(1, 8, 8))
    exploration = Exploration(net, np.zeros((2, 1, 8, 8)), np.eye(3)[CLASSES[:2]], loss=cr.MSELoss())
    square = packed(np.eye(8))
    told(exploration, "draw", pixels=square, target=2, raw=True)
    assert told(exploration, "overview")["target"] == "0, 0, 1"
    told(exploration, "draw", pixels=square, target=[0.5, -1, 2], raw=True)
    assert told(exploration, "overview")["target"] == "0.5, −1, 2"
    assert ask(exploration, "draw", pixels=square, target=[0.5], raw=True)["error"]["kind"] == "malformed"
