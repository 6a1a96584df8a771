"""What is printed is true: equations hold for the digits shown, sums say what they hide, legends name the marks that
are there, nothing refers to what is not there, and no number is broken in two."""

from __future__ import annotations

import random
import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explain.blocks import Grid
from chainrule.explain.derivation import Derivation, Part
from chainrule.explain.examples import STORIES, story
from chainrule.explain.html import html
from chainrule.explain.markdown import markdown
from chainrule.explain.terminal import plain
from chainrule.explain.terms import Table
from tests.explain.reading import equations_in, numbers_in, sums_in
from tests.explain.test_random_networks import random_place
from tests.strategies import Problem, problems

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
WIDE = 2000
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def derived(p: Problem, seed: int, **options: Any) -> Derivation:
    """The derivation of some number of a random network."""
    rng = random.Random(seed)
    value = rng.random() < 0.25
    of = random_place(p.net, rng, list(p.net.names[1:]) if value else None)
    asked: dict[str, Any] = {"terms": rng.choice([1, 2, 6]), "breadth": rng.choice([1, 2]), **options}
    if of.partition("[")[0] in p.net.parameters and rng.random() < 0.5:
        asked["optimizer"] = rng.choice([cr.SGD(0.1), cr.SGD(0.1, momentum=0.9, nesterov=True), cr.AdamW(0.01)])
    return cr.explain(p.net, p.x, p.targets, p.loss, of=of, sample=rng.randrange(len(p.x)),
                      quantity="value" if value else "gradient", **asked)  # fmt: skip


def parts_of(derivation: Derivation) -> list[Part]:
    return [part for step in derivation.steps for part in step.parts]


def tables_of(derivation: Derivation) -> list[Table]:
    return [table for part in parts_of(derivation) for table in part.tables]


# --- equations -------------------------------------------------------------------------------------------------------


def assert_true(text: str, digits: int) -> int:
    """Every equation and every column of terms of a text that is not wrapped; returns how many there were."""
    near = 2 * 10.0 ** (1 - digits)
    count = 0
    for line, a, b in equations_in(text):
        assert abs(a - b) <= near * abs(b) + 1e-15, line
        count += 1
    for block, values, total in sums_in(text):
        size = sum(map(abs, values))
        assert abs(sum(values) - total) <= near * abs(total) + 1e-15 * size, block
        count += 1
    return count


def sure(margin: float) -> Derivation:
    """A classifier that is sure of its answer: softmax minus target is a difference of two numbers near 1."""
    net = cr.Sequential(cr.Linear(2, 2))
    net.parameters["linear1.weight"] = np.array([[margin, 0.0], [0.0, 0.0]])
    net.parameters["linear1.bias"] = [0.0, 0.0]
    return cr.explain(net, np.array([[1.0, 0.0]]), np.array([0]), cr.CrossEntropyLoss(), of="linear1.weight[0,0]")


@pytest.mark.parametrize("margin", [1.0, 8.0, 19.5, 30.0, 36.0])
def test_one_minus_one_is_never_something_else_than_0(margin: float) -> None:
    derivation = sure(margin)
    text = derivation.text(width=WIDE)
    assert derivation.value < 0
    assert "(1 − 1)" not in text
    assert_true(text, 6)


def test_the_columns_of_the_softmax_table_are_differences() -> None:
    (table,) = (table for table in tables_of(sure(19.5)) if "softmax" in table.title.key)
    for text in (plain([Grid(table)], "en", 6), markdown([Grid(table)], "en", 6).replace("|", " ")):
        rows = [re.findall(r"-?\d[\d.]*(?:e-?\d+)?", line.replace("−", "-")) for line in text.splitlines()]
        rows = [row for row in rows if len(row) == 5]
        assert len(rows) == 2
        for _, _, p, t, difference in rows:
            assert float(p) - float(t) == pytest.approx(float(difference), rel=0.02)


def test_terms_that_cancel_show_the_digits_that_remain() -> None:
    net = cr.Sequential(cr.Linear(2, 1))
    net.parameters["linear1.weight"] = np.array([[1.0, -1.0]])
    net.parameters["linear1.bias"] = [0.0]
    x = np.array([[1.23456789012, 1.23456788999]])
    derivation = cr.explain(net, x, np.zeros((1, 1)), cr.MSELoss(), of="linear1[0]", quantity="value")
    assert_true(derivation.text(width=WIDE), 6)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32), st.sampled_from([3, 6, 9]))
def test_every_printed_equation_holds_for_the_digits_shown(p: Problem, seed: int, digits: int) -> None:
    derivation = derived(p, seed, digits=digits)
    for lang in LANGUAGES:
        assert_true(derivation.text(lang=lang, width=WIDE), digits)


def test_the_equations_of_the_worked_examples_hold() -> None:
    assert sum(assert_true(story(name).text(width=WIDE), STORIES[name][1]) for name in STORIES) > 150


def test_the_calculator_finds_what_is_wrong() -> None:
    assert assert_true("numbers  y = 2 · 3 = 6", 6) == 1
    with pytest.raises(AssertionError):
        assert_true("numbers  y = 1/1 · (1 − 1) = −3.3·10⁻⁹", 6)
    with pytest.raises(AssertionError):
        assert_true("numbers  a = 1\n         b = 2\n         c = 4", 6)


def test_more_digits_than_a_number_has_are_refused() -> None:
    net = cr.Sequential(cr.Linear(1, 1))
    with pytest.raises(cr.errors.ArgumentError, match="digits must lie between 1 and 17"):
        cr.explain(net, np.ones((1, 1)), np.ones((1, 1)), cr.MSELoss(), of="linear1.bias[0]", digits=18)


def test_equal_is_said_only_of_equal_numbers() -> None:
    rng = np.random.default_rng(0)
    net = cr.parse("1x8x8 -> conv 3@3x3 -> tanh -> fc 4")
    x, targets = rng.normal(size=(1, 1, 8, 8)), np.array([1])
    seen = set()
    for place in range(9):
        of = f"conv1.weight[0,0,{place // 3},{place % 3}]"
        derivation = cr.explain(net, x, targets, cr.CrossEntropyLoss(), of=of)
        equal = derivation.value == derivation.engine_value
        assert derivation.text(width=WIDE).rstrip().endswith(": equal.") is equal
        assert derivation.text(lang="zh", width=WIDE).rstrip().endswith("：一致。") is equal
        seen.add(equal)
    assert seen == {True, False}


# --- sums ------------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32))
def test_a_sum_says_what_share_of_it_is_hidden(p: Problem, seed: int) -> None:
    derivation = derived(p, seed)
    hidden = [part for part in parts_of(derivation) if part.rest_count]
    long_ways = [step for step in derivation.steps if any(part.alternative for part in step.parts)]
    told_once = [part for step in long_ways[1:] for part in step.parts if part.alternative]
    for part in hidden:
        shown = [term.value for term in part.terms]
        assert all(shown) or len(shown) == 1, "a term of 0 is shown while others are hidden"
    for lang, words in (
        ("en", r"% of the sum|times the sum|all 0|is 0|the sum is 0"),
        ("zh", r"占总和|倍|均为 0|为 0"),
    ):
        for text in (derivation.text(lang=lang, width=WIDE), derivation.markdown(lang=lang)):  # type: ignore[arg-type]
            lines = [line for line in text.splitlines() if re.search(r"… \d|more term|……其余|其余 \d+ 项", line)]
            lines = [line for line in lines if "local" not in line and "局部" not in line]
            lines = [line for line in lines if "of the same form" not in line and "同样形式" not in line]  # formulas
            assert len(lines) >= sum(all(part is not other for other in told_once) for part in hidden)
            assert all(re.search(words, line.replace("\\", "")) for line in lines), lines


def test_the_share_that_is_hidden_is_the_true_one() -> None:
    net = cr.Sequential(cr.Linear(10, 1, bias=False))
    net.parameters["linear1.weight"] = np.array([[5.0, 1, 1, 1, 1, 1, 0, 0, 0, 0]])
    ask: Any = {"of": "linear1[0]", "quantity": "value"}
    x, targets, loss = np.ones((1, 10)), np.zeros((1, 1)), cr.MSELoss()
    text = cr.explain(net, x, targets, loss, terms=1, **ask).text(width=WIDE)
    assert "… 9 more terms (50 % of the sum)" in text
    assert "Most of this sum" not in text
    text = cr.explain(net, x, targets, loss, terms=6, **ask).text(width=WIDE)
    assert "… 4 more terms (all 0)" in text
    net.parameters["linear1.weight"] = np.array([[5.0, 4, 4, 1, 1, 1, 0, 0, 0, 0]])
    one = cr.explain(net, x, targets, loss, terms=1, **ask)
    assert "… 9 more terms (69 % of the sum)" in one.text(width=WIDE)
    assert "Most of this sum lies in terms that are not shown" in one.text(width=WIDE)
    assert "……其余 9 项（占总和的 69 %）" in one.text(lang="zh", width=WIDE)
    net.parameters["linear1.weight"] = np.array([[5.0, -4.5, 0, 0, 0, 0, 0, 0, 0, 0.0]])
    text = cr.explain(net, x, targets, loss, terms=1, **ask).text(width=WIDE)
    assert "… 9 more terms (−900 % of the sum)" in text


def test_more_terms_are_shown_where_few_more_are_nearly_all_of_a_sum() -> None:
    """Ten equal terms: six are 60 %, nine are 90 %."""
    net = cr.Sequential(cr.Linear(40, 1, bias=False))
    ask: Any = {"of": "linear1[0]", "quantity": "value"}
    x, targets, loss = np.ones((1, 40)), np.zeros((1, 1)), cr.MSELoss()

    def shown(weights: list[float], **options: Any) -> int:
        net.parameters["linear1.weight"] = np.array([weights + [0.0] * (40 - len(weights))])
        return len(cr.explain(net, x, targets, loss, **ask, **options).steps[-1].parts[0].terms)

    assert shown([1.0] * 10) == 9
    assert shown([1.0] * 10, terms=6) == 6
    assert shown([1.0] * 10, terms=3) == 3
    assert shown([1.0] * 40) == 6, "twelve would not be enough either"
    assert shown([100.0, 1, 1, 1, 1, 1, 1, 1]) == 6
    assert shown([5.0, -5, 4, -4, 3, -3, 2, 1, 0.1]) == 8


# --- legends ---------------------------------------------------------------------------------------------------------

SIGNS = "*^·"


def signs_of_text(text: str) -> tuple[set[str], set[str]]:
    """(signs behind numbers, signs that a legend names)."""
    behind = set(re.findall(rf"(?<=\d)[{SIGNS}]+(?=\s|$)", text, flags=re.MULTILINE))
    named = set(re.findall(rf"(?:(?<=[\s，])|^)([{SIGNS}])(?= \S)", text, flags=re.MULTILINE))
    return set("".join(behind)), named


def marks_of_page(page: str) -> tuple[set[str], set[str]]:
    """(classes of marked cells, classes that a legend names)."""
    root = ET.fromstring(page)
    cells = {name for td in root.iter("td") for name in td.get("class", "").split()} - {"label", "source", "zero"}
    named = {name for span in root.iter("span") for name in span.get("class", "").split()}
    return cells, named


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32))
def test_legends_name_exactly_the_marks_that_are_there(p: Problem, seed: int) -> None:
    for table in tables_of(derived(p, seed)):
        check_legend(table)


def check_legend(table: Table) -> None:
    for lang in LANGUAGES:
        behind, named = signs_of_text(plain([Grid(table)], lang, 6, WIDE))
        assert behind == named
        text = markdown([Grid(table)], lang, 6).replace("**", "").replace("\\", "").replace("|", " ")
        assert signs_of_text(text) == (behind, behind)
        cells, legend = marks_of_page(html([Grid(table)], lang, 6, page=False))
        assert cells == legend
        assert bool(cells) == bool(behind)


def test_the_legends_of_the_worked_examples_name_their_marks() -> None:
    tables = [table for name in STORIES for one in story(name).derivations for table in tables_of(one)]
    assert {kind for table in tables for kind in table.kinds} == {"window", "here", "largest", "winner"}
    for table in tables:
        check_legend(table)


# --- references ------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32))
def test_nothing_refers_to_what_is_not_there(p: Problem, seed: int) -> None:
    derivation = derived(p, seed)
    for lang, below, long, step in (
        ("en", "The long way below", "▸ the long way", r"step (\d+)"),
        ("zh", "下面较长的推导", "▸ 较长的推导", r"第 (\d+) 步"),
    ):
        text = derivation.text(lang=lang, width=WIDE)  # type: ignore[arg-type]
        headings = r"(?m)^(\d+)/\d+ "
        numbers = set(re.findall(headings, text))
        assert set(re.findall(step, text, flags=re.IGNORECASE)) <= numbers
        for section in re.split(headings, text):
            assert (below in section) == (long in section)


def test_a_cut_is_named_only_where_something_was_cut() -> None:
    net = cr.Sequential(cr.Linear(2, 2), cr.Tanh(), cr.Linear(2, 2))
    ask: Any = {"of": "linear1.weight[0,0]"}
    x, targets = np.array([[1.0, -2.0]]), np.array([0])
    whole = cr.explain(net, x, targets, cr.CrossEntropyLoss(), depth=20, breadth=20, **ask).text(width=WIDE)
    assert "deep" not in whole
    assert "weigh most" not in whole
    cut = cr.explain(net, x, targets, cr.CrossEntropyLoss(), depth=1, breadth=1, **ask).text(width=WIDE)
    assert "1 layer deep" in cut
    narrow = cr.explain(net, x, targets, cr.CrossEntropyLoss(), breadth=1, **ask).text(width=WIDE)
    assert "the number that weighs most is" in narrow


# --- widths ----------------------------------------------------------------------------------------------------------


def columns(line: str) -> int:
    """How wide a line is in a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def check_width(text: str, wide: str, width: int) -> None:
    for line in text.splitlines():
        assert columns(line) <= width, line
        assert not line.rstrip().endswith("…"), line
    assert numbers_in(text) == numbers_in(wide)


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32), st.integers(40, 120))
def test_no_number_is_broken_or_lost_at_any_width(p: Problem, seed: int, width: int) -> None:
    derivation = derived(p, seed, digits=random.Random(seed).choice([6, 9]))
    for lang in LANGUAGES:
        check_width(derivation.text(lang=lang, width=width), derivation.text(lang=lang, width=WIDE), width)


@pytest.mark.parametrize("name", STORIES)
def test_no_number_of_a_worked_example_is_broken(name: str) -> None:
    one = story(name)
    for lang in LANGUAGES:
        wide = one.text(lang=lang, width=WIDE)
        for width in (40, 50, 80, 120):
            check_width(one.text(lang=lang, width=width), wide, width)


# --- LaTeX -----------------------------------------------------------------------------------------------------------


def test_a_derivation_and_a_story_are_written_as_latex() -> None:
    derivation = sure(1.0)
    page = derivation.latex()
    assert page.startswith("\\documentclass")
    assert page.rstrip().endswith("\\end{document}")
    part = derivation.latex(lang="zh", page=False)
    assert "documentclass" not in part
    assert "公式" in part
    assert part in derivation.latex(lang="zh")
    assert "ctex" in derivation.latex(lang="zh")
    assert "\\begin{tabular}" in story("s1").latex()
