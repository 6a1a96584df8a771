"""What a name of the file stands for while a network is built from it: numbers of a node of ours, or a constant.

The file may reshape and turn its values as it likes, and our layers know maps (channels, rows, columns) and vectors. So
a value is a node together with where in the node each of its numbers lies. Reshape and Transpose then make no layer:
they only move that table of places. A layer that takes maps asks whether the places are in order; a dense layer
reorders its weights instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.layers import Flatten, Node
from chainrule.shapes import Shape, product, shape_text


@dataclass(frozen=True)
class Value:
    """A sample of `shape` in the file, whose number [i, j, ...] is number `places[i, j, ...]` of the node's sample,
    counted row by row. None: they are in the same order. `of_input`: the network's input has come to it without any
    layer to which the order and the shape of a sample's numbers mean something."""

    node: Node
    shape: Shape
    places: Array | None = None
    of_input: bool = False

    def table(self) -> Array:
        """The places, written out."""
        return np.arange(product(self.shape)).reshape(self.shape) if self.places is None else self.places

    def placed(self, places: Array) -> Value:
        """The same node seen through other places."""
        ordered = np.array_equal(places.ravel(), np.arange(places.size))
        return Value(self.node, places.shape, None if ordered else places, self.of_input)

    def reshaped(self, shape: Shape) -> Value:
        """The same numbers in the same order under another shape."""
        return Value(self.node, shape, None if self.places is None else self.places.reshape(shape), self.of_input)

    def transposed(self, axes: tuple[int, ...]) -> Value:
        """The axes in another order, which means nothing for axes of one number."""
        shape = tuple(self.shape[axis] for axis in axes)
        moved = [axis for axis in axes if self.shape[axis] > 1]
        if moved == sorted(moved):
            return self.reshaped(shape)
        return self.placed(self.table().transpose(axes))

    def through(self, node: Node) -> Value:
        """What a layer that works on each number by itself has made of it."""
        return Value(node, self.shape, self.places, self.of_input)

    def in_node_order(self, array: Array) -> Array:
        """An array of this value's shape as the node holds such numbers."""
        if self.places is None:
            return array.reshape(self.node.shape)
        flat = np.empty(array.size, array.dtype)
        flat[self.places.ravel()] = array.ravel()
        return flat.reshape(self.node.shape)


@dataclass(frozen=True)
class Constant:
    """An array known from the file alone. `other` is what it is for another size of the batch, where that matters;
    `name` is the initializer's, so that layers which share their weights in the file share them here."""

    array: Array
    name: str = ""
    other: Array | None = None

    @property
    def of_batch(self) -> bool:
        """Whether it depends on the size of the batch."""
        return self.other is not None


Known: TypeAlias = Value | Constant | None
"""What an operation gets: None for an input that is left out."""


class Relaid(Exception):  # noqa: N818 (a request, not an error)
    """The input of the network should have another shape, `places` being where the file's numbers lie in it."""

    def __init__(self, shape: Shape, places: Array | None = None) -> None:
        super().__init__(shape)
        self.shape = shape
        self.places = places


def as_map(value: Value) -> Node:
    """The node of a value with one or two spatial axes as maps (channels, rows, columns); one axis makes one row."""
    if len(value.shape) not in (2, 3):
        raise FileFormatError(
            f"it takes maps with one or two spatial axes, but its input has {shape_text(value.shape)} for each sample"
        )
    return laid_out(value, value.shape if len(value.shape) == 3 else (value.shape[0], 1, value.shape[1]))


def laid_out(value: Value, shape: Shape) -> Node:
    """The node that holds a value's numbers in order as samples of `shape`; where the network's input itself is in
    the way, the import begins again with an input of that shape."""
    node = value.node
    while isinstance(node.layer, Flatten) and node.shape != shape:
        node = node.inputs[0]
    if value.places is None and node.shape == shape:
        return node
    if value.of_input:
        raise Relaid(shape, None if value.places is None else np.argsort(value.places, axis=None))
    done = "reshaped" if value.places is None else "turned"
    raise FileFormatError(
        f"its input is {done} to {shape_text(value.shape)} from {node.layer!r}, which gives {shape_text(node.shape)}, "
        "and no layer does that"
    )


def as_vector(value: Value) -> Node:
    """The node of a value, flattened. Its numbers are in the order of `value.places`."""
    return value.node if len(value.node.shape) == 1 else Flatten()(value.node)
