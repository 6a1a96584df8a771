"""Why, and whether it is true: each rule has its reason, told once; the loss follows the gradient; sources if asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.bibliography import MARKS
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples import story
from chainrule.explain.local import LOCAL
from chainrule.explain.lossterms import REASONS, VALUE_RULES
from chainrule.explain.messages import MESSAGES, say
from tests.layers.rows import IDS, ROWS, Row

RNG = np.random.default_rng(5)
NET = "1x8x8 -> conv 2@3x3 pad 1 -> tanh -> maxpool 2 -> fc 5 -> sigmoid -> fc 3"


def explained(net: cr.Network, of: str, **options: Any) -> Derivation:
    """A derivation for two random samples."""
    x = RNG.normal(size=(2, *net.input_shape))
    return cr.explain(net, x, np.array([0, 2]), cr.CrossEntropyLoss(), of=of, **options)


def test_every_loss_that_has_a_rule_has_a_reason() -> None:
    assert REASONS.keys() == VALUE_RULES.keys()


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_parameter_of_every_layer_has_a_reason(row: Row) -> None:
    assert {"x", *row.layer.parameter_shapes(*row.shapes)} <= LOCAL[type(row.layer)].reasons.keys()


def test_a_reason_is_told_where_its_rule_comes_first_and_not_again() -> None:
    text = explained(cr.parse(NET), "conv1.weight[0,0,1,1]").text(width=10**4)
    lines = [line for line in text.splitlines() if line.startswith("because")]
    assert len(lines) == len(set(lines))
    assert len(lines) == len(("softmax", "dense", "sigmoid", "flatten", "max", "tanh", "weight"))


@pytest.mark.parametrize("of", ["conv1.weight[1,0,2,0]", "linear1.bias[3]", "input[0,3,4]", "tanh1[1,2,2]", "maxpool1"])
@pytest.mark.parametrize("loss", [cr.CrossEntropyLoss(), cr.MSELoss(reduction="sum")], ids=repr)
def test_the_loss_follows_the_gradient(of: str, loss: cr.Loss) -> None:
    net = cr.parse(NET, seed=3)
    x = RNG.normal(size=(2, 1, 8, 8))
    targets = np.array([0, 2]) if loss.by_class else RNG.normal(size=(2, 3))
    shown = cr.explain(net, x, targets, loss, of=of, sample=None if "." in of else 1).nudge
    assert shown is not None
    assert shown.predicted == shown.gradient * shown.step
    assert shown.change == pytest.approx(shown.predicted, rel=0.1)


def test_the_number_that_is_raised_is_the_one_that_is_named() -> None:
    net = cr.parse(NET, seed=3)
    x, targets, loss = RNG.normal(size=(2, 1, 8, 8)), np.array([0, 2]), cr.CrossEntropyLoss()
    shown = cr.explain(net, x, targets, loss, of="conv1.weight[1,0,2,0]").nudge
    assert shown is not None
    assert shown.start == net.parameters["conv1.weight"][1, 0, 2, 0]
    assert shown.before == pytest.approx(loss(net.predict(x, dtype="float64"), targets), rel=1e-12)
    net.parameters["conv1.weight"][1, 0, 2, 0] += shown.step
    assert shown.after == pytest.approx(loss(net.predict(x, dtype="float64"), targets), rel=1e-12)


def test_batch_statistics_move_with_the_number_that_is_raised() -> None:
    net = cr.Sequential(cr.Linear(2, 3), cr.BatchNorm1d(3), cr.Linear(3, 3))
    shown = explained(net, "linear1[1]", sample=0).nudge
    assert shown is not None
    assert shown.change == pytest.approx(shown.predicted, rel=0.1)


def test_a_loss_that_bends_says_so() -> None:
    net = cr.Sequential(cr.Linear(1, 1, bias=False))
    net.parameters["linear1.weight"] = np.array([[1.0]])
    derivation = cr.explain(net, np.ones((1, 1)), np.ones((1, 1)), cr.MSELoss(), of="linear1.weight")
    assert derivation.value == 0
    assert "because L bends here" in derivation.text(width=10**4)
    assert derivation.text(lang="zh", width=10**4).count("弯曲") == 1


def test_a_name_alone_stands_for_its_largest_gradient() -> None:
    net = cr.parse(NET)
    x, targets, loss = RNG.normal(size=(1, 1, 8, 8)), np.array([1]), cr.CrossEntropyLoss()
    trace = net.trace(x, targets, loss=loss, dtype="float64")
    for name in ("maxpool1", "conv1.weight", "input"):
        derivation = cr.explain(net, x, targets, loss, of=name)
        assert abs(derivation.value) == pytest.approx(np.abs(trace[name].gradient).max(), rel=1e-12)
    assert "maxpool1 holds 32 numbers" in cr.explain(net, x, targets, loss, of="maxpool1").text(width=10**4)
    one = cr.Sequential(cr.Linear(3, 1))
    assert "holds" not in cr.explain(one, x[0, 0, :1, :3], np.ones((1, 1)), cr.MSELoss(), of="linear1.bias").text()


def test_a_sample_that_is_already_right_is_said_to_teach_little() -> None:
    net = cr.Sequential(cr.Linear(1, 2, bias=False))
    net.parameters["linear1.weight"] = np.array([[10.0], [-10.0]])
    for target, told in ((0, True), (1, False)):
        text = cr.explain(net, np.ones((1, 1)), np.array([target]), cr.CrossEntropyLoss(), of="linear1.weight").text()
        assert ("already has this right" in text) is told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sources_are_cited_and_explained_only_when_asked_for(lang: str) -> None:
    net = cr.parse("1x6x6 -> conv 1@3x3 stride 2 -> relu -> maxpool 2 -> fc 3")
    plain, cited = (explained(net, "input[0,1,1]", sample=0, lang=lang, sources=s) for s in (False, True))
    for form in ("text", "markdown", "latex", "html"):
        assert not any(mark in getattr(plain, form)() for mark in ("S2-E", "S0-E", "ER4", "⟦")), form
        assert "S2-E31" in getattr(cited, form)()
        assert "docs/errata" in getattr(cited, form)()
    assert " ." not in plain.text()


def test_a_story_cites_what_it_retells() -> None:
    assert "S0: the first of five teaching texts" in story("mazur").text(width=10**4)
    assert "docs/errata" not in story("mazur", sources=False).text(width=10**4)
    assert all(f"source_{mark}" in MESSAGES for mark in MARKS)


def test_a_message_drops_its_citation_with_the_space_before_it() -> None:
    message = say("branches", count=2)
    assert message.template("en").endswith("adds up (S0-E31).")
    assert message.uncited().template("en").endswith("adds up.")
    assert message.template("zh").endswith("之和（S0-E31）。")


def test_the_short_form_has_one_line_for_each_number_and_the_same_numbers() -> None:
    net = cr.parse(NET)
    x, targets, loss = RNG.normal(size=(1, 1, 8, 8)), np.array([1]), cr.CrossEntropyLoss()
    whole, brief = (
        cr.explain(net, x, targets, loss, of="conv1.weight[1,0,0,0]", level=level)  # type: ignore[arg-type]
        for level in ("full", "short")
    )
    assert [step.result for step in brief.steps] == [step.result for step in whole.steps]
    text = brief.text(width=10**4)
    for step in brief.steps:
        assert any(line.startswith(f"{step.number} ") and f"= {step.result:.3g}"[:5] in line.replace("−", "-")
                   for line in text.splitlines())  # fmt: skip
    assert "∂L/∂conv1.weight[1,0,0,0] = Σ(n,p,q)" in text
    assert text.count("because") == 1
    assert len(text) < len(whole.text(width=10**4)) / 3
    with pytest.raises(cr.errors.ArgumentError, match='level must be "short" or "full"'):
        cr.explain(net, x, targets, loss, of="conv1", level="long")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "to_dict"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_short_form_is_written_in_every_way(form: str, lang: Any) -> None:
    net = cr.Sequential(cr.Linear(2, 3), cr.BatchNorm1d(3), cr.Linear(3, 3))
    assert getattr(explained(net, "linear1.weight", level="short", learning_rate=0.1), form)(lang=lang)
    assert getattr(explained(net, "linear2[1]", sample=1, quantity="value", level="short"), form)(lang=lang)
