"""Local terms of Linear and RBF."""

from __future__ import annotations

import numpy as np

from chainrule.explain.local.base import Local, Value, b, constant, gradient_rule, one, rule, told, w, x, y
from chainrule.explain.messages import say
from chainrule.explain.terms import Column, Index, Terms, Use, rows
from chainrule.expressions import BigSum, Mul, Neg, Num, Pow, Sum, Sym, equal, minus, slope


class LinearTerms(Local):
    """y_o = sum_i w_oi x_i + b_o."""

    reasons = told(x="why_linear_x", weight="why_linear_w", bias="why_linear_b")

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, i = index
        outputs = np.arange(use.y.shape[1])
        formula = gradient_rule(x("i"), BigSum(("o",), Mul((slope(y("o")), w("o", "i")))), "S0-E31", "S0-E32", "S4-E08")
        columns = (use.upstream(rows(n, outputs)), use.weights("weight", "w", rows(outputs, i)))
        return [Terms(formula, columns, use.letters("w"))]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        samples = np.arange(len(use.y))
        if own == "weight":
            o, i = index
            formula = gradient_rule(
                w("o", "i"),
                BigSum(("n",), Mul((slope(Sym("y", ("o",), "n")), Sym("x", ("i",), "n")))),
                "S0-E26",
                "S0-E27",
                "S2-E11",
                "S4-E18",
            )
            columns: tuple[Column, ...] = (use.upstream(rows(samples, o)), use.inputs(rows(samples, i)))
            return [Terms(formula, columns, use.letters("w"))]
        if len(use.arrays["bias"]) == 1 and use.step.layer.bias == "shared":  # type: ignore[attr-defined]
            places = np.argwhere(np.ones(use.y.shape, bool))
            formula = gradient_rule(b(), BigSum(("n", "o"), slope(Sym("y", ("o",), "n"))), "S0-E20", "ERX-08")
            return [Terms(formula, (use.upstream(places),), use.letters("b"), notes=(say("shared_bias"),))]
        formula = gradient_rule(b("o"), BigSum(("n",), slope(Sym("y", ("o",), "n"))), "S4-E24")
        return [Terms(formula, (use.upstream(rows(samples, index[0])),), use.letters("b"))]

    def value(self, use: Use, index: Index) -> Value:
        n, o = index
        inputs = np.arange(use.x.shape[1])
        body = BigSum(("i",), Mul((w("o", "i"), x("i"))))
        bias = use.arrays.get("bias")
        columns = (use.weights("weight", "w", rows(o, inputs)), use.inputs(rows(n, inputs)))
        if bias is None:
            return [Terms(rule(y("o"), body, "S4-E38"), columns, use.letters("w"))]
        shared = use.step.layer.bias == "shared"  # type: ignore[attr-defined]
        formula = rule(y("o"), Sum((body, b() if shared else b("o"))), "S0-E20", "S4-E38")
        place = one((0,) if shared else (o,))
        last = Terms(formula, (use.weights("bias", "b", place),), use.letters("w", "b"), say("the_bias"))
        return [Terms(formula, columns, use.letters("w", "b"), say("the_weights")), last]


class RBFTerms(Local):
    """y_o = sum_i (x_i - w_oi)²."""

    reasons = told(x="why_rbf_x", weight="why_rbf_w")

    def _differences(self, use: Use, xs: np.ndarray, ws: np.ndarray) -> Column:
        values = use.x[tuple(xs.T)] - use.arrays["weight"][tuple(ws.T)]

        def symbol(k: int) -> Sum:
            sample = int(xs[k, 0]) if use.many else None
            return minus(Sym("x", (int(xs[k, 1]),), sample), Sym("w", (int(ws[k, 0]), int(ws[k, 1]))))  # type: ignore[return-value]

        def detail(k: int) -> object:
            return equal(
                symbol(k), minus(Num(float(use.x[tuple(xs[k])])), Num(float(use.arrays["weight"][tuple(ws[k])])))
            )

        return Column("local", values, symbol=symbol, detail=detail)  # type: ignore[arg-type]

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, i = index
        outputs = np.arange(use.y.shape[1])
        body = Mul((Num(2), slope(y("o")), minus(x("i"), w("o", "i"))))
        columns = (
            constant(2, count=len(outputs)),
            use.upstream(rows(n, outputs)),
            self._differences(use, rows(n, i, count=len(outputs)), rows(outputs, i)),
        )
        return [Terms(gradient_rule(x("i"), BigSum(("o",), body)), columns, use.letters("w"))]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        o, i = index
        samples = np.arange(len(use.y))
        body = Mul((slope(Sym("y", ("o",), "n")), minus(Sym("x", ("i",), "n"), w("o", "i"))))
        formula = gradient_rule(w("o", "i"), BigSum(("n",), Mul((Neg(Num(2)), *body.factors))))
        columns = (
            constant(-2, count=len(samples)),
            use.upstream(rows(samples, o)),
            self._differences(use, rows(samples, i), rows(o, i, count=len(samples))),
        )
        return [Terms(formula, columns, use.letters("w"))]

    def value(self, use: Use, index: Index) -> Value:
        n, o = index
        inputs = np.arange(use.x.shape[1])
        formula = rule(y("o"), BigSum(("i",), Pow(minus(x("i"), w("o", "i")), Num(2))))
        difference = self._differences(use, rows(n, inputs), rows(o, inputs))
        return [Terms(formula, (difference, difference), use.letters("w"))]
