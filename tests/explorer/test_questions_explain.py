"""What an exploration tells is what `explain` tells: the same numbers, and the same words, formulas and tables."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.terms import MAP_SIZE
from chainrule.explorer import Exploration
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from tests.explorer.cases import CASES, Case
from tests.explorer.helpers import explore, some_places, told
from tests.layers.rows import IDS, ROWS, Row

TERMS, MANY = 6, 30


@cache
def case_of(name: str) -> tuple[Case, Exploration]:
    case = CASES[name]()
    return case, explore(case)


def explained(case: Case, place: dict[str, Any], sample: int, **options: Any) -> cr.Derivation:
    """The same number by `explain`."""
    x, targets, own = case.x, case.targets, place["index"]
    if not case.together:
        x, targets = x[sample : sample + 1], targets[sample : sample + 1]
    node = place["quantity"] != "parameter"
    index = own[1:] if node else own
    return cr.explain(
        case.net, x, targets, case.loss, f"{place['name']}[{','.join(map(str, index))}]",
        sample=(sample if case.together else 0) if node else None,
        quantity="value" if place["quantity"] == "value" else "gradient", training=case.training, **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_step_has_explains_numbers_to_the_last_bit_and_its_words_formulas_and_tables(name: str) -> None:
    case, exploration = case_of(name)
    sample = len(case.x) - 1
    for place in compared(case):
        derivation = explained(case, place, sample, depth=1, terms=TERMS)
        last = next(step for step in derivation.steps if step.place == derivation.place)
        values = [term.value for part in last.parts for term in part.terms]
        for lang in ("en", "zh"):
            question = {"place": place, "sample": sample, "lang": lang, "terms": TERMS, "map": MAP_SIZE}
            step = told(exploration, "step", **question)["step"]
            assert (step["place"], step["result"]) == (place, derivation.value)
            assert step["engine_value"] == derivation.engine_value
            terms = [t for thought in step["thoughts"] if thought["part"] is not None for t in thought["terms"]]
            assert [term["value"] for term in terms] == values
            page = plain(derivation.html(lang=lang, page=False))
            for thought in step["thoughts"][:-1]:
                for piece in re.split(r"(?<=</p>)|(?<=</table>)|(?<=</h3>)", plain(thought["html"])):
                    assert piece in page, (place, thought["kind"])


def compared(case: Case) -> list[dict[str, Any]]:
    """The numbers that are compared: of large networks, every other node backward and forward."""
    places = list(some_places(case, len(case.x) - 1, 1))
    return places if len(places) < MANY else places[::3]


def plain(page: str) -> str:
    """HTML without the references to steps, which only a chain has, and without what stands in for drawings."""
    page = re.sub(r'<div class="drawn">(.*?</table>)</div>', r"\1", page)
    return re.sub(r'<td class="source">.*?</td>', "", page)


def test_these_were_at_least_five_hundred_numbers_of_every_layer_and_loss() -> None:
    cases = [case_of(name)[0] for name in CASES]
    assert len(cases) >= 12
    explorations = [case_of(name)[1] for name in CASES]
    counted = 0
    for case, exploration in zip(cases, explorations, strict=True):
        for place in compared(case):
            step = told(exploration, "step", place=place, terms=TERMS)["step"]
            counted += 1 + sum(len(thought["terms"]) for thought in step["thoughts"] if thought["part"] is not None)
    assert counted >= 500
    assert {type(layer) for case in cases for layer in case.net.layers.values()} >= set(LAYERS.values())
    assert {type(case.loss) for case in cases} == set(LOSSES.values())


@pytest.mark.parametrize("name", CASES)
def test_terms_tables_and_links_hold_the_numbers_of_the_trace(name: str) -> None:
    case, exploration = case_of(name)
    trace = exploration.view_of(0).traced.trace

    def number(place: dict[str, Any]) -> float:
        traced = trace[place["name"]]
        return float((traced.gradient if place["quantity"] == "gradient" else traced.value)[tuple(place["index"])])

    for place in some_places(case, 0, 1, seed=1):
        step = told(exploration, "step", place=place, terms=64)["step"]
        for link in step["links"]:
            assert len(link["indices"]) == len(link["values"]) <= link["count"]
            for index, value in zip(link["indices"], link["values"], strict=True):
                assert number({"quantity": link["quantity"], "name": link["name"], "index": index}) == value
        linked = {(k["quantity"], k["name"], tuple(i)) for k in step["links"] for i in k["indices"]}
        for thought in step["thoughts"]:
            for term in thought["terms"]:
                for factor in term["places"]:
                    assert (factor["quantity"], factor["name"], tuple(factor["index"])) in linked
        sums = [t for t in step["thoughts"] if t["kind"] in ("sum", "numbers") and t["terms"] and t["part"] is not None]
        if place["quantity"] == "value" and sums:
            shown = sum(term["value"] for t in sums for term in t["terms"])
            rest = sum(t["rest"]["total"] for t in sums if t["rest"])
            assert shown + rest == pytest.approx(step["result"], rel=1e-9, abs=1e-12)


def test_a_larger_sum_and_a_larger_map_are_shown_when_asked() -> None:
    _, exploration = case_of("lenet5")
    place = {"quantity": "parameter", "name": "conv1.weight", "index": [0, 0, 2, 2]}
    few = told(exploration, "step", place=place, terms=3, map=4)["step"]
    many = told(exploration, "step", place=place, terms=64, map=28)["step"]
    for step, terms, rows in ((few, 3, 4), (many, 64, 28)):
        (thought,) = [t for t in step["thoughts"] if t["kind"] == "sum"]
        assert len(thought["terms"]) == terms
        assert thought["rest"]["count"] == 784 - terms
        assert {len(t["table"]["cells"]) for t in step["thoughts"] if t["table"]} == {rows}
    assert few["result"] == many["result"]


def test_a_branch_has_a_share_for_each_way_and_says_so() -> None:
    _, exploration = case_of("branches")
    place = {"quantity": "gradient", "name": "input", "index": [0, 0, 3, 3]}
    step = told(exploration, "step", place=place)["step"]
    kinds = [thought["kind"] for thought in step["thoughts"]]
    assert kinds.count("branch") == 2
    (together,) = [t for t in step["thoughts"] if t["kind"] == "sum" and t["part"] is None]
    assert sum(term["value"] for term in together["terms"]) == pytest.approx(step["result"], rel=1e-12)
    assert {link["name"] for link in step["links"] if link["role"] == "upstream"} == {"conv1", "conv2"}


def test_a_pixel_is_given_and_the_loss_is_a_sum() -> None:
    case, exploration = case_of("lenet5")
    pixel = told(exploration, "step", place={"quantity": "value", "name": "input", "index": [2, 0, 4, 5]})["step"]
    assert (pixel["kind"], pixel["result"]) == ("given", case.x[2, 0, 4, 5])
    overview = told(exploration, "overview", sample=2)
    loss = told(exploration, "step", place=overview["loss"]["place"])["step"]
    assert (loss["kind"], loss["result"]) == ("loss", overview["loss"]["value"])
    assert [link["role"] for link in loss["links"]] == ["output"]


def test_a_maximum_shows_its_winner() -> None:
    case, exploration = case_of("pools")
    name = next(n for n in case.net.names if n.startswith("maxpool"))
    source = case.net.names[case.net.index_of(name) - 1]
    view = exploration.view_of(0)
    index = np.unravel_index(
        int(np.abs(view.traced.trace[source].gradient[0]).argmax()), case.net.shapes[case.net.index_of(source)]
    )
    step = told(
        exploration, "step", place={"quantity": "gradient", "name": source, "index": [0, *(int(i) for i in index)]}
    )["step"]
    assert "winner" in [thought["kind"] for thought in step["thoughts"]]


def alone(row: Row) -> Case:
    """A network of nothing but this row's layer."""
    values, xs, dy = row.arrays()
    net = cr.Sequential(row.layer, input_shape=row.shapes[0])
    net.parameters = {f"{net.steps[0].layer_name}.{k}": v for k, v in row.parameters(values).items()}
    return Case(net, xs[0], np.zeros(dy.shape), cr.HalfSquaredErrorLoss(), row.training, together=row.training)


SINGLE = [(row, name) for row, name in zip(ROWS, IDS, strict=True) if len(row.shapes) == 1 and row.batch > 0]


@pytest.mark.parametrize("row", [row for row, _ in SINGLE], ids=[name for _, name in SINGLE])
def test_every_option_of_every_layer_has_steps_for_value_gradient_and_parameter(row: Row) -> None:
    case = alone(row)
    exploration = explore(case)
    told(exploration, "overview")
    for place in some_places(case, 0, 1):
        step = told(exploration, "step", place=place)["step"]
        assert step["result"] == pytest.approx(step["engine_value"], rel=1e-9, abs=1e-11)
        assert step["thoughts"][-1]["kind"] == "result"


def test_a_step_says_what_the_layers_do_whose_rules_it_tells() -> None:
    case, exploration = case_of("branches")
    about = {node["name"]: node["about"] for node in told(exploration, "overview")["nodes"]}
    pixel = {"name": "input", "index": [0, 0, 3, 3]}
    told_of = {
        "value": told(exploration, "step", place={**pixel, "quantity": "value"})["step"]["about"],
        "gradient": told(exploration, "step", place={**pixel, "quantity": "gradient"})["step"]["about"],
    }
    assert told_of == {"value": [about["input"]], "gradient": [about["conv1"]]}  # both ways lead through a convolution
    conv2 = {"quantity": "gradient", "name": "conv2", "index": [0, 0, 3, 3]}
    assert told(exploration, "step", place=conv2)["step"]["about"] == [about["add1"], about["leakyrelu1"]]
    last = case.net.names[-1]
    output = {"quantity": "gradient", "name": last, "index": [0, 0]}
    assert told(exploration, "step", place=output)["step"]["about"] == []
