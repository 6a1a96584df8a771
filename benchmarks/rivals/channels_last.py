"""Weights for frameworks whose images are [row][column][channel] on CPUs, and back."""

from __future__ import annotations

import numpy as np

from benchmarks.tasks import Array, Description, Node


def _flattened(description: Description, node: Node) -> tuple[int, ...] | None:
    """The shape of the maps that a dense layer reads flattened, if it does."""
    source = node.inputs[0]
    if source == 0 or description.nodes[source - 1].op != "flatten":
        return None
    return description.shape(description.nodes[source - 1].inputs[0])


def _owners(description: Description) -> dict[str, Node]:
    return {str(node.weight): node for node in description.nodes if node.weight}


def to_channels_last(description: Description) -> dict[str, Array]:
    """Convolutions as (rows, columns, in, out), dense layers as (in, out) whose inputs come from such maps."""
    changed = dict(description.parameters)
    for name, node in _owners(description).items():
        weight = description.parameters[name]
        if node.op == "conv2d":
            changed[name] = np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
        elif node.op == "linear":
            maps = _flattened(description, node)
            if maps is not None:
                weight = weight.reshape(-1, *maps).transpose(0, 2, 3, 1).reshape(len(weight), -1)
            changed[name] = np.ascontiguousarray(weight.T)
    return changed


def from_channels_last(description: Description, parameters: dict[str, Array]) -> dict[str, Array]:
    """The inverse, of whichever parameters are given."""
    changed = dict(parameters)
    for name, node in _owners(description).items():
        if name not in parameters:
            continue
        weight = parameters[name]
        if node.op == "conv2d":
            changed[name] = weight.transpose(3, 2, 0, 1)
        elif node.op == "linear":
            weight = weight.T
            maps = _flattened(description, node)
            if maps is not None:
                channels, rows, columns = maps
                weight = weight.reshape(-1, rows, columns, channels).transpose(0, 3, 1, 2).reshape(len(weight), -1)
            changed[name] = weight
    return changed


def images(x: Array) -> Array:
    """A batch of images with the channels last; anything else as it is."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if x.ndim == 4 else x
