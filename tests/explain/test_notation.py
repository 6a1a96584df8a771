"""One notation: every number is called by its layer, in every layer, every loss, both languages and all forms."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples import STORIES, story
from chainrule.explain.messages import LANGUAGES
from chainrule.explain.naming import named, reason
from chainrule.explain.notations import to_latex, to_text
from chainrule.expressions import Mul, Num, Partial, Pow, Sym, Words, equal, slope
from tests.explain.test_rendering import layer_derivations
from tests.explain.test_truth import derived
from tests.strategies import Problem, problems

WIDE = 10**4
ROLE = re.compile(r"(?<![\w.\u4e00-\u9fff*])[xyw](?=[\[⁽⁺ ]|$)")
"""A letter that stands for what comes in, what goes out or a weight."""
SLOW = list(HealthCheck)


def roles_in(derivation: Derivation) -> list[str]:
    """Lines in which such a letter is left; those of the head hold the text of the network."""
    told = [line for lang in LANGUAGES for line in derivation.text(lang=lang, width=WIDE).splitlines()]
    return [line for line in told if ROLE.search(line) and not line.startswith(("Network", "网络"))]


def test_such_letters_are_found_where_there_are_any() -> None:
    assert all(ROLE.search(line) for line in ("∂L/∂x[0] = 3", "where  y = 2", "the share of w", "w⁺[0,0] = 1"))
    assert not ROLE.search("∂L/∂relu1[x_0] = max(window) · linear1.weight[0,1]")


def test_no_layer_leaves_a_letter_whose_meaning_changes() -> None:
    for derivation in layer_derivations():
        assert roles_in(derivation) == []


@pytest.mark.parametrize(
    "loss", [cr.MSELoss(), cr.HalfSquaredErrorLoss(), cr.L1Loss(), cr.HuberLoss(), cr.BCEWithLogitsLoss()]
)
def test_no_loss_does(loss: cr.Loss) -> None:
    net = cr.Sequential(cr.Linear(2, 3))
    derivation = cr.explain(net, np.ones((1, 2)), np.zeros((1, 3)), loss, of="linear1.weight[0,0]", learning_rate=0.1)
    assert roles_in(derivation) == []
    assert "linear1.weight⁺ = linear1.weight − η · ∂L/∂linear1.weight" in derivation.text(width=WIDE)


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32))
def test_no_network_does(p: Problem, seed: int) -> None:
    assert roles_in(derived(p, seed)) == []


def test_the_stories_of_ideas_speak_of_the_same_names() -> None:
    for name in ("rotate", "winner", "dead", "norm", "shortcut"):
        for derivation in story(name).derivations:
            assert roles_in(derivation) == []
        rows = [str(cell) for listing in story(name).listings for row in listing.rows for cell in row]
        assert not [cell for cell in rows if re.search("∂L/∂[xywz]\\b", cell)]
    assert set(STORIES) >= {"rotate", "norm"}


def test_the_notation_is_introduced_once_at_the_head() -> None:
    net = cr.Sequential(cr.Linear(2, 3), cr.Tanh())
    ask = (net, np.ones((1, 2)), np.zeros((1, 3)), cr.MSELoss())
    text = cr.explain(*ask, of="linear1.weight[0,1]").text(width=WIDE)
    told = "linear1[0] is one that linear1 puts out, ∂L/∂linear1[0] its gradient"
    assert text.count(told) == 1
    assert text.index(told) < text.index("1/")
    for lang, words in (("en", "is one that linear1 puts out"), ("zh", "是 linear1 输出的一个数")):
        for level in ("short", "full"):
            told = cr.explain(*ask, of="linear1[0]", lang=lang, level=level).text(width=WIDE)  # type: ignore[arg-type]
            assert told.count(words) == 1


def test_a_step_names_the_same_number_in_all_its_lines() -> None:
    net = cr.parse("2 -> fc 3 -> tanh -> fc 2")
    derivation = cr.explain(net, np.ones((1, 2)), [0], cr.CrossEntropyLoss(), of="linear1[1]")
    text = derivation.text(width=WIDE)
    assert "formula  ∂L/∂linear1 = ∂L/∂tanh1 · ∂tanh1/∂linear1" in text
    assert "where    ∂tanh1/∂linear1 = 1 − tanh1²" in text
    assert r"\frac{\partial L}{\partial \mathrm{linear1}_{1}}" in derivation.markdown()
    assert "<mtext>linear1</mtext>" in derivation.html()


def test_a_reason_speaks_of_the_layer_at_hand() -> None:
    told = reason("why_linear_x", {"x": "relu1", "y": "linear2", "w": "linear2.weight"})
    words = "".join(piece if isinstance(piece, str) else to_text(piece) for piece in told.pieces("en"))
    assert words.startswith("relu1[i] feeds every output o, and linear2[o] moves by linear2.weight[o,i] times")


def test_names_take_the_place_of_letters_and_of_nothing_else() -> None:
    names = {"x": "relu1", "w": "conv1.weight"}
    rule = equal(slope(Sym("x", ("w",))), Mul((Sym("w", (0, 1)), Sym("δ"))))
    assert named(rule, names) == equal(slope(Words("relu1", ("w",))), Mul((Words("conv1.weight", (0, 1)), Sym("δ"))))
    assert to_text(named(Sym("w", (2,), None, "plus"), names)) == "conv1.weight⁺[2]"
    assert to_latex(named(Sym("w", (2,), None, "plus"), names)) == r"\mathrm{conv1.weight}^{+}_{2}"


def test_a_power_of_a_fraction_has_brackets() -> None:
    squared = Pow(Partial(Sym("L"), Sym("w")), Num(2))
    assert to_latex(squared) == r"{\left(\frac{\partial L}{\partial w}\right)}^{2}"
    assert to_text(squared) == "(∂L/∂w)²"
