"""What was asked for, checked: a network that can be written in C, a loss, an optimizer, and which parameters learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import compute_dtype
from chainrule.errors import ArgumentError
from chainrule.graph import Graph
from chainrule.interchange.c.names import require_name
from chainrule.interchange.c.rules import LOSS_TEMPLATES, OPTIMIZER_TEMPLATES
from chainrule.layers import LAYERS
from chainrule.losses import Loss
from chainrule.optimizers import Optimizer
from chainrule.shapes import choice, integer, product, shown


@dataclass(frozen=True)
class Order:
    """What was asked for, checked."""

    graph: Graph
    name: str
    loss: Loss | None
    optimizer: Optimizer | None
    batch: int
    trained: frozenset[str]
    by_class: bool
    loaded: bool
    dtype: np.dtype[Any]
    class_names: tuple[str, ...]

    @property
    def learns(self) -> bool:
        """Whether `train_step` is asked for."""
        return self.loss is not None

    @property
    def couples(self) -> bool:
        """Whether a layer looks at several samples at once in training, so that they must lie side by side."""
        return self.learns and any(step.layer.couples_samples(True) for step in self.graph.steps)

    @property
    def shared(self) -> str | None:
        """A layer that learns and is used at several places."""
        names = [step.layer_name for step in self.graph.steps]
        trained = {name.rpartition(".")[0] for name in self.trained}
        return next((name for name in names if name in trained and names.count(name) > 1), None)


def order(
    graph: Graph,
    name: object,
    *,
    what: str = "inference",
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    batch: int = 1,
    last: int | None = None,
    targets: str | None = None,
    weights: str = "inside",
    dtype: str = "float32",
    class_names: tuple[str, ...] | None = None,
) -> Order:
    """Check every argument of `to_c`."""
    choice("what", what, ("inference", "train_step"))
    choice("weights", weights, ("inside", "beside"))
    learns = what == "train_step"
    for step in graph.steps:
        if LAYERS.get(type(step.layer).__name__) is not type(step.layer):
            raise ArgumentError(
                f"{step.name} = {step.layer!r} is a layer of your own, of which there is no C; export a network of the "
                f"package's layers"
            )
    if not learns:
        for given, value in (("loss", loss), ("optimizer", optimizer), ("last", last), ("targets", targets)):
            if value is not None:
                raise ArgumentError(f'{given} belongs to a training step; pass what="train_step" with it')
        if integer("batch", batch, 1) != 1:
            raise ArgumentError('batch belongs to a training step, inference takes one sample; pass what="train_step"')
    else:
        _require(loss, Loss, LOSS_TEMPLATES, "loss", "CrossEntropyLoss()")
        _require(optimizer, Optimizer, OPTIMIZER_TEMPLATES, "optimizer", "SGD(0.01)")
    return Order(
        graph=graph,
        name=require_name(name),
        loss=loss,
        optimizer=optimizer,
        batch=_batch(graph, batch) if learns else 1,
        trained=_trained(graph, last) if learns else frozenset(),
        by_class=_by_class(graph, loss, targets),
        loaded=weights == "beside",
        dtype=compute_dtype(np.empty(0), dtype),
        class_names=class_names or (),
    )


def _require(given: object, kind: type, templates: dict[str, Any], what: str, example: str) -> None:
    if given is None:
        raise ArgumentError(f"a training step needs its {what}; pass {what}=..., such as {example}")
    if (
        not isinstance(given, kind)
        or type(given).__name__ not in templates
        or type(given).__module__.partition(".")[0] != kind.__module__.partition(".")[0]
    ):
        raise ArgumentError(
            f"there is no C for the {what} {shown(given)}; one of {', '.join(templates)} can be exported"
        )


def _trained(graph: Graph, last: int | None) -> frozenset[str]:
    """The parameters that learn: all that are not frozen, or of the last layers that have any."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in graph.parameters if name not in graph.frozen))
    if last is not None:
        if integer("last", last, 1) > len(layers):
            raise ArgumentError(
                f"last={last} layers cannot be trained, since only {len(layers)} have parameters that train"
            )
        layers = layers[-last:]
    trained = [name for name in graph.parameters if name not in graph.frozen and name.rpartition(".")[0] in layers]
    if not trained:
        raise ArgumentError("the network has no parameters that train; unfreeze some, or export it without train_step")
    return frozenset(trained)


def _batch(graph: Graph, batch: int) -> int:
    size = integer("batch", batch, 1)
    for step in graph.steps:
        if step.layer.couples_samples(True) and size * product(step.shape[1:]) < 2:
            raise ArgumentError(
                f"{step.name} = {step.layer!r} needs at least 2 values per channel in training; pass batch=2 or more"
            )
    return size


def _by_class(graph: Graph, loss: Loss | None, targets: str | None) -> bool:
    """Whether targets are classes; raises where the loss does not fit the network's outputs."""
    if loss is None:
        return False
    if targets is not None:
        choice("targets", targets, ("classes", "probabilities"))
        if type(loss).__name__ != "CrossEntropyLoss":
            raise ArgumentError(f"targets is for CrossEntropyLoss alone; {type(loss).__name__} has one form of targets")
    by_class = loss.by_class if targets is None else targets == "classes"
    shape = graph.output_shape
    some = np.zeros((1, *shape[1:]), np.int64) if by_class else np.zeros((1, *shape))
    loss.prepare_targets(some, 1, shape)
    return by_class
