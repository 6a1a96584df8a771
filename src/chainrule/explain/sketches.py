"""What a derivation keeps of its network: names, layers, shapes, and which nodes a gradient passes."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.explain.terms import Place
from chainrule.graph import Graph
from chainrule.shapes import shape_text


@dataclass(frozen=True)
class Sketch:
    """One node: its inputs by number; `lit` where the asked gradient comes through (a value: goes through)."""

    name: str
    layer: str
    size: str
    inputs: tuple[int, ...] = ()
    lit: bool = False


def sketches(graph: Graph, place: Place | None = None) -> tuple[Sketch, ...]:
    """The nodes of a graph; with a place, those on its way to the loss are lit, or to the input for a value."""
    lit = set() if place is None else _lit(graph, place)
    first = Sketch("input", "", shape_text(graph.input_shape), (), 0 in lit)
    rest = (
        Sketch(step.name, type(step.layer).__name__, shape_text(step.shape), step.inputs, step.index in lit)
        for step in graph.steps
    )
    return (first, *rest)


def _lit(graph: Graph, place: Place) -> set[int]:
    if place.quantity == "value":
        found = {graph.index_of(place.name)}
        for step in reversed(graph.steps):
            found |= set(step.inputs) if step.index in found else set()
        return found
    if place.quantity == "parameter":
        layer = place.name.rpartition(".")[0]
        found = {step.index for step in graph.steps if step.layer_name == layer}
    else:
        found = {graph.index_of(place.name)}
    for step in graph.steps:
        found |= {step.index} if found & set(step.inputs) else set()
    return found
