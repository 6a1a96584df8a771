"""Bad constructor arguments of every layer, loss, optimizer and schedule: each is refused with a message that says
what was given. A constructor argument without a row here fails `test_every_argument_has_a_rule`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from chainrule.shapes import shown

NAN, INF, HUGE = math.nan, math.inf, 10**400
NO_NUMBERS: list[Any] = [True, False, np.True_, None, "3", "", b"1", object(), {}, 1j, np.complex64(1), np.zeros(2)]
NO_FLOATS: list[Any] = [*NO_NUMBERS, NAN, INF, -INF, np.float32("nan"), HUGE, -HUGE, 1e308 * 10, (0.5,), [0.5]]
NO_INTEGERS: list[Any] = [*NO_NUMBERS, 1.0, 2.5, NAN, INF, np.float64(3), Fraction(3), -1, 2**31, 2**64, HUGE, -HUGE]
NO_PAIRS = [
    *NO_INTEGERS,
    0,
    (),
    (1,),
    (1, 2, 3),
    [1, 2, 3],
    (1.0, 2),
    (1, True),
    (0, 1),
    (1, -1),
    (1, None),
    ("1", "1"),
]
NO_BOOLS: list[Any] = [1, 0, None, "yes", 1.0, np.ones(2), []]

SIZE = [*NO_INTEGERS, 0, (1,), (1, 1)]
NUMBER = NO_FLOATS
AT_LEAST_0 = [*NO_FLOATS, -1e-9, -1, np.float64(-0.5)]
ABOVE_0 = [*AT_LEAST_0, 0, 0.0]
FRACTION = [*AT_LEAST_0, 1.0000001, 2]
TEXT = ["", "nothing", None, 1, True, 1.5, [], ("he",), np.zeros(2)]
PADDING = [
    *NO_INTEGERS, "Same", "full", (), (1,), (1, 2, 3), (1, 2, 3, 4, 5), (1, -1), (1, 1, 1, -1), (1.0, 1), (True, 1),
    (1, 1, 1, None), np.array([1, 1, 1]),
]  # fmt: skip
TABLES = [
    np.ones((3, 2)), np.ones((2, 2)), np.ones(2), 1, "table", [[1, 0], [1]], [[1, 2], [0, 1], [1, 1]],
    np.full((3, 2), NAN), [["a", "b"]] * 3, [[None, 1]] * 3, True,
]  # fmt: skip
"""For a Conv2d with 3 inputs and 2 filters."""

FACTORS = [
    [], (), 1, 2.0, "a", ["a"], [None], [[1.0]], np.ones((2, 2)), [1, -1], [NAN], [1, INF], [True], {}, object(),
]  # fmt: skip
"""One number for each class."""

RULES: dict[str, list[Any]] = {
    "name": ["", "a.b", "a/b", "a b", "1st", "input", 1, b"a", ("a",)],
    "in_features": SIZE,
    "out_features": SIZE,
    "in_channels": SIZE,
    "out_channels": SIZE,
    "channels": SIZE,
    "num_features": SIZE,
    "size": SIZE,
    "groups": [*SIZE, 3],
    "kernel_size": NO_PAIRS,
    "stride": [value for value in NO_PAIRS if value is not None],
    "dilation": NO_PAIRS,
    "output_size": NO_PAIRS,
    "padding": PADDING,
    "bias": [value for value in NO_BOOLS if not isinstance(value, np.ndarray)] + ["Shared", np.ones(2)],
    "affine": NO_BOOLS,
    "mode": [*TEXT, "Convolution"],
    "initialization": [*TEXT, "xavier", "he_", "zeros_normal"],
    "connections": TABLES,
    "norm_type": [*AT_LEAST_0, 0, 0.5],
    "sigma": ABOVE_0,
    "negative_slope": NUMBER,
    "alpha": AT_LEAST_0,
    "beta": AT_LEAST_0,
    "k": ABOVE_0,
    "eps": AT_LEAST_0,
    "momentum": AT_LEAST_0,
    "p": FRACTION,
    "rubbish": NUMBER,
    "reduction": [*TEXT, "none", "MEAN"],
    "learning_rate": AT_LEAST_0,
    "nesterov": NO_BOOLS,
    "weight_decay": AT_LEAST_0,
    "betas": [
        None, 0.9, True, "ab", "", (), (0.9,), (0.9, 0.9, 0.9), (0.9, 1), (1, 0.9), (-0.1, 0.9), (0.9, NAN),
        (True, 0.9), (None, 0.9), ("0.9", "0.9"), {0.9: 1, 0.8: 2}, np.zeros((2, 2)),
    ],
    "weight": FACTORS,
    "pos_weight": FACTORS,
    "label_smoothing": FRACTION,
    "delta": ABOVE_0,
    "centered": NO_BOOLS,
    "every": SIZE,
    "gamma": FRACTION,
    "final": FRACTION,
    "start": FRACTION,
    "warmup": FRACTION,
}  # fmt: skip
EXTRA: dict[tuple[str, str], list[Any]] = {
    ("RMSprop", "alpha"): [1, 1.5],
    ("BatchNorm1d", "momentum"): [1.0000001, 2],
    ("BatchNorm2d", "momentum"): [1.0000001, 2],
    ("MaxPool2d", "padding"): ["same", 2, (2, 0), (0, 0, 0, 2), (0, 2, 0, 0)],
    ("AvgPool2d", "padding"): ["same", 2, (0, 2), (2, 0, 0, 0)],
    ("Conv2d", "bias"): ["shared"],
    ("LocallyConnected2d", "bias"): ["shared"],
    ("Conv2d", "stride"): [None],
    ("LocallyConnected2d", "stride"): [None],
}
GOOD: dict[str, dict[str, Any]] = {
    "Linear": {"in_features": 3, "out_features": 2},
    "RBF": {"in_features": 3, "out_features": 2},
    "Conv2d": {"in_channels": 3, "out_channels": 2, "kernel_size": 3},
    "LocallyConnected2d": {"in_channels": 3, "out_channels": 2, "kernel_size": 3},
    "MaxPool2d": {"kernel_size": 2},
    "AvgPool2d": {"kernel_size": 2},
    "LPPool2d": {"norm_type": 2, "kernel_size": 2},
    "GaussianPool2d": {"kernel_size": 2, "sigma": 1.0},
    "TrainablePool2d": {"channels": 2, "kernel_size": 2},
    "AdaptiveAvgPool2d": {"output_size": 2},
    "LocalResponseNorm": {"size": 3},
    "BatchNorm1d": {"num_features": 2},
    "BatchNorm2d": {"num_features": 2},
    "SGD": {"learning_rate": 0.1, "momentum": 0.5},
    "StepDecay": {"every": 2},
}
"""What each constructor needs; all else has defaults."""

OTHERS = (cr.SGD, cr.Adam, cr.AdamW, cr.RMSprop, cr.Constant, cr.StepDecay, cr.Cosine, cr.OneCycle)
BUILDERS: dict[str, Callable[..., Any]] = {**LAYERS, **LOSSES, **{other.__name__: other for other in OTHERS}}
ARGUMENTS = [
    (name, argument)
    for name, builder in BUILDERS.items()
    for argument in inspect.signature(builder).parameters
    if argument not in ("args", "kwargs")
]


def _bad(name: str, argument: str) -> list[Any]:
    return [*RULES[argument], *EXTRA.get((name, argument), [])]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_every_argument_has_a_rule(name: str, argument: str) -> None:
    assert argument in RULES, f"{name}: no bad values are listed for {argument}"
    BUILDERS[name](**GOOD.get(name, {}))


def _complaint(build: Callable[[], Any], argument: str, value: Any) -> str:
    """What is wrong about the way a bad value is refused, or nothing."""
    try:
        return f"made {build()!r}"
    except ChainruleError as error:
        message = str(error)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    parts = [value, *value] if isinstance(value, tuple | list) else [value]
    said = argument == "connections" or any(shown(part) in message or str(part) in message for part in parts)
    if not said or argument not in message or len(message) > 300:
        return f"said {message!r}"
    return ""


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_bad_arguments_are_refused_and_shown(name: str, argument: str) -> None:
    good, bad = GOOD.get(name, {}), _bad(name, argument)
    found = [(v, _complaint(lambda v=v: BUILDERS[name](**good | {argument: v}), argument, v)) for v in bad]
    assert [f"{shown(value)}: {complaint}" for value, complaint in found if complaint] == []


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: cr.Conv2d(4, 6, 3, groups=4), r"groups=4 must divide in_channels=4 and out_channels=6"),
        (lambda: cr.Conv2d(6, 4, 3, groups=4), r"groups=4"),
        (lambda: cr.Conv2d(4, 4, 3, groups=2, connections=np.ones((4, 4), bool)), "cannot be combined"),
        (lambda: cr.SGD(0.1, nesterov=True), "momentum"),
        (lambda: cr.MaxPool2d((2, 5), padding=(1, 3)), r"\(1, 1, 3, 3\).*half.*\(2, 5\)"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(build: Callable[[], Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        build()


@pytest.mark.parametrize(
    ("layer", "same"),
    [
        (cr.Conv2d(np.int64(2), np.uint8(3), [3, 3], padding=[1, 1]), cr.Conv2d(2, 3, 3, padding=1)),
        (cr.Conv2d(2, 3, 3, padding="valid"), cr.Conv2d(2, 3, 3)),
        (cr.MaxPool2d(2, 2), cr.MaxPool2d(2)),
        (cr.Dropout(np.float32(0.5)), cr.Dropout()),
        (cr.Dropout(1), cr.Dropout(1.0)),
        (cr.Conv2d(2, 1, 1, connections=[[1, 0]]), cr.Conv2d(2, 1, 1, connections=np.array([[True, False]]))),
    ],
    ids=repr,
)
def test_arguments_may_be_written_in_many_ways(layer: cr.Layer, same: cr.Layer) -> None:
    assert str(layer.hyperparameters()) == str(same.hyperparameters())


@pytest.mark.parametrize(
    "thing",
    [
        cr.SGD(0.1), cr.SGD(0.1, 0.9, True, 1e-4), cr.Adam(), cr.Adam(0.1, (0.5, 0.6), 1e-3, 0.2),
        cr.AdamW(weight_decay=0.5), cr.Constant(), cr.StepDecay(3, 0.5), cr.Cosine(0.1, 0.2),
        cr.OneCycle(0.2, 0.1, 0.0),
    ],
    ids=repr,
)  # fmt: skip
def test_optimizers_and_schedules_are_built_again_from_their_reprs(thing: Any) -> None:
    again = eval(repr(thing), vars(cr).copy())
    assert type(again) is type(thing)
    assert vars(again) == vars(thing)
    if isinstance(thing, cr.Optimizer):
        assert vars(type(thing)(**thing.hyperparameters())) == vars(thing)
