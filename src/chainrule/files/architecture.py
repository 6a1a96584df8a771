"""A graph as JSON and back: layers with their hyperparameters, and nodes with their inputs."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.errors import ChainruleError, FileFormatError
from chainrule.files.values import decode, encode_all
from chainrule.graph import Graph, Input
from chainrule.layers import LAYERS
from chainrule.layers.base import Layer, Node, Origin
from chainrule.layers.names import check_names
from chainrule.losses import LOSSES, Loss
from chainrule.shapes import Shape


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Layers once each, nodes in the order of the graph."""
    numbers = {name: number for number, name in enumerate(graph.layers)}
    return {
        "input_shape": list(graph.input_shape),
        "layers": [_layer_to_json(name, layer) for name, layer in graph.layers.items()],
        "nodes": [{"layer": numbers[step.layer_name], "inputs": list(step.inputs)} for step in graph.steps],
    }


def _layer_to_json(name: str, layer: Layer) -> dict[str, Any]:
    kind = type(layer).__name__
    arguments = encode_all(layer.hyperparameters(), f"{name} ({kind})")
    own = {} if LAYERS.get(kind) is type(layer) else {"own": True}
    return {"name": name, "class": kind, **own, "arguments": arguments}


@dataclass(frozen=True)
class Nodes:
    """The nodes of a stored graph, and the shapes of the arrays that its layers need, by name."""

    input: Node
    output: Node
    parameters: dict[str, Shape]
    buffers: dict[str, Shape]


def nodes_from_json(data: Any, known: Mapping[str, type[Layer]]) -> Nodes:
    """Build the layers and nodes, but no arrays: a file may ask for any size."""
    shape, layers, steps = (_field(data, name, list) for name in ("input_shape", "layers", "nodes"))
    try:
        nodes = [Input(shape)]
        built = [_layer_from_json(layer, known) for layer in layers]
        names = [name for name, _ in built]
        if len(set(names)) < len(names):
            raise FileFormatError("two of its layers have the same name")
        check_names(names)
        parameters: dict[str, Shape] = {}
        buffers: dict[str, Shape] = {}
        for step in steps:
            name, layer = _pick(built, _field(step, "layer", int))
            inputs = tuple(_pick(nodes, index) for index in _field(step, "inputs", list))
            nodes.append(Node(layer, inputs, origin=Origin(name)))
            shapes = [parent.shape for parent in nodes[-1].inputs]
            _note(parameters, name, layer.parameter_shapes(*shapes))
            _note(buffers, name, layer.buffer_shapes(*shapes))
    except FileFormatError:
        raise
    except ChainruleError as error:
        raise FileFormatError(f"its architecture is invalid: {error}") from None
    return Nodes(nodes[0], nodes[-1], parameters, buffers)


def _note(shapes: dict[str, Shape], layer: str, own: Mapping[str, Shape]) -> None:
    """Add a layer's arrays; a shared layer must need the same ones at each of its places."""
    for name, shape in own.items():
        if shapes.setdefault(f"{layer}.{name}", shape) != shape:
            raise FileFormatError(f"its layer {layer} is used at places that need different parameters")


def _layer_from_json(data: Any, known: Mapping[str, type[Layer]]) -> tuple[str, Layer]:
    name, kind, arguments = (_field(data, n, t) for n, t in (("name", str), ("class", str), ("arguments", dict)))
    layer = known.get(kind)
    if layer is None or (data.get("own") and layer is LAYERS.get(kind)):
        near = difflib.get_close_matches(kind, LAYERS, n=1)
        hint = f" (or did it mean {near[0]}?)" if near and not data.get("own") else ""
        raise FileFormatError(
            f"it uses a layer {kind} that is not part of chainrule: pass the class, "
            f'load(path, layers={{"{kind}": {kind}}}){hint}'
        )
    values = {key: decode(value) for key, value in arguments.items()}
    made: Layer = _construct(layer, values, f"its layer {name} = {kind}")
    numbered = re.fullmatch(rf"{re.escape(made.kind)}[0-9]+", name)
    if not numbered and not all(part.isidentifier() and part != "input" for part in name.split(".")):
        raise FileFormatError(f"a layer cannot be called {name!r}")
    return name, made


def _construct(kind: Any, values: dict[str, Any], what: str) -> Any:
    try:
        return kind(**values)
    except (ChainruleError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(f"{what} cannot be built: {error}") from None


def loss_to_json(loss: Loss | None) -> dict[str, Any] | None:
    """A loss of chainrule's; None for none."""
    if loss is None:
        return None
    kind = type(loss).__name__
    parameters = inspect.signature(type(loss)).parameters
    given = {
        name: value
        for name, value in loss.hyperparameters().items()
        if parameters[name].kind != inspect.Parameter.KEYWORD_ONLY or value != parameters[name].default
    }  # what is rarely used is not written where it is not
    return {"class": kind, "arguments": encode_all(given, kind)}


def loss_from_json(data: Any) -> Loss | None:
    """The inverse of `loss_to_json`."""
    if data is None:
        return None
    kind, arguments = _field(data, "class", str), _field(data, "arguments", dict)
    if kind not in LOSSES:
        raise FileFormatError(f"it names an unknown loss {kind!r}; known: {', '.join(LOSSES)}")
    values = {key: decode(value) for key, value in arguments.items()}
    loss: Loss = _construct(LOSSES[kind], values, f"its loss {kind}")
    return loss


def _field(data: Any, name: str, kind: type) -> Any:
    """data[name], which must be a `kind`."""
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FileFormatError(f'its metadata lacks a {kind.__name__} "{name}"')
    return value


def _pick(items: list[Any], index: Any) -> Any:
    """items[index] for an index that must exist already."""
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(items):
        raise FileFormatError(f"its architecture refers to {index!r}, which comes later or does not exist")
    return items[index]
