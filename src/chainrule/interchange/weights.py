"""Arrays of another program find their places in a network: by name, by shape, by order; all of them or none.

The arrays of both sides are taken layer by layer, since a bias belongs to its weight. A layer of the file goes to a
layer of the network whose arrays have the same shapes: the one of the same name if there is one, else the only one of
these shapes, else, of several, in their order on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from chainrule.arrays import Array, as_array, check_finite
from chainrule.errors import ArgumentError, NameLookupError, WeightsError
from chainrule.errors import shown as escaped
from chainrule.layers import Conv2d, Layer, Linear
from chainrule.network import Network
from chainrule.shapes import Shape, shape_text, shown

Group: TypeAlias = dict[str, Array]
"""The arrays of one layer by their own names: weight, bias, running_mean, running_var."""
BY_NAME, BY_SHAPE, BY_ORDER = "name", "shape", "order"


@dataclass(frozen=True)
class Row:
    """One array: its name in the network, its name in the file, its shape here, and by what the two were matched."""

    ours: str
    theirs: str
    shape: Shape
    by: str


@dataclass(frozen=True)
class Transfer:
    """What went where. `ignored` are arrays of the file that a network does not keep, such as counts of batches."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = table([(row.ours, row.theirs, shape_text(row.shape), row.by) for row in self.rows])
        if self.ignored:
            lines.append(f"not kept here: {', '.join(map(shown, self.ignored))}")
        return "\n".join(lines)

    __repr__ = __str__


def table(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Lines of four columns under their titles; names are foreign, and shown escaped."""
    cells = [("network", "file", "shape", "by"), *(tuple(map(escaped, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


@dataclass(frozen=True)
class Place:
    """A layer of the network that holds arrays, and the shapes in which a file may have them."""

    name: str
    layer: Layer
    shapes: dict[str, Shape]

    def fits(self, group: Mapping[str, Array]) -> bool:
        """Whether a layer of the file has just the arrays that this one needs."""
        return group.keys() == self.shapes.keys() and all(
            array.shape in self.accepted(own) for own, array in group.items()
        )

    def accepted(self, own: str) -> tuple[Shape, ...]:
        """The shape here; the weight of a convolution of one row may come without its row."""
        shape = self.shapes[own]
        if isinstance(self.layer, Conv2d) and len(shape) == 4 and shape[2] == 1:
            return shape, (shape[0], shape[1], shape[3])
        return (shape,)

    def as_here(self, own: str, array: Array) -> Array:
        """An array of the file in this layer's form."""
        shaped = array.reshape(self.shapes[own])
        if own == "weight" and isinstance(self.layer, Conv2d) and self.layer.mode == "convolution":
            return shaped[:, :, ::-1, ::-1]
        return shaped

    def as_there(self, own: str, array: Array) -> Array:
        """An array of this layer in the form that others use: kernels that slide as they are, a bias per output."""
        if own == "weight" and isinstance(self.layer, Conv2d):
            table = self.layer.connections
            masked = array if table is None else array * table[:, :, None, None]
            return masked[:, :, ::-1, ::-1] if self.layer.mode == "convolution" else masked
        if own == "bias" and isinstance(self.layer, Linear) and self.layer.bias == "shared":
            return np.repeat(array, self.layer.out_features)
        return array


def places_of(net: Network) -> list[Place]:
    """The layers that hold arrays, in their order."""
    found = []
    for name, layer in net.layers.items():
        held = {**net.parameters.of(name), **net.buffers.of(name)}
        if held:
            found.append(Place(name, layer, {own: array.shape for own, array in held.items()}))
    return found


def natural(name: str) -> list[tuple[int, int | str]]:
    """What to sort by so that conv2 comes before conv10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def grouped(arrays: Mapping[str, Array]) -> dict[str, Group]:
    """Arrays called "features.0.weight" by what stands before the last dot."""
    groups: dict[str, Group] = {}
    for name, array in arrays.items():
        prefix, _, own = name.rpartition(".")
        groups.setdefault(prefix, {})[own] = array
    return groups


def transfer(
    net: Network,
    groups: Mapping[str, Group],
    ignored: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    adapt: Callable[[Place, str, Array], Array] = lambda place, own, array: array,
) -> Transfer:
    """Put all arrays of a file into a network; `adapt` is the last word on each.

    Raises WeightsError, and changes nothing, if they do not fit.
    """
    names = names or {}
    for name in names:
        if name not in net.layers:
            raise NameLookupError("layer", name, net.layers)
    if net.parameters.sealed:
        raise ArgumentError("a snapshot takes no weights; load them into the network it was taken from")
    places = places_of(net)
    pairs = matched(places, groups, names)
    if pairs is None:
        raise WeightsError(misfit(places, groups, names))
    rows, values = [], {}
    for place in places:
        theirs, by = pairs[place.name]
        for own in place.shapes:
            array = as_array(groups[theirs][own], f"{theirs}.{own}")
            check_finite(array, f"{theirs}.{own}")
            values[f"{place.name}.{own}"] = adapt(place, own, place.as_here(own, array))
            rows.append(Row(f"{place.name}.{own}", f"{theirs}.{own}" if theirs else own, place.shapes[own], by))
    for name, value in values.items():
        (net.buffers if name in net.buffers else net.parameters)[name] = value
    return Transfer(tuple(rows), tuple(ignored))


def matched(
    places: Sequence[Place], groups: Mapping[str, Group], names: Mapping[str, str]
) -> dict[str, tuple[str, str]] | None:
    """Layer of the network -> (layer of the file, by what); None if they do not go up one to one."""
    found: dict[str, tuple[str, str]] = {}
    left, over = {place.name: place for place in places}, dict(groups)
    for ours in [*left]:
        theirs = names.get(ours, ours)
        if theirs in over and (ours in names or left[ours].fits(over[theirs])):
            if not left[ours].fits(over[theirs]):
                return None
            found[ours] = (theirs, BY_NAME)
            del left[ours], over[theirs]
    for ours, place in left.items():
        alike = [theirs for theirs, group in over.items() if place.fits(group)]
        if not alike:
            return None
        rivals = sum(other.shapes == place.shapes for other in left.values())
        found[ours] = (alike[0], BY_SHAPE if rivals == 1 else BY_ORDER)
        del over[alike[0]]
    return None if over else found


def misfit(places: Sequence[Place], groups: Mapping[str, Group], names: Mapping[str, str]) -> str:
    """A sentence, and a table of both sides in their orders."""
    over = dict(groups)
    rows = []
    for place in places:
        theirs = _nearest(place, over, names.get(place.name, place.name))
        group = {} if theirs is None else over.pop(theirs)
        for own, shape in place.shapes.items():
            array = group.get(own)
            there = f"{theirs}.{own}" if array is not None else "-"
            verdict = "missing" if array is None else "fits" if array.shape in place.accepted(own) else "misfit"
            text = shape_text(shape) + (
                f" not {shape_text(array.shape)}" if verdict == "misfit" and array is not None else ""
            )
            rows.append((f"{place.name}.{own}", there, text, verdict))
        rows += [
            ("-", f"{theirs}.{own}", shape_text(a.shape), "left over")
            for own, a in group.items()
            if own not in place.shapes
        ]
    for theirs, group in over.items():
        rows += [("-", f"{theirs}.{own}".lstrip("."), shape_text(a.shape), "left over") for own, a in group.items()]
    counts = {word: sum(row[3] == word for row in rows) for word in ("missing", "left over", "misfit")}
    said = ", ".join(
        f"{count} {'of another shape' if word == 'misfit' else word}" for word, count in counts.items() if count
    )
    sentence = f"the weights do not fit the network ({said or 'no order of them does'}), and nothing was loaded:"
    return "\n".join([sentence, *table(rows)])


def _nearest(place: Place, over: Mapping[str, Group], wanted: str) -> str | None:
    """The layer of the file that has most in common with one of the network."""

    def common(group: Group) -> int:
        return sum(own in place.shapes and array.shape in place.accepted(own) for own, array in group.items())

    if wanted in over:
        return wanted
    best = max(over, key=lambda name: common(over[name]), default=None)
    return best if best is not None and common(over[best]) else None
