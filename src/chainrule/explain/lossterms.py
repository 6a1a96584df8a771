"""The terms of a loss, and its gradient with respect to one output: for cross-entropy in two ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid, softmax
from chainrule.explain.local.base import gradient_rule, rule, t_, y
from chainrule.explain.maps import span
from chainrule.explain.messages import Message, say
from chainrule.explain.precision import digits_of_terms
from chainrule.explain.terms import Column, Evaluation, Formula, Index, Place, Table, Terms, rows, sym
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
    Pow,
    Sum,
    Sym,
    equal,
    minus,
    mul,
    number,
)
from chainrule.losses import BCEWithLogitsLoss, CrossEntropyLoss, HalfSquaredErrorLoss, Loss, MAPLoss, MSELoss
from chainrule.shapes import Pair

MOST_CLASSES = 20
"""Rows of the table of a softmax."""
TABLE_DIGITS = 4
"""Significant digits in which the widest rendering shows it."""


@dataclass(frozen=True)
class Ending:
    """Where the chain begins: a loss, the outputs it is computed from and the prepared targets."""

    loss: Loss
    outputs: Array
    targets: Array
    node: str

    @property
    def scale(self) -> float:
        """1, or 1 / what the mean divides by."""
        return self.loss.scale(self.outputs.shape)

    @property
    def scale_expr(self) -> Expr:
        """The scale as a fraction."""
        return Num(1) if self.loss.reduction == "sum" else Frac(Num(1), Num(self.loss.count(self.outputs.shape)))

    def target(self, index: Index) -> float:
        """The target of one output: a class index becomes 1 or 0."""
        if self.targets.shape == self.outputs.shape:
            return float(self.targets[index])
        return float(int(self.targets[(index[0], *index[2:])]) == index[1])

    def reduction_note(self) -> Message:
        """What the loss divides by."""
        if self.loss.reduction == "sum":
            return say("loss_sum")
        return say("loss_mean", count=self.loss.count(self.outputs.shape))


_Y, _T, _K = y("k"), t_("k"), ("k",)
_HALF = Frac(Num(1), Num(2))
VALUE_RULES: dict[type[Loss], tuple[Expr, tuple[str, ...]]] = {
    HalfSquaredErrorLoss: (mul(_HALF, BigSum(_K, Pow(minus(_T, _Y), Num(2)))), ("S0-E22", "S0-E06", "ER0-24")),
    MSELoss: (Pow(minus(_Y, _T), Num(2)), ()),
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

REASONS: dict[type[Loss], str] = {
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
    columns = (
        Column("constant", np.full(len(values), ending.scale), symbol=lambda _: scale),
        Column("local", values, symbol=symbol),
    )
    inner, sources = VALUE_RULES.get(type(ending.loss), (None, ()))
    where = () if inner is None else (equal(Sym("E"), inner),)
    if isinstance(ending.loss, CrossEntropyLoss):
        where = (*where, _softmax_rule())
    formula = rule(LOSS, mul(Sym("s"), BigSum(("n",), Sym("E", ("n",)))), *sources, where=where)
    return Terms(formula, columns, (("y", ending.node),), notes=(ending.reduction_note(),))


def _softmax_rule() -> Expr:
    return equal(Sym("p", _K), Frac(Fn("exp", (_Y,)), BigSum(("j",), Fn("exp", (y("j"),)))))


def loss_gradient(ending: Ending, index: Index, many: bool) -> list[Evaluation | Terms]:
    """dL/dy[index]. The first is the number that counts; what follows are other ways to the same number."""
    here = Place("value", ending.node, index)
    out, target, scale = float(ending.outputs[index]), ending.target(index), ending.scale_expr
    letters = (("y", ending.node),)

    def done(right: Expr, sources: tuple[str, ...], expression: Expr, value: float, *more: Message) -> Evaluation:
        formula: Formula = gradient_rule(_Y, mul(Sym("s"), right), *sources)
        return Evaluation(formula, mul(scale, expression), value * ending.scale, (here,), letters, more)

    difference = minus(number(out), number(target))
    known = ending.loss if type(ending.loss) in VALUE_RULES else None  # a subclass may compute something else
    match known:
        case HalfSquaredErrorLoss():
            return [done(Neg(minus(_T, _Y)), ("S0-E24",), Neg(minus(number(target), number(out))), out - target)]
        case MSELoss():
            return [done(mul(Num(2), minus(_Y, _T)), (), mul(Num(2), difference), 2 * (out - target))]
        case BCEWithLogitsLoss():
            p = float(sigmoid(np.array(out)))
            shown = minus(Fn("σ", (number(out),)), number(target))
            return [done(minus(Fn("σ", (_Y,)), _T), (), shown, p - target)]
        case CrossEntropyLoss():
            return _cross_entropy(ending, index, many)
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
    own = say("own_loss", loss=type(ending.loss).__name__)
    return [done(Partial(Sym("E"), _Y), (), number(value), value, own)]


def _cross_entropy(ending: Ending, index: Index, many: bool) -> list[Evaluation | Terms]:
    n, k, *rest = index
    places = rows(n, np.arange(ending.outputs.shape[1]), *rest)
    logits = ending.outputs[tuple(places.T)]
    p = softmax(logits[None])[0]
    t = np.array([ending.target(tuple(int(i) for i in place)) for place in places])
    total, scale = float(t.sum()), ending.scale_expr
    one = abs(total - 1) < 1e-15
    right: Expr = minus(Sym("p", _K), _T) if one else minus(mul(Sym("p", _K), BigSum(("j",), t_("j"))), _T)
    first: Expr = number(float(p[k])) if one else mul(number(float(p[k])), number(total))
    letters = (("y", ending.node),)
    table = _softmax_table(logits, p, t, k)
    short = Evaluation(
        gradient_rule(_Y, mul(Sym("s"), right), "S1-F01", "W15", where=(_softmax_rule(),)),
        mul(scale, minus(first, number(float(t[k])))),
        (float(p[k]) * total - float(t[k])) * ending.scale,
        (Place("value", ending.node, index),),
        letters,
        (say("softmax_short"),),
        lambda: [table],
    )
    if (p[t > 0] == 0).any():
        return [short]
    return [short, _two_steps(ending, places, p, t, k, many)]


def _softmax_table(logits: Array, p: Array, t: Array, k: int) -> Table:
    """y, p, t and their difference, of each class; of very many those around this one."""
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
    return Table(title, cells, {(kept.index(k), 3): "here"}, labels, ("y", "p", "t", "p − t"), digits)


def _two_steps(ending: Ending, places: Array, p: Array, t: Array, k: int, many: bool) -> Terms:
    """dL/dp_j dp_j/dy_k, summed over j: the long way round."""
    scale = ending.scale
    by = sym("y", Place("value", ending.node, tuple(int(i) for i in places[k])), many)
    kept = np.flatnonzero(t)

    def probability(m: int) -> Sym:
        return Sym("p", (int(kept[m]),))

    def to_loss(m: int) -> Expr:
        j = int(kept[m])
        ratio = Frac(number(float(t[j])), number(float(p[j])))
        return equal(Partial(LOSS, probability(m)), Neg(mul(ending.scale_expr, ratio)))

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
        equal(Partial(LOSS, p_j), Neg(mul(Sym("s"), ratio))),
        equal(Partial(p_j, _Y), Mul((p_j, minus(Iverson(equal(Sym("j"), Sym("k"))), Sym("p", _K))))),
    )
    formula = gradient_rule(_Y, BigSum(("j",), mul(Partial(LOSS, p_j), Partial(p_j, _Y))), "S0-E23", where=where)
    return Terms(formula, (first, second), (("y", ending.node),), say("softmax_long"))
