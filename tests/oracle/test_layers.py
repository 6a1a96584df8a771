"""Values, input gradients and parameter gradients of every layer against torch, at 1e-12 of the largest number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layers import LAYERS
from tests.helpers import Array
from tests.layers.rows import ACTIVATIONS, IDS, ROWS, Row
from tests.oracle import adapter
from tests.oracle.adapter import near, tensor
from tests.strategies import Kind, batch_sizes, layers_with_shapes, seeds, values

CONTEXT = {"seed": 7, "step": 3, "node": 5}


def compare(layer: cr.Layer, arrays: dict[str, Array], xs: list[Array], dy: Array, context: cr.Context) -> None:
    """Forward, both halves of backward, and the running statistics."""
    learned = layer.parameter_shapes(*(x.shape[1:] for x in xs))
    theirs = {name: tensor(value, name in learned) for name, value in arrays.items()}
    inputs = [tensor(x, True) for x in xs]
    expected = adapter.layer_forward(layer, theirs, inputs, context)
    expected.backward(tensor(dy))

    y, saved = layer.forward(arrays, *xs, context=context)
    near("y", y, expected)
    dx = layer.backward_input(arrays, dy, saved)
    for i, (ours, x) in enumerate(zip(dx if isinstance(dx, tuple) else (dx,), inputs, strict=True)):
        near(f"dx[{i}]", ours, x.grad)
    for name, gradient in layer.backward_parameters(arrays, dy, saved).items():
        near(f"d{name}", gradient, theirs[name].grad)
    if context.training:
        for name, buffer in layer.updated_buffers(arrays, saved).items():
            near(name, buffer, theirs[name])


def test_every_layer_has_its_torch_form() -> None:
    assert set(adapter.LAYERS) == set(LAYERS)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_table_of_layers_agrees_with_torch(row: Row) -> None:
    compare(row.layer, *row.arrays(), row.context())


def _try(layer: cr.Layer, shapes: tuple[Any, ...], n: int, kind: Kind, training: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs = [values(rng, (n, *shape), kind) for shape in shapes]
    if training and "BatchNorm" in type(layer).__name__ and xs[0].size == xs[0].shape[1]:
        xs = [np.concatenate([x, x + 1]) for x in xs]  # one value per channel cannot be normalised
    arrays = {name: v + 0.5 * rng.random(v.shape) for name, v in layer.initialize(rng, *shapes).items()}
    dy = values(rng, (len(xs[0]), *layer.output_shape(*shapes)), "normal")
    compare(layer, arrays, xs, dy, cr.Context(training, **CONTEXT))


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=60)
@given(
    data=st.data(),
    n=batch_sizes,
    kind=st.sampled_from(["normal", "ties", "positive"]),
    training=st.booleans(),
    seed=seeds,
)
def test_random_layers_agree_with_torch(name: str, data: Any, n: int, kind: Kind, training: bool, seed: int) -> None:
    layer, shapes = data.draw(layers_with_shapes(name))
    _try(layer, shapes, n, kind, training, seed)


@pytest.mark.parametrize("name", ["Conv2d", "LocallyConnected2d", "MaxPool2d", "AvgPool2d"])
@settings(max_examples=240)
@given(data=st.data(), n=batch_sizes, kind=st.sampled_from(["normal", "ties"]), seed=seeds)
def test_many_windows_agree_with_torch(name: str, data: Any, n: int, kind: Kind, seed: int) -> None:
    layer, shapes = data.draw(layers_with_shapes(name))
    _try(layer, shapes, n, kind, True, seed)


@pytest.mark.parametrize("p", [1, 2, 3])
@settings(max_examples=60)
@given(data=st.data(), n=batch_sizes, seed=seeds)
def test_norms_of_positive_maps_agree_with_torch(p: int, data: Any, n: int, seed: int) -> None:
    layer, shapes = data.draw(layers_with_shapes("LPPool2d"))
    options = layer.hyperparameters() | {"norm_type": p}
    _try(cr.LPPool2d(**options), shapes, n, "positive", False, seed)


@pytest.mark.parametrize("layer", [*(a.layer for a in ACTIVATIONS), cr.Softmax()], ids=repr)
def test_extreme_inputs_agree_with_torch(layer: cr.Layer) -> None:
    x = np.array([[1e4, -1e4, 30.0, -30.0, 0.0, 1e-300, 710.0, -745.0]])
    compare(layer, {}, [x], np.ones_like(x), cr.Context())
