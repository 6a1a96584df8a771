"""How many digits make a printed equation true: 1 − 0.9999999967 = 3.3·10⁻⁹, never 1 − 1 = 3.3·10⁻⁹.

Numbers are rounded when they are printed. Where they cancel, what remains of them is in the digits that were cut off;
here such numbers get more digits, until a reader with a calculator finds the printed result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from chainrule.explain.writing import number_parts
from chainrule.expressions import Cases, Expr, Fn, Frac, Mul, Neg, Num, Pow, Rel, Root, Sum

MOST_DIGITS = 17
"""Significant digits that tell any two numbers in double precision apart."""
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "max": max,
    "σ": lambda x: 1 / (1 + math.exp(-x)),
}


def printed(value: float, digits: int) -> float:
    """The number that a reader sees when `value` is printed."""
    negative, text, power = number_parts(value, digits)
    if not math.isfinite(value):
        return value
    return float(f"{'-' if negative else ''}{text}e{power or 0}")


def close(found: float, result: float, digits: int) -> bool:
    """Whether two printed numbers agree as well as the roundings of two factors and their product allow."""
    return abs(found - result) <= min(1.5 * 10.0 ** (1 - digits), 0.5) * abs(result)


def evaluate(expr: Expr, digits: int) -> float | None:
    """What an expression gives with its numbers as they are printed; None if it holds letters."""
    try:
        return _evaluate(expr, digits)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):  # TypeError: a root that is not real
        return None


def _evaluate(expr: Expr, digits: int) -> float | None:
    match expr:
        case Num(value, own):
            return printed(value, own or digits)
        case Cases(choices) if len(choices) == 1:
            return _evaluate(choices[0][0], digits)
    parts = _parts(expr)
    values = [_evaluate(part, digits) for part in parts]
    known = [value for value in values if value is not None]
    return _combine(expr, known) if parts and len(known) == len(values) else None


def _combine(expr: Expr, values: list[float]) -> float | None:
    match expr:
        case Neg():
            return -values[0]
        case Sum():
            return math.fsum(values)
        case Mul():
            return math.prod(values)
        case Frac():
            return values[0] / values[1]
        case Pow():
            return float(values[0] ** values[1])
        case Root():
            return math.sqrt(values[0])
        case Fn(name) if name in _FUNCTIONS:
            return float(_FUNCTIONS[name](*values))
    return None


def _parts(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Neg(body) | Root(body):
            return (body,)
        case Sum(parts) | Mul(parts):
            return parts
        case Fn(_, parts):
            return parts
        case Frac(first, second) | Pow(first, second):
            return (first, second)
    return ()


def with_digits(expr: Expr, digits: int) -> Expr:
    """The expression with every number in `digits` significant digits."""
    match expr:
        case Num(value, None):
            return Num(value, digits)
        case Neg(body):
            return Neg(with_digits(body, digits))
        case Root(body):
            return Root(with_digits(body, digits))
        case Sum(terms):
            return Sum(tuple(with_digits(term, digits) for term in terms))
        case Mul(factors):
            return Mul(tuple(with_digits(factor, digits) for factor in factors))
        case Fn(name, arguments):
            return Fn(name, tuple(with_digits(argument, digits) for argument in arguments))
        case Frac(top, bottom):
            return Frac(with_digits(top, digits), with_digits(bottom, digits))
        case Pow(base, exponent):
            return Pow(with_digits(base, digits), with_digits(exponent, digits))
        case Rel(parts, "="):
            return Rel(tuple(with_digits(part, digits) for part in parts))
    return expr


def precise(expr: Expr, value: float, digits: int, shown: int | None = None) -> Expr:
    """The expression with as many digits as it takes to give `value`, which is printed in `shown` ones."""
    result = printed(value, shown or digits)
    for enough in range(digits, MOST_DIGITS + 1):
        found = evaluate(expr, enough)
        if found is None or close(found, result, shown or digits):
            return expr if enough == digits else with_digits(expr, enough)
    return with_digits(expr, MOST_DIGITS)


def digits_of_terms(values: Sequence[float], total: float, digits: int) -> int:
    """The digits in which terms are printed, so that the printed ones add up to the printed total."""
    result = printed(total, digits)
    for enough in range(digits, MOST_DIGITS):
        if close(math.fsum(printed(value, enough) for value in values), result, digits):
            return enough
    return MOST_DIGITS


def rounded_relation(rel: Rel, digits: int) -> Rel:
    """a = b = c, where every side that can be computed gives the last one."""
    last = rel.parts[-1]
    if not isinstance(last, Num):
        return rel
    return Rel((*(precise(part, last.value, digits) for part in rel.parts[:-1]), last), rel.sign)
