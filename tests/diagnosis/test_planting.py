"""Mistakes planted in the layers of a network: each gives other numbers, is named, and is said in both languages."""

from __future__ import annotations

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis import entrances  # noqa: F401  fills the tables
from chainrule.diagnosis.activations import ACTIVATION, LEAKY, SOFTMAX
from chainrule.diagnosis.branches import BRANCH
from chainrule.diagnosis.chinese import REPORT, in_chinese, report, said, without_sources
from chainrule.diagnosis.convolution import CONV
from chainrule.diagnosis.dense import DENSE
from chainrule.diagnosis.losses import LOSS
from chainrule.diagnosis.normalization import DROPOUT, NORM
from chainrule.diagnosis.planting import branch_problem, layer_problem, planted
from chainrule.diagnosis.pooling import POOL
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import ENGLISH, examine
from chainrule.diagnosis.upstream import Upstream
from chainrule.engines import Trace
from chainrule.equations.activations import ACTIVATIONS
from chainrule.errors import NameLookupError

EPS = float(np.finfo(float).eps)
CITED = re.compile(r"\bS\d-|\bER\w?\d?-|\bERX|\bW\d\d\b")


def residual() -> cr.Network:
    """A branch around a convolution, then one layer of most kinds."""
    x = cr.Input((2, 7, 7))
    h = cr.Conv2d(2, 2, 3, padding=1, bias=True)(x)
    h = cr.BatchNorm2d(2)(cr.Add()(h, x))
    h = cr.MaxPool2d(2, 1)(cr.ReLU()(h))
    h = cr.AvgPool2d(2)(cr.Conv2d(2, 4, 3, 2, 1, groups=2)(h))
    h = cr.Tanh()(cr.Linear(4, 3)(cr.Flatten()(h)))
    return cr.Network(x, cr.Linear(3, 4)(cr.LeakyReLU(0.1)(h)), seed=1)


def traced(net: cr.Network, training: bool) -> Trace:
    x = np.random.default_rng(0).normal(size=(3, *net.input_shape))
    return net.trace(x, [1, 0, 3], loss=cr.CrossEntropyLoss(), dtype="float64", engine="reference", training=training)


@pytest.mark.parametrize("training", [False, True])
def test_every_planted_mistake_is_named_by_the_diagnosis(training: bool) -> None:
    net = residual()
    trace = traced(net, training)
    problems: list[Problem] = [layer_problem(net, trace, step.name, training) for step in net.steps]
    branch = branch_problem(net, trace, "input", training)
    assert branch is not None
    for problem in [*problems, branch]:
        mistakes = planted(problem)
        assert len({one.key for one in mistakes}) == len(mistakes) >= 4
        for one in mistakes:
            result = examine(one.tensor, one.wrong, problem, EPS)
            assert not result.ok
            named = "+".join(result.mistakes).split("+")
            assert one.key.partition(".")[2] in named, (one.key, named)
            for lang in ("en", "zh"):
                lines = report(result, one.wrong, problem.truths()[one.tensor], lang)
                assert len(lines) >= 3
                assert not CITED.search(" ".join(lines))


@pytest.mark.parametrize("training", [False, True])
def test_what_is_right_is_the_gradient_of_the_trace(training: bool) -> None:
    net = residual()
    trace = traced(net, training)
    for step in net.steps:
        for one in planted(layer_problem(net, trace, step.name, training)):
            assert one.wrong.shape == one.right.shape
            if one.tensor in ("dweight", "dbias"):
                engine = trace[f"{step.name}.{one.tensor[1:]}"].gradient
                np.testing.assert_allclose(one.right, engine, rtol=1e-12, atol=1e-15)
            source = net.names[step.inputs[0]]
            if one.tensor == "dx" and source not in ("input",):
                np.testing.assert_allclose(one.right, trace[source].gradient, rtol=1e-12, atol=1e-15)
    branch = branch_problem(net, trace, "input", training)
    assert branch is not None
    np.testing.assert_allclose(branch.truths()["dx"].value, trace["input"].gradient, rtol=1e-12, atol=1e-15)


def test_the_first_mistake_of_a_convolution_is_the_kernel_that_was_not_rotated() -> None:
    net = residual()
    one = planted(layer_problem(net, traced(net, False), "conv1", False))[0]
    assert one.key == "dx.kernel_not_rotated"
    assert said(one.sentence, "en").endswith("dy ∗_full rot180(w).")
    assert "没有旋转 180°" in said(one.sentence, "zh")


def test_a_node_that_one_layer_takes_has_no_branch_and_the_input_is_no_layer() -> None:
    net = residual()
    trace = traced(net, False)
    assert branch_problem(net, trace, "conv1", False) is None
    with pytest.raises(NameLookupError):
        layer_problem(net, trace, "input", False)


def test_every_sentence_of_the_tables_has_a_chinese_one_and_neither_cites() -> None:
    tables = (CONV, POOL, DENSE, ACTIVATION, LEAKY, SOFTMAX, LOSS, NORM, DROPOUT, BRANCH)
    sentences = [row.sentence for table in tables for row in table.rows]
    z = np.linspace(-2, 2, 5)[None]
    for name in ACTIVATIONS:
        sentences += [sentence for _, sentence, _ in Upstream(name, z, z).mistakes()]
    assert len(sentences) > 110
    for sentence in sentences:
        assert not CITED.search(without_sources(sentence)), sentence
        chinese = in_chinese(sentence)
        assert re.search("[一-鿿]", chinese)
        assert not CITED.search(chinese)


def test_a_report_says_as_much_in_chinese() -> None:
    """What rounding hides, and what nearly explains the numbers."""
    assert list(REPORT) == list(ENGLISH)
    net = residual()
    problem = layer_problem(net, traced(net, False), "conv1", False)
    unrotated = planted(problem)[0]
    truth, nearly = problem.truths()[unrotated.tensor], unrotated.wrong.copy()
    nearly.flat[0] += 0.01 * np.abs(nearly).max()
    hidden, missed = ["unseen", "smaller"], ["wrong", "unknown", "nearest", "rule"]
    for given, eps, keys in ((truth.value, 2.0**-10, hidden), (nearly, EPS, missed)):
        found = examine(unrotated.tensor, given, problem, eps)
        assert [key for key, _ in found.told()] == keys
        chinese = report(found, given, truth, "zh")
        assert len(chinese) == len(found.lines())
        assert all(re.search("[一-鿿]", line) for line in chinese)
