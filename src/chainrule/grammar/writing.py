"""From a graph to a text: the inverse of reading where the language has the words, else a list of the nodes."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from chainrule.grammar.words import BY_LAYER, NAMED, Word
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
    """One layer on inputs of `shapes` in the words of the language, or None if it has no words for all of it."""
    word = _word_for(layer, shapes)
    if word is None:
        return None
    text, unsaid = _in_words(word, layer)
    return None if unsaid else text


def layer_description(layer: Layer, *shapes: Shape) -> str:
    """One layer in words as far as they go, then the names of other options: "conv 16@5x5 table"."""
    word = _word_for(layer, shapes)
    if word is None:
        return layer.described()
    text, unsaid = _in_words(word, layer)
    shown = {"connections": "table", "initialization": ""}
    return " ".join([text, *filter(None, (shown.get(name, name) for name in unsaid))])


def _word_for(layer: Layer, shapes: tuple[Shape, ...]) -> Word | None:
    word = BY_LAYER.get(type(layer))
    fits = word is not None and len(shapes) == 1 and word.layer_for(len(shapes[0])) is type(layer)
    return word if fits else None


def _in_words(word: Word, layer: Layer) -> tuple[str, list[str]]:
    """The layer's text, and the parameters that differ from their defaults, but have no word."""
    values, plain = layer.hyperparameters(), _plain_values(layer)
    if word.inferred is not None:
        values.pop(word.inferred)
    text = word.name
    for argument in word.arguments:
        value = values.pop(argument.parameter)
        if argument.required or value != plain[argument.parameter]:
            text += (argument.mark or " ") + argument.kind.write(value)
    unsaid = []
    for parameter, value in values.items():
        if _differs(value, plain[parameter]) or _required(word, parameter):
            option = _option_text(word, parameter, value)
            if option is None:
                unsaid.append(parameter)
            else:
                text += f" {option}"
    return text, unsaid


def _option_text(word: Word, parameter: str, value: Any) -> str | None:
    for name, option in word.options.items():
        if option.parameter == parameter and option.kind is not None:
            return f"{name} {option.kind.write(value)}"
        if option.parameter == parameter and option.value == value:
            return name
    return None


def _required(word: Word, parameter: str) -> bool:
    return any(option.required for option in word.options.values() if option.parameter == parameter)


def _plain_values(layer: Layer) -> dict[str, Any]:
    """Hyperparameters of such a layer with every option at its default."""
    parameters = inspect.signature(type(layer)).parameters
    required = {n: v for n, v in layer.hyperparameters().items() if parameters[n].default is inspect.Parameter.empty}
    return type(layer)(**required).hyperparameters()


def _differs(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return not np.array_equal(a, b)
    return type(a) is not type(b) or bool(a != b)


def _chain_texts(graph: Graph) -> list[str] | None:
    """The layers of a chain in words, without each Flatten that its follower implies; blocks as named groups."""
    if not graph.steps or not graph.is_chain or len(graph.input_shape) not in (1, 3):
        return None
    texts: list[tuple[list[str], str]] = []
    numbers: Counter[tuple[str, str]] = Counter()
    for step, after in zip(graph.steps, (*graph.steps[1:], None), strict=True):
        text = layer_text(step.layer, *step.input_shapes)
        if text is None:
            return None
        scope, _, own = step.name.rpartition(".")
        numbers[scope, step.layer.kind] += 1
        numbered = own == f"{step.layer.kind}{numbers[scope, step.layer.kind]}"
        follower = BY_LAYER.get(type(after.layer)) if after is not None else None
        implied = follower is not None and follower.flattens and len(step.input_shapes[0]) != 1
        together = after is not None and after.name.rpartition(".")[0] == scope
        if not (type(step.layer) is Flatten and implied and numbered and together):
            texts.append((scope.split(".") if scope else [], text if numbered else f"{text} {NAMED} {own}"))
    return _grouped(texts, set())


def _grouped(texts: Sequence[tuple[Sequence[str], str]], seen: set[str]) -> list[str] | None:
    """Each block as one text; None where a block stands in two parts."""
    items: list[str] = []
    for name, members in groupby(texts, key=lambda text: text[0][:1]):
        inner = [(scope[1:], text) for scope, text in members]
        if not name:
            items += [text for _, text in inner]
            continue
        group = _grouped(inner, set())
        if group is None or name[0] in seen:
            return None
        seen.add(name[0])
        items.append(f"[{' -> '.join(group)}] {NAMED} {name[0]}")
    return items


def _line(graph: Graph, step: Step) -> str:
    shared = "" if step.name == step.layer_name else f"{step.layer_name}, "
    inputs = ", ".join(graph.names[index] for index in step.inputs)
    return f"{step.name} = {shared}{step.layer.described()} of {inputs} -> {shape_text(step.shape)}"
