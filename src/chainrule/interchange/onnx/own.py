"""Files of our own come back as the layers that they were written from, whatever operators those became.

Such a file says in its metadata which layers it was written from. That is believed only where it is shown to be so:
the network that they make is written once more, and has to become the same operations and numbers as the file's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, FileFormatError
from chainrule.files.architecture import nodes_from_json
from chainrule.interchange.onnx.export import HIGHEST, LOWEST, inference_bytes
from chainrule.interchange.onnx.reading import Model, model_of, parse
from chainrule.layers import LAYERS
from chainrule.network import Network

TYPES = {1: "float32", 11: "float64"}
"""ONNX's element types of the files that we write."""
UINT8 = 2


def own_network(model: Model) -> Network | None:
    """The network that a file was written from; None for any other file, and where the file has been changed since."""
    metadata, opset = model.metadata, model.opsets.get("", 0)
    if model.producer != "chainrule" or "architecture" not in metadata or not LOWEST <= opset <= HIGHEST:
        return None
    if len(model.inputs) != 1 or len(model.outputs) != 1 or model.outputs[0].kind not in TYPES:
        return None
    given = model.inputs[0]
    batch = given.extents[0] if given.extents and isinstance(given.extents[0], int) else None
    try:
        net = _built(model)
        data = inference_bytes(net, TYPES[model.outputs[0].kind], opset, batch, uint8=given.kind == UINT8)
    except ChainruleError:  # what it says of itself has no meaning here; its operators may have one
        return None
    return net if _same(model, model_of(parse(data, "it"), Path())) else None


def _built(model: Model) -> Network:
    """The layers of the metadata around the arrays of the file."""
    nodes = nodes_from_json(_json(model, "architecture"), LAYERS)
    shapes = nodes.parameters | nodes.buffers
    for name, shape in shapes.items():
        if name not in model.constants or model.constants[name].shape != shape:
            raise FileFormatError(f"its layers need another {name}")
    seed, frozen = _json(model, "seed"), _json(model, "frozen")
    net = Network(nodes.input, nodes.output, seed=seed)
    if not isinstance(frozen, list) or not all(name in nodes.parameters for name in frozen):
        raise FileFormatError('the "frozen" in its metadata is not a list of parameter names')
    for name in shapes:
        target = net.parameters if name in nodes.parameters else net.buffers
        target[name] = model.constants[name]
    net.frozen = set(frozen)
    if "preparation" in model.metadata:
        from chainrule.data.preparation import Preparation

        net.preparation = Preparation.from_json(_json(model, "preparation"))
    return net


def _same(one: Model, other: Model) -> bool:
    """Whether two files compute the same with the same numbers."""
    if (one.inputs, one.outputs) != (other.inputs, other.outputs) or one.constants.keys() != other.constants.keys():
        return False
    operations = [
        [(o.kind, o.domain, o.inputs, o.outputs, o.attributes) for o in model.made_by.values()]
        for model in (one, other)
    ]
    if operations[0] != operations[1]:
        return False
    pairs = ((array, other.constants[name]) for name, array in one.constants.items())
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def _json(model: Model, name: str) -> Any:
    try:
        return json.loads(model.metadata[name])
    except KeyError:
        raise FileFormatError(f'its metadata lacks "{name}"') from None
    except (ValueError, RecursionError):
        raise FileFormatError(f'the "{name}" in its metadata is not valid JSON') from None
