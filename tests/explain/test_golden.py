"""Small derivations, word for word, in both languages. CHAINRULE_WRITE_GOLDEN=1 writes them anew; read them then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.derivation import Derivation
from chainrule.zoo.perceptrons import two_two_two

GOLDEN = Path(__file__).parent / "golden"


def mazur_weight() -> Derivation:
    """w1 of the network of S0, with its update."""
    x, t = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    loss = cr.HalfSquaredErrorLoss()
    return cr.explain(two_two_two(), x, t, loss, of="linear1.weight[0,0]", learning_rate=0.5, digits=9)


def pixel() -> Derivation:
    """A pixel under a strided, padded convolution and a max pool with a tie, classified by softmax; two samples."""
    layers = (cr.Conv2d(1, 1, 2, 2, 1), cr.MaxPool2d(2), cr.Flatten(), cr.Linear(1, 2))
    net = cr.Sequential(*layers, input_shape=(1, 3, 3))
    net.parameters["conv1.weight"] = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    net.parameters["linear1.weight"] = np.array([[0.5], [-0.25]])
    x = np.zeros((2, 1, 3, 3))
    x[1, 0] = [[1, 0, 2], [0, 1, 0], [2, 0, 1]]
    return cr.explain(net, x, np.array([0, 1]), cr.CrossEntropyLoss(), of="input[0,0,1]", sample=1)


def branches() -> Derivation:
    """A shared dense layer with a residual link, in float-exact numbers."""
    x, layer = cr.Input((2,)), cr.Linear(2, 2)
    net = cr.Network(x, cr.Add()(layer(layer(x)), x))
    net.parameters["linear1.weight"] = np.array([[0.5, 1.0], [-1.0, 0.25]])
    loss = cr.MSELoss(reduction="sum")
    return cr.explain(net, np.array([[1.0, 2.0]]), np.zeros((1, 2)), loss, of="linear1.weight[0,1]", breadth=1)


CASES = {"mazur": mazur_weight, "pixel": pixel, "branches": branches}


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", CASES)
def test_a_derivation_reads_as_it_did(name: str, lang: Literal["en", "zh"], form: str) -> None:
    derivation = CASES[name]()
    text = derivation.text(lang=lang) if form == "text" else derivation.markdown(lang=lang)
    path = GOLDEN / f"{name}.{lang}.{'txt' if form == 'text' else 'md'}"
    if os.environ.get("CHAINRULE_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
