"""How every layer's arrays begin, in a network: the fans of each weight written out by hand, for each initialiser.

A layer with parameters that has no row here fails, and so does one whose array nobody speaks of.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.initializers import NAMES
from chainrule.layers import LAYERS
from chainrule.shapes import Shape
from tests.helpers import Array, assert_close
from tests.laws import check_law, check_unrelated
from tests.layers.rows import ROWS

TABLE = (np.arange(12)[:, None] + np.arange(10)) % 5 < 3  # 12 filters; 72 of 120 links
CHANCES = np.random.default_rng(7).random((64, 48)) < 0.3


@dataclass(frozen=True)
class Begin:
    """A layer and how its arrays begin. `fans` are those of "weight": numbers that reach an output, that an input
    reaches; `constants` are arrays that begin with one value."""

    make: Callable[..., cr.Layer]
    shape: Shape
    fans: tuple[float, float] | None = None
    constants: dict[str, float] = field(default_factory=dict)
    signs: tuple[str, ...] = ()
    frozen: frozenset[str] = frozenset()
    links: Array | None = None

    @property
    def name(self) -> str:
        return repr(self.make())

    def arrays(self, seed: int = 0, **options: Any) -> dict[str, Array]:
        """All arrays of the layer, alone in a network."""
        net = cr.Sequential(self.make(**options), input_shape=self.shape, seed=seed)
        arrays = {**net.parameters, **net.buffers}
        return {name.partition(".")[2]: array for name, array in arrays.items()}


def _with(layer: type[cr.Layer], *arguments: Any, **fixed: Any) -> Callable[..., cr.Layer]:
    return lambda **options: layer(*arguments, **fixed, **options)


NO_BIAS = {"bias": 0.0}
STATISTICS = {"running_mean": 0.0, "running_var": 1.0}
AFFINE = {"weight": 1.0, "bias": 0.0, **STATISTICS}
BEGINS = [
    Begin(_with(cr.Linear, 400, 60), (400,), (400, 60), NO_BIAS),
    Begin(_with(cr.Linear, 60, 400, "shared"), (60,), (60, 400), NO_BIAS),
    Begin(_with(cr.Linear, 8, 3000, False), (8,), (8, 3000)),
    Begin(_with(cr.Conv2d, 20, 90, (3, 4)), (20, 5, 5), (20 * 12, 90 * 12), NO_BIAS),
    Begin(_with(cr.Conv2d, 90, 20, (2, 5), 2, bias=False), (90, 6, 7), (90 * 10, 20 * 10)),
    Begin(_with(cr.Conv2d, 60, 120, (1, 4), groups=4), (60, 4, 4), (15 * 4, 30 * 4), NO_BIAS),
    Begin(_with(cr.Conv2d, 300, 600, (5, 5), groups=300), (300, 5, 5), (25, 2 * 25), NO_BIAS),
    Begin(
        _with(cr.Conv2d, 10, 12, (20, 25), connections=TABLE), (10, 20, 25), (6 * 500, 7.2 * 500), NO_BIAS, links=TABLE
    ),
    Begin(
        _with(cr.Conv2d, 48, 64, (5, 5), connections=CHANCES),
        (48, 5, 5),
        (25 * CHANCES.sum() / 64, 25 * CHANCES.sum() / 48),
        NO_BIAS,
        links=CHANCES,
    ),
    Begin(_with(cr.LocallyConnected2d, 6, 20, (3, 2)), (6, 8, 7), (6 * 6, 20 * 6), NO_BIAS),
    Begin(_with(cr.LocallyConnected2d, 20, 6, (2, 3), bias=False), (20, 7, 8), (20 * 6, 6 * 6)),
    Begin(_with(cr.TrainablePool2d, 4, (3, 2)), (4, 6, 6), None, {"weight": 1 / 6, "bias": 0.0}),
    Begin(_with(cr.TrainablePool2d, 3, 2, 1), (3, 5, 5), None, {"weight": 1 / 4, "bias": 0.0}),
    Begin(_with(cr.BatchNorm1d, 5), (5,), None, AFFINE),
    Begin(_with(cr.BatchNorm1d, 5, affine=False), (5, 3), None, STATISTICS),
    Begin(_with(cr.BatchNorm2d, 5), (5, 2, 3), None, AFFINE),
    Begin(_with(cr.RBF, 120, 200), (120,), signs=("weight",), frozen=frozenset({"weight"})),
]
DRAWN = [begin for begin in BEGINS if begin.fans is not None]
each = pytest.mark.parametrize("begin", BEGINS, ids=lambda begin: begin.name)
each_drawn = pytest.mark.parametrize("begin", DRAWN, ids=lambda begin: begin.name)


def _linked(begin: Begin, weight: Array) -> Array:
    """The weights of links that exist, with the axes of the filters and of what they see."""
    return weight if begin.links is None else weight[begin.links]


def test_every_layer_with_arrays_has_a_row() -> None:
    wanted = {
        type(row.layer).__name__
        for row in ROWS
        if row.layer.parameter_shapes(*row.shapes) or row.layer.buffer_shapes(*row.shapes)
    }
    assert {type(begin.make()).__name__ for begin in BEGINS} == wanted


def test_every_layer_that_takes_an_initialiser_is_drawn_with_each() -> None:
    takes = {name for name, layer in LAYERS.items() if "initialization" in inspect.signature(layer).parameters}
    assert {type(begin.make()).__name__ for begin in DRAWN} == takes


@each
def test_every_array_of_a_row_has_its_beginning(begin: Begin) -> None:
    drawn = {"weight"} if begin.fans else set()
    assert set(begin.arrays()) == drawn | set(begin.constants) | set(begin.signs)


@pytest.mark.parametrize("name", NAMES)
@each_drawn
def test_weights_follow_the_law_of_the_initialiser_with_the_fans_of_the_layer(begin: Begin, name: str) -> None:
    weight = begin.arrays(initialization=name)["weight"]
    assert begin.fans is not None
    if begin.links is not None:
        assert not weight[~begin.links].any()
    check_law(name, _linked(begin, weight), *begin.fans)


@each_drawn
def test_he_is_what_a_layer_begins_with_unless_told_otherwise(begin: Begin) -> None:
    assert_close("weight", begin.arrays()["weight"], begin.arrays(initialization="he")["weight"])


@each
def test_constants_are_what_they_should_be(begin: Begin) -> None:
    arrays = begin.arrays()
    for name, value in begin.constants.items():
        assert_close(name, arrays[name], np.full(arrays[name].shape, value))


@pytest.mark.parametrize("begin", [b for b in BEGINS if b.signs], ids=lambda begin: begin.name)
def test_centres_are_random_signs(begin: Begin) -> None:
    centres = {seed: begin.arrays(seed)["weight"] for seed in range(3)}
    for array in centres.values():
        assert set(np.unique(array)) == {-1.0, 1.0}
        assert abs(array.mean()) < 5 / math.sqrt(array.size)
        check_unrelated({"row": array[1:], "row before": array[:-1]})
        check_unrelated({"column": array[:, 1:], "column before": array[:, :-1]})
    check_unrelated(centres)


def _begin_of(kind: str) -> list[Begin]:
    return [begin for begin in BEGINS if type(begin.make()).__name__ == kind]


@pytest.mark.parametrize("begin", _begin_of("TrainablePool2d"), ids=lambda begin: begin.name)
def test_a_trainable_pool_begins_as_mean_pooling(begin: Begin) -> None:
    layer = begin.make()
    x = np.random.default_rng(0).normal(size=(2, *begin.shape))
    mean = cr.AvgPool2d(layer.kernel_size, layer.stride)
    made = [cr.Sequential(each, input_shape=begin.shape)(x, engine="reference") for each in (layer, mean)]
    assert_close("y", *made, atol=1e-15)


# --- seeds and layers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", [b for b in BEGINS if b.fans or b.signs], ids=lambda begin: begin.name)
def test_every_seed_and_every_layer_draws_for_itself(begin: Begin) -> None:
    """Four layers of one shape under four seeds: sixteen arrays, none related to another, the same every time."""

    def weights() -> dict[tuple[int, int], Array]:
        made = {}
        for seed in range(4):
            x = cr.Input(begin.shape)
            heads = [begin.make()(x) for _ in range(4)]
            net = cr.Network(x, cr.Add()(*heads), seed=seed)
            found = [_linked(begin, array) for name, array in net.parameters.items() if name.endswith(".weight")]
            made |= {(seed, place): array for place, array in enumerate(found)}
        return made

    drawn = weights()
    assert len(drawn) == 16
    check_unrelated(drawn)
    for key, array in weights().items():
        assert np.array_equal(array, drawn[key])


def test_a_layer_draws_the_same_whatever_stands_behind_it() -> None:
    short = cr.Sequential(cr.Linear(4, 3), input_shape=4, seed=5)
    long = cr.Sequential(cr.Linear(4, 3), cr.ReLU(), cr.Linear(3, 2), input_shape=4, seed=5)
    assert_close("weight", long.parameters["linear1.weight"], short.parameters["linear1.weight"])


# --- what training leaves alone --------------------------------------------------------------------------------------


@each
def test_what_begins_frozen(begin: Begin) -> None:
    net = cr.Sequential(begin.make(), input_shape=begin.shape)
    assert {name.partition(".")[2] for name in net.frozen} == begin.frozen


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_but_the_centres_of_RBF_begins_frozen(layer: str) -> None:
    assert LAYERS[layer].frozen == (("weight",) if layer == "RBF" else ())


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_the_centres_of_RBF_stay_in_training_until_they_are_unfrozen(engine: Any) -> None:
    net = cr.Sequential(cr.Linear(3, 4), cr.RBF(4, 2), input_shape=3)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    options = {"loss": cr.MAPLoss(), "optimizer": cr.SGD(0.01), "progress": False, "engine": engine}
    before = {name: array.copy() for name, array in net.parameters.items()}
    net.fit(x, labels, **options)
    assert_close("centres", net.parameters["rbf1.weight"], before["rbf1.weight"])
    assert not np.array_equal(net.parameters["linear1.weight"], before["linear1.weight"])
    net.unfreeze("rbf1.weight")
    net.fit(x, labels, **options)
    assert not np.array_equal(net.parameters["rbf1.weight"], before["rbf1.weight"])
