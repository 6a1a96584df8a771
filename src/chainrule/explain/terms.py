"""Terms: what adds up to one scalar. Each term is a product of factors, and each factor knows where it lives.

A sum may have millions of terms, so it is kept as columns: one array of numbers per factor, with the places beside it.
Only the terms that are shown become objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.messages import Message
from chainrule.expressions import Expr, Rel, Sym, mul, number, slope
from chainrule.graph import Step
from chainrule.layers.base import Context

Index: TypeAlias = tuple[int, ...]
Quantity = Literal["gradient", "value", "parameter", "local", "constant"]
Role = Literal["", "restored", "slid", "kernel", "product", "delta", "met", "met product", "window"]
"""What a table is in a drawing: the map that a kernel slides over, the kernel, their products; ..."""
MAP_SIZE = 8
"""Rows and columns shown of a larger map, unless told otherwise."""


@dataclass(frozen=True)
class Place:
    """Where a number lives: an element of a node's value or gradient, or of a parameter. Node indices begin with the
    sample."""

    quantity: Quantity
    name: str
    index: Index

    @property
    def is_node(self) -> bool:
        """Whether the index begins with a sample."""
        return self.quantity in ("gradient", "value")


@dataclass(frozen=True)
class Factor:
    """One factor of a term: how it is written, its number, where it lives; for a local derivative also its own
    formula, with numbers."""

    symbol: Expr
    value: float
    place: Place | None = None
    detail: Expr | None = None


@dataclass(frozen=True)
class Term:
    """A product of factors."""

    factors: tuple[Factor, ...]
    value: float

    @property
    def symbols(self) -> Expr:
        """The product in letters."""
        return mul(*(factor.symbol for factor in self.factors))

    @property
    def numbers(self) -> Expr:
        """The product in numbers."""
        return mul(*(number(factor.value) for factor in self.factors))


Symbol: TypeAlias = Callable[[int], Expr]


@dataclass(frozen=True)
class Column:
    """The same factor of every term: m numbers, and the m places they live at (rows of `indices`)."""

    quantity: Quantity
    values: Array
    letter: str = ""
    name: str = ""
    indices: Array | None = None
    symbol: Symbol | None = None
    detail: Symbol | None = None

    def factor(self, term: int, many: bool) -> Factor:
        """The factor of one term; `many` says that there is more than one sample, so that samples are named."""
        value = float(self.values[term])
        place = None
        if self.indices is not None:
            place = Place(self.quantity, self.name, tuple(int(i) for i in self.indices[term]))
        if self.symbol is not None:
            shown = self.symbol(term)
        elif place is not None:
            letter = self.letter
            shown = slope(sym(letter, place, many)) if self.quantity == "gradient" else sym(letter, place, many)
        else:
            shown = number(value)
        return Factor(shown, value, place, None if self.detail is None else self.detail(term))


def sym(letter: str, place: Place, many: bool) -> Sym:
    """The letter with the index of a place, and its sample where there are several."""
    if not place.is_node:
        return Sym(letter, place.index)
    return Sym(letter, place.index[1:], place.index[0] if many else None)


@dataclass(frozen=True)
class Formula:
    """A general formula with the IDs of its sources; `where` holds conditions and shorthands."""

    rule: Rel
    sources: tuple[str, ...] = ()
    where: tuple[Expr, ...] = ()


SIGNS = {"window": "·", "here": "*", "largest": "*", "winner": "^"}
"""The sign behind a marked number, for each kind of mark that a legend names. "zero" has none: it is only paler."""


def kinds_of(mark: str) -> tuple[str, ...]:
    """The kinds that a mark stands for: "winner here" is both."""
    return tuple(mark.split())


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns, some of them marked: "window", "winner", "here", "winner here", "largest", "zero".

    `digits` has the cells that need more significant digits than others; `role` is what it is in a drawing.
    """

    title: Message
    cells: tuple[tuple[float | None, ...], ...]
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()
    digits: Mapping[tuple[int, int], int] = field(default_factory=dict)
    role: Role = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of marks that occur and have a sign, which is what a legend names."""
        found = {kind for mark in self.marks.values() for kind in kinds_of(mark)}
        return tuple(kind for kind in SIGNS if kind in found)


@dataclass(frozen=True)
class Terms:
    """A sum: its general formula, its terms as columns, and what is worth saying and drawing about it.

    `letters` says what the letters of the formula stand for. `tables` draws when asked.
    """

    formula: Formula
    columns: tuple[Column, ...]
    letters: tuple[tuple[str, str], ...] = ()
    label: Message | None = None
    notes: tuple[Message, ...] = ()
    tables: Callable[[], list[Table]] = list

    @property
    def products(self) -> Array:
        """The value of every term."""
        result = np.ones(len(self.columns[0].values))
        for column in self.columns:
            result = result * column.values
        return result

    def term(self, position: int, value: float, many: bool) -> Term:
        """One term as an object."""
        return Term(tuple(column.factor(position, many) for column in self.columns), value)


@dataclass(frozen=True)
class Evaluation:
    """A value that is no sum of products (a maximum, a norm, an exponential): its formula with numbers put in."""

    formula: Formula
    expression: Expr
    result: float
    sources: tuple[Place, ...]
    letters: tuple[tuple[str, str], ...] = ()
    notes: tuple[Message, ...] = ()
    tables: Callable[[], list[Table]] = list


@dataclass(frozen=True)
class Use:
    """One use of a layer in a traced pass: all that its local terms are made from. Arrays are those of the trace."""

    step: Step
    sources: tuple[str, ...]
    arrays: Mapping[str, Array]
    xs: tuple[Array, ...]
    y: Array
    dy: Array
    context: Context
    many: bool
    """Whether symbols name their sample: not where all numbers belong to one."""
    map_size: int = MAP_SIZE
    """Rows and columns shown of a larger map."""

    @property
    def name(self) -> str:
        """The node that this use makes."""
        return self.step.name

    @property
    def x(self) -> Array:
        """The only input."""
        return self.xs[0]

    def parameter(self, own: str) -> str:
        """The full name of a parameter."""
        return f"{self.step.layer_name}.{own}"

    def letters(self, *own: str, which: int = 0) -> tuple[tuple[str, str], ...]:
        """What x, y and the letters of parameters stand for: ("w", "conv1.weight")."""
        table = {"w": "weight", "b": "bias"}
        names = tuple((letter, self.parameter(table[letter])) for letter in own)
        return (("x", self.sources[which]), ("y", self.name), *names)

    def upstream(self, indices: Array) -> Column:
        """∂L/∂y at the given places."""
        return Column("gradient", self.dy[tuple(indices.T)], "y", self.name, indices)

    def inputs(self, indices: Array, which: int = 0) -> Column:
        """x at the given places."""
        return Column("value", self.xs[which][tuple(indices.T)], "x", self.sources[which], indices)

    def weights(self, own: str, letter: str, indices: Array) -> Column:
        """Elements of a parameter."""
        return Column("parameter", self.arrays[own][tuple(indices.T)], letter, self.parameter(own), indices)


def rows(*columns: Array | int, count: int | None = None) -> Array:
    """Index arrays of equal length (or constants) as the rows of one (m, d) array."""
    length = count if count is not None else max(len(c) for c in columns if not isinstance(c, int))
    return np.stack([np.full(length, c) if isinstance(c, int) else c for c in columns], axis=1).astype(np.int64)


def all_indices(*sizes: int) -> list[Array]:
    """Every index of an array of `sizes` in row-major order, one flat array per axis."""
    return [grid.ravel() for grid in np.indices(sizes)]
