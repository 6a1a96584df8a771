"""Computes the tensors of a case with the layer's own equations in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.dropout import dropout_mask
from chainrule.layers.dropout import Dropout
from chainrule.vectors.cases import CONTEXT, LayerCase, LossCase
from chainrule.vectors.numbers import draw
from chainrule.vectors.pointwise import activations, dense, joins, losses, normalizations
from chainrule.vectors.windowed import convolutions, max_pools, other_pools

Tensors = dict[str, Array]


def all_cases() -> list[LayerCase | LossCase]:
    """The whole set, in order."""
    layers = [*convolutions(), *max_pools(), *other_pools(), *dense(), *activations(), *normalizations(), *joins()]
    return [*layers, *losses()]


def tensors_of(case: LayerCase | LossCase) -> Tensors:
    """Inputs, parameters, results and gradients of a case, by name."""
    return _of_layer(case) if isinstance(case, LayerCase) else _of_loss(case)


def _numbered(name: str, arrays: list[Array]) -> Iterator[tuple[str, Array]]:
    """x for a single input; x0, x1, ... for several."""
    for number, array in enumerate(arrays):
        yield (name if len(arrays) == 1 else f"{name}{number}"), array


def _of_layer(case: LayerCase) -> Tensors:
    layer, context = case.layer, case.context()
    values = {
        name: draw(case.name, name, shape, case.parameters)
        for name, shape in layer.parameter_shapes(*case.shapes).items()
    }
    buffers = {
        name: draw(case.name, name, shape, "positive" if name == "running_var" else "plain")
        for name, shape in layer.buffer_shapes(*case.shapes).items()
    }
    xs = [draw(case.name, f"x{i}", (case.batch, *shape), case.kind) for i, shape in enumerate(case.shapes)]
    if case.description == "all pixels below zero":
        xs = [-np.abs(x) - 1 for x in xs]
    own = values | buffers
    y, saved = layer.forward(own, *xs, context=context)
    dy = draw(case.name, "dy", y.shape)
    dx = layer.backward_input(own, dy, saved)
    tensors = dict(_numbered("x", xs))
    tensors |= {f"parameter.{name}": array for name, array in values.items()}
    tensors |= {f"buffer.{name}": array for name, array in buffers.items()}
    tensors |= _beside(case)
    tensors |= {"y": y, "dy": dy}
    tensors |= dict(_numbered("dx", list(dx) if isinstance(dx, tuple) else [dx]))
    tensors |= {f"gradient.{name}": array for name, array in layer.backward_parameters(own, dy, saved).items()}
    if case.training:
        tensors |= {f"updated.{name}": array for name, array in layer.updated_buffers(own, saved).items()}
    return {name: _plain(array) for name, array in tensors.items()}


def _beside(case: LayerCase) -> Tensors:
    """What else decides the result: a connection table, a mask."""
    table = getattr(case.layer, "connections", None)
    if table is not None:
        return {"connections": table.astype(np.uint8)}
    if isinstance(case.layer, Dropout) and case.training:
        shape = (case.batch, *case.shapes[0])
        return {"mask": dropout_mask(shape, case.layer.p, **CONTEXT).astype(np.uint8)}
    return {}


def _plain(array: Array) -> Array:
    """Contiguous, and without negative zeros, which differ in bits but not in value."""
    return np.ascontiguousarray(array + 0.0 if array.dtype.kind == "f" else array)


def _of_loss(case: LossCase) -> Tensors:
    outputs = draw(case.name, "outputs", (case.batch, *case.shape), case.kind)
    targets = _targets(case)
    value, saved = case.loss.forward(outputs, targets)
    result: dict[str, Any] = {"outputs": outputs, "targets": targets, "loss": np.array([value])}
    return {name: _plain(array) for name, array in {**result, "doutputs": case.loss.backward(saved)}.items()}


def _targets(case: LossCase) -> Array:
    classes = case.shape[0]
    if case.targets == "classes":
        drawn = draw(case.name, "targets", (case.batch, *case.shape[1:]))
        return np.asarray(np.abs(drawn * 16) % classes, np.int64)
    drawn = draw(case.name, "targets", (case.batch, *case.shape), "positive")
    if case.targets == "probabilities":
        whole = np.floor(drawn * 4)
        whole[:, 0] += 32 - whole.sum(axis=1)  # so that each row sums to 1 exactly
        return np.asarray(whole / 32)
    return drawn / 2 if case.targets == "shares" else drawn
