"""The way from the loss to the asked number, as names and as one product of derivatives (S0-E23, S0-E30, S0-E35)."""

from __future__ import annotations

from itertools import pairwise

from chainrule.explain.terms import Place
from chainrule.expressions import LOSS, Expr, Partial, Words, equal, mul, slope
from chainrule.graph import Graph

LONGEST = 6


def route(graph: Graph, place: Place) -> tuple[str, ...]:
    """Names from the loss down to the asked place; for a value from the input up. Empty where the graph branches."""
    if not graph.is_chain:
        return ()
    if place.quantity == "value":
        return graph.names[: graph.index_of(place.name) + 1]
    first, last = _first(graph, place)
    return ("L", *reversed(graph.names[first:]), *last)


def _first(graph: Graph, place: Place) -> tuple[int, tuple[str, ...]]:
    if place.quantity != "parameter":
        return graph.index_of(place.name), ()
    layer = place.name.rpartition(".")[0]
    return graph.index_of(layer), (place.name,)


def chain_rule(graph: Graph, place: Place) -> Expr | None:
    """∂L/∂w = ∂L/∂y · ∂y/∂z · ∂z/∂w, in the names of the nodes, for a short chain; else None."""
    if not graph.is_chain or place.quantity == "value":
        return None
    first, last = _first(graph, place)
    names = [*reversed(graph.names[first:]), *last]
    if not 2 <= len(names) <= LONGEST:
        return None
    nodes: list[Expr] = [Words(name) for name in names]
    factors = [slope(nodes[0]), *(Partial(a, b) for a, b in pairwise(nodes))]
    return equal(Partial(LOSS, nodes[-1]), mul(*factors))
