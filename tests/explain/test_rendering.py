"""Every formula that is printed is accepted by a real parser; pages are well-formed; lines fit the terminal."""

from __future__ import annotations

import json
import random
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples import STORIES, Story, story
from tests.explain.formulas import check_mathml, katex_found, latex_of, mathml_of, refused_by_katex
from tests.explain.test_random_networks import random_place
from tests.layers.rows import ROWS
from tests.strategies import Problem, problems

needs_katex = pytest.mark.skipif(not katex_found(), reason="needs node and KaTeX: npm install --prefix tests/explain")


def layer_derivations() -> list[Derivation]:
    """A derivation through every kind of layer, of its input, its parameters and its value."""
    found = []
    for row in {type(row.layer).__name__ + str(row.training): row for row in ROWS}.values():
        nodes = [cr.Input(row.shapes[0])]
        inputs = [nodes[0]] * len(row.shapes) if row.layer.arity is None else nodes
        net = cr.Network(nodes[0], row.layer(*inputs), seed=1)
        x = np.random.default_rng(0).normal(size=(2, *row.shapes[0]))
        targets = np.zeros((2, *net.output_shape))
        for name in ("input", *net.parameters):
            shape = net.parameters[name].shape if name in net.parameters else row.shapes[0]
            of = f"{name}[{','.join('0' * len(shape))}]"
            found.append(cr.explain(net, x, targets, cr.MSELoss(), of=of, sample=0, training=row.training))
        of = f"{net.names[-1]}[{','.join('0' * len(net.output_shape))}]"
        options = {"sample": 0, "training": row.training, "quantity": "value"}
        found.append(cr.explain(net, x, targets, cr.MSELoss(), of=of, **options))  # type: ignore[arg-type]
    return found


@pytest.fixture(scope="module")
def everything() -> list[Derivation | Story]:
    return [*layer_derivations(), *(story(name) for name in STORIES)]


@needs_katex
def test_katex_accepts_every_formula_in_both_languages(everything: list[Derivation | Story]) -> None:
    formulas = {f for one in everything for lang in ("en", "zh") for f in latex_of(one.markdown(lang=lang))}  # type: ignore[arg-type]
    assert len(formulas) > 300
    assert refused_by_katex(formulas) == ""


@needs_katex
def test_katex_would_say_so_if_a_formula_were_wrong() -> None:
    assert "in \\frac{1" in refused_by_katex({(r"\frac{1", True)})
    assert refused_by_katex({("公式", True)})


def test_the_pages_are_well_formed_in_both_languages(everything: list[Derivation | Story]) -> None:
    for one in everything:
        for lang in ("en", "zh"):
            page = one.html(lang=lang)  # type: ignore[arg-type]
            assert "<script" not in page
            for formula in set(mathml_of(page)):
                check_mathml(formula)


def test_lines_fit_80_columns_in_both_languages(everything: list[Derivation | Story]) -> None:
    for one in everything:
        for lang in ("en", "zh"):
            for line in one.text(lang=lang).splitlines():  # type: ignore[arg-type]
                width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
                assert width <= 80, line


def test_the_data_is_json_and_holds_the_numbers(everything: list[Derivation | Story]) -> None:
    for one in everything:
        data = json.loads(json.dumps(one.to_dict(), allow_nan=False))
        if isinstance(one, Derivation):
            assert data["value"] == one.value
            assert [step["result"] for step in data["steps"]] == [step.result for step in one.steps]
            assert all(term["value"] is not None for s in data["steps"] for p in s["parts"] for term in p["terms"])


def test_notebooks_get_a_part_of_a_page() -> None:
    net = cr.Sequential(cr.Linear(1, 1))
    derivation = cr.explain(net, np.ones((1, 1)), np.ones((1, 1)), cr.MSELoss(), of="linear1.bias[0]", lang="zh")
    assert derivation._repr_html_().startswith('<div class="chainrule" lang="zh-Hans">')
    assert "$$" in derivation._repr_markdown_()
    assert "的梯度" in str(derivation)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.integers(0, 2**32))
def test_random_derivations_render_everywhere(p: Problem, seed: int) -> None:
    rng = random.Random(seed)
    derivation = cr.explain(p.net, p.x, p.targets, p.loss, of=random_place(p.net, rng), sample=0)
    for lang in ("en", "zh"):
        assert derivation.text(lang=lang)  # type: ignore[arg-type]
        assert latex_of(derivation.markdown(lang=lang))  # type: ignore[arg-type]
        for formula in mathml_of(derivation.html(lang=lang)):  # type: ignore[arg-type]
            check_mathml(formula)
    json.dumps(derivation.to_dict(), allow_nan=False)


def test_in_html_every_step_folds_and_the_answer_is_open() -> None:
    derivation = layer_derivations()[0]
    page = derivation.html()
    assert page.count("<details") == page.count("</details>") == len(derivation.steps)
    assert page.count('<details open="">') == 1
    last = page.rpartition('<details open="">')[2]
    assert "<details" not in last
    assert last.index("</details>") < last.index('class="good"')
    told = story("rotate").html()
    assert told.count('<details open="">') == len(story("rotate").derivations)
