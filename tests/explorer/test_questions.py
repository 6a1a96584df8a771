"""The exploration's answers, without any host: they hold explain's numbers, and JSON can hold them."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import Trace
from chainrule.explorer import Exploration
from chainrule.zoo import lenet5, two_two_two

X = np.random.default_rng(0).normal(size=(3, 1, 28, 28))
LABELS = np.array([3, 1, 4])


@pytest.fixture(scope="module")
def digits() -> Exploration:
    return Exploration(lenet5(), X, LABELS, loss=cr.CrossEntropyLoss())


def ask(exploration: Exploration, **question: Any) -> Any:
    """An answer that went through JSON."""
    return json.loads(json.dumps(exploration.answer(question), allow_nan=False))


def numbers(array: Any) -> np.ndarray:
    """An array that travelled."""
    return np.frombuffer(base64.b64decode(array["data"]), "<f8").reshape(array["shape"])


def traced(sample: int) -> Trace:
    """The trace of one sample, as anybody would compute it."""
    x, label = X[sample : sample + 1], LABELS[sample : sample + 1]
    options: Any = {"dtype": "float64", "engine": "reference", "training": False}
    return lenet5().trace(x, label, loss=cr.CrossEntropyLoss(), **options)


def test_the_overview_names_every_node_in_order_with_the_range_of_its_numbers(digits: Exploration) -> None:
    found = ask(digits, ask="overview", sample=2)
    assert found["ok"]
    net = lenet5()
    trace = net.trace(
        X[2:], LABELS[2:], loss=cr.CrossEntropyLoss(), dtype="float64", engine="reference", training=False
    )
    assert [node["name"] for node in found["nodes"]] == list(net.names)
    for node in found["nodes"]:
        assert node["value"] == {"least": trace[node["name"]].value.min(), "most": trace[node["name"]].value.max()}
        assert node["gradient"]["most"] == trace[node["name"]].gradient.max()
    assert found["loss"]["value"] == trace.loss
    assert found["target"] == "4"
    assert sum(c["value"] for c in found["classes"]) == pytest.approx(1)
    assert [c["name"] for c in found["classes"] if c["right"]] == ["4"]
    assert [node["column"] for node in found["nodes"]] == list(range(len(net.names)))
    assert {node["row"] for node in found["nodes"]} == {0}


def test_arrays_are_those_of_the_trace(digits: Exploration) -> None:
    net = lenet5()
    trace = net.trace(
        X[1:2], LABELS[1:2], loss=cr.CrossEntropyLoss(), dtype="float64", engine="reference", training=False
    )
    found = ask(digits, ask="array", name="conv1", quantity="gradient", sample=1, first=2, count=3)
    assert np.array_equal(numbers(found["array"]), trace["conv1"].gradient[0, 2:5])
    part = ask(
        digits, ask="array", name="conv1", quantity="value", sample=1, first=1, count=1, rows=[3, 9], columns=[0, 5]
    )
    assert np.array_equal(numbers(part["array"]), trace["conv1"].value[0, 1:2, 3:9, :5])
    weights = ask(digits, ask="array", name="conv2.weight", quantity="parameter", sample=1, first=4)
    assert np.array_equal(numbers(weights["array"]), net.parameters["conv2.weight"][4:])
    slopes = ask(digits, ask="array", name="linear1.weight", quantity="gradient", sample=1)
    assert np.array_equal(numbers(slopes["array"]), trace["linear1.weight"].gradient)


def test_the_tour_goes_through_every_node_and_back_to_a_weight_and_every_stop_is_a_step(digits: Exploration) -> None:
    tour = ask(digits, ask="tour", sample=1)
    forward = [stop for stop in tour["stops"] if stop["pass"] == "forward"]
    assert [stop["node"] for stop in forward] == [*lenet5().names[1:], "loss"]
    assert tour["stops"][-1]["place"]["quantity"] == "parameter"
    for stop in tour["stops"]:
        told = ask(digits, ask="step", place=stop["place"], sample=1)["step"]
        assert told["title"] == stop["title"]
        assert told["thoughts"][-1]["kind"] == "result"
        assert told["result"] == pytest.approx(told["engine_value"], rel=1e-9, abs=1e-15)


def test_the_user_s_network_stays_as_it_is() -> None:
    net = two_two_two()
    before = {name: value.copy() for name, value in net.parameters.items()}
    exploration = Exploration(net, [[0.05, 0.1]], [[0.01, 0.99]])
    exploration.net.parameters["linear1.weight"] = np.zeros((2, 2))
    assert all(np.array_equal(before[name], value) for name, value in net.parameters.items())
