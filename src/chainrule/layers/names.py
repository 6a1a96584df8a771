"""What layers are called in a network: "conv1" by kind and number, "stem" as given, "block1.conv1" within a block.

Layers are numbered by kind in the order of their first use, each block for itself; a given name takes its number, so
that it changes no other name. Blocks are numbered likewise. A name from a file, or from a network that became a block,
stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from chainrule.errors import ArgumentError
from chainrule.layers.base import Layer, Node, Scope
from chainrule.layers.blocks import KIND


class Layers(Mapping[str, Layer]):
    """The layers of a graph by name. They stay as they are: shapes and values follow from them."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self._layers = dict(layers)

    def __getitem__(self, name: str) -> Layer:
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __setitem__(self, name: str, layer: object) -> NoReturn:
        raise ArgumentError(
            f"the layers of a network cannot be exchanged, so layers[{name!r}] cannot be assigned; make a new "
            "network, or assign values: net.parameters[...] = ..."
        )

    def __delitem__(self, name: str) -> NoReturn:
        raise ArgumentError(
            f"the layers of a network cannot be taken away, so layers[{name!r}] cannot be deleted; make a new "
            "network without it"
        )

    def __repr__(self) -> str:
        return repr(self._layers)


def layer_names(nodes: Sequence[Node]) -> dict[int, str]:
    """The name of each layer by its id, for the nodes of a graph in their order.

    Raises ArgumentError where two layers, or two blocks, would have one name.
    """
    numbers, paths = _Numbers(), _Paths()
    names: dict[int, str] = {}
    kept: dict[int, Node] = {}
    for node in nodes:
        layer = node.layer
        assert layer is not None
        if id(layer) in names:
            _check_shared(layer, kept[id(layer)], node)
            continue
        path = paths.of(node.scope, numbers)
        number = numbers.next(path, layer.kind)
        own = node.origin.name if node.origin is not None else layer.given_name or f"{layer.kind}{number}"
        names[id(layer)], kept[id(layer)] = path + own, node
    check_names(names.values())
    return names


def check_names(names: Iterable[str]) -> None:
    """Refuse two layers of one name, and a layer called as a block: "stem.weight" would be two things."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ArgumentError(f"two layers would be called {name!r}; give one of them another name=...")
        seen.add(name)
    for name in seen:
        block = name.rpartition(".")[0]
        while block:
            if block in seen:
                raise ArgumentError(f"a layer and a block would both be called {block!r}; give one another name=...")
            block = block.rpartition(".")[0]


def _check_shared(layer: Layer, first: Node, again: Node) -> None:
    """A layer that comes with the values of two networks would have to lose those of one."""
    owners = [node.origin.graph if node.origin is not None else None for node in (first, again)]
    if owners[1] is not None and owners[1] is not owners[0]:
        raise ArgumentError(
            f"{layer!r} stands in two networks with values of its own in each; put in a copy of one, "
            f"copy.deepcopy(net), whose layers are its own"
        )


class _Numbers:
    """How many layers or blocks of a kind there are so far in each block."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def next(self, path: str, kind: str) -> int:
        """The number of one more."""
        self._counts[path, kind] = self._counts.get((path, kind), 0) + 1
        return self._counts[path, kind]


class _Paths:
    """What stands before the names in each block: "block1.stem."."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {(): ""}

    def of(self, scope: Scope, numbers: _Numbers) -> str:
        """The path of a block by the blocks around it; a new one gets the next number."""
        key = tuple(map(id, scope))
        if key not in self._known:
            outer = self.of(scope[:-1], numbers)
            number = numbers.next(outer, KIND)
            path = f"{outer}{scope[-1].given_name or f'{KIND}{number}'}."
            if path in self._known.values():
                raise ArgumentError(f"two blocks would be called {path[:-1]!r}; give one of them another name=...")
            self._known[key] = path
        return self._known[key]
