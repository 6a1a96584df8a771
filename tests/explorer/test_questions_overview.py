"""The overview of networks that are no plain chain of layers to classes."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.explorer import Exploration
from chainrule.explorer.questions.about import ABOUT
from chainrule.explorer.questions.overview import layout
from chainrule.layers import LAYERS
from tests.explorer.cases import CASES
from tests.explorer.helpers import explore, told


def test_every_layer_of_the_package_has_a_sentence_in_both_languages() -> None:
    assert set(ABOUT) == set(LAYERS.values())
    for english, chinese in ABOUT.values():
        assert english.endswith(".")
        assert chinese.endswith("。")
    own = told(explore(CASES["own layer"]()), "overview", lang="zh")["nodes"][2]
    assert own["about"] == "您自己的层 Cubes。"


@pytest.mark.parametrize("name", CASES)
def test_no_node_lies_on_another_or_on_a_line_that_passes(name: str) -> None:
    net = CASES[name]().net
    columns, rows = layout(net)
    assert len(set(zip(columns, rows, strict=True))) == len(net.names)
    for step in net.steps:
        for source in step.inputs:
            assert columns[source] < columns[step.index]
            if rows[source] == rows[step.index]:  # a straight line, on which nothing may lie
                between = range(columns[source] + 1, columns[step.index])
                assert not {(c, rows[source]) for c in between} & set(zip(columns, rows, strict=True))
    if net.is_chain:
        assert set(rows) == {0}


def test_branches_stand_in_rows_of_their_own() -> None:
    nodes = {node["name"]: node for node in told(explore(CASES["branches"]()), "overview")["nodes"]}
    assert nodes["conv1"]["column"] == nodes["conv2"]["column"] == 1
    assert nodes["conv1"]["row"] != nodes["conv2"]["row"]
    assert nodes["add1"]["inputs"] == ["relu1", "conv2"]
    assert nodes["concat1"]["column"] == 1 + max(nodes[name]["column"] for name in ("add1", "leakyrelu1"))


def test_a_layer_that_is_used_twice_shows_its_parameters_at_both_places() -> None:
    nodes = told(explore(CASES["a layer twice"]()), "overview")["nodes"]
    assert nodes[1]["parameters"] == nodes[3]["parameters"] != []


def test_a_class_for_each_pixel_is_no_list_of_classes() -> None:
    net = cr.Sequential(cr.Conv2d(1, 3, 3, padding=1), input_shape=(1, 4, 4))
    targets = np.random.default_rng(0).integers(0, 3, (2, 4, 4))
    names = ("cat", "dog", "bird")
    exploration = Exploration(net, np.ones((2, 1, 4, 4)), targets, loss=cr.CrossEntropyLoss(), class_names=names)
    overview = told(exploration, "overview", sample=1)
    assert not overview["probable"]
    assert len(overview["classes"]) == 12
    assert overview["classes"][0]["name"] not in names
    place = {"quantity": "gradient", "name": "conv1", "index": [1, 2, 3, 3]}
    assert told(exploration, "step", place=place)["step"]["links"][0]["role"] == "output"


def test_a_node_that_is_called_loss_keeps_its_name_and_the_loss_gets_another() -> None:
    net = cr.Sequential(cr.Linear(2, 2, name="loss"), cr.Tanh())
    exploration = Exploration(net, np.ones((1, 2)), np.zeros((1, 2)), loss=cr.MSELoss())
    overview = told(exploration, "overview")
    assert overview["loss"]["place"]["name"] == "loss_"
    assert told(exploration, "step", place=overview["loss"]["place"])["step"]["kind"] == "loss"
    node = {"quantity": "value", "name": "loss", "index": [0, 1]}
    assert told(exploration, "step", place=node)["step"]["kind"] == "value"


def test_frozen_parameters_and_notes_are_told() -> None:
    case = CASES["normal"]()
    case.net.freeze("linear1.*")
    overview = told(explore(case), "overview", lang="zh")
    assert [p["trainable"] for node in overview["nodes"] for p in node["parameters"]][:1] == [False]
    assert any("3 个样本" in note for note in overview["notes"])
    images = told(explore(CASES["images"]()), "overview")
    assert any("255" in note for note in images["notes"])
