"""From a graph to a text: the inverse of reading where the language has the words, else a list of the nodes."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from chainrule.grammar.words import BY_LAYER, Word
from chainrule.graph import Graph, Step
from chainrule.layers import Flatten
from chainrule.layers.base import Layer
from chainrule.shapes import Shape, shape_text


def write_text(graph: Graph) -> str:
    """The graph as a text that `parse_text` reads back to the same layers.

    What the language cannot say (joins, shared layers, connection tables, layers of your own, rarer options) is listed
    node by node: "conv1 = Conv2d(1, 6, 5) of input -> 6x24x24".
    """
    texts = _chain_texts(graph)
    if texts is None:
        return "\n".join([f"input {shape_text(graph.input_shape)}", *(_line(graph, step) for step in graph.steps)])
    return " -> ".join([shape_text(graph.input_shape), *texts])


def layer_text(layer: Layer, *shapes: Shape) -> str | None:
    """One layer on inputs of `shapes` in the words of the language, or None if it has no words for it."""
    word = BY_LAYER.get(type(layer))
    if word is None or len(shapes) != 1 or word.layer_for(len(shapes[0])) is not type(layer):
        return None
    values = layer.hyperparameters()
    if word.inferred is not None:
        values.pop(word.inferred)
    parts = [word.name]
    for argument in word.arguments:
        value = values.pop(argument.parameter)
        if argument.required or value != _default(word, argument.parameter):
            text = argument.kind.write(value)
            parts[-1:] = [parts[-1] + argument.mark + text] if argument.mark else [parts[-1], text]
    options = _option_texts(word, layer, values)
    return None if options is None else " ".join(parts + options)


def _option_texts(word: Word, layer: Layer, values: dict[str, Any]) -> list[str] | None:
    """Words for the options that differ from their defaults; None if one has no word."""
    plain = _plain_values(word, layer)
    texts = []
    for parameter, value in values.items():
        if not _differs(value, plain[parameter]) and not _required(word, parameter):
            continue
        for name, option in word.options.items():
            if option.parameter == parameter and (option.kind is not None or option.value == value):
                texts.append(name if option.kind is None else f"{name} {option.kind.write(value)}")
                break
        else:
            return None
    return texts


def _required(word: Word, parameter: str) -> bool:
    return any(option.required for option in word.options.values() if option.parameter == parameter)


def _plain_values(word: Word, layer: Layer) -> dict[str, Any]:
    """Hyperparameters of such a layer with every option at its default."""
    values = layer.hyperparameters()
    defaults = inspect.signature(type(layer)).parameters
    kept = {name: v for name, v in values.items() if defaults[name].default is inspect.Parameter.empty}
    return type(layer)(**kept).hyperparameters()


def _default(word: Word, parameter: str) -> Any:
    return inspect.signature(word.layer).parameters[parameter].default


def _differs(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return not np.array_equal(a, b)
    return type(a) is not type(b) or bool(a != b)


def _chain_texts(graph: Graph) -> list[str] | None:
    """The layers of a chain in words, without each Flatten that its follower implies."""
    if not graph.steps or not graph.is_chain or len(graph.input_shape) not in (1, 3):
        return None
    texts = []
    for step, after in zip(graph.steps, (*graph.steps[1:], None), strict=True):
        text = layer_text(step.layer, *step.input_shapes)
        if text is None:
            return None
        follower = BY_LAYER.get(type(after.layer)) if after is not None else None
        implied = follower is not None and follower.flattens and len(step.input_shapes[0]) != 1
        if not (type(step.layer) is Flatten and implied):
            texts.append(text)
    return texts


def _line(graph: Graph, step: Step) -> str:
    shared = "" if step.name == step.layer_name else f"{step.layer_name}, "
    inputs = ", ".join(graph.names[index] for index in step.inputs)
    return f"{step.name} = {shared}{step.layer!r} of {inputs} -> {shape_text(step.shape)}"
