"""Sizes that do not fit raise a ShapeError that names the layer and shows the shape that was given."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, ShapeError
from chainrule.layers import LAYERS
from chainrule.shapes import Shape
from tests.layers.rows import PLAIN

MAPS_ONLY: list[cr.Layer] = [
    cr.Conv2d(2, 3, 2), cr.LocallyConnected2d(2, 3, 2), cr.MaxPool2d(2), cr.AvgPool2d(2), cr.LPPool2d(2, 2),
    cr.GaussianPool2d(2, sigma=1), cr.TrainablePool2d(2, 2), cr.AdaptiveAvgPool2d(2), cr.BatchNorm2d(2),
]  # fmt: skip
VECTORS_ONLY: list[cr.Layer] = [cr.Linear(2, 3), cr.RBF(2, 3)]
CHANNELS: list[cr.Layer] = [
    cr.Conv2d(3, 3, 2, groups=3), cr.LocallyConnected2d(3, 1, 2), cr.TrainablePool2d(3, 2), cr.BatchNorm2d(3),
]  # fmt: skip

CASES: list[tuple[cr.Layer, tuple[Shape, ...], str]] = [
    *((layer, (shape,), ".") for layer in MAPS_ONLY for shape in ((2,), (2, 4), (2, 4, 4, 4))),
    *((layer, (shape,), ".") for layer in VECTORS_ONLY for shape in ((3,), (2, 1), (2, 1, 1))),
    *((layer, (shape,), ".") for layer in CHANNELS for shape in ((2, 4, 4), (4, 4, 4), (1, 4, 4))),
    *((cr.BatchNorm1d(2), (shape,), ".") for shape in ((3,), (3, 2), (2, 4, 4))),
    *((layer, ((2, 4),), "Flatten") for layer in VECTORS_ONLY),
    (cr.Conv2d(1, 1, 5), ((1, 4, 6),), "5x5.*4x6"),
    (cr.Conv2d(1, 1, 3, dilation=2), ((1, 4, 9),), "5x5"),
    (cr.LocallyConnected2d(1, 1, (1, 3), padding=(0, 0, 0, 1)), ((1, 4, 1),), r"1x3.*4x2 \(4x1 before padding\)"),
    (cr.MaxPool2d(3), ((1, 2, 3),), "3x3.*2x3"),
    (cr.TrainablePool2d(1, (1, 4)), ((1, 9, 3),), "1x4"),
    (cr.Add(), ((2,), (3,)), r"\(2,\), \(3,\)"),
    (cr.Add(), ((2, 1, 1), (2,)), "."),
    (cr.Add(), ((2, 3, 3), (2, 3, 3), (2, 3, 4)), r"\(2, 3, 4\)"),
    (cr.Concat(), ((2, 3, 3), (2, 3, 4)), r"\(2, 3, 4\)"),
    (cr.Concat(), ((2,), (2, 1)), "."),
]
TAKE_ANY_SHAPE = {*PLAIN, "LeakyReLU", "Softmax", "Flatten", "Dropout", "LocalResponseNorm"}


@pytest.mark.parametrize(("layer", "shapes", "says"), CASES, ids=lambda value: str(value).replace("\\", ""))
def test_a_shape_that_does_not_fit_is_refused_by_name(layer: cr.Layer, shapes: tuple[Shape, ...], says: str) -> None:
    with pytest.raises(ShapeError, match=says) as caught:
        layer(*(cr.Input(shape) for shape in shapes))
    assert str(caught.value).startswith(repr(layer))


def test_every_layer_that_minds_its_shape_is_tried() -> None:
    tried = {type(layer).__name__ for layer, _, _ in CASES}
    assert tried | TAKE_ANY_SHAPE == set(LAYERS)


def test_sequential_names_the_layer_as_the_network_does() -> None:
    with pytest.raises(ShapeError, match=r"^conv2 = Conv2d\(4, 2, 3\): expects 4 input channels.*\(3, 6, 6\)"):
        cr.Sequential(cr.Conv2d(1, 3, 3), cr.ReLU(), cr.Conv2d(4, 2, 3), input_shape=(1, 8, 8))


def test_a_shared_layer_must_need_the_same_parameters_everywhere() -> None:
    x = cr.Input((1, 5, 5))
    local = cr.LocallyConnected2d(1, 1, 3)
    with pytest.raises(ShapeError, match=r"local\w*1@2.*shared"):
        cr.Network(x, local(local(x)))


@pytest.mark.parametrize(
    "shape", [(), (0,), (-1,), (2.0,), (True,), True, 0, None, 2.5, "3", (1, "x"), (2**31,), 10**30, np.nan, object()]
)
def test_input_shapes_that_are_none_are_refused(shape: object) -> None:
    with pytest.raises(ArgumentError):
        cr.Input(shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [3, (3,), [3], np.int64(3), np.array([3])], ids=repr)
def test_input_shapes_may_be_written_in_many_ways(shape: object) -> None:
    assert cr.Input(shape).shape == (3,)  # type: ignore[arg-type]


def test_extents_beyond_the_largest_are_refused_where_they_arise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_MEMORY", "24 GiB")  # what the message is about must not depend on the machine
    x = cr.Input((2**16, 2**8, 2**8))
    with pytest.raises(ShapeError, match=r"Flatten\(\).*4294967296"):
        cr.Flatten()(x)
    with pytest.raises(ShapeError, match=r"Conv2d"):
        cr.Conv2d(1, 1, 1, padding=2**31 - 1)(cr.Input((1, 1, 1)))


def test_parameters_beyond_any_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_MEMORY", "24 GiB")  # what the message is about must not depend on the machine
    with pytest.raises(ShapeError, match=r"linear1.weight.*2147483647x2147483647"):
        cr.Sequential(cr.Linear(2**31 - 1, 2**31 - 1))


NET = cr.Sequential(cr.Conv2d(1, 2, 3), cr.Flatten(), cr.Linear(8, 3), input_shape=(1, 4, 4))
GOOD = np.ones((2, 1, 4, 4))


@pytest.mark.parametrize(
    ("x", "error", "says"),
    [
        (GOOD[0], ShapeError, r"one sample.*x\[None\]"),
        (GOOD[:, 0], ShapeError, r"\(n, 1, 4, 4\), not \(2, 4, 4\)"),
        (GOOD[..., :3], ShapeError, r"\(n, 1, 4, 4\), not \(2, 1, 4, 3\)"),
        (GOOD[:0], DataError, "no samples"),
        (GOOD * np.nan, DataError, "nan"),
        (np.where(np.arange(4) == 2, np.inf, GOOD), DataError, r"inf at index \[0, 0, 0, 2\]"),
        (GOOD * 1j, DtypeError, "complex"),
        (GOOD.astype(object), DtypeError, "object"),
        (GOOD.astype(str), DtypeError, "<U"),
        ([[1.0, 2.0], [3.0]], ShapeError, "rectangular"),
        (None, DtypeError, "NoneType"),
        (3.0, ShapeError, r"not \(\)"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(x: object, error: type[ChainruleError], says: str) -> None:
    with pytest.raises(error, match=says):
        NET(x)  # type: ignore[arg-type]
