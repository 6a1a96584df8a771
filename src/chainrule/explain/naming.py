"""One notation: every number is called by the name of its layer.

Rules are written in the letters of one layer, whose input is x, output y, and parameters w and b. Here the names of the
nodes and parameters are put in their places, so that no letter stands for two things: ∂L/∂y[o] · w[o,i] becomes
∂L/∂linear2[o] · linear2.weight[o,i].
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chainrule.explain.messages import LANGUAGES, Message, say
from chainrule.explain.terms import Formula, Place, Term
from chainrule.expressions import (
    BigSum,
    Cases,
    Expr,
    Fn,
    Frac,
    Iverson,
    Mul,
    Neg,
    Partial,
    Pow,
    Rel,
    Root,
    Sum,
    Sym,
    Words,
)

Names = Mapping[str, str]
"""The name that each letter of a rule stands for: {"x": "relu1", "y": "linear2", "w": "linear2.weight"}."""


def named(expr: Expr, names: Names) -> Expr:
    """The expression with names for letters; letters that are no role, such as δ or i, stay."""

    def inner(part: Expr) -> Expr:
        return named(part, names)

    match expr:
        case Sym(name, index, sample, "" | "plus" as accent) if name in names:
            return Words(names[name], index, sample, accent)
        case Partial(of, by):
            return Partial(inner(of), inner(by))
        case Frac(top, bottom):
            return Frac(inner(top), inner(bottom))
        case Mul(factors):
            return Mul(tuple(map(inner, factors)))
        case Sum(terms):
            return Sum(tuple(map(inner, terms)))
        case Neg(body):
            return Neg(inner(body))
        case BigSum(over, body, condition):
            return BigSum(over, inner(body), None if condition is None else inner(condition))
        case Pow(base, exponent):
            return Pow(inner(base), inner(exponent))
        case Root(body):
            return Root(inner(body))
        case Fn(name, arguments):
            return Fn(name, tuple(map(inner, arguments)))
        case Rel(parts, sign):
            return Rel(tuple(map(inner, parts)), sign)
        case Iverson(condition):
            return Iverson(inner(condition))
        case Cases(choices):
            return Cases(tuple((inner(v), None if when is None else inner(when)) for v, when in choices))
    return expr


def named_formula(formula: Formula, names: Names) -> Formula:
    """A rule and its shorthands in names."""
    rule = named(formula.rule, names)
    assert isinstance(rule, Rel)
    return replace(formula, rule=rule, where=tuple(named(line, names) for line in formula.where))


def named_term(term: Term, names: Names) -> Term:
    """A term whose factors and their formulas are in names."""
    factors = (
        replace(
            factor,
            symbol=named(factor.symbol, names),
            detail=None if factor.detail is None else named(factor.detail, names),
        )
        for factor in term.factors
    )
    return replace(term, factors=tuple(factors))


def named_message(message: Message, names: Names) -> Message:
    """A text whose formulas are in names."""
    return replace(message, arguments=tuple((key, _argument(value, names)) for key, value in message.arguments))


def _argument(value: Any, names: Names) -> Any:
    if isinstance(value, Message):
        return named_message(value, names)
    return value if isinstance(value, str | int | float) else named(value, names)


def reason(key: str, names: Names) -> Message:
    """A text with placeholders such as {x}, {y_o} and {w_oi}: a letter of the rule and its indices."""
    found: dict[str, Expr] = {}
    for language in LANGUAGES:
        for _, field, _, _ in string.Formatter().parse(say(key).template(language)):
            if field is not None:
                letter, _, index = field.partition("_")
                found[field] = named(Sym(letter, tuple(index)), names)
    return say(key, **found)


def name_of(place: Place, many: bool) -> Words:
    """The name of what lives at a place, with its sample where there are several."""
    if not place.is_node:
        return Words(place.name, place.index)
    return Words(place.name, place.index[1:], place.index[0] if many else None)
