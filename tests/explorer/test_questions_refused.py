"""What cannot be answered gets a sentence in English and Chinese, whatever is asked; nothing is ever raised."""

from __future__ import annotations

import json
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explorer import Exploration
from chainrule.explorer.questions import QUESTIONS
from chainrule.explorer.questions.refusals import REFUSALS
from tests.explorer.cases import CASES
from tests.explorer.helpers import ask, explore, packed, refused, told
from tests.helpers import Array

IMAGES = explore(CASES["lenet5"]())
NUMBERS = explore(CASES["2-2-2"]())
PIXEL = {"quantity": "value", "name": "input", "index": [0, 0, 3, 3]}
HUGE = [0] * 100_000


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("unknown", {"ask": "delete"}),
        ("unknown", {"ask": "__class__"}),
        ("unknown", {"ask": "\x1b]0;title\x07\u202e"}),
        ("malformed", {"ask": "x" * 500}),
        ("malformed", {"ask": ["overview"]}),
        ("malformed", {"ask": "overview", "lang": "fr"}),
        ("sample", {"ask": "overview", "sample": 3}),
        ("sample", {"ask": "overview", "sample": -1}),
        ("sample", {"ask": "overview", "sample": True}),
        ("sample", {"ask": "sample", "index": 10**40}),
        ("sample", {"ask": "sample", "index": 10**5000}),
        ("sample", {"ask": "sample", "index": ["\x1b[31m"]}),
        ("sample", {"ask": "sample"}),
        ("malformed", {"ask": "train", "steps": 10**5000, "learning_rate": 0.1}),
        ("malformed", {"ask": "train", "steps": 1, "learning_rate": 10**5000}),
        ("name", {"ask": "array", "name": "conv9", "quantity": "value"}),
        ("malformed", {"ask": "array", "name": "conv1", "quantity": "loss"}),
        ("quantity", {"ask": "array", "name": "conv1", "quantity": "parameter"}),
        ("malformed", {"ask": "array", "name": "conv1", "quantity": "value", "first": 6}),
        ("range", {"ask": "array", "name": "conv1", "quantity": "value", "first": 5, "count": 2}),
        ("malformed", {"ask": "array", "name": "conv1", "quantity": "value", "rows": [4, 4]}),
        ("malformed", {"ask": "array", "name": "conv1", "quantity": "value", "columns": [0, 29]}),
        ("malformed", {"ask": "step"}),
        ("malformed", {"ask": "step", "place": "conv1[0]"}),
        ("malformed", {"ask": "step", "place": {**PIXEL, "index": HUGE}}),
        ("malformed", {"ask": "step", "place": {**PIXEL, "index": [0, 0, 1.5, 0]}}),
        ("malformed", {"ask": "step", "place": {**PIXEL, "index": [0, 0, -1, 0]}}),
        ("malformed", {"ask": "step", "place": {**PIXEL, "name": {"a": 1}}}),
        ("malformed", {"ask": "step", "place": {**PIXEL, "quantity": "local"}}),
        ("index", {"ask": "step", "place": {**PIXEL, "index": [0, 0, 28, 0]}}),
        ("index", {"ask": "step", "place": {**PIXEL, "index": [0, 0, 3]}}),
        ("sample", {"ask": "step", "place": {**PIXEL, "index": [7, 0, 3, 3]}}),
        ("sample", {"ask": "step", "place": {**PIXEL, "index": []}}),
        ("quantity", {"ask": "step", "place": {"quantity": "value", "name": "conv1.weight", "index": [0, 0, 0, 0]}}),
        ("quantity", {"ask": "step", "place": {"quantity": "parameter", "name": "conv1", "index": [0, 0, 0, 0]}}),
        ("malformed", {"ask": "step", "place": PIXEL, "terms": 65}),
        ("malformed", {"ask": "step", "place": PIXEL, "map": 1000}),
        ("of", {"ask": "tour", "of": "conv1.weight[9,9,9,9]"}),
        ("of", {"ask": "text", "of": "conv9"}),
        ("malformed", {"ask": "tour", "of": 5}),
        ("malformed", {"ask": "tour", "of": PIXEL}),
        ("no_nudge", {"ask": "nudge", "place": {"quantity": "value", "name": "loss", "index": [0]}}),
        ("malformed", {"ask": "nudge", "place": PIXEL, "by": float("nan")}),
        ("malformed", {"ask": "nudge", "place": PIXEL, "by": "0.1"}),
        ("malformed", {"ask": "set", "changes": []}),
        ("malformed", {"ask": "set", "changes": [{"place": PIXEL, "value": 1.0}] * 20000}),
        ("malformed", {"ask": "set", "changes": [{"place": PIXEL, "value": float("inf")}]}),
        ("malformed", {"ask": "set", "changes": [{"place": PIXEL, "value": 10**400}]}),
        ("malformed", {"ask": "set", "changes": ["conv1"]}),
        ("given", {"ask": "set", "changes": [{"place": {**PIXEL, "quantity": "gradient"}, "value": 1.0}]}),
        ("malformed", {"ask": "draw", "pixels": {"shape": [2, 2], "data": "////"}, "target": 1}),
        ("malformed", {"ask": "draw", "pixels": packed(np.full((9, 9), 2.0)), "target": 1}),
        ("malformed", {"ask": "draw", "pixels": packed(np.full((9, 9), np.nan)), "target": 1}),
        ("malformed", {"ask": "draw", "pixels": packed(np.eye(9)), "target": 10}),
        ("malformed", {"ask": "draw", "pixels": packed(np.eye(9)), "target": "one"}),
        ("malformed", {"ask": "draw", "pixels": packed(np.eye(9)), "target": 1, "raw": True}),
        ("malformed", {"ask": "draw", "pixels": packed(np.eye(28)), "target": 1, "raw": "yes"}),
        ("malformed", {"ask": "draw", "pixels": {"shape": [10**9, 10**9], "data": ""}, "target": 1}),
        ("blank", {"ask": "draw", "pixels": packed(np.ones((50, 50))), "target": 1}),
        ("malformed", {"ask": "train", "steps": 10**9, "learning_rate": 0.1}),
        ("malformed", {"ask": "train", "steps": 5, "learning_rate": float("inf")}),
        ("malformed", {"ask": "train", "steps": 5, "learning_rate": -1}),
        ("malformed", {"ask": "train", "steps": 5, "learning_rate": 0.1, "batch": 0}),
        ("example", {"ask": "example", "name": "../../etc/passwd"}),
        ("no_mistakes", {"ask": "mistakes", "node": "conv9"}),
        ("mistake", {"ask": "mistake", "node": "conv1", "key": "dx.nothing"}),
    ],
    ids=lambda value: value if isinstance(value, str) else ascii(value["ask"])[:20],
)  # fmt: skip
def test_each_wrong_question_has_its_sentence_and_changes_nothing(kind: str, question: dict[str, Any]) -> None:
    state = IMAGES.state
    found = IMAGES.answer(question)
    assert (found["ok"], found["state"]) == (False, state)
    assert found["error"]["kind"] == kind, found
    assert set(found["error"]["text"]) == {"en", "zh"}
    json.dumps(found, allow_nan=False)
    assert all(sentence.isprintable() for sentence in found["error"]["text"].values())


@pytest.mark.parametrize("question", [None, 5, "overview", [], {}, {"ask": None}, {"question": "overview"}])
def test_what_is_no_question_at_all_is_answered_too(question: object) -> None:
    found = IMAGES.answer(question)
    assert found["error"]["kind"] == "malformed"


def test_a_network_of_more_than_a_million_parameters_is_refused_but_examples_can_be_chosen() -> None:
    net = cr.Sequential(cr.Linear(1000, 1001))
    exploration = Exploration(net, np.zeros((1, 1000)), np.zeros((1, 1001)), loss=cr.MSELoss())
    place = {"quantity": "parameter", "name": "linear1.bias", "index": [0]}
    for question, rest in [("overview", {}), ("step", {"place": place}), ("train", {"steps": 1, "learning_rate": 0.1})]:
        found = ask(exploration, question, **rest)
        assert found["error"]["kind"] == "large_network"
        assert "1,002,001" in found["error"]["text"]["en"]
    told(exploration, "example", name="2-2-2")
    told(exploration, "overview")


def test_a_network_of_exactly_a_million_parameters_is_shown() -> None:
    net = cr.Sequential(cr.Linear(999, 1000))
    exploration = Exploration(net, np.ones((1, 999)), np.zeros((1, 1000)), loss=cr.MSELoss())
    told(exploration, "overview")


def test_maps_that_no_page_can_hold_are_refused() -> None:
    net = cr.Sequential(cr.Conv2d(1, 64, 1), input_shape=(1, 300, 300))
    exploration = Exploration(net, np.zeros((1, 1, 300, 300)), np.zeros((1, 64, 300, 300)), loss=cr.MSELoss())
    assert refused(exploration, "overview") == "large_maps"


def test_a_page_of_numbers_is_limited_and_large_maps_are_cut() -> None:
    net = cr.Sequential(cr.Conv2d(1, 3, 1), input_shape=(1, 300, 300))
    exploration = Exploration(net, np.zeros((1, 1, 300, 300)), np.zeros((1, 3, 300, 300)), loss=cr.MSELoss())
    assert refused(exploration, "array", name="conv1", quantity="value") == "page"
    cut = told(exploration, "array", name="conv1", quantity="value", rows=[10, 110], columns=[0, 200])
    assert cut["array"]["shape"] == [3, 100, 200]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_computes_nan_says_which_tensor(bad: float) -> None:
    case = CASES["2-2-2"]()
    case.net.parameters["linear2.weight"][0, 1] = bad
    exploration = explore(case)
    found = ask(exploration, "overview")
    assert found["error"]["kind"] == "non_finite"
    assert f"linear2.weight holds {bad} at index [0, 1]." in found["error"]["text"]["en"]
    assert f"：linear2.weight 在 [0, 1] 处是 {bad}。" in found["error"]["text"]["zh"]
    told(exploration, "example", name="2-2-2")
    told(exploration, "overview")


def test_a_vector_network_takes_no_drawing() -> None:
    assert refused(NUMBERS, "draw", pixels=packed(np.eye(9)), target=1) == "no_picture"


def test_a_network_with_nothing_to_train_says_so() -> None:
    case = CASES["2-2-2"]()
    case.net.freeze("*")
    assert refused(explore(case), "train", steps=1, learning_rate=0.1) == "no_training"


class Raising(cr.Identity):
    """A layer of the user's own whose backward pass fails."""

    def backward_input(self, parameters: Any, dy: Array, saved: Any) -> Array:
        raise RuntimeError("out of {paper}")


def test_a_layer_that_raises_becomes_a_sentence() -> None:
    net = cr.Sequential(cr.Linear(2, 2), Raising())
    exploration = Exploration(net, np.ones((1, 2)), np.ones((1, 2)), loss=cr.MSELoss())
    found = exploration.answer({"ask": "overview"})
    assert found["error"]["kind"] == "internal"
    assert "RuntimeError: out of {paper}" in found["error"]["text"]["en"]


def test_both_languages_of_every_refusal_have_the_same_placeholders() -> None:
    for english, chinese in REFUSALS.values():
        names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert {n.removesuffix("_zh") for n in names[0]} == {n.removesuffix("_zh") for n in names[1]}


def test_samples_that_do_not_fit_are_refused_when_the_exploration_begins() -> None:
    net = CASES["2-2-2"]().net
    with pytest.raises(cr.errors.ShapeError):
        Exploration(net, np.zeros((1, 3)), np.zeros((1, 2)))
    with pytest.raises(cr.ChainruleError):
        Exploration(net, np.zeros((1, 2)), np.zeros((2, 2)))
    with pytest.raises(cr.errors.ArgumentError, match="at most 64 samples"):
        Exploration(net, np.zeros((65, 2)), np.zeros((65, 2)), together=True)


# --- anything at all -------------------------------------------------------------------------------------------------

NAMES = ["input", "linear1", "sigmoid2", "linear1.weight", "linear2.bias", "loss", "conv1", "", "0", "__init__"]
WORDS = [*QUESTIONS, *NAMES, "value", "gradient", "parameter", "en", "zh", "mazur", "2-2-2"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)
indices = st.lists(st.integers(-1, 3), max_size=4) | anything
places = st.fixed_dictionaries(
    {"quantity": st.sampled_from(["value", "gradient", "parameter"]) | anything,
     "name": st.sampled_from(NAMES) | anything, "index": indices}
) | anything  # fmt: skip
arrays = st.fixed_dictionaries({"shape": indices, "data": st.text("AQ/+=", max_size=40) | anything}) | anything
questions = st.fixed_dictionaries(
    {"ask": st.sampled_from(list(QUESTIONS))},
    optional={
        "place": places, "name": st.sampled_from(WORDS) | anything, "quantity": st.sampled_from(WORDS) | anything,
        "lang": st.sampled_from(["en", "zh"]) | anything, "sample": st.integers(-1, 2) | anything,
        "index": st.integers(-1, 2) | anything, "first": anything, "count": anything, "rows": anything,
        "columns": anything, "terms": anything, "map": anything, "of": places, "by": anything,
        "changes": st.lists(st.fixed_dictionaries({"place": places, "value": anything}), max_size=3) | anything,
        "pixels": arrays, "target": anything, "raw": anything, "steps": st.integers(0, 3) | anything,
        "learning_rate": st.floats() | anything, "batch": anything, "node": st.sampled_from(NAMES) | anything,
        "key": anything,
    },
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(questions | anything, min_size=1, max_size=4))
def test_any_question_at_all_has_an_answer_that_json_can_hold(asked: list[Any]) -> None:
    exploration = explore(CASES["2-2-2"]())
    for question in asked:
        found = exploration.answer(question)
        json.dumps(found, allow_nan=False)
        assert isinstance(found["ok"], bool)
        if not found["ok"]:
            assert found["error"]["kind"] in REFUSALS
            assert found["error"]["kind"] != "internal", (question, found)
