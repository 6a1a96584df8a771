"""What anyone can check: change one number a little, and see whether the loss follows the gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chainrule.engines import Trace
from chainrule.engines.reference import Pass, State, continue_forward
from chainrule.explain.ending import Ending
from chainrule.explain.steps import Nudge
from chainrule.explain.terms import Place
from chainrule.graph import Graph

STEPS = (0.01, 0.001, 1e-4, 1e-5)
"""By how much a number is raised: the first step by which the loss is still nearly a straight line."""


def nudge(graph: Graph, trace: Trace, ending: Ending, place: Place, gradient: float, training: bool) -> Nudge | None:
    """The loss before and after raising what lives at `place`. None where nothing finite comes out."""
    before = trace[place.name].value[place.index]
    found = None
    for step in STEPS:
        after = losses_along(graph, trace, ending, place, [step], training)[0]
        found = Nudge(float(before), step, trace.loss, after, gradient)
        if found.near:
            break
    return found if found is not None and math.isfinite(found.after) else None


def losses_along(
    graph: Graph, trace: Trace, ending: Ending, place: Place, offsets: Sequence[float], training: bool
) -> list[float]:
    """The loss of the traced batch with one number raised by each of `offsets`; not always finite."""
    state = State.of(graph, np.dtype(np.float64))
    values = [trace[name].value for name in graph.names]
    if place.quantity == "parameter":
        moved = state.parameters[place.name]
        layer = place.name.rpartition(".")[0]
        known = min(use.index for use in graph.steps if use.layer_name == layer)
    else:
        known = graph.index_of(place.name) + 1
        moved = values[known - 1] = values[known - 1].copy()
    start, losses = float(moved[place.index]), []
    for offset in offsets:
        moved[place.index] = start + offset
        done = Pass(values[:known], [None] * known)
        with np.errstate(all="ignore"):
            continue_forward(graph, state, done, graph.steps[known - 1 :], training=training)
            losses.append(ending.loss.forward(done.values[-1], ending.targets, ending.weights)[0])
    return losses
