"""Expressions of a curve as C writes them, in the letters x and y and the functions of `numbers.c.j2`."""

from __future__ import annotations

from chainrule.errors import ArgumentError
from chainrule.expressions import Cases, Expr, Fn, Frac, Mul, Neg, Num, Pow, Rel, Sum, Sym
from chainrule.interchange.c.numbers import Literals
from chainrule.layers.activations import SIGMA

_FUNCTIONS = {"exp": "real_exp", "log": "real_log", "tanh": "real_tanh"}
_MOST = 8
"""Factors of a power that is written as a product."""


def in_c(expr: Expr, literals: Literals) -> str:
    """An expression; what is not a single word stands in parentheses."""

    def write(part: Expr) -> str:
        return in_c(part, literals)

    if expr == SIGMA:
        return "real_sigmoid(x)"
    match expr:
        case Num(number):
            return literals.real(number) if number >= 0 else f"({literals.real(number)})"
        case Sym(name):
            return name
        case Neg(body):
            return f"(-{write(body)})"
        case Sum(terms):
            return f"({' + '.join(map(write, terms))})".replace("+ (-", "- (")
        case Mul(factors):
            return f"({' * '.join(map(write, factors))})"
        case Frac(top, bottom):
            return f"({write(top)} / {write(bottom)})"
        case Pow(base, Num(power)) if power == int(power) and 1 <= power <= _MOST:
            return f"({' * '.join([write(base)] * int(power))})"
        case Pow(base, exponent):
            return f"real_power({write(base)}, {write(exponent)})"
        case Fn("max", (first, second)):
            return f"({write(first)} > {write(second)} ? {write(first)} : {write(second)})"
        case Fn(name, (argument,)) if name in _FUNCTIONS:
            return f"{_FUNCTIONS[name]}({write(argument)})"
        case Cases(((value, Rel((left, right), ">")), (other, _))):
            return f"({write(left)} > {write(right)} ? {write(value)} : {write(other)})"
    raise ArgumentError(f"a curve is written with {expr!r}, for which there is no C; give its layer a template")
