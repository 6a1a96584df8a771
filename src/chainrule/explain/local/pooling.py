"""Local terms of the pooling layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations import pooling
from chainrule.explain import maps
from chainrule.explain.local.base import Local, Value, b, gradient_rule, local_slope, one, rule, told, w, x, y
from chainrule.explain.messages import say
from chainrule.explain.terms import Column, Evaluation, Formula, Index, Place, Terms, Use, rows, sym
from chainrule.explain.windows import covered, covering
from chainrule.expressions import (
    BigSum,
    Cases,
    Expr,
    Fn,
    Frac,
    Mul,
    Num,
    Partial,
    Pow,
    Rel,
    Sum,
    Sym,
    mul,
    slope,
)
from chainrule.shapes import Pair

MOST_NOTES = 4
"""Windows of a maximum that are described one by one."""


def _size(use: Use) -> Pair:
    return (use.x.shape[2], use.x.shape[3])


def _places(use: Use, index: Index) -> tuple[Array, Array]:
    """The windows that cover a pixel, as places of y, and the taps they cover it with."""
    n, c, r, s = index
    layer: Any = use.step.layer
    cover = covering(layer.window, _size(use), (r, s))
    return rows(n, c, cover[:, 0], cover[:, 1]), cover[:, 2:]


def window_values(use: Use, place: Index) -> tuple[Array, Array]:
    """The pixels (n, c, row, column) under a window, and their numbers; padding is left out."""
    n, c, p, q = place
    layer: Any = use.step.layer
    cover = covered(layer.window, _size(use), (p, q))
    pixels = rows(n, c, cover[:, 0], cover[:, 1])
    return pixels, use.x[tuple(pixels.T)]


def _slopes(use: Use, places: Array, index: Index) -> tuple[list[Expr], Expr]:
    of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
    return of, sym("x", Place("value", use.sources[0], index), use.many)


class MaxTerms(Local):
    """y = max of the window; the gradient goes to the winner, the first in row-major order among equals."""

    reasons = told(x="why_max")

    def winner(self, use: Use, place: Index) -> tuple[Index, int]:
        """The winning pixel of a window, and how many have its number."""
        pixels, values = window_values(use, place)
        best = int(values.argmax())
        return tuple(int(i) for i in pixels[best]), int((values == values[best]).sum())

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        places, _ = _places(use, index)
        of, by = _slopes(use, places, index)
        wins, notes = [], []
        for number, place in enumerate(places):
            found, equals = self.winner(use, tuple(map(int, place)))
            wins.append(float(found == index))
            if number >= MOST_NOTES:
                continue
            where = sym("y", Place("value", use.name, tuple(map(int, place))), use.many)
            winner = sym("x", Place("value", use.sources[0], found), use.many)
            key = "max_won" if found == index else "max_lost"
            notes.append(say(key, place=where, winner=winner, value=float(use.x[found])))
            if equals > 1:
                notes.append(say("max_tie", place=where, count=equals, winner=winner))
        choice = Cases(((Num(1), Rel((Sym("x"), Fn("max", (Sym("window"),))))), (Num(0), None)))
        formula = gradient_rule(
            x("r", "c"),
            BigSum(("p", "q"), Mul((slope(y("p", "q")), Partial(y("p", "q"), x("r", "c"))))),
            "S0-E38",
            "S2-E39",
            "S1-E16",
            "ER1-16",
            where=(Rel((Partial(y("p", "q"), x("r", "c")), choice)),),
        )
        columns = (use.upstream(places), local_slope(np.array(wins), of, by))
        if not len(places):
            notes.append(say("no_window"))
        if len(places) > MOST_NOTES:
            notes.append(say("more_windows", count=len(places) - MOST_NOTES))
        return [
            Terms(
                formula,
                columns,
                use.letters(),
                notes=tuple(notes),
                tables=lambda: maps.pool_windows(use, index, places, self.winner),
            )
        ]

    def value(self, use: Use, index: Index) -> Value:
        pixels, values = window_values(use, index)
        found, equals = self.winner(use, index)
        formula = rule(y("p", "q"), Fn("max", (Sym("window"),)), "S2-E38")
        winner = sym("x", Place("value", use.sources[0], found), use.many)
        where = sym("y", Place("value", use.name, index), use.many)
        notes = [say("max_from", winner=winner)]
        if equals > 1:
            notes.append(say("max_tie", place=where, count=equals, winner=winner))
        return Evaluation(
            formula,
            Fn("max", tuple(Num(float(v)) for v in values)),
            float(values.max()),
            tuple(Place("value", use.sources[0], tuple(map(int, k))) for k in pixels),
            use.letters(),
            tuple(notes),
            lambda: maps.pool_value(use, index, found),
        )


class WeightedTerms(Local):
    """y = sum_ij g_ij x_ij with fixed weights: the mean and the Gaussian."""

    def __init__(self, *sources: str, mean: bool) -> None:
        self.sources, self.mean = sources, mean
        self.reasons = {"x": "why_mean" if mean else "why_gauss"}

    def _weight(self, layer: Any, taps: Array) -> tuple[Array, list[Expr]]:
        values = np.asarray(layer.weights())[tuple(taps.T)]
        if self.mean:
            area = layer.kernel_size[0] * layer.kernel_size[1]
            return values, [Frac(Num(1), Num(area)) for _ in values]
        return values, [Sym("g", (int(i), int(j))) for i, j in taps]

    def _factor(self, layer: Any) -> Expr:
        if self.mean:
            return Frac(Num(1), mul(Num(layer.kernel_size[0]), Num(layer.kernel_size[1])))
        return Sym("g", ("i", "j"))

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        layer: Any = use.step.layer
        places, taps = _places(use, index)
        values, shown = self._weight(layer, taps)
        of, by = _slopes(use, places, index)
        formula = gradient_rule(
            x("r", "c"), BigSum(("p", "q"), Mul((slope(y("p", "q")), self._factor(layer)))), *self.sources
        )
        notes = (say("no_window"),) if not len(places) else (say("mean_spread") if self.mean else say("gauss_spread"),)
        columns = (use.upstream(places), local_slope(values, of, by, shown))
        return [
            Terms(formula, columns, use.letters(), notes=notes, tables=lambda: maps.pool_windows(use, index, places))
        ]

    def value(self, use: Use, index: Index) -> Value:
        layer: Any = use.step.layer
        n, c, p, q = index
        cover = covered(layer.window, _size(use), (p, q))
        values, shown = self._weight(layer, cover[:, 2:])
        formula = rule(y("p", "q"), BigSum(("i", "j"), Mul((self._factor(layer), x("i", "j")))), *self.sources)
        weight = Column("constant", values, symbol=lambda k: shown[k])
        return [Terms(formula, (weight, use.inputs(rows(n, c, cover[:, 0], cover[:, 1]))), use.letters())]


class LPTerms(Local):
    """y = (sum x^p)^(1/p); dy/dx = (x / y)^(p-1)."""

    reasons = told(x="why_lp")

    def _formula(self, use: Use) -> tuple[Expr, Formula]:
        p = Num(use.step.layer.norm_type)  # type: ignore[attr-defined]
        factor = Pow(Frac(x("r", "c"), y("p", "q")), Num(p.value - 1))
        body = BigSum(("p", "q"), Mul((slope(y("p", "q")), factor)))
        return p, gradient_rule(x("r", "c"), body, "S0-F05", "ER0-32")

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        p, formula = self._formula(use)
        assert isinstance(p, Num)
        places, _ = _places(use, index)
        of, by = _slopes(use, places, index)
        outputs = use.y[tuple(places.T)]
        window = np.broadcast_to(use.x[index], (len(places), 1, 1))
        values = pooling.lp_pool_backward(np.ones(len(places)), window, outputs, p.value).reshape(-1)
        details: list[Expr] = [
            Pow(Frac(Num(float(use.x[index])), Num(float(out))), Num(p.value - 1)) if out else Num(0) for out in outputs
        ]
        notes = (say("lp_zero"),) if (outputs == 0).any() else ()
        columns = (use.upstream(places), local_slope(np.array(values), of, by, details))
        return [
            Terms(formula, columns, use.letters(), notes=notes, tables=lambda: maps.pool_windows(use, index, places))
        ]

    def value(self, use: Use, index: Index) -> Value:
        p = Num(use.step.layer.norm_type)  # type: ignore[attr-defined]
        pixels, values = window_values(use, index)
        formula = rule(y("p", "q"), Pow(BigSum(("i", "j"), Pow(x("i", "j"), p)), Frac(Num(1), p)), "S0-F05")
        inner = Sum(tuple(Pow(Num(float(v)), p) for v in values))
        result = float(pooling.lp_pool(values.reshape(1, -1), p.value))
        return Evaluation(
            formula,
            Pow(inner, Frac(Num(1), p)),
            result,
            tuple(Place("value", use.sources[0], tuple(map(int, k))) for k in pixels),
            use.letters(),
        )


class TrainableTerms(Local):
    """y_c = w_c sum(window) + b_c, LeNet-5's S2 and S4."""

    reasons = told(x="why_trainable_x", weight="why_trainable_w", bias="why_trainable_b")

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        places, _ = _places(use, index)
        formula = gradient_rule(
            x("c", "r", "s"), BigSum(("p", "q"), Mul((slope(y("c", "p", "q")), w("c")))), "S2-F06", "ER2-07"
        )
        weights = use.weights("weight", "w", rows(index[1], count=len(places)))
        return [
            Terms(
                formula,
                (use.upstream(places), weights),
                use.letters("w"),
                tables=lambda: maps.pool_windows(use, index, places),
            )
        ]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        n, _, height, width = use.y.shape
        places = np.argwhere(np.ones((n, 1, height, width), bool))
        places[:, 1] = index[0]
        upstream = slope(Sym("y", ("c", "p", "q"), "n"))
        if own == "bias":
            formula = gradient_rule(b("c"), BigSum(("n", "p", "q"), upstream), "S2-F06")
            return [Terms(formula, (use.upstream(places),), use.letters("b"))]
        sums = np.array([window_values(use, tuple(map(int, place)))[1].sum() for place in places])
        inside = BigSum(("window",), Sym("x"))
        formula = gradient_rule(w("c"), BigSum(("n", "p", "q"), Mul((upstream, inside))), "S2-F06", "ER2-07")

        def symbol(k: int) -> Expr:
            place = Place("value", use.name, tuple(map(int, places[k])))
            return Partial(sym("y", place, use.many), Sym("w", (index[0],)))

        window_sum = Column("local", sums, symbol=symbol)
        return [
            Terms(
                formula,
                (use.upstream(places), window_sum),
                use.letters("w"),
                notes=(say("window_sums", rate=Partial(Sym("y"), Sym("w"))),),
            )
        ]

    def value(self, use: Use, index: Index) -> Value:
        pixels, _ = window_values(use, index)
        formula = rule(y("c", "p", "q"), Sum((Mul((w("c"), BigSum(("window",), Sym("x")))), b("c"))), "S2-F06")
        weights = use.weights("weight", "w", rows(index[1], count=len(pixels)))
        last = Terms(formula, (use.weights("bias", "b", one((index[1],))),), use.letters("w", "b"), say("the_bias"))
        return [Terms(formula, (weights, use.inputs(pixels)), use.letters("w", "b"), say("the_weights")), last]


class AdaptiveTerms(Local):
    """y = mean over a window chosen so that the output has the wanted size."""

    reasons = told(x="why_mean")

    def _matrices(self, use: Use) -> list[Array]:
        layer: Any = use.step.layer
        return [pooling.adaptive_mean_matrix(n, m) for n, m in zip(_size(use), layer.output_size, strict=True)]

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, c, r, s = index
        tall, wide = self._matrices(use)
        share = np.outer(tall[:, r], wide[:, s])
        found = np.argwhere(share)
        places = rows(n, c, found[:, 0], found[:, 1])
        values = share[tuple(found.T)]
        of, by = _slopes(use, places, index)
        area = Sym("window area")
        formula = gradient_rule(
            x("r", "c"), BigSum(("p", "q"), Mul((slope(y("p", "q")), Frac(Num(1), area)))), "S0-E39", "S2-E41"
        )
        shown: list[Expr] = [Frac(Num(1), Num(round(1 / float(v)))) for v in values]
        return [Terms(formula, (use.upstream(places), local_slope(values, of, by, shown)), use.letters())]

    def value(self, use: Use, index: Index) -> Value:
        n, c, p, q = index
        tall, wide = self._matrices(use)
        share = np.outer(tall[p], wide[q])
        found = np.argwhere(share)
        values = share[tuple(found.T)]
        area = Num(round(1 / float(values[0])))
        weight = Column("constant", values, symbol=lambda k: Frac(Num(1), area))
        formula = rule(y("p", "q"), mul(Frac(Num(1), Sym("window area")), BigSum(("window",), Sym("x"))), "S2-E40")
        return [Terms(formula, (weight, use.inputs(rows(n, c, found[:, 0], found[:, 1]))), use.letters())]
