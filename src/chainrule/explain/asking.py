"""What is asked: the text "conv1.weight[0,0,1,2]" becomes a place in the network, or a sentence says why not."""

from __future__ import annotations

import re

from chainrule.errors import ArgumentError, NameLookupError
from chainrule.explain.terms import Index, Place
from chainrule.graph import Graph
from chainrule.shapes import Shape, product

_FORM = re.compile(r"^\s*([^\[\]\s]+)\s*(?:\[([^\[\]]*)\])?\s*$")


def read_place(graph: Graph, of: object, samples: int, sample: object, quantity: str) -> Place:
    """The place that `of` names. Node indices get the sample in front.

    Raises ArgumentError for a text that is no name with an index, an index that does not fit, or a sample that is
    missing or does not exist; NameLookupError, with the nearest names, for an unknown name.
    """
    found = _FORM.match(of) if isinstance(of, str) else None
    if found is None:
        raise ArgumentError(f'of must be a name with an index, such as "conv1.weight[0,0,1,2]", not {of!r}')
    name, inner = found.groups()
    if name in graph.parameters:
        if quantity == "value":
            raise ArgumentError(f"{name} is a parameter: its value is not computed from anything; ask for its gradient")
        return Place("parameter", name, _index(name, inner, graph.parameters[name].shape))
    if name not in graph.names:
        raise NameLookupError("node or parameter", name, [*graph.names, *graph.parameters])
    if name == "input" and quantity == "value":
        raise ArgumentError("input is given, not computed; ask for the value of another node")
    index = _index(name, inner, graph.shapes[graph.index_of(name)])
    number = _sample(name, samples, sample)
    return Place("value" if quantity == "value" else "gradient", name, (number, *index))


def _index(name: str, inner: str | None, shape: Shape) -> Index:
    first = f"{name}[{','.join('0' * len(shape))}]"
    if inner is None and product(shape) == 1:
        return (0,) * len(shape)
    if inner is None or not inner.strip():
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
