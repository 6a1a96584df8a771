"""Local terms of the activations, of dropout, and of softmax."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.equations import activations
from chainrule.equations.dropout import dropout_mask
from chainrule.explain.expressions import (
    BigSum,
    Cases,
    Expr,
    Fn,
    Frac,
    Iverson,
    Mul,
    Neg,
    Num,
    Partial,
    Pow,
    Rel,
    Sum,
    Sym,
    equal,
    minus,
    number,
    slope,
)
from chainrule.explain.local.base import Local, Value, gradient_rule, local_slope, one, rule, x, y
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Evaluation, Index, Place, Terms, Use, rows, sym

Slope = Callable[[Use, float, float], tuple[float, Expr]]
"""(use, x, y) -> f'(x), and how it comes about, in numbers."""


class Elementwise(Local):
    """y = f(x) for every element: dL/dx = dL/dy f'(x) (S4-E10)."""

    def __init__(
        self,
        function: Callable[[Use], Expr],
        derivative: Callable[[Use], Expr],
        slope_of: Slope,
        sources: tuple[str, ...] = (),
        note: Callable[[Use, float], Message | None] = lambda use, value: None,
    ) -> None:
        self.function, self.derivative, self.slope_of, self.sources, self.note = (
            function, derivative, slope_of, sources, note,
        )  # fmt: skip

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        before, after = float(use.x[index]), float(use.y[index])
        value, shown = self.slope_of(use, before, after)
        of = sym("y", Place("value", use.name, index), use.many)
        by = sym("x", Place("value", use.sources[0], index), use.many)
        formula = gradient_rule(
            Sym("x"), Mul((slope(Sym("y")), Partial(Sym("y"), Sym("x")))), "S4-E10", *self.sources,
            where=(equal(Partial(Sym("y"), Sym("x")), self.derivative(use)),),
        )  # fmt: skip
        detail: list[Expr] = [shown if shown == Num(value) else equal(shown, Num(value))]
        if isinstance(detail[0], Rel):
            detail = [shown]
        columns = (use.upstream(one(index)), local_slope(np.array([value]), [of], by, detail))
        note = self.note(use, before)
        return [Terms(formula, columns, use.letters(), notes=() if note is None else (note,))]

    def value(self, use: Use, index: Index) -> Value:
        formula = rule(Sym("y"), self.function(use), *self.sources)
        before = Place("value", use.sources[0], index)
        return Evaluation(formula, _put(self.function(use), float(use.x[index])), float(use.y[index]), (before,),
                          use.letters())  # fmt: skip


def _put(expression: Expr, value: float) -> Expr:
    """The expression with a number in the place of x."""
    match expression:
        case Sym("x"):
            return Num(value)
        case Fn(name, arguments):
            return Fn(name, tuple(_put(a, value) for a in arguments))
        case Mul(factors):
            return Mul(tuple(_put(f, value) for f in factors))
        case Sum(terms):
            return Sum(tuple(_put(t, value) for t in terms))
        case Neg(body):
            return Neg(_put(body, value))
        case Frac(top, bottom):
            return Frac(_put(top, value), _put(bottom, value))
        case Pow(base, exponent):
            return Pow(_put(base, value), _put(exponent, value))
        case Rel(parts, sign):
            return Rel(tuple(_put(p, value) for p in parts), sign)
        case Cases(choices):
            return Cases(tuple((_put(v, value), None if c is None else _put(c, value)) for v, c in choices))
    return expression


_X, _Y = Sym("x"), Sym("y")
_ABOVE, _BELOW = Rel((_X, Num(0)), ">"), Rel((_X, Num(0)), "≤")


def _kink(use: Use, before: float) -> Message | None:
    return say("relu_kink") if before == 0 else None


RELU = Elementwise(
    lambda use: Fn("max", (Num(0), _X)),
    lambda use: Cases(((Num(1), _ABOVE), (Num(0), _BELOW))),
    lambda use, before, after: (float(before > 0), Cases(((Num(float(before > 0)), _compared(before)),))),
    ("S0-E37", "ER1-16"),
    _kink,
)


def _compared(before: float) -> Expr:
    return Rel((Num(before), Num(0)), ">" if before > 0 else "≤")


def _leak(use: Use) -> float:
    return float(use.step.layer.negative_slope)  # type: ignore[attr-defined]


LEAKY_RELU = Elementwise(
    lambda use: Cases(((_X, _ABOVE), (Mul((Num(_leak(use)), _X)), _BELOW))),
    lambda use: Cases(((Num(1), _ABOVE), (Num(_leak(use)), _BELOW))),
    lambda use, before, after: (
        1.0 if before > 0 else _leak(use),
        Cases(((Num(1.0 if before > 0 else _leak(use)), _compared(before)),)),
    ),
)
SIGMOID = Elementwise(
    lambda use: Frac(Num(1), Sum((Num(1), Fn("exp", (Neg(_X),))))),
    lambda use: Mul((_Y, minus(Num(1), _Y))),
    lambda use, before, after: (after * (1 - after), Mul((Num(after), minus(Num(1), Num(after))))),
    ("S0-E19", "S0-E25"),
)
TANH = Elementwise(
    lambda use: Fn("tanh", (_X,)),
    lambda use: minus(Num(1), Pow(_Y, Num(2))),
    lambda use, before, after: (1 - after * after, minus(Num(1), Pow(Num(after), Num(2)))),
)
_A, _S = activations.SCALED_TANH_AMPLITUDE, activations.SCALED_TANH_SLOPE
_TWO_THIRDS = Frac(Num(2), Num(3))
SCALED_TANH = Elementwise(
    lambda use: Mul((Num(_A), Fn("tanh", (Mul((_TWO_THIRDS, _X)),)))),
    lambda use: Mul((_TWO_THIRDS, minus(Num(_A), Frac(Pow(_Y, Num(2)), Num(_A))))),
    lambda use, before, after: (
        _S * (_A - after * after / _A),
        Mul((_TWO_THIRDS, minus(Num(_A), Frac(Pow(Num(after), Num(2)), Num(_A))))),
    ),
)
IDENTITY = Elementwise(lambda use: _X, lambda use: Num(1), lambda use, before, after: (1.0, Num(1)))


class DropoutTerms(Local):
    """y = x mask / (1 - p) in training, y = x in inference."""

    def _scale(self, use: Use, index: Index) -> tuple[bool, float, Expr]:
        layer, context = use.step.layer, use.context
        p: float = layer.p  # type: ignore[attr-defined]
        if not context.training:
            return True, 1.0, Num(1)
        kept = bool(dropout_mask(use.x.shape, p, context.seed, context.step, context.node)[index])
        if not kept:
            return False, 0.0, Num(0)
        return True, 1 / (1 - p), Frac(Num(1), minus(Num(1), Num(p)))

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        kept, scale, shown = self._scale(use, index)
        note = say("dropout_inference") if not use.context.training else say("dropout_kept" if kept else "dropout_zero")
        of = sym("y", Place("value", use.name, index), use.many)
        by = sym("x", Place("value", use.sources[0], index), use.many)
        factor = Frac(Sym("m"), minus(Num(1), Sym("p"))) if use.context.training else Num(1)
        formula = gradient_rule(Sym("x"), Mul((slope(Sym("y")), factor)), "S2-B05")
        columns = (use.upstream(one(index)), local_slope(np.array([scale]), [of], by, [shown]))
        return [Terms(formula, columns, use.letters(), notes=(note,))]

    def value(self, use: Use, index: Index) -> Value:
        shown = self._scale(use, index)[2]
        factor = Frac(Sym("m"), minus(Num(1), Sym("p"))) if use.context.training else Num(1)
        before = Place("value", use.sources[0], index)
        expression = Mul((number(float(use.x[index])), shown))
        return Evaluation(rule(_Y, Mul((_X, factor)), "S2-B05"), expression, float(use.y[index]), (before,),
                          use.letters())  # fmt: skip


class SoftmaxTerms(Local):
    """y_i = exp(x_i) / sum_j exp(x_j); dL/dx_i = sum_j dL/dy_j y_j ([i = j] - y_i)."""

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, i, *rest = index
        others = np.arange(use.y.shape[1])
        places = rows(n, others, *rest)
        p = use.y[tuple(places.T)]
        of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
        by = sym("x", Place("value", use.sources[0], index), use.many)
        details: list[Expr] = [
            Mul((Num(float(q)), minus(Num(1), Num(float(p[i])))))
            if j == i
            else Neg(Mul((Num(float(q)), Num(float(p[i])))))
            for j, q in enumerate(p)
        ]
        body = Mul((slope(y("j")), y("j"), minus(Iverson(equal(Sym("i"), Sym("j"))), y("i"))))
        formula = gradient_rule(x("i"), BigSum(("j",), body))
        columns = (use.upstream(places), local_slope(p * ((others == i) - p[i]), of, by, details))
        return [Terms(formula, columns, use.letters())]

    def value(self, use: Use, index: Index) -> Value:
        n, _, *rest = index
        places = rows(n, np.arange(use.y.shape[1]), *rest)
        bottom = BigSum(("j",), Fn("exp", (x("j"),)))
        top = use.x[tuple(places.T)].max()
        expression = Frac(
            Fn("exp", (minus(Num(float(use.x[index])), Num(float(top))),)),
            Num(float(np.exp(use.x[tuple(places.T)] - top).sum())),
        )
        return Evaluation(
            rule(y("i"), Frac(Fn("exp", (x("i"),)), bottom), "S3-F09"), expression, float(use.y[index]),
            tuple(Place("value", use.sources[0], tuple(map(int, k))) for k in places), use.letters(),
            (say("softmax_shift", top=float(top)),),
        )  # fmt: skip
