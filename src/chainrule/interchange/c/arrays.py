"""Where a network's own arrays live in C: among what learns, among what follows the batches, or among constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, check_finite
from chainrule.graph import Graph, Step
from chainrule.interchange.c.names import Names
from chainrule.interchange.c.numbers import Literals
from chainrule.shapes import shape_text


@dataclass(frozen=True)
class Stored:
    """One array: a parameter or a buffer."""

    name: str
    symbol: str
    constant: str
    values: Array
    offset: int
    text: str

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(self.values.size)

    @property
    def shape(self) -> str:
        """As text."""
        return shape_text(self.values.shape)


class Arrays:
    """All arrays of a network. With `loaded` they lie in one buffer of the caller's, those that learn first."""

    def __init__(
        self, graph: Graph, trained: frozenset[str], learns: bool, loaded: bool, names: Names, dtype: np.dtype[Any]
    ) -> None:
        learning = [(name, value) for name, value in graph.parameters.items() if name in trained]
        still = [(name, value) for name, value in graph.parameters.items() if name not in trained]
        buffers = list(graph.buffers.items())
        self._names, self._literals, self._dtype = names, Literals(dtype), dtype
        self._written = not loaded
        self.learned_size = sum(int(value.size) for _, value in learning)
        self.flat = self._store([*learning, *still, *buffers] if loaded else learning)
        self.constants = self._store([] if loaded else still if learns else [*still, *buffers])
        self.states = self._store(buffers if learns and not loaded else [])
        self._expressions = {stored.name: f"parameters + {stored.constant}" for stored in self.flat}
        self._expressions |= {stored.name: stored.symbol for stored in (*self.constants, *self.states)}

    def _store(self, items: list[tuple[str, Array]]) -> list[Stored]:
        offset, stored = 0, []
        for name, value in items:
            with np.errstate(over="ignore"):
                narrow = value.astype(self._dtype)
            check_finite(value, name)
            check_finite(narrow, f"{name} as {self._dtype.name}")
            text = self._literals.lines(narrow) if self._written else ""
            symbol, constant = self._names.array(name), self._names.constant(name)
            stored.append(Stored(name, symbol, constant, narrow, offset, text))
            offset += narrow.size
        return stored

    @property
    def flat_size(self) -> int:
        """Numbers in the flat buffer."""
        return sum(stored.size for stored in self.flat)

    def value(self, step: Step, own: str) -> str:
        """The C expression of an array of a step's layer."""
        return self._expressions[f"{step.layer_name}.{own}"]

    def index(self, step: Step, own: str) -> str:
        """The constant at which a parameter begins in the flat buffer."""
        return self._names.constant(f"{step.layer_name}.{own}")

    def buffer(self) -> bytes:
        """What the flat buffer holds at first, little-endian."""
        little = self._dtype.newbyteorder("<")
        return b"".join(stored.values.astype(little).tobytes() for stored in self.flat)
