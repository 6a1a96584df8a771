"""Mathematical expressions as a tree: the one form from which text, LaTeX, MathML and exported code are written.

    Sym("w", (0, 1))              w[0,1]
    Partial(Sym("L"), Sym("w"))   ∂L/∂w
    BigSum(("o",), Mul(...))      Σ_o ...

The tree knows nothing of any notation; `chainrule.explain.writing` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union

Expr: TypeAlias = Union[
    "Num",
    "Sym",
    "Partial",
    "Frac",
    "Mul",
    "Sum",
    "Neg",
    "BigSum",
    "Pow",
    "Root",
    "Fn",
    "Rel",
    "Cases",
    "Iverson",
    "Dots",
    "Words",
]
IndexPart: TypeAlias = Union[int, str, "Mul", "Sum", "Sym"]
"""An entry of an index: a number, a letter, or an expression such as p + i."""


@dataclass(frozen=True)
class Num:
    """A number; `digits` significant ones are written, or as many as the writer chooses."""

    value: float
    digits: int | None = None


@dataclass(frozen=True)
class Sym:
    """A letter with an index below, a sample number above, a hat or a bar."""

    name: str
    index: tuple[IndexPart, ...] = ()
    sample: int | str | None = None
    accent: str = ""


@dataclass(frozen=True)
class Words:
    """A name in upright letters: conv1.weight; the accent "plus" marks what it is after an update."""

    name: str
    index: tuple[IndexPart, ...] = ()
    sample: int | str | None = None
    accent: str = ""


@dataclass(frozen=True)
class Partial:
    """∂of / ∂by."""

    of: Expr
    by: Expr


@dataclass(frozen=True)
class Frac:
    """top / bottom."""

    top: Expr
    bottom: Expr


@dataclass(frozen=True)
class Mul:
    """A product."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class Sum:
    """A sum; a `Neg` among the terms is subtracted."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Neg:
    """-body."""

    body: Expr


@dataclass(frozen=True)
class BigSum:
    """Σ over `over` (letters) of body, under a condition if there is one."""

    over: tuple[str, ...]
    body: Expr
    condition: Expr | None = None


@dataclass(frozen=True)
class Pow:
    """base^exponent."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True)
class Root:
    """The square root."""

    body: Expr


@dataclass(frozen=True)
class Fn:
    """name(arguments)."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Rel:
    """a = b = c, or with another sign between."""

    parts: tuple[Expr, ...]
    sign: str = "="


@dataclass(frozen=True)
class Iverson:
    """[condition]: 1 where it holds, else 0."""

    condition: Expr


@dataclass(frozen=True)
class Cases:
    """One of several values, each under its condition; None stands for "else"."""

    choices: tuple[tuple[Expr, Expr | None], ...]


@dataclass(frozen=True)
class Dots:
    """An omission."""


LOSS = Sym("L")


def mul(*factors: Expr) -> Expr:
    """A product, a single factor as itself."""
    return factors[0] if len(factors) == 1 else Mul(factors)


def add(*terms: Expr) -> Expr:
    """A sum, a single term as itself."""
    return terms[0] if len(terms) == 1 else Sum(terms)


def minus(a: Expr, b: Expr) -> Expr:
    """a - b."""
    return Sum((a, Neg(b)))


def slope(of: Expr) -> Expr:
    """∂L/∂of: the gradient of the loss."""
    return Partial(LOSS, of)


def equal(*parts: Expr) -> Expr:
    """a = b = ..."""
    return Rel(parts)


def number(value: float) -> Num:
    """A number as a leaf."""
    return Num(float(value))


def letters(expr: Expr) -> set[str]:
    """The letters that an expression is written in."""
    match expr:
        case Sym(name):
            return {name}
        case Fn(_, parts) | Mul(parts) | Sum(parts) | Rel(parts):
            return set().union(*map(letters, parts))
        case Neg(body):
            return letters(body)
        case Frac(top, bottom) | Pow(top, bottom):
            return letters(top) | letters(bottom)
        case Cases(choices):
            pairs = [part for value, when in choices for part in (value, when) if part is not None]
            return set().union(*map(letters, pairs))
    return set()
