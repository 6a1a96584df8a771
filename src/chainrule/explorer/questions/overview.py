"""The question `overview`: the network from input to loss, with what is needed to lay it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.engines import Trace
from chainrule.errors import shown
from chainrule.explain.messages import LANGUAGES, Language
from chainrule.explorer.questions.about import about
from chainrule.explorer.questions.arrays import SpanDict, span_of
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.notes import notes_of
from chainrule.explorer.questions.places import loss_name
from chainrule.explorer.views import VERSION, View
from chainrule.graph import Graph
from chainrule.metrics import MOST_SHOWN, name_of

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

MOST_CLASSES = 12
SMALLEST_PICTURE = 4
"""Rows and columns of an input that is drawn on."""


class ParameterCard(TypedDict):
    """A parameter of a layer; `value` and `gradient` are {"least", "most"}."""

    name: str
    shape: list[int]
    trainable: bool
    value: SpanDict
    gradient: SpanDict


class NodeCard(TypedDict):
    """A node. `layer` is the class ("Input" for the input), `text` the layer as the network prints it, `about` one
    sentence. `column` is the longest way from the input, `row` separates branches (0 is the main line). `value` and
    `gradient` are {"least", "most"} of this sample."""

    name: str
    layer: str
    text: str
    about: str
    inputs: list[str]
    shape: list[int]
    column: int
    row: int
    parameters: list[ParameterCard]
    value: SpanDict
    gradient: SpanDict


class Overview(TypedDict):
    """The network at one sample. `network` is its text, `title` that of the example (or ""), `sample` one of
    `samples`, of which the last `drawn` were drawn. `trained` counts steps of training. `target` is the class as a
    text, or the numbers aimed at. `loss` has its place ({"quantity": "value", "name", "index": [sample]}), which
    `step` takes. `classes` are the outputs, largest first, at most 12: probabilities where `probable`, and `right`
    marks the class that the target names. The places of `goals` are what an example is about. `capabilities` says
    which other questions have an answer; `picture` is how a drawing is prepared, null where there are none."""

    version: int
    network: str
    title: str
    sample: int
    samples: int
    drawn: int
    trained: int
    target: str
    class_names: list[str] | None
    loss: dict[str, Any]
    probable: bool
    classes: list[dict[str, Any]]
    nodes: list[NodeCard]
    goals: list[str]
    parameter_count: int
    capabilities: dict[str, bool]
    picture: dict[str, Any] | None
    notes: list[str]


def overview(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "overview", "sample"?, "lang"?} -> Overview."""
    view, lang = exploration.view(asked), asked.lang
    net, subject = exploration.net, exploration.subject
    name = loss_name(net)
    probable, classes = _classes(exploration, view)
    found: Overview = {
        "version": VERSION,
        "network": str(net),
        "title": subject.titles[LANGUAGES.index(lang)],
        "sample": view.sample,
        "samples": exploration.samples,
        "drawn": exploration.drawn,
        "trained": exploration.trained,
        "target": _target(exploration, view),
        "class_names": None if subject.class_names is None else list(subject.class_names),
        "loss": {
            "name": type(subject.loss).__name__,
            "text": repr(subject.loss),
            "value": view.traced.trace.loss,
            "place": {"quantity": "value", "name": name, "index": [view.sample]},
        },
        "probable": probable,
        "classes": classes,
        "nodes": _nodes(net, view, lang),
        "goals": list(subject.goals),
        "parameter_count": net.parameter_count,
        "capabilities": _capabilities(exploration),
        "picture": _picture(exploration),
        "notes": notes_of(exploration, view, lang),
    }
    return dict(found)


def is_picture(exploration: Exploration) -> bool:
    """Whether the input is a picture."""
    shape = exploration.net.input_shape
    return len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) >= SMALLEST_PICTURE


def can_train(exploration: Exploration) -> bool:
    """Whether there is a parameter to train."""
    return any(name not in exploration.net.frozen for name in exploration.net.parameters)


def _capabilities(exploration: Exploration) -> dict[str, bool]:
    return {
        "train": can_train(exploration),
        "draw": is_picture(exploration),
        "mistakes": True,
        "examples": True,
        "save": exploration.save,
    }


def _picture(exploration: Exploration) -> dict[str, Any] | None:
    if not is_picture(exploration):
        return None
    preparation, shape = exploration.preparation, exploration.net.input_shape
    return {"preparation": str(preparation), "ground": preparation.ground, "black": preparation.black,
            "white": preparation.white, "shape": list(shape)}  # fmt: skip


def _target(exploration: Exploration, view: View) -> str:
    target = view.traced.data.targets[view.row]
    if target.ndim == 0 and target.dtype.kind in "iu":
        return name_of(exploration.subject.class_names, int(target), MOST_SHOWN)
    numbers = [f"{float(number):g}".replace("-", "−") for number in target.reshape(-1)[:MOST_CLASSES]]
    return ", ".join(numbers) + (", …" if target.size > MOST_CLASSES else "")


def _classes(exploration: Exploration, view: View) -> tuple[bool, list[dict[str, Any]]]:
    """Probabilities where the target names a class, else the outputs."""
    traced, names = view.traced, exploration.subject.class_names
    outputs = traced.ending.outputs[view.row : view.row + 1]
    truth = traced.loss.true_classes(traced.data.targets[view.row : view.row + 1])
    probable = truth is not None and outputs.ndim == 2 and traced.loss.by_class
    values = _probabilities(traced.net.steps[-1].layer, traced.loss, outputs) if probable else outputs.reshape(-1)
    right = int(truth[0]) if probable and truth is not None else None
    found: list[dict[str, Any]] = []
    for k in np.argsort(-values, kind="stable")[:MOST_CLASSES].tolist():
        name = name_of(names if outputs.ndim == 2 else None, k, MOST_SHOWN)
        found.append({"name": name, "number": k, "value": float(values[k]), "right": k == right})
    return probable, found


def _probabilities(last: Any, loss: Any, outputs: Array) -> Array:
    found: Array = outputs[0] if last.gives_probabilities else loss.probabilities(outputs)[0]
    return found


def _nodes(net: Graph, view: View, lang: Language) -> list[NodeCard]:
    columns, rows = layout(net)
    trace = view.traced.trace
    steps = {step.name: step for step in net.steps}
    found: list[NodeCard] = []
    for position, name in enumerate(net.names):
        step = steps.get(name)
        traced = trace[name]
        found.append(
            {
                "name": name,
                "layer": "Input" if step is None else type(step.layer).__name__,
                "text": "input" if step is None else shown(step.layer, 160),
                "about": about(None if step is None else step.layer, lang),
                "inputs": [] if step is None else [net.names[i] for i in step.inputs],
                "shape": list(net.shapes[position]),
                "column": columns[position],
                "row": rows[position],
                "parameters": [] if step is None else _parameters(net, trace, step.layer_name),
                "value": span_of(traced.value[view.row]),
                "gradient": span_of(traced.gradient[view.row]),
            }
        )
    return found


def _parameters(net: Graph, trace: Trace, layer: str) -> list[ParameterCard]:
    return [
        {
            "name": f"{layer}.{own}",
            "shape": list(array.shape),
            "trainable": f"{layer}.{own}" not in net.frozen,
            "value": span_of(array),
            "gradient": span_of(trace[f"{layer}.{own}"].gradient),
        }
        for own, array in net.parameters.of(layer).items()
    ]


def layout(net: Graph) -> tuple[list[int], list[int]]:
    """The column and the row of every node: the column is the longest way from the input; of several nodes in a column
    each has a row of its own, that of its first input if it is free, so that a chain stays in one row."""
    columns, rows = [0], [0]
    for step in net.steps:
        columns.append(1 + max(columns[i] for i in step.inputs))
    until = list(columns)  # the column up to which a node's line runs: that before its last consumer
    for step in net.steps:
        for i in step.inputs:
            until[i] = max(until[i], columns[step.index] - 1)
    for step in net.steps:
        column = columns[step.index]
        taken = {rows[i] for i in range(len(rows)) if columns[i] <= column <= until[i]}
        wished = min(rows[i] for i in step.inputs)
        rows.append(next(row for row in range(wished, wished + len(net.names) + 1) if row not in taken))
    return columns, rows
