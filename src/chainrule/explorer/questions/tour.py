"""The question `tour`: a way through the network, forward and back, that stops at one telling number of each node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ChainruleError
from chainrule.explain.api import TERMS
from chainrule.explain.asking import place_text, read_place
from chainrule.explain.messages import Language, say
from chainrule.explain.steps import DerivationStep
from chainrule.explain.terms import Index, Place
from chainrule.explain.words import words
from chainrule.explorer.questions.asking import Question, quoted
from chainrule.explorer.questions.places import loss_name, loss_place, outer_dict, read_spot
from chainrule.explorer.questions.refusals import QuestionError, refused_form
from chainrule.explorer.questions.thoughts import DIGITS
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration


class StopDict(TypedDict):
    """A place to stop at, which `step` tells. `node` is the node, for a parameter the layer, for the loss its name."""

    # "pass" is a word of Python's, so this key is written in `_stop`: "forward" | "backward"
    place: dict[str, Any]
    node: str
    title: str


class TourDict(TypedDict):
    """`of` is where the tour ends, in the words of `explain`."""

    of: str
    stops: list[dict[str, Any]]


def tour(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "tour", "sample"?, "lang"?, "of"?} -> TourDict: forward through a number of each node, the loss, and
    backward from the outputs to `of` ("conv1.weight[0,0,1,2]", "input[0,7,7]", a bare name, or a place), through all
    shares of every branch. Without `of` it ends at the first goal of the example, else at the weight with the largest
    gradient of the first layer that has one. A stop is {"pass": "forward" | "backward", "place", "node", "title"}."""
    lang = asked.lang
    view, place = asked_goal(exploration, asked)
    builder = view.traced.builder(place, TERMS, 1)
    steps = builder.gradient_chain(place, None)
    found: TourDict = {
        "of": place_text(place),
        "stops": [*_forward(exploration, view, steps, lang), *_backward(exploration, view, steps, lang)],
    }
    return dict(found)


def asked_goal(exploration: Exploration, asked: Question) -> tuple[View, Place]:
    """Where a tour ends, as the traced pass of its sample has it."""
    view = exploration.view(asked)
    return view, goal(exploration, view, _of(exploration, asked))


def _of(exploration: Exploration, asked: Question) -> str | None:
    """What a tour should end at, in the words of `explain`: a text, or a place of a gradient."""
    if not isinstance(asked.get("of"), dict):
        return asked.text("of") if asked.has("of") else None
    place = read_spot(exploration, asked.get("of"), exploration.chosen(asked)).place
    if place is None or place.quantity == "value":
        raise refused_form("“of”", "a gradient of a node or parameter", "节点或参数的梯度")
    return place_text(place)


def goal(exploration: Exploration, view: View, of: str | None) -> Place:
    """Where a tour ends, as the traced pass has it."""
    traced, net = view.traced, exploration.net
    if of is None and exploration.subject.goals:
        of = exploration.subject.goals[0]
    if of is None:
        return _default(view)
    try:
        asked = read_place(net, of, traced.samples, view.row, "gradient")
    except ChainruleError:
        if exploration.subject.goals[:1] == (of,):  # a goal of the example does not fit what was made of it
            return _default(view)
        raise QuestionError("of", of=quoted(of)) from None
    return asked if isinstance(asked, Place) else asked.largest(traced.trace)


def _default(view: View) -> Place:
    """The largest gradient of the first layer that has one, of its weight rather than of its bias; without any, the
    input's largest."""
    traced = view.traced
    for step in traced.net.steps:
        names = [f"{step.layer_name}.{own}" for own in traced.net.parameters.of(step.layer_name)]
        largest = {name: float(np.abs(traced.trace[name].gradient).max(initial=0.0)) for name in names}
        if largest and max(largest.values()) > 0:
            name = max(
                largest, key=lambda name: (largest[name] > 0 and traced.trace[name].value.ndim > 1, largest[name])
            )
            return Place("parameter", name, _peak(traced.trace[name].gradient))
    return Place("gradient", "input", (view.row, *_peak(traced.trace["input"].gradient[view.row])))


def _peak(array: Array) -> Index:
    return tuple(int(i) for i in np.unravel_index(int(np.abs(array).argmax()), array.shape))


def _stop(direction: str, place: dict[str, Any], node: str, title: str) -> dict[str, Any]:
    stop: StopDict = {"place": place, "node": node, "title": title}
    return {"pass": direction, **stop}


def _forward(exploration: Exploration, view: View, steps: list[DerivationStep], lang: Language) -> list[dict[str, Any]]:
    """The numbers whose gradients are told on the way back, where there are some; else the one whose change would
    change the loss most."""
    told: dict[str, Index] = {}
    for step in reversed(steps):
        if step.place is not None and step.place.quantity == "gradient" and step.place.index[0] == view.row:
            told.setdefault(step.place.name, step.place.index)
    stops = []
    for name in exploration.net.names[1:]:
        traced = view.traced.trace[name]
        gradient, value = traced.gradient[view.row], traced.value[view.row]
        telling = gradient if gradient.any() else value
        index = told.get(name) or (view.row, *_peak(telling))
        title = say("title_value", node=name, index=f"[{','.join(map(str, index[1:]))}]")
        place = outer_dict(view, Place("value", name, index))
        stops.append(_stop("forward", place, name, words(title, lang, DIGITS)))
    loss = say("title_loss", loss=type(view.traced.loss).__name__)
    name = loss_name(exploration.net)
    return [*stops, _stop("forward", loss_place(exploration.net, view.sample), name, words(loss, lang, DIGITS))]


def _backward(
    exploration: Exploration, view: View, steps: list[DerivationStep], lang: Language
) -> list[dict[str, Any]]:
    stops = []
    for step in steps:
        if step.place is not None:
            node = step.place.name if step.place.is_node else step.place.name.rpartition(".")[0]
            stops.append(_stop("backward", outer_dict(view, step.place), node, words(step.title, lang, DIGITS)))
    return stops
