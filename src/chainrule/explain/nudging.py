"""What anyone can check: change one number a little, and see whether the loss follows the gradient."""

from __future__ import annotations

import math

import numpy as np

from chainrule.engines import Trace
from chainrule.engines.reference import Pass, State, continue_forward
from chainrule.explain.ending import Ending
from chainrule.explain.steps import Nudge
from chainrule.explain.terms import Place
from chainrule.graph import Graph

STEPS = (0.01, 0.001, 1e-4, 1e-5)
"""By how much a number is raised: the first step by which the loss is still nearly a straight line."""
NEAR = 0.1
"""How far, in shares of the prediction, the loss may stray from the line."""


def nudge(graph: Graph, trace: Trace, ending: Ending, place: Place, gradient: float, training: bool) -> Nudge | None:
    """The loss before and after raising what lives at `place`. None where nothing finite comes out."""
    before = trace[place.name].value[place.index]
    found = None
    for step in STEPS:
        with np.errstate(all="ignore"):
            after = _loss_with(graph, trace, ending, place, step, training)
        found = Nudge(float(before), step, trace.loss, after, gradient)
        if abs(found.change - found.predicted) <= NEAR * abs(found.predicted):
            break
    return found if found is not None and math.isfinite(found.after) else None


def _loss_with(graph: Graph, trace: Trace, ending: Ending, place: Place, step: float, training: bool) -> float:
    """The loss of the traced batch with one number raised by `step`."""
    state = State.of(graph, np.dtype(np.float64))
    values = [trace[name].value for name in graph.names]
    if place.quantity == "parameter":
        state.parameters[place.name][place.index] += step
        layer = place.name.rpartition(".")[0]
        known = min(use.index for use in graph.steps if use.layer_name == layer)
    else:
        known = graph.index_of(place.name) + 1
        changed = values[known - 1].copy()
        changed[place.index] += step
        values[known - 1] = changed
    done = Pass(values[:known], [None] * known)
    continue_forward(graph, state, done, graph.steps[known - 1 :], training=training)
    return ending.loss.forward(done.values[-1], ending.targets, ending.weights)[0]
