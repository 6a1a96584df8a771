"""Writes an expression in a notation: plain text and LaTeX (`notations`) or MathML (`mathml`).

`write` walks the tree and alone decides where parentheses stand; a `Writer` only knows how a part looks. So the three
notations cannot say different things.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from chainrule.expressions import (
    BigSum,
    Cases,
    Dots,
    Expr,
    Fn,
    Frac,
    IndexPart,
    Iverson,
    Mul,
    Neg,
    Num,
    Partial,
    Pow,
    Rel,
    Root,
    Sum,
    Sym,
    Words,
)

DIGITS = 6
RELATION, ADDITIVE, PRODUCT, UNARY, ATOM = range(5)
"""How tightly a written part holds together."""


def number_parts(value: float, digits: int = DIGITS) -> tuple[bool, str, int | None]:
    """(negative, digits, power of ten or None) of a number in `digits` significant digits."""
    if not math.isfinite(value):
        return value < 0, "nan" if math.isnan(value) else "∞", None
    text = f"{abs(value):.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent and float(value).is_integer() and abs(value) < 10**9:
        return value < 0, str(abs(int(value))), None
    return value < 0, mantissa, int(exponent) if exponent else None


class Writer(ABC):
    """How the parts of an expression look in one notation. All arguments are written already."""

    flat_fractions = False
    """Whether fractions are written in one line, so that their parts need parentheses."""

    def __init__(self, digits: int = DIGITS) -> None:
        self.digits = digits

    @abstractmethod
    def number(self, digits: str, power: int | None) -> str: ...
    @abstractmethod
    def symbol(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str: ...
    @abstractmethod
    def words(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str: ...
    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def partial(self, of: str, by: str) -> str: ...
    @abstractmethod
    def product(self, factors: Sequence[str]) -> str: ...
    @abstractmethod
    def joined(self, terms: Sequence[tuple[str, str]]) -> str:
        """A sum from (sign, term) pairs; the first sign is "" or "-"."""

    @abstractmethod
    def big_sum(self, over: Sequence[str], condition: str | None, body: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def root(self, body: str) -> str: ...
    @abstractmethod
    def function(self, name: str, arguments: Sequence[str]) -> str: ...
    @abstractmethod
    def relation(self, parts: Sequence[str], sign: str) -> str: ...
    @abstractmethod
    def brackets(self, body: str, kind: str = "()") -> str: ...
    @abstractmethod
    def cases(self, choices: Sequence[tuple[str, str | None]]) -> str: ...
    @abstractmethod
    def dots(self) -> str: ...


def write(expr: Expr, writer: Writer) -> str:
    """The expression in the writer's notation."""
    return _write(expr, writer)[0]


def _at_least(level: int, expr: Expr, writer: Writer) -> str:
    """The expression, in parentheses if it holds together less tightly than `level`."""
    text, tightness = _write(expr, writer)
    return text if tightness >= level else writer.brackets(text)


def _index(parts: Sequence[IndexPart], writer: Writer) -> list[str]:
    return [_write(_index_expr(part), writer)[0] for part in parts]


def _index_expr(part: IndexPart) -> Expr:
    if isinstance(part, int):
        return Num(part)
    return Sym(part) if isinstance(part, str) else part


def _write(expr: Expr, w: Writer) -> tuple[str, int]:
    match expr:
        case Num(value, digits):
            negative, text, power = number_parts(value, digits or w.digits)
            shown = w.number(text, power)
            if negative:
                return w.joined([("-", shown)]), ADDITIVE
            return shown, ATOM if power is None else PRODUCT
        case Sym(name, index, sample, accent):
            return w.symbol(name, _index(index, w), None if sample is None else str(sample), accent), ATOM
        case Words(name, index, sample, accent):
            return w.words(name, _index(index, w), None if sample is None else str(sample), accent), ATOM
        case Partial(of, by):
            return w.partial(_at_least(ATOM, of, w), _at_least(ATOM, by, w)), UNARY if w.flat_fractions else ATOM
        case Frac(top, bottom):
            if w.flat_fractions:
                return w.fraction(_at_least(PRODUCT, top, w), _at_least(ATOM, bottom, w)), PRODUCT
            return w.fraction(write(top, w), write(bottom, w)), ATOM
        case Mul(factors):
            return w.product([_factor(f, w, f is factors[-1]) for f in factors]), PRODUCT
        case Neg(body):
            return w.joined([("-", _at_least(PRODUCT, body, w))]), ADDITIVE
        case Sum(terms):
            return w.joined([_signed(term, w, first=not position) for position, term in enumerate(terms)]), ADDITIVE
        case BigSum(over, body, condition):
            shown_condition = None if condition is None else write(condition, w)
            return w.big_sum(over, shown_condition, _at_least(PRODUCT, body, w)), PRODUCT
        case Pow(base, exponent):
            shown = _at_least(ATOM, base, w)
            if isinstance(base, Frac | Partial) and not w.flat_fractions:
                shown = w.brackets(shown)
            return w.power(shown, write(exponent, w)), UNARY
        case Root(body):
            return w.root(write(body, w)), ATOM
        case Fn(name, arguments):
            return w.function(name, [write(a, w) for a in arguments]), ATOM
        case Rel(parts, sign):
            return w.relation([_at_least(ADDITIVE, part, w) for part in parts], sign), RELATION
        case Iverson(condition):
            return w.brackets(write(condition, w), "[]"), ATOM
        case Cases(choices):
            return w.cases([(write(v, w), None if when is None else write(when, w)) for v, when in choices]), ATOM
        case Dots():
            return w.dots(), ATOM


def _factor(factor: Expr, w: Writer, last: bool) -> str:
    """A factor of a product; a sum sign would swallow what follows it."""
    swallows = isinstance(factor, BigSum) and not last
    return w.brackets(write(factor, w)) if swallows else _at_least(PRODUCT, factor, w)


def _signed(term: Expr, w: Writer, first: bool) -> tuple[str, str]:
    """A term of a sum with the sign before it."""
    if isinstance(term, Neg):
        return "-", _at_least(PRODUCT, term.body, w)
    if isinstance(term, Num) and term.value < 0:
        return "-", write(Num(-term.value, term.digits), w)
    return ("" if first else "+"), _at_least(ADDITIVE if first else PRODUCT, term, w)
