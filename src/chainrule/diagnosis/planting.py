"""Mistakes planted on purpose: the gradient that a likely mistake gives, beside the right one.

The other direction of a diagnosis, from the same tables: a layer at the numbers of a traced pass becomes a `Problem`,
and each suspect that gives other numbers there can be planted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis import convolution_bias, convolution_input, convolution_weight, generic  # noqa: F401
from chainrule.diagnosis.activations import ActivationProblem, LeakyProblem, SoftmaxProblem
from chainrule.diagnosis.branches import BranchProblem, PlainProblem
from chainrule.diagnosis.convolution import Conv2dProblem
from chainrule.diagnosis.dense import LinearProblem
from chainrule.diagnosis.normalization import BatchNormProblem, DropoutProblem
from chainrule.diagnosis.pooling import PoolKind, PoolProblem
from chainrule.diagnosis.problem import Problem, Suspect
from chainrule.diagnosis.upstream import Upstream
from chainrule.engines.base import Trace
from chainrule.errors import NameLookupError
from chainrule.graph import Graph, Step
from chainrule.layers import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Layer,
    LeakyReLU,
    Linear,
    LPPool2d,
    MaxPool2d,
    ReLU,
    ScaledTanh,
    Sigmoid,
    Softmax,
    Tanh,
)
from chainrule.layers.base import Context

CURVES: Mapping[type[Layer], str] = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh", ScaledTanh: "scaled_tanh"}
POOLS: Mapping[type[Layer], PoolKind] = {MaxPool2d: "max", AvgPool2d: "average"}
FITTED: Mapping[str, float] = {"a learning rate": 0.1, "a weight decay": 0.01}
"""How far a mistake is carried whose size is free."""


@dataclass(frozen=True)
class Planted:
    """A gradient with one mistake in it. `key` is unique within its problem."""

    tensor: str
    key: str
    sentence: str
    right: Array
    wrong: Array


def planted(problem: Problem) -> list[Planted]:
    """Every kind of mistake that gives other numbers here, in the shape of the right gradient."""
    found: dict[str, Planted] = {}
    eps = float(np.finfo(np.float64).eps)
    for tensor, truth in problem.truths().items():
        for suspect, wrong in _candidates(problem, tensor):
            key = f"{tensor}.{suspect.key}"
            drawn = wrong.shape == truth.value.shape and bool(np.isfinite(wrong).all())
            if key not in found and drawn and not truth.same(wrong, eps):
                found[key] = Planted(tensor, key, suspect.sentence, truth.value, wrong)
    return list(found.values())


def _candidates(problem: Problem, tensor: str) -> Iterator[tuple[Suspect[Any], Array]]:
    right = problem.truths()[tensor].value
    for suspect, wrong in problem.wrong(tensor):
        yield suspect, right + FITTED[suspect.fitted] * wrong if suspect.fitted else wrong
    for key, sentence, factor, _ in generic.factors(problem.counts()):
        yield Suspect(tensor, key, sentence, lambda p: None), factor * right


def layer_problem(graph: Graph, trace: Trace, node: str, training: bool) -> Problem:
    """The layer that makes a node, at the numbers of a traced pass. Raises NameLookupError for no such node."""
    step = _step(graph, node)
    inputs = [trace[graph.names[i]].value for i in step.inputs]
    dy, own = trace[node].gradient, _own(graph, trace, step)
    context = Context(training, graph.seed, 0, step.index)
    y, saved = step.layer.forward(own, *inputs, context=context)
    known = _known(step.layer, own, inputs[0], y, dy, saved, training)
    return known if known is not None else _plain(step.layer, own, dy, saved)


def branch_problem(graph: Graph, trace: Trace, node: str, training: bool) -> BranchProblem | None:
    """What comes back to a node from each layer that takes it; None where only one does."""
    index = graph.index_of(node)
    shares: list[Array] = []
    for step in graph.steps:
        if index not in step.inputs:
            continue
        own = _own(graph, trace, step)
        inputs = [trace[graph.names[i]].value for i in step.inputs]
        _, saved = step.layer.forward(own, *inputs, context=Context(training, graph.seed, 0, step.index))
        dx = step.layer.backward_input(own, trace[step.name].gradient, saved)
        parts = dx if isinstance(dx, tuple) else (dx,)
        shares += [part for source, part in zip(step.inputs, parts, strict=True) if source == index]
    return BranchProblem(tuple(shares)) if len(shares) > 1 else None


def _step(graph: Graph, node: str) -> Step:
    found = next((step for step in graph.steps if step.name == node), None)
    if found is None:
        raise NameLookupError("layer", node, [step.name for step in graph.steps])
    return found


def _own(graph: Graph, trace: Trace, step: Step) -> dict[str, Array]:
    """The layer's parameters as they were traced, and its buffers."""
    prefix = f"{step.layer_name}."
    values = {name.removeprefix(prefix): trace[name].value for name in graph.parameters if name.startswith(prefix)}
    return {**values, **graph.buffers.of(step.layer_name)}


def _known(
    layer: Layer, own: dict[str, Array], x: Array, y: Array, dy: Array, saved: Any, training: bool
) -> Problem | None:
    """The layer as one whose mistakes have a table; exact types alone, since a subclass may compute otherwise."""
    kind = type(layer)
    if isinstance(layer, Conv2d) and kind is Conv2d:
        mask = None if layer.connections is None else layer.connections[:, :, None, None].astype(np.float64)
        weight = own["weight"] if mask is None else own["weight"] * mask
        return Conv2dProblem(x, weight, dy, layer.window, layer.groups, layer.mode, mask)
    if isinstance(layer, Linear) and kind is Linear and x.ndim == 2:
        return LinearProblem(x, own["weight"], dy, layer.bias == "shared")
    if isinstance(layer, MaxPool2d | AvgPool2d) and kind in POOLS:
        return PoolProblem(x, dy, layer.window, POOLS[kind])
    if isinstance(layer, LPPool2d) and kind is LPPool2d and layer.norm_type == 2:
        return PoolProblem(x, dy, layer.window, "l2")
    if kind in CURVES:
        return ActivationProblem(Upstream(CURVES[kind], x, dy))
    if isinstance(layer, LeakyReLU) and kind is LeakyReLU:
        return LeakyProblem(x, dy, layer.negative_slope)
    if kind is Softmax:
        return SoftmaxProblem(x, dy)
    return _of_training(layer, own, x, dy, saved) if training else None


def _of_training(layer: Layer, own: dict[str, Array], x: Array, dy: Array, saved: Any) -> Problem | None:
    kind = type(layer)
    if isinstance(layer, BatchNorm1d | BatchNorm2d) and kind in (BatchNorm1d, BatchNorm2d) and x.ndim in (2, 4):
        return BatchNormProblem(x, own.get("weight", np.ones(x.shape[1])), dy, layer.eps)
    if isinstance(layer, Dropout) and kind is Dropout and saved is not None:
        return DropoutProblem(np.asarray(saved, np.float64), dy, layer.p)
    return None


def _plain(layer: Layer, own: dict[str, Array], dy: Array, saved: Any) -> PlainProblem:
    dx = layer.backward_input(own, dy, saved)
    parts = {f"dx[{i}]": part for i, part in enumerate(dx)} if isinstance(dx, tuple) else {"dx": dx}
    own_gradients = {f"d{name}": array for name, array in layer.backward_parameters(own, dy, saved).items()}
    return PlainProblem(parts | own_gradients, len(dy))
