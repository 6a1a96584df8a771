"""Receptive fields by hand: size and step of each layer that looks at more than one place, alone and behind another."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.layers import LAYERS
from chainrule.shapes import Pair, ReceptiveField, Shape

BEFORE = ReceptiveField((7, 4), (3, 2))
MAP: Shape = (2, 12, 9)

# (layer, size of its own field, step between the fields of neighbours), on a map of 12 x 9
ALONE: list[tuple[cr.Layer, Pair, Pair]] = [
    (cr.Conv2d(2, 1, (3, 2), (2, 1)), (3, 2), (2, 1)),
    (cr.Conv2d(2, 1, (3, 2), 2, 1, (2, 3)), (5, 4), (2, 2)),
    (cr.LocallyConnected2d(2, 1, (3, 2), (1, 3), "same", (1, 2)), (3, 3), (1, 3)),
    (cr.MaxPool2d((3, 2)), (3, 2), (3, 2)),
    (cr.AvgPool2d(3, (1, 2), 1), (3, 3), (1, 2)),
    (cr.LPPool2d(2, (2, 3)), (2, 3), (2, 3)),
    (cr.GaussianPool2d(3, 2, sigma=1.0), (3, 3), (2, 2)),
    (cr.TrainablePool2d(2, (2, 3), 1), (2, 3), (1, 1)),
    (cr.AdaptiveAvgPool2d(1), (12, 9), (12, 9)),
    (cr.AdaptiveAvgPool2d((4, 3)), (3, 3), (3, 3)),  # even shares: as a pool of 3 x 3
    (cr.AdaptiveAvgPool2d((5, 2)), (4, 5), (2, 4)),  # 0..2, 2..4, 4..7, 7..9, 9..11; 0..4, 4..8
    (cr.AdaptiveAvgPool2d((12, 9)), (1, 1), (1, 1)),
    (cr.AdaptiveAvgPool2d((7, 20)), (3, 2), (1, 1)),  # rows 0..1, 1..3, 3..5, ...; columns repeat
]


@pytest.mark.parametrize(("layer", "size", "jump"), ALONE, ids=[repr(layer) for layer, _, _ in ALONE])
def test_size_and_step_by_hand(layer: cr.Layer, size: Pair, jump: Pair) -> None:
    alone = layer.receptive_field(ReceptiveField(), MAP)
    assert (alone.size, alone.jump) == (size, jump)
    behind = layer.receptive_field(BEFORE, MAP)
    assert behind.size == (7 + (size[0] - 1) * 3, 4 + (size[1] - 1) * 2)
    assert behind.jump == (3 * jump[0], 2 * jump[1])


def test_every_layer_with_a_window_is_written_out() -> None:
    windowed = {name for name in LAYERS if name.endswith("2d") and name != "BatchNorm2d"}
    assert {type(layer).__name__ for layer, _, _ in ALONE} == windowed


@pytest.mark.parametrize("layer", [cr.ReLU(), cr.Softmax(), cr.Dropout(), cr.LocalResponseNorm(3), cr.BatchNorm2d(2)])
def test_what_looks_at_one_place_changes_nothing(layer: cr.Layer) -> None:
    assert layer.receptive_field(BEFORE, MAP) == BEFORE


@pytest.mark.parametrize("layer", [cr.Linear(24, 5), cr.RBF(24, 5)])
def test_a_dense_layer_behind_flattened_maps_keeps_their_step(layer: cr.Layer) -> None:
    flat = cr.Flatten().receptive_field(BEFORE, (2, 4, 3))
    assert (flat.size, flat.jump, flat.spread) == (BEFORE.size, BEFORE.jump, (4, 3))
    seen = layer.receptive_field(flat, (24,))
    assert (seen.size, seen.jump, seen.spread) == ((7 + 3 * 3, 4 + 2 * 2), BEFORE.jump, (1, 1))
    assert cr.Flatten().receptive_field(BEFORE, (24,)) == BEFORE
