"""Errors name the argument as the caller wrote it, and the last value inside the limits is still taken."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError
from tests.layers.test_arguments import ARGUMENTS, BUILDERS, EXTRA, GOOD, RULES

# The least and the largest value that each argument takes.
ENDS: dict[str, list[Any]] = {
    **{key: [1] for key in ("in_features", "out_features", "in_channels", "out_channels", "channels", "num_features")},
    **{key: [1] for key in ("size", "groups", "kernel_size", "stride", "dilation", "output_size", "every")},
    **{key: [0] for key in ("alpha", "beta", "eps", "learning_rate", "weight_decay", "padding")},
    **{key: [0, 1] for key in ("p", "gamma", "final", "start", "warmup")},
    **{key: [-1e300, 1e300] for key in ("negative_slope", "rubbish")},
    **{key: [5e-324, 1e300] for key in ("sigma", "k")},
    "momentum": [0, 1],
    "norm_type": [1, 1e300],
    "label_smoothing": [0, 1],
    "delta": [5e-324, 1e300],
    **{key: [(0.0,), (1e300, 0.0)] for key in ("weight", "pos_weight")},
    "betas": [(0, 0), (0, 0.999), (0.999, 0)],
}
ENDLESS = {
    "bias",
    "affine",
    "mode",
    "initialization",
    "connections",
    "reduction",
    "nesterov",
    "centered",
    "name",
}  # no numbers


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_errors_name_the_argument_as_a_whole_word(name: str, argument: str) -> None:
    for value in [*RULES[argument], *EXTRA.get((name, argument), [])]:
        with pytest.raises(ChainruleError) as caught:
            BUILDERS[name](**GOOD.get(name, {}) | {argument: value})
        assert re.search(rf"\b{argument}\b", str(caught.value)), str(caught.value)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_values_at_the_ends_are_taken_as_they_are(name: str, argument: str) -> None:
    assert (argument in ENDS) != (argument in ENDLESS), f"say what the least {argument} is, in ENDS"
    for value in ENDS.get(argument, []):
        options = GOOD.get(name, {}) | {argument: value}
        if name in ("MaxPool2d", "AvgPool2d") and argument == "padding":
            options["kernel_size"] = 1
        made = getattr(BUILDERS[name](**options), argument)
        wanted = (value, (value,) * 2, (value,) * 4)
        assert made in wanted, f"{argument}={value} became {made}"


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: cr.Conv2d(3, 2, 3, connections="table"), "^connections must hold real numbers"),
        (
            lambda: cr.Conv2d(4, 4, 3, groups=2, connections=np.ones((4, 4))),
            "^connections and groups cannot be combined; write the groups into the table$",
        ),
        (lambda: cr.Conv2d(4, 2, 3, groups=4), "^groups=4 must divide in_channels=4 and out_channels=2$"),
        (lambda: cr.Conv2d(4, 4, 3, bias=1), "^bias must be True or False, not 1$"),  # type: ignore[arg-type]
        (lambda: cr.LocallyConnected2d(4, 4, 3, bias=1), "^bias must be True or False, not 1$"),  # type: ignore[arg-type]
        (lambda: cr.BatchNorm1d(4, affine=1), "^affine must be True or False, not 1$"),  # type: ignore[arg-type]
        (lambda: cr.MaxPool2d(2, padding="same"), '^a pooling layer takes its padding as numbers, not "same"$'),
        (lambda: cr.SGD(0.1, nesterov=True), "^nesterov=True needs a momentum above 0$"),
        (lambda: cr.SGD(0.1, 0.9, 1), "^nesterov must be True or False, not 1$"),  # type: ignore[arg-type]
        (lambda: cr.Adam(betas=(0.9,)), r"^betas must be two numbers \(b1, b2\), not \(0.9,\)$"),
        (lambda: cr.Adam(betas=(0.9, 1)), r"^betas must be below 1, not \(0.9, 1\): with 1 the averages never move$"),
        (lambda: cr.Adam(betas=(-1, 0.9)), r"^betas\[0\] "),
        (lambda: cr.Adam(betas=(1.5, 0.9)), r"^betas\[0\] .*at most 1, not 1.5$"),
        (lambda: cr.Adam(betas=(0.9, 1.5)), r"^betas\[1\] .*at most 1, not 1.5$"),
        (lambda: cr.Adam(betas=(0.9, -1)), r"^betas\[1\] "),
    ],
)
def test_sentences_of_errors(build: Any, says: str) -> None:
    with pytest.raises(ChainruleError, match=says):
        build()


def test_a_table_of_links_is_kept_as_truth_values() -> None:
    table = cr.Conv2d(2, 1, 1, connections=[[1, 0]]).connections
    assert table is not None
    assert table.dtype == bool


# --- nodes and descriptions ------------------------------------------------------------------------------------------


def test_nodes_show_their_layer_and_their_shape() -> None:
    x = cr.Input((3, 8, 8))
    assert repr(x) == "<Input -> 3x8x8>"
    assert repr(cr.Conv2d(3, 4, 3)(x)) == "<Conv2d(3, 4, 3) -> 4x6x6>"


def test_nodes_refuse_what_does_not_fit_in_a_sentence() -> None:
    x = cr.Input((3,))
    with pytest.raises(ArgumentError, match=r"^ReLU\(\) takes 1 input\(s\), not 2$"):
        cr.ReLU()(x, x)
    with pytest.raises(ArgumentError, match=r"^Add\(\) takes two or more inputs, not 1$"):
        cr.Add()(x)
    with pytest.raises(
        ArgumentError, match=r"^ReLU\(\) is applied to nodes of a graph, not to ndarray; begin with x = "
    ):
        cr.ReLU()(np.zeros(3))  # type: ignore[arg-type]
    assert cr.Add()(x, x).shape == (3,)
    assert cr.Add()(x, x, x).shape == (3,)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (cr.Conv2d(1, 2, (3, 3), (2, 1), (1, 1, 2, 2)), "Conv2d(1, 2, 3, stride=(2, 1), padding=(1, 2))"),
        (cr.Conv2d(1, 2, (3, 4), padding=(1, 1, 1, 1)), "Conv2d(1, 2, (3, 4), padding=1)"),
        (cr.Conv2d(1, 2, 3, padding=(0, 1, 0, 1)), "Conv2d(1, 2, 3, padding=(0, 1, 0, 1))"),
        (cr.Conv2d(1, 2, 3, padding=(1, 1, 0, 1)), "Conv2d(1, 2, 3, padding=(1, 1, 0, 1))"),
        (cr.Conv2d(2, 2, 3, connections=np.eye(2)), "Conv2d(2, 2, 3, connections=<2x2 table>)"),
        (cr.GaussianPool2d(2, sigma=0.5), "GaussianPool2d(2, sigma=0.5)"),
        (cr.MaxPool2d(2, 2), "MaxPool2d(2)"),
        (cr.MaxPool2d(2, 1), "MaxPool2d(2, stride=1)"),
        (cr.Flatten(), "Flatten()"),
    ],
)
def test_layers_are_written_the_short_way(layer: cr.Layer, text: str) -> None:
    assert repr(layer) == text
