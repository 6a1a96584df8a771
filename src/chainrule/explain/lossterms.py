"""The terms of a loss, and its gradient with respect to one output: for cross-entropy in two ways."""

from __future__ import annotations

import numpy as np

from chainrule.equations.activations import sigmoid
from chainrule.explain.crossentropyterms import cross_entropy_gradient, softmax_rule, target_rules
from chainrule.explain.ending import OMEGA, Ending
from chainrule.explain.local.base import gradient_rule, rule, t_, y
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Column, Evaluation, Formula, Index, Place, Terms
from chainrule.expressions import (
    LOSS,
    BigSum,
    Cases,
    Expr,
    Fn,
    Frac,
    Iverson,
    Neg,
    Num,
    Partial,
    Pow,
    Rel,
    Sum,
    Sym,
    equal,
    minus,
    mul,
    number,
)
from chainrule.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfSquaredErrorLoss,
    HuberLoss,
    L1Loss,
    Loss,
    MAPLoss,
    MSELoss,
)

_Y, _T, _K = y("k"), t_("k"), ("k",)
_C, _P = Sym("c", _K), Sym("π", _K)
_SIGN = Cases(((Num(1), Rel((_Y, _T), ">")), (Neg(Num(1)), Rel((_Y, _T), "<")), (Num(0), None)))
_DELTA, _D = Sym("δ"), minus(_Y, _T)
_CUT = Cases(((Neg(_DELTA), Rel((_D, Neg(_DELTA)), "<")), (_DELTA, Rel((_D, _DELTA), ">")), (_D, None)))
_HALF = Frac(Num(1), Num(2))
VALUE_RULES: dict[type[Loss], tuple[Expr, tuple[str, ...]]] = {
    HalfSquaredErrorLoss: (mul(_HALF, BigSum(_K, Pow(minus(_T, _Y), Num(2)))), ("S0-E22", "S0-E06", "ER0-24")),
    MSELoss: (Pow(minus(_Y, _T), Num(2)), ()),
    L1Loss: (mul(Sym("g"), _D), ()),
    HuberLoss: (mul(Sym("g"), minus(_D, Frac(Sym("g"), Num(2)))), ()),
    BCEWithLogitsLoss: (
        minus(
            Neg(mul(_T, Fn("log", (Fn("σ", (_Y,)),)))),
            mul(minus(Num(1), _T), Fn("log", (minus(Num(1), Fn("σ", (_Y,))),))),
        ),
        (),
    ),
    CrossEntropyLoss: (Neg(BigSum(_K, mul(_T, Fn("log", (Sym("p", _K),))))), ("S1-F01",)),
    MAPLoss: (
        Sum((y("D"), Fn("log", (Sum((Fn("exp", (Neg(Sym("j")),)), BigSum(_K, Fn("exp", (Neg(_Y),))))),)))),
        (),
    ),
}
"""E, one summand of the loss, in letters."""
_WEIGHTED_BINARY = mul(
    _C,
    minus(
        Neg(mul(_P, _T, Fn("log", (Fn("σ", (_Y,)),)))),
        mul(minus(Num(1), _T), Fn("log", (minus(Num(1), Fn("σ", (_Y,))),))),
    ),
)


def _rules(ending: Ending) -> tuple[Expr, ...]:
    """E, and the shorthands in it."""
    inner, _ = VALUE_RULES.get(type(ending.loss), (None, ()))
    if inner is None:
        return ()
    summand = equal(Sym("E"), inner)
    match ending.loss:
        case CrossEntropyLoss():
            return (summand, softmax_rule(), *target_rules(ending))
        case BCEWithLogitsLoss() if ending.option_notes():
            return (equal(Sym("E"), _WEIGHTED_BINARY),)
        case L1Loss():
            return (summand, equal(Sym("g"), _SIGN))
        case HuberLoss():
            return (summand, equal(Sym("g"), _CUT))
    return (summand,)


REASONS: dict[type[Loss], str] = {
    L1Loss: "why_absolute",
    HuberLoss: "why_huber",
    HalfSquaredErrorLoss: "why_square",
    MSELoss: "why_square",
    BCEWithLogitsLoss: "why_bce",
    CrossEntropyLoss: "why_cross_entropy",
    MAPLoss: "why_map",
}
"""Why its gradient is what it is."""


def loss_value(ending: Ending) -> Terms:
    """L as scale times the sum of the loss's terms."""
    terms = ending.loss.terms(ending.outputs, ending.targets)
    places = np.argwhere(np.ones(terms.shape, bool))
    scale = ending.scale_expr

    def symbol(k: int) -> Expr:
        return Sym("E", tuple(int(i) for i in places[k]))

    values = terms.reshape(-1).astype(np.float64)
    weights: tuple[Column, ...] = ()
    summand: Expr = Sym("E", ("n",))
    if ending.weights is not None:
        own = np.array([ending.weight(int(place[0])) for place in places])
        weights = (Column("constant", own, symbol=lambda k: Sym("ω", (int(places[k][0]),))),)
        summand = mul(OMEGA, summand)
    columns = (
        Column("constant", np.full(len(values), ending.scale), symbol=lambda _: scale),
        *weights,
        Column("local", values, symbol=symbol),
    )
    _, sources = VALUE_RULES.get(type(ending.loss), (None, ()))
    formula = rule(LOSS, mul(Sym("s"), BigSum(("n",), summand)), *sources, where=_rules(ending))
    notes = (*ending.reduction_notes(), *ending.option_notes())
    return Terms(formula, columns, (("y", ending.node),), notes=notes)


def loss_gradient(ending: Ending, index: Index, many: bool) -> list[Evaluation | Terms]:
    """dL/dy[index]. The first is the number that counts; what follows are other ways to the same number."""
    here = Place("value", ending.node, index)
    out, target, scale = float(ending.outputs[index]), ending.target(index), ending.factor_expr(index[0])
    factor = ending.scale * ending.weight(index[0])
    letters = (("y", ending.node),)

    def done(right: Expr, sources: tuple[str, ...], expression: Expr, value: float, *more: Message) -> Evaluation:
        formula: Formula = gradient_rule(_Y, mul(ending.factor, right), *sources)
        notes = (*more, *ending.option_notes())
        return Evaluation(formula, mul(scale, expression), value * factor, (here,), letters, notes)

    difference = minus(number(out), number(target))
    known = ending.loss if type(ending.loss) in VALUE_RULES else None  # a subclass may compute something else
    match known:
        case HalfSquaredErrorLoss():
            return [done(Neg(minus(_T, _Y)), ("S0-E24",), Neg(minus(number(target), number(out))), out - target)]
        case MSELoss():
            return [done(mul(Num(2), minus(_Y, _T)), (), mul(Num(2), difference), 2 * (out - target))]
        case L1Loss():
            sign = float(np.sign(out - target))
            return [done(_SIGN, (), number(sign), sign)]
        case HuberLoss(delta=delta):
            inside = abs(out - target) <= delta
            cut = float(np.clip(out - target, -delta, delta))
            return [done(_CUT, (), difference if inside else number(cut), cut)]
        case BCEWithLogitsLoss() if ending.option_notes():
            p, positive = float(sigmoid(np.array(out))), ending.output_weight("pos_weight", index)
            own, s = ending.output_weight("weight", index), Fn("σ", (number(out),))
            rest = mul(minus(_P, Num(1)), _T, minus(Fn("σ", (_Y,)), Num(1)))
            shown_rest = mul(minus(number(positive), Num(1)), number(target), minus(s, Num(1)))
            right = mul(_C, Sum((Fn("σ", (_Y,)), Neg(_T), rest)))
            shown = mul(number(own), Sum((s, Neg(number(target)), shown_rest)))
            return [done(right, (), shown, own * (p - target + (positive - 1) * target * (p - 1)))]
        case BCEWithLogitsLoss():
            p = float(sigmoid(np.array(out)))
            shown = minus(Fn("σ", (number(out),)), number(target))
            return [done(minus(Fn("σ", (_Y,)), _T), (), shown, p - target)]
        case CrossEntropyLoss():
            return cross_entropy_gradient(ending, index, many)
        case MAPLoss(rubbish=rubbish):
            value = float(ending.loss.term_gradient(ending.outputs, ending.targets)[index])
            share = Frac(
                Fn("exp", (Neg(_Y),)), Sum((Fn("exp", (Neg(Sym("j")),)), BigSum(("i",), Fn("exp", (Neg(y("i")),)))))
            )
            shown = minus(number(target), number(target - value))
            return [
                done(
                    minus(Iverson(equal(Sym("k"), Sym("D"))), share),
                    (),
                    shown,
                    value,
                    say("map_rubbish", rubbish=rubbish),
                )
            ]
    value = float(ending.loss.term_gradient(ending.outputs, ending.targets)[index])
    note = say("own_loss", loss=type(ending.loss).__name__)
    return [done(Partial(Sym("E"), _Y), (), number(value), value, note)]
