"""Blocks: layers that follow one another and stand together in networks, under one name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, Protocol, TypeAlias

from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers.base import Layer, Node, Scope, Scoped, checked_name

KIND = "block"


class Placeable(Scoped, Protocol):
    """A block, or a network that has become one."""

    def placed(self, node: Node, scope: Scope) -> Node:
        """All its layers applied to a node, one after another."""
        ...


Item: TypeAlias = Layer | Placeable


class Block:
    """Layers and blocks that follow one another: what `Sequential` makes where it does not know its input's shape.

    It is a part of other networks: an item of a Sequential, or applied to a node, `h = block(x)`. Its layers are called
    "block1.conv1", or by its name "stem.conv1". Used twice, it is shared, as a layer is. It holds no values.
    """

    def __init__(self, *items: Item, name: str | None = None) -> None:
        check_items(items)
        self.items = items
        self.given_name = None if name is None else checked_name(name)

    def __call__(self, node: Node) -> Node:
        """Apply it to a node of a graph."""
        if not isinstance(node, Node):
            self._refuse("compute")
        return self.placed(node, ())

    def placed(self, node: Node, scope: Scope) -> Node:
        """All its layers applied to a node, one after another."""
        return chain(self.items, node, (*scope, self))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what Python asks every object
            raise AttributeError(name)
        self._refuse(f"give {name}")

    def _refuse(self, what: str) -> NoReturn:
        raise ArgumentError(
            f"this Sequential cannot {what}, since it does not know the shape of its input and so is only a part of "
            f"other networks; it needs input_shape=..., such as (1, 28, 28), unless it begins with Linear"
        )

    def __repr__(self) -> str:
        name = "" if self.given_name is None else f", name={self.given_name!r}"
        return f"Sequential({', '.join(map(repr, self.items))}{name})"


def check_items(items: Sequence[object]) -> None:
    """Refuse what cannot stand in a Sequential."""
    for position, item in enumerate(items):
        if not hasattr(type(item), "placed"):
            raise ArgumentError(f"item {position} of Sequential must be a layer, not {type(item).__name__}")


def chain(items: Sequence[Item], node: Node, scope: Scope = ()) -> Node:
    """The items applied one after another; an error names the layer as the network will."""
    kinds: dict[str, int] = {}
    for item in items:
        kind = item.kind if isinstance(item, Layer) else KIND
        kinds[kind] = kinds.get(kind, 0) + 1
        try:
            node = item.placed(node, scope)
        except ShapeError as error:
            joint = " = " if isinstance(item, Layer) else "." if isinstance(item, Block) else ": "
            raise ShapeError(f"{item.given_name or f'{kind}{kinds[kind]}'}{joint}{error}") from None
    return node
