"""Local terms of the activations, of dropout, and of softmax."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chainrule import layers
from chainrule.equations.dropout import dropout_mask
from chainrule.explain.local.base import Local, Value, gradient_rule, local_slope, one, rule, told, x, y
from chainrule.explain.messages import say
from chainrule.explain.precision import MOST_DIGITS, evaluate
from chainrule.explain.terms import Evaluation, Index, Place, Terms, Use, rows, sym
from chainrule.expressions import (
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
from chainrule.layers.activations import Activation, Curve


class Elementwise(Local):
    """y = f(x) for every element: dL/dx = dL/dy f'(x) (S4-E10). The derivative stands in the layer's own curve, in the
    letters x and y; its number is the same expression with numbers in their place."""

    def __init__(self, because: str = "why_curve", kink: str | None = None) -> None:
        self.reasons = {"x": because}
        self.kink = kink

    def curve(self, use: Use) -> Curve:
        """The layer's own."""
        assert isinstance(use.step.layer, Activation)
        found = use.step.layer.curve()
        assert found is not None
        return found

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        before, after = float(use.x[index]), float(use.y[index])
        curve = self.curve(use)
        shown = _put(curve.derivative, {"x": before, "y": after})
        value = evaluate(shown, MOST_DIGITS)
        assert value is not None
        of = sym("y", Place("value", use.name, index), use.many)
        by = sym("x", Place("value", use.sources[0], index), use.many)
        rate = Partial(Sym("y"), Sym("x"))
        where = (equal(rate, curve.derivative),)
        formula = gradient_rule(Sym("x"), Mul((slope(Sym("y")), rate)), "S4-E10", *curve.sources, where=where)
        columns = (use.upstream(one(index)), local_slope(np.array([value]), [of], by, [shown]))
        notes = () if self.kink is None or before != 0 else (say(self.kink),)
        return [Terms(formula, columns, use.letters(), notes=notes)]

    def value(self, use: Use, index: Index) -> Value:
        curve = self.curve(use)
        shown = _put(curve.function, {"x": float(use.x[index])})
        before = Place("value", use.sources[0], index)
        formula = rule(Sym("y"), curve.function, *curve.sources)
        return Evaluation(formula, shown, float(use.y[index]), (before,), use.letters())


def _put(expression: Expr, numbers: Mapping[str, float]) -> Expr:
    """The expression with numbers in the place of letters; of several cases the one that holds."""

    def put(part: Expr) -> Expr:
        return _put(part, numbers)

    match expression:
        case Sym(name) if name in numbers:
            return Num(numbers[name])
        case Fn(name, arguments):
            return Fn(name, tuple(map(put, arguments)))
        case Mul(factors):
            return Mul(tuple(map(put, factors)))
        case Sum(terms):
            return Sum(tuple(map(put, terms)))
        case Neg(body):
            return Neg(put(body))
        case Frac(top, bottom):
            return Frac(put(top), put(bottom))
        case Pow(base, exponent):
            return Pow(put(base), put(exponent))
        case Rel(parts, sign):
            return Rel(tuple(map(put, parts)), sign)
        case Cases(choices):
            kept = next((value, when) for value, when in choices if when is None or _holds(put(when)))
            return Cases(((put(kept[0]), None if kept[1] is None else put(kept[1])),))
    return expression


def _holds(condition: Expr) -> bool:
    """Whether a > b or a ≤ b, of two numbers."""
    match condition:
        case Rel((Num(first), Num(second)), ">" | "≤" as sign):
            return (first > second) is (sign == ">")
    raise NotImplementedError(condition)


_SAID: dict[type[layers.Layer], Elementwise] = {
    layers.ReLU: Elementwise("why_relu", kink="relu_kink"),
    layers.LeakyReLU: Elementwise("why_leaky"),
    layers.Sigmoid: Elementwise("why_sigmoid"),
    layers.Tanh: Elementwise("why_tanh"),
    layers.ScaledTanh: Elementwise("why_tanh"),
    layers.Identity: Elementwise("why_identity"),
}
"""Curves about which there is more to say than that they are curves."""

ELEMENTWISE: dict[type[layers.Layer], Local] = {
    kind: _SAID.get(kind, Elementwise())
    for kind in layers.LAYERS.values()
    if issubclass(kind, Activation) and "curve" in vars(kind)
}


class DropoutTerms(Local):
    """y = x mask / (1 - p) in training, y = x in inference."""

    reasons = told(x="why_dropout")

    def because(self, use: Use, of: str) -> str | None:
        return super().because(use, of) if use.context.training else "why_identity"

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
        return Evaluation(
            rule(Sym("y"), Mul((Sym("x"), factor)), "S2-B05"), expression, float(use.y[index]), (before,), use.letters()
        )


class SoftmaxTerms(Local):
    """y_i = exp(x_i) / sum_j exp(x_j); dL/dx_i = sum_j dL/dy_j y_j ([i = j] - y_i)."""

    reasons = told(x="why_softmax")

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
            rule(y("i"), Frac(Fn("exp", (x("i"),)), bottom), "S3-F09"),
            expression,
            float(use.y[index]),
            tuple(Place("value", use.sources[0], tuple(map(int, k))) for k in places),
            use.letters(),
            (say("softmax_shift", top=float(top)),),
        )
