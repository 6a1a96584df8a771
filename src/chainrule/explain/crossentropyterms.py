"""The gradient of cross-entropy with respect to one logit, in two ways: at once, and through the probabilities."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import softmax
from chainrule.explain.ending import Ending
from chainrule.explain.local.base import gradient_rule, t_, y
from chainrule.explain.maps import span
from chainrule.explain.messages import say
from chainrule.explain.precision import digits_of_terms
from chainrule.explain.terms import Column, Evaluation, Index, Place, Table, Terms, rows, sym
from chainrule.expressions import (
    LOSS,
    BigSum,
    Expr,
    Fn,
    Frac,
    Iverson,
    Mul,
    Neg,
    Num,
    Partial,
    Sum,
    Sym,
    equal,
    minus,
    mul,
    number,
)
from chainrule.shapes import Pair

MOST_CLASSES = 20
"""Rows of the table of a softmax."""
TABLE_DIGITS = 4
"""Significant digits in which the widest rendering shows it."""

_Y, _T, _K = y("k"), t_("k"), ("k",)
_C, _EPS = Sym("c", _K), Sym("ε")


def softmax_rule() -> Expr:
    return equal(Sym("p", _K), Frac(Fn("exp", (_Y,)), BigSum(("j",), Fn("exp", (y("j"),)))))


def target_rules(ending: Ending) -> tuple[Expr, ...]:
    """What class weights and smoothing make of the targets q that were given."""
    if not ending.option_notes():
        return ()
    smoothed = Sum((mul(minus(Num(1), _EPS), Sym("q", _K)), Frac(_EPS, Sym("K"))))
    return (equal(_T, mul(_C, smoothed)),)


def cross_entropy_gradient(ending: Ending, index: Index, many: bool) -> list[Evaluation | Terms]:
    n, k, *rest = index
    places = rows(n, np.arange(ending.outputs.shape[1]), *rest)
    logits = ending.outputs[tuple(places.T)]
    p = softmax(logits[None])[0]
    t = np.array([ending.target(tuple(int(i) for i in place)) for place in places])
    total, scale = float(t.sum()), ending.factor_expr(n)
    one = abs(total - 1) < 1e-15
    right: Expr = minus(Sym("p", _K), _T) if one else minus(mul(Sym("p", _K), BigSum(("j",), t_("j"))), _T)
    first: Expr = number(float(p[k])) if one else mul(number(float(p[k])), number(total))
    letters = (("y", ending.node),)
    table = _softmax_table(ending.node, logits, p, t, k)
    short = Evaluation(
        gradient_rule(_Y, mul(ending.factor, right), "S1-F01", "W15", where=(softmax_rule(), *target_rules(ending))),
        mul(scale, minus(first, number(float(t[k])))),
        (float(p[k]) * total - float(t[k])) * ending.scale * ending.weight(n),
        (Place("value", ending.node, index),),
        letters,
        (say("softmax_short"), *ending.option_notes()),
        lambda: [table],
    )
    if (p[t > 0] == 0).any():
        return [short]
    return [short, _two_steps(ending, places, p, t, k, many)]


def _softmax_table(node: str, logits: Array, p: Array, t: Array, k: int) -> Table:
    """The logit, p, t and their difference, of each class; of very many those around this one."""
    kept = list(span(len(p), k, k, MOST_CLASSES))
    differences = p * t.sum() - t
    cells = tuple((float(logits[i]), float(p[i]), float(t[i]), float(differences[i])) for i in kept)
    title = say("softmax_table")
    if len(kept) < len(p):
        title = say("part_of_classes", title=title, classes=len(p))
    digits: dict[Pair, int] = {}
    for row, (_, own, target, difference) in enumerate(cells):
        enough = digits_of_terms([own * float(t.sum()), -target], difference, TABLE_DIGITS)
        digits |= {(row, 1): enough, (row, 2): enough} if enough > TABLE_DIGITS else {}
    labels = tuple(str(i) for i in kept)
    return Table(title, cells, {(kept.index(k), 3): "here"}, labels, (node, "p", "t", "p − t"), digits)


def _two_steps(ending: Ending, places: Array, p: Array, t: Array, k: int, many: bool) -> Terms:
    """dL/dp_j dp_j/dy_k, summed over j: the long way round."""
    sample = int(places[k][0])
    scale, scale_expr = ending.scale * ending.weight(sample), ending.factor_expr(sample)
    by = sym("y", Place("value", ending.node, tuple(int(i) for i in places[k])), many)
    kept = np.flatnonzero(t)

    def probability(m: int) -> Sym:
        return Sym("p", (int(kept[m]),))

    def to_loss(m: int) -> Expr:
        j = int(kept[m])
        ratio = Frac(number(float(t[j])), number(float(p[j])))
        return equal(Partial(LOSS, probability(m)), Neg(mul(scale_expr, ratio)))

    def through(m: int) -> Expr:
        j = int(kept[m])
        same = 1.0 if j == k else 0.0
        inner = minus(number(same), number(float(p[k])))
        return equal(Partial(probability(m), by), mul(number(float(p[j])), inner))

    first = Column("local", -scale * t[kept] / p[kept], symbol=lambda m: Partial(LOSS, probability(m)), detail=to_loss)
    slopes = p[kept] * ((kept == k) - p[k])
    second = Column("local", slopes, symbol=lambda m: Partial(probability(m), by), detail=through)
    p_j, ratio = Sym("p", ("j",)), Frac(t_("j"), Sym("p", ("j",)))
    where = (
        equal(Partial(LOSS, p_j), Neg(mul(ending.factor, ratio))),
        equal(Partial(p_j, _Y), Mul((p_j, minus(Iverson(equal(Sym("j"), Sym("k"))), Sym("p", _K))))),
    )
    formula = gradient_rule(_Y, BigSum(("j",), mul(Partial(LOSS, p_j), Partial(p_j, _Y))), "S0-E23", where=where)
    return Terms(formula, (first, second), (("y", ending.node),), say("softmax_long"))
