"""Counts and receptive fields against the links that the layers really have: what moves when an input moves."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.shapes import ReceptiveField, product
from tests.helpers import Array
from tests.layers.rows import IDS, ROWS, Row
from tests.layers.test_gradients import backward

LINKED = (
    cr.Linear, cr.RBF, cr.Conv2d, cr.LocallyConnected2d, cr.AvgPool2d, cr.GaussianPool2d, cr.LPPool2d,
    cr.TrainablePool2d, cr.AdaptiveAvgPool2d,
)  # fmt: skip
LINKED_ROWS = [r for r in ROWS if isinstance(r.layer, LINKED)]


def links(row: Row) -> Array:
    """bool (*output_shape, *input_shape): which inputs act in which outputs, found by moving each output's dy."""
    values, xs, _ = row.arrays()
    x = np.abs(xs[0][:1]) + 0.1
    values = {name: np.abs(value) + 0.1 for name, value in values.items()}
    if isinstance(row.layer, cr.RBF):
        values["weight"] = -values["weight"]  # so that no distance is 0
    shape = row.layer.output_shape(*row.shapes)
    found = []
    for place in range(product(shape)):
        dy = np.zeros((1, product(shape)))
        dy[0, place] = 1
        (dx,), _ = backward(row, values, [x], dy.reshape(1, *shape))
        found.append(dx[0] != 0)
    return np.reshape(found, (*shape, *row.shapes[0]))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_free_numbers_are_those_that_can_have_a_gradient(row: Row) -> None:
    values, xs, dy = row.arrays()
    counts = row.layer.parameter_counts(*row.shapes)
    sizes = {name: product(shape) for name, shape in row.layer.parameter_shapes(*row.shapes).items()}
    assert counts.keys() == sizes.keys()
    if getattr(row.layer, "connections", None) is None:
        assert counts == sizes
    else:
        absent = ~row.layer.connections
        assert counts["weight"] == sizes["weight"] - absent.sum() * product(row.layer.kernel_size)
        _, gradients = backward(row, values, xs, dy)
        assert not gradients["weight"][absent].any()
        assert not row.layer.initialize(np.random.default_rng(0))["weight"][absent].any()
    for count in (row.layer.connection_count(*row.shapes), row.layer.multiply_add_count(*row.shapes)):
        assert isinstance(count, int)
        assert count >= 0


def _padded(row: Row) -> bool:
    window = getattr(row.layer, "window", None)
    return window is not None and any(window.sides(row.shapes[0][1:]))


@pytest.mark.parametrize("row", [r for r in LINKED_ROWS if not _padded(r)], ids=lambda r: r.name)
def test_connections_are_the_links_to_inputs_and_biases(row: Row) -> None:
    biases = "bias" in row.layer.parameter_shapes(*row.shapes)
    wanted = int(links(row).sum()) + biases * product(row.layer.output_shape(*row.shapes))
    assert row.layer.connection_count(*row.shapes) == wanted


@pytest.mark.parametrize(
    "row",
    [r for r in LINKED_ROWS if isinstance(r.layer, cr.Conv2d | cr.Linear | cr.LocallyConnected2d)],
    ids=lambda r: r.name,
)
def test_multiply_adds_are_the_connections_without_the_biases(row: Row) -> None:
    biases = "bias" in row.layer.parameter_shapes(*row.shapes)
    wanted = row.layer.connection_count(*row.shapes) - biases * product(row.layer.output_shape(*row.shapes))
    assert row.layer.multiply_add_count(*row.shapes) == wanted


@pytest.mark.parametrize("row", [r for r in LINKED_ROWS if len(r.shapes[0]) == 3], ids=lambda r: r.name)
def test_receptive_fields_are_the_extent_of_the_links(row: Row) -> None:
    field = row.layer.receptive_field(ReceptiveField(), *row.shapes)
    seen = links(row).any(axis=(0, 3))  # output rows, output columns, input rows, input columns
    spans = [
        max(
            np.ptp(np.flatnonzero(place.any(axis=1 - axis))) + 1
            for place in seen.reshape(-1, *seen.shape[2:])
            if place.any()
        )
        for axis in (0, 1)
        if seen.any()
    ]
    if not spans:  # a table of links that has none
        return
    cut = [s < f for s, f in zip(spans, field.size, strict=True)]
    assert all(s <= f for s, f in zip(spans, field.size, strict=True))
    assert not any(cut) or _padded(row), f"sees {spans}, but says {field.size}"


def test_a_dense_layer_after_flatten_sees_the_whole_map() -> None:
    field = ReceptiveField((3, 3), (2, 2))
    flat = cr.Flatten().receptive_field(field, (4, 5, 6))
    seen = cr.Linear(120, 3).receptive_field(flat, (120,))
    assert seen.size == (3 + 4 * 2, 3 + 5 * 2)
    assert cr.Linear(3, 3).receptive_field(seen, (3,)).size == seen.size
