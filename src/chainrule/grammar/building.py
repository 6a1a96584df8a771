"""From a tree to layers: repetitions written out, channels inferred, shapes checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from chainrule.errors import ArgumentError, GrammarError, ShapeError
from chainrule.grammar.reading import Reader, Use
from chainrule.grammar.structures import STRUCTURES, Groups, Place, places_of
from chainrule.grammar.tokens import shortened
from chainrule.graph import FEWER, require_parameters
from chainrule.layers import Flatten
from chainrule.layers.base import Layer, require_sample
from chainrule.layers.blocks import Block, Item
from chainrule.memory import require_memory
from chainrule.shapes import LARGEST, Shape, product, shape_text


@dataclass(frozen=True)
class Blueprint:
    """What a text says: the shape of one input sample, the layers in order, and the named groups around each."""

    input_shape: Shape
    layers: tuple[Layer, ...]
    scopes: tuple[Groups, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The layers, those of a named group as a block."""
        return _grouped(list(zip(self.layers, self.scopes, strict=True)))


def _grouped(layers: Sequence[tuple[Layer, Groups]]) -> tuple[Item, ...]:
    items: list[Item] = []
    for name, members in groupby(layers, key=lambda layer: layer[1][:1]):
        inner = [(layer, scope[1:]) for layer, scope in members]
        items += [Block(*_grouped(inner), name=name[0][0])] if name else [layer for layer, _ in inner]
    return tuple(items)


def parse_text(
    text: str, *, structure: Literal["S2", "S3"] | None = None, counts: Mapping[str, int] | None = None
) -> Blueprint:
    """The layers that `text` describes (S2-E09, S3-E01).

    counts      values of letters: "*N" needs {"N": 2}; "optional" says whether what "?" marks is built (1) or not (0)
    structure   "S2" or "S3" checks that the network has the structure of that source

    Raises GrammarError, with the column, for any mistake in the text, a missing or unused letter, a network that is
    not of the asked structure, and layers that do not fit one another.
    """
    if not isinstance(text, str):
        raise ArgumentError(f"a network is described by a text, not by {type(text).__name__}")
    if structure is not None and structure not in STRUCTURES:
        raise ArgumentError(f'structure must be "S2", "S3" or None, not {structure!r}')
    reader = Reader(text, counts or {})
    shape, items = reader.network()
    try:
        require_sample(shape, "an input")
    except ShapeError as error:
        raise GrammarError(str(error), reader.cursor.text, 0) from None
    places = places_of(items)
    if structure is not None:
        STRUCTURES[structure](reader.cursor.text, items, places)
    if not places:
        raise GrammarError("nothing is left of the network: every layer is repeated 0 times", reader.cursor.text, 0)
    layers, scopes = zip(*_build(reader.cursor.text, shape, places), strict=True)
    return Blueprint(shape, layers, scopes)


def _build(text: str, shape: Shape, places: Sequence[Place]) -> list[tuple[Layer, Groups]]:
    built: list[tuple[Layer, Groups]] = []
    parameters = 0
    for place in places:
        use = place.use
        if use.word.flattens and len(shape) != 1:
            built.append((Flatten(), place.scope))
            shape = (product(shape),)
        layer = _layer(text, use, shape)
        try:
            new_shape = layer.output_shape(shape)
            parameters += _check_sizes(layer, shape, new_shape)
            what = f"a network of {parameters:,} parameters, with those of this layer,"
            require_memory(8 * parameters, what, FEWER, ShapeError)
        except ShapeError as error:
            source = shortened(use.source)
            raise GrammarError(
                f"{source} cannot take an input of {shape_text(shape)}: {error}", text, use.column
            ) from None
        built.append((layer, place.scope))
        shape = new_shape
    return built


def _check_sizes(layer: Layer, shape: Shape, new_shape: Shape) -> int:
    """Sizes that a network refuses are refused here, where the column is known. Returns the number of parameters."""
    arrays = layer.parameter_shapes(shape)
    for name, array in arrays.items():
        require_parameters(f"its {name}", array)
    if max(new_shape) > LARGEST:
        raise ShapeError(f"its output would be {shape_text(new_shape)}; an extent is at most {LARGEST}")
    require_sample(new_shape, "its output")
    return sum(map(product, arrays.values()))


def _layer(text: str, use: Use, shape: Shape) -> Layer:
    inferred: dict[str, Any] = {use.word.inferred: shape[0]} if use.word.inferred else {}
    try:
        return use.word.layer_for(len(shape))(**inferred, **use.values)
    except (ArgumentError, ShapeError) as error:
        message = str(error)
        column = next((at for name, at in use.columns.items() if re.match(rf"{name}\b", message)), use.column)
        raise GrammarError(f"{shortened(use.source)}: {message}", text, column) from None
