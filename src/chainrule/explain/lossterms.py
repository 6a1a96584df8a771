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
from chainrule.shapes import Pair

MOST_CLASSES = 20
"""Rows of the table of a softmax."""
TABLE_DIGITS = 4
"""Significant digits in which the widest rendering shows it."""


@dataclass(frozen=True)
class Ending:
    """Where the chain begins: a loss, the outputs it is computed from, the prepared targets, and the weights of the
    samples where they have some."""

    loss: Loss
    outputs: Array
    targets: Array
    node: str
    weights: Array | None = None

    @property
    def scale(self) -> float:
        """1, or 1 / what the mean divides by."""
        return self.loss.scale(self.outputs.shape, self.loss.masses(self.targets, self.weights))

    @property
    def divisor(self) -> float:
        """What the mean divides by: a count, or a sum of weights."""
        masses = self.loss.masses(self.targets, self.weights)
        return float(masses.sum()) * self.loss.count((1, *self.outputs.shape[1:]))

    @property
    def scale_expr(self) -> Expr:
        """The scale as a fraction."""
        if self.loss.reduction == "sum" or not self.divisor:
            return Num(self.scale)
        return Frac(Num(1), Num(self.divisor))

    def weight(self, sample: int) -> float:
        """What a sample counts for."""
        return 1.0 if self.weights is None else float(self.weights[sample])

    @property
    def factor(self) -> Expr:
        """What stands before a term in letters: s, or s times the weight of its sample."""
        return Sym("s") if self.weights is None else mul(Sym("s"), _OMEGA)

    def factor_expr(self, sample: int) -> Expr:
        """The same in numbers."""
        return self.scale_expr if self.weights is None else mul(self.scale_expr, number(self.weight(sample)))

    def target(self, index: Index) -> float:
        """The target of one output, as the loss computes with it: a class index becomes 1 or 0."""
        if isinstance(self.loss, CrossEntropyLoss):
            sample = index[0]
            given = self.outputs[sample : sample + 1], self.targets[sample : sample + 1]
            return float(self.loss.effective_targets(*given)[(0, *index[1:])])
        if self.targets.shape == self.outputs.shape:
            return float(self.targets[index])
        return float(int(self.targets[(index[0], *index[2:])]) == index[1])

    def reduction_notes(self) -> tuple[Message, ...]:
        """What the loss divides by, and what the weights are."""
        weighted = (say("sample_weights"),) if self.weights is not None else ()
        if self.loss.reduction == "sum":
            return (say("loss_sum"), *weighted)
        if self.divisor == self.loss.count(self.outputs.shape):
            return (say("loss_mean", count=self.loss.count(self.outputs.shape)), *weighted)
        return (say("loss_weighted_mean", sum=Num(self.divisor)), *weighted)

    def option_notes(self) -> tuple[Message, ...]:
        """What the letters of the loss's own options stand for."""
        match self.loss:
            case CrossEntropyLoss(weight=weight, label_smoothing=smoothing) if weight or smoothing:
                return (say("effective_targets", smoothing=Num(smoothing), classes=self.outputs.shape[1]),)
            case BCEWithLogitsLoss(weight=weight, pos_weight=positive) if weight or positive:
                return (say("binary_weights"),)
        return ()

    def output_weight(self, name: str, index: Index) -> float:
        """The number of one output in a list of the loss: `weight`, `pos_weight`."""
        factors = getattr(self.loss, name) or (1.0,)
        return float(factors[index[1] if len(factors) > 1 else 0])


_Y, _T, _K = y("k"), t_("k"), ("k",)
_OMEGA = Sym("ω", ("n",))
_C, _P, _EPS = Sym("c", _K), Sym("π", _K), Sym("ε")
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
            return (summand, _softmax_rule(), *_target_rules(ending))
        case BCEWithLogitsLoss() if ending.option_notes():
            return (equal(Sym("E"), _WEIGHTED_BINARY),)
        case L1Loss():
            return (summand, equal(Sym("g"), _SIGN))
        case HuberLoss():
            return (summand, equal(Sym("g"), _CUT))
    return (summand,)


def _target_rules(ending: Ending) -> tuple[Expr, ...]:
    """What class weights and smoothing make of the targets q that were given."""
    if not ending.option_notes():
        return ()
    smoothed = Sum((mul(minus(Num(1), _EPS), Sym("q", _K)), Frac(_EPS, Sym("K"))))
    return (equal(_T, mul(_C, smoothed)),)


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
        summand = mul(_OMEGA, summand)
    columns = (
        Column("constant", np.full(len(values), ending.scale), symbol=lambda _: scale),
        *weights,
        Column("local", values, symbol=symbol),
    )
    _, sources = VALUE_RULES.get(type(ending.loss), (None, ()))
    formula = rule(LOSS, mul(Sym("s"), BigSum(("n",), summand)), *sources, where=_rules(ending))
    notes = (*ending.reduction_notes(), *ending.option_notes())
    return Terms(formula, columns, (("y", ending.node),), notes=notes)


def _softmax_rule() -> Expr:
    return equal(Sym("p", _K), Frac(Fn("exp", (_Y,)), BigSum(("j",), Fn("exp", (y("j"),)))))


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
    note = say("own_loss", loss=type(ending.loss).__name__)
    return [done(Partial(Sym("E"), _Y), (), number(value), value, note)]


def _cross_entropy(ending: Ending, index: Index, many: bool) -> list[Evaluation | Terms]:
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
    table = _softmax_table(logits, p, t, k)
    short = Evaluation(
        gradient_rule(_Y, mul(ending.factor, right), "S1-F01", "W15", where=(_softmax_rule(), *_target_rules(ending))),
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
