"""The table of layers is complete: each layer, each option, each value of an option that has a few."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from chainrule.initializers import NAMES
from chainrule.layers import LAYERS
from tests.layers.rows import ROWS

FEW = {
    "affine": {True, False},
    "bias": {True, False},
    "initialization": set(NAMES),
    "mode": {"correlation", "convolution"},
}


def _used(layer: str, option: str) -> list[object]:
    return [r.layer.hyperparameters()[option] for r in ROWS if type(r.layer).__name__ == layer]


NO_OPTIONS = ("args", "kwargs", "name")
"""What changes no number."""


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_row_with_a_batch_of_one(layer: str) -> None:
    rows = [r for r in ROWS if type(r.layer).__name__ == layer]
    assert rows, f"{layer} has no row in tests/layers/rows.py"
    assert any(r.batch == 1 for r in rows), f"{layer} has no row with a batch of one"


@pytest.mark.parametrize(
    ("layer", "option"),
    [(n, o) for n, layer in LAYERS.items() for o in inspect.signature(layer).parameters if o not in NO_OPTIONS],
)
def test_every_option_has_rows(layer: str, option: str) -> None:
    default = inspect.signature(LAYERS[layer]).parameters[option].default
    used = _used(layer, option)
    given = [v for v in used if isinstance(v, np.ndarray) or v not in (default, (default,) * 2, (default,) * 4)]
    assert given, f"{layer} has no row that sets {option} to something else than {default}"
    wanted = FEW.get(option, set()) | ({"shared"} if (layer, option) == ("Linear", "bias") else set())
    assert wanted <= {v for v in used if isinstance(v, bool | str)}, f"{layer}: {option} lacks a row for some value"


def test_row_names_are_unique() -> None:
    names = [r.name for r in ROWS]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
