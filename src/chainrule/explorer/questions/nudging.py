"""The question `nudge`: one number is moved a little, and the loss beside what its gradient foretells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from chainrule.explain.nudging import losses_along
from chainrule.explain.nudging import nudge as explained
from chainrule.explain.steps import Nudge
from chainrule.explain.terms import Place
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.places import read_spot
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

HALF = 20
"""Points of the curve on each side of the number as it is."""
SPANS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
"""How far to each side a curve may reach."""
REACH = 10.0
"""No curve that nobody asked for reaches further than this times the largest number beside the one that is moved."""
SHORTEST, FURTHEST = 1e-9, 1e6


class Point(TypedDict):
    """The number moved `by` to `value`: the loss, its change, the change that gradient · by foretells, and whether the
    two are near each other (as in `explain`, within a tenth of what is foretold)."""

    by: float
    value: float
    loss: float
    change: float
    predicted: float
    predicted_loss: float
    near: bool


class NudgeAnswer(TypedDict):
    """The number as it is (`start`), its gradient, the loss `before`. Raised by `step` the loss is `after`: it changes
    by `change`, of which gradient · step foretold `predicted`. `points` are 41 of them from -span to span for a curve
    beside its tangent; those whose loss is not finite are left out. `spans` are others to choose from."""

    place: dict[str, Any]
    start: float
    gradient: float
    step: float
    before: float
    after: float
    change: float
    predicted: float
    span: float
    spans: list[float]
    points: list[Point]


def nudge(exploration: Exploration, asked: Question) -> NudgeAnswer:
    """{"ask": "nudge", "place", "by"?, "span"?, "sample"? (for parameters)} -> NudgeAnswer. Nothing changes for good.
    Without `by` the step is the first of 0.01, 0.001, ... by which the loss is still nearly a straight line, as in
    `explain`; without `span` the curve reaches so far that its bend can be seen."""
    spot = read_spot(exploration, asked.get("place"), exploration.chosen(asked))
    view, place = spot.view, spot.place
    if place is None:
        raise QuestionError("no_nudge")
    one = _asked(view, place, asked)
    span = asked.number("span", SHORTEST, FURTHEST) if asked.has("span") else _telling_span(view, place)
    return {
        "place": spot.to_dict(),
        "start": one.start,
        "gradient": one.gradient,
        "step": one.step,
        "before": one.before,
        "after": one.after,
        "change": one.change,
        "predicted": one.predicted,
        "span": span,
        "spans": list(SPANS) if span in SPANS else sorted([*SPANS, span]),
        "points": _points(view, place, [k * span / HALF for k in range(-HALF, HALF + 1)]),
    }


def _asked(view: View, place: Place, asked: Question) -> Nudge:
    """The one step that is told in full."""
    traced = view.traced
    if asked.has("by"):
        found = next(iter(_nudges(view, place, [asked.number("by", -FURTHEST, FURTHEST)])), None)
    else:
        gradient = _gradient(view, place)
        found = explained(traced.net, traced.trace, traced.ending, place, gradient, traced.training)
    if found is None:
        raise QuestionError("off_the_scale")
    return found


def _start(view: View, place: Place) -> float:
    return float(view.traced.trace[place.name].value[place.index])


def _gradient(view: View, place: Place) -> float:
    return float(view.traced.trace[place.name].gradient[place.index])


def _nudges(view: View, place: Place, steps: list[float]) -> list[Nudge]:
    """Those whose loss is finite."""
    traced, start, gradient = view.traced, _start(view, place), _gradient(view, place)
    losses = losses_along(traced.net, traced.trace, traced.ending, place, steps, traced.training)
    found = [Nudge(start, step, traced.trace.loss, loss, gradient) for step, loss in zip(steps, losses, strict=True)]
    return [one for one in found if math.isfinite(one.after)]


def _points(view: View, place: Place, steps: list[float]) -> list[Point]:
    return [_point(one) for one in _nudges(view, place, steps)]


def _point(one: Nudge) -> Point:
    return {
        "by": one.step,
        "value": one.start + one.step,
        "loss": one.after,
        "change": one.change if one.step else 0.0,
        "predicted": one.predicted,
        "predicted_loss": one.before + one.predicted,
        "near": one.step == 0 or one.near,
    }


def _telling_span(view: View, place: Place) -> float:
    """The shortest span at whose ends the loss has left the straight line; of those that are not too far, if none."""
    scale = float(np.abs(view.traced.trace[place.name].value).max(initial=0.0))
    spans = [span for span in SPANS if span <= max(1.0, REACH * scale)]
    for span in spans[1:]:
        if not all(point["near"] for point in _points(view, place, [-span, span])):
            return span
    return spans[-1]


__all__ = ["NudgeAnswer", "nudge"]
