"""Connections and multiply-adds of every layer by hand: what a summary adds up."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import LAYERS
from chainrule.shapes import Shape
from tests.layers.rows import ACTIVATIONS

MAP: Shape = (2, 6, 5)

# (layer, input shapes, connections with those of the biases, multiplications by a weight)
BY_HAND: list[tuple[cr.Layer, tuple[Shape, ...], int, int]] = [
    (cr.Linear(4, 3), ((4,),), 3 * 5, 3 * 4),
    (cr.Linear(4, 3, "shared"), ((4,),), 3 * 5, 3 * 4),
    (cr.Linear(4, 3, False), ((4,),), 3 * 4, 3 * 4),
    (cr.RBF(4, 3), ((4,),), 3 * 4, 3 * 4),
    (cr.Conv2d(2, 4, (3, 2)), (MAP,), 4 * 4 * (4 * 12 + 4), 4 * 4 * 4 * 12),
    (cr.Conv2d(2, 4, (3, 2), 2, 1, groups=2, bias=False), (MAP,), 3 * 3 * 4 * 6, 3 * 3 * 4 * 6),
    (cr.Conv2d(2, 3, 2, connections=np.array([[1, 1], [0, 1], [0, 0]])), (MAP,), 20 * (3 * 4 + 3), 20 * 3 * 4),
    (cr.LocallyConnected2d(2, 4, (3, 2)), (MAP,), 4 * 4 * 4 * 13, 4 * 4 * 4 * 12),
    (cr.MaxPool2d(2), (MAP,), 2 * 3 * 2 * 4, 0),
    (cr.AvgPool2d((3, 2), 1), (MAP,), 2 * 4 * 4 * 6, 0),
    (cr.LPPool2d(2, 2), (MAP,), 2 * 3 * 2 * 4, 0),
    (cr.GaussianPool2d((2, 3), sigma=1), (MAP,), 2 * 3 * 1 * 6, 2 * 3 * 1 * 6),
    (cr.TrainablePool2d(2, (3, 2)), (MAP,), 2 * 2 * 2 * (6 + 1), 2 * 2 * 2),
    (cr.AdaptiveAvgPool2d((3, 2)), (MAP,), 2 * (3 * 2) * (2 * 3), 0),  # 3 rows of 2, 2 columns of 3 that overlap
    (cr.BatchNorm1d(4), ((4, 7),), 0, 4 * 7),
    (cr.BatchNorm2d(2), (MAP,), 0, 2 * 6 * 5),
    (cr.LocalResponseNorm(3), (MAP,), 0, 2 * 6 * 5 * 3),
    *((entry.layer, (MAP,), 0, 0) for entry in ACTIVATIONS),
    *((layer, (MAP,), 0, 0) for layer in (cr.Softmax(), cr.Dropout(), cr.Flatten())),
    (cr.Add(), (MAP, MAP), 0, 0),
    (cr.Concat(), (MAP, MAP), 0, 0),
]


def test_every_layer_is_written_out() -> None:
    assert {type(layer).__name__ for layer, *_ in BY_HAND} == set(LAYERS)


@pytest.mark.parametrize(
    ("layer", "shapes", "connections", "multiply_adds"), BY_HAND, ids=[repr(row[0]) for row in BY_HAND]
)
def test_costs_by_hand(layer: cr.Layer, shapes: tuple[Shape, ...], connections: int, multiply_adds: int) -> None:
    assert layer.connection_count(*shapes) == connections
    assert layer.multiply_add_count(*shapes) == multiply_adds
