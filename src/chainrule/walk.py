"""The walk back over a graph: which gradients are wanted, and where gradients meet.

It does not know what gradients are made of. They may be arrays, as in the reference engine, or names of values in a
file that others will compute: the order of the steps and the sums are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from chainrule.graph import Graph, Step

T = TypeVar("T")


def gradients_wanted(graph: Graph, trains: Callable[[Step, str], bool], *, dx: bool) -> list[bool]:
    """Whether dL/d(node) is wanted, for every node: where it leads to a parameter that trains, or to a wanted dx."""
    found = [dx]
    for step in graph.steps:
        own = any(trains(step, name) for name in step.layer.parameter_shapes(*step.input_shapes))
        found.append(own or any(found[source] for source in step.inputs))
    return found


def walk_back(
    graph: Graph,
    dy: T,
    backward: Callable[[Step, T], Sequence[T | None]],
    add: Callable[[T, T], T],
) -> list[T | None]:
    """The gradient of every node, from that of the output; None where none came.

    `backward` is called for each step that a gradient reaches, from the last to the first, with that gradient, and
    returns what flows on to each of the step's inputs: None where nobody wants it. A node that several others take
    collects from all of them (S0-E31).
    """
    gradients: list[T | None] = [None] * len(graph.names)
    gradients[-1] = dy
    for step in reversed(graph.steps):
        flowing = gradients[step.index]
        if flowing is None:
            continue
        for source, part in zip(step.inputs, backward(step, flowing), strict=True):
            present = gradients[source]
            if part is not None:
                gradients[source] = part if present is None else add(present, part)
    return gradients
