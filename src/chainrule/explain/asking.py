"""What is asked: the text "conv1.weight[0,0,1,2]" becomes a place in the network, or a sentence says why not."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from chainrule.engines import Trace
from chainrule.errors import ArgumentError, NameLookupError
from chainrule.explain.terms import Index, Place, Quantity
from chainrule.graph import Graph
from chainrule.shapes import Shape

_FORM = re.compile(r"^\s*([^\[\]\s]+)\s*(?:\[([^\[\]]*)\])?\s*$")


@dataclass(frozen=True)
class Whole:
    """A node or a parameter as a whole, of which its largest number is explained."""

    quantity: Quantity
    name: str
    sample: int | None

    def largest(self, trace: Trace) -> Place:
        """Where the largest gradient (or value) of a traced pass lives."""
        traced = trace[self.name]
        array = traced.value if self.quantity == "value" else traced.gradient
        numbers = np.abs(array if self.sample is None else array[self.sample])
        index = tuple(int(i) for i in np.unravel_index(int(numbers.argmax()), numbers.shape))
        return Place(self.quantity, self.name, index if self.sample is None else (self.sample, *index))


def read_place(graph: Graph, of: object, samples: int, sample: object, quantity: str) -> Place | Whole:
    """The place that `of` names; a bare name stands for its largest number. Node indices get the sample in front.

    Raises ArgumentError for a text that is no name with an index, an index that does not fit, or a sample that is
    missing or does not exist; NameLookupError, with the nearest names, for an unknown name.
    """
    found = _FORM.match(of) if isinstance(of, str) else None
    if found is None:
        raise ArgumentError(
            f'of must be a name, with an index or without, such as "conv1.weight[0,0,1,2]" or "conv1", not {of!r}'
        )
    name, inner = found.groups()
    if name in graph.parameters:
        if quantity == "value":
            raise ArgumentError(f"{name} is a parameter: its value is not computed from anything; ask for its gradient")
        if inner is None:
            return Whole("parameter", name, None)
        return Place("parameter", name, _index(name, inner, graph.parameters[name].shape))
    if name not in graph.names:
        raise NameLookupError("node or parameter", name, [*graph.names, *graph.parameters])
    if name == "input" and quantity == "value":
        raise ArgumentError("input is given, not computed; ask for the value of another node")
    number = _sample(name, samples, sample)
    asked: Quantity = "value" if quantity == "value" else "gradient"
    if inner is None:
        return Whole(asked, name, number)
    index = _index(name, inner, graph.shapes[graph.index_of(name)])
    return Place(asked, name, (number, *index))


def _index(name: str, inner: str, shape: Shape) -> Index:
    first = f"{name}[{','.join('0' * len(shape))}]"
    if not inner.strip():
        raise ArgumentError(f"{name} has shape {shape}; say which element, such as {first}")
    try:
        index = tuple(int(part) for part in inner.split(","))
    except ValueError:
        raise ArgumentError(f"the index [{inner}] of {name} must be whole numbers, such as {first}") from None
    if len(index) != len(shape):
        raise ArgumentError(
            f"{name} has shape {shape}, so an index has {len(shape)} number(s), such as {first}; [{inner}] has "
            f"{len(index)}"
        )
    for axis, (given, extent) in enumerate(zip(index, shape, strict=True)):
        if not 0 <= given < extent:
            raise ArgumentError(
                f"index {given} of {name}[{inner}] is out of range: number {axis + 1} of the index lies between 0 and "
                f"{extent - 1}, since {name} has shape {shape}"
            )
    return index


def _sample(name: str, samples: int, sample: object) -> int:
    if sample is None:
        if samples > 1:
            raise ArgumentError(
                f"{name} has a value for each of the {samples} samples of the batch; say which with sample=0 .. "
                f"sample={samples - 1}"
            )
        return 0
    if isinstance(sample, bool) or not isinstance(sample, int) or not 0 <= sample < samples:
        raise ArgumentError(f"sample must be a whole number between 0 and {samples - 1}, not {sample!r}")
    return sample


def place_text(place: Place) -> str:
    """A place as a user would name it, without its sample."""
    index = place.index[1:] if place.is_node else place.index
    return f"{place.name}[{','.join(map(str, index))}]"
