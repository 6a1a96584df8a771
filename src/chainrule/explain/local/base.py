"""What the explainer asks of every layer: the terms of one input gradient, one parameter gradient, one output.

Indices of nodes begin with the sample; those of parameters do not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.terms import Column, Evaluation, Formula, Index, Terms, Use
from chainrule.expressions import Expr, IndexPart, Partial, Rel, Sym, equal, slope

Value: TypeAlias = list[Terms] | Evaluation
"""An output element: sums of products, or any other expression."""


def told(**reasons: str) -> Mapping[str, str]:
    """The reasons of a layer: x="why_max"."""
    return MappingProxyType(reasons)


class Local(ABC):
    """The local terms of one kind of layer."""

    reasons: Mapping[str, str] = MappingProxyType({})
    """Why its rules are what they are: the key of a text, for "x" and for each parameter by name."""

    def because(self, use: Use, of: str) -> str | None:
        """Why the gradient of the input ("x") or of a parameter is what it is: the key of a text in which {x}, {y_o},
        {w_oi} stand for the letters of its rule."""
        return self.reasons.get(of)

    @abstractmethod
    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        """dL/dx[index] of input number `which`, as a sum over outputs of dL/dy times dy/dx."""

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        """This use's share of dL/dparameter[index], as a sum over outputs (positions and samples)."""
        raise NotImplementedError(f"{type(self).__name__} has no parameters")

    @abstractmethod
    def value(self, use: Use, index: Index) -> Value:
        """y[index]."""


def x(*index: IndexPart) -> Sym:
    """An input in a formula."""
    return Sym("x", index)


def y(*index: IndexPart) -> Sym:
    """An output in a formula."""
    return Sym("y", index)


def w(*index: IndexPart) -> Sym:
    """A weight in a formula."""
    return Sym("w", index)


def b(*index: IndexPart) -> Sym:
    """A bias in a formula."""
    return Sym("b", index)


def rule(left: Expr, right: Expr, *sources: str, where: tuple[Expr, ...] = ()) -> Formula:
    """left = right."""
    return Formula(Rel((left, right)), sources, where)


def gradient_rule(of: Expr, right: Expr, *sources: str, where: tuple[Expr, ...] = ()) -> Formula:
    """∂L/∂of = right."""
    return rule(slope(of), right, *sources, where=where)


def one(index: Index) -> Array:
    """A single index as a (1, d) array."""
    return np.array([index], np.int64)


def empty(dimensions: int) -> Array:
    """No index at all."""
    return np.zeros((0, dimensions), np.int64)


def constant(value: float, symbol: Expr | None = None, count: int = 1) -> Column:
    """A factor that is the same in all terms, shown as a number unless it has a symbol."""
    shown = None if symbol is None else (lambda _: symbol)
    return Column("constant", np.full(count, float(value)), symbol=shown)


def local_slope(values: Array, of: list[Expr], by: Expr, detail: list[Expr] | None = None) -> Column:
    """A local derivative ∂of/∂by for every term, with its own formula in numbers."""
    details = None if detail is None else (lambda i: equal(Partial(of[i], by), detail[i]))
    return Column("local", values, symbol=lambda i: Partial(of[i], by), detail=details)


def t_(*index: IndexPart) -> Sym:
    """A target in a formula."""
    return Sym("t", index)
