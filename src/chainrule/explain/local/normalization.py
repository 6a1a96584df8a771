"""Local terms of batch normalisation (three paths in training) and of local response normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations import normalization
from chainrule.explain.local.base import Local, Value, b, gradient_rule, local_slope, one, rule, told, w, x, y
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Column, Evaluation, Index, Place, Terms, Use, rows, sym
from chainrule.expressions import (
    BigSum,
    Expr,
    Frac,
    Iverson,
    Mul,
    Neg,
    Num,
    Pow,
    Root,
    Sum,
    Sym,
    equal,
    minus,
    mul,
    slope,
)

_MEAN, _SPREAD = Sym("μ"), Root(Sum((Sym("v"), Sym("ε"))))
_NORMAL = Sym("z")
"""x without its mean, in units of its spread."""
_RULE = equal(_NORMAL, Frac(minus(Sym("x"), _MEAN), _SPREAD))
_RULE_K = equal(Sym("z", ("k",)), Frac(minus(x("k"), _MEAN), _SPREAD))


class BatchNormTerms(Local):
    """y = w (x - mean) / sqrt(variance + eps) + b, per channel."""

    reasons = told(x="why_norm_batch", weight="why_norm_w", bias="why_norm_b")

    def because(self, use: Use, of: str) -> str | None:
        constant = of == "x" and not use.context.training
        return "why_norm_running" if constant else super().because(use, of)

    def statistics(self, use: Use, channel: int) -> tuple[float, float]:
        """(mean, sqrt(variance + eps)) of a channel: of the batch in training, else the running ones."""
        layer: Any = use.step.layer
        if use.context.training:
            mean, variance = (float(v[channel]) for v in normalization.batch_statistics(use.x))
        else:
            mean, variance = (float(use.arrays[name][channel]) for name in ("running_mean", "running_var"))
        return mean, float(np.sqrt(variance + layer.eps))

    def _weight(self, use: Use, channel: int) -> float:
        return float(use.arrays["weight"][channel]) if "weight" in use.arrays else 1.0

    def _channel(self, use: Use, channel: int) -> Array:
        """Every place of a channel in the batch."""
        mask = np.zeros(use.x.shape, bool)
        mask[:, channel] = True
        return np.argwhere(mask)

    def _letters(self, use: Use) -> tuple[tuple[str, str], ...]:
        return use.letters("w") if "weight" in use.arrays else use.letters()

    def _gain(self, use: Use, *below: Expr) -> Expr:
        """w / sqrt(v + eps), with more factors below the line."""
        return Frac(w("c") if "weight" in use.arrays else Num(1), mul(*below, _SPREAD))

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        channel = index[1]
        mean, spread = self.statistics(use, channel)
        gain = self._weight(use, channel) / spread
        by = sym("x", Place("value", use.sources[0], index), use.many)
        here = sym("y", Place("value", use.name, index), use.many)
        direct = gradient_rule(Sym("x"), mul(slope(Sym("y")), self._gain(use)), "S2-B05")
        shown: Expr = Frac(Num(self._weight(use, channel)), Num(spread))
        columns = (use.upstream(one(index)), local_slope(np.array([gain]), [here], by, [shown]))
        if not use.context.training:
            return [Terms(direct, columns, self._letters(use), notes=(say("norm_running", mean=mean, spread=spread),))]
        note = say("norm_batch", mean=mean, spread=spread, count=len(self._channel(use, channel)))
        first = Terms(direct, columns, self._letters(use), say("path_direct"), (note,))
        return [first, *self._coupled(use, index, mean, spread, gain)]

    def _coupled(self, use: Use, index: Index, mean: float, spread: float, gain: float) -> list[Terms]:
        """The two paths on which x moves every y of its channel: through the mean and through the variance."""
        places = self._channel(use, index[1])
        count = len(places)
        others = (use.x[tuple(places.T)] - mean) / spread
        own = float((use.x[index] - mean) / spread)
        hat = Sym("z", ("k",))
        m = Sym("m")
        back, both = BigSum(("k",), slope(y("k"))), BigSum(("k",), mul(slope(y("k")), hat))
        rules = [
            gradient_rule(Sym("x"), Neg(mul(self._gain(use, m), back))),
            gradient_rule(Sym("x"), Neg(mul(self._gain(use, m), _NORMAL, both)), where=(_RULE, _RULE_K)),
        ]
        shares = (np.full(count, -gain / count), -gain * own * others / count)
        return [
            Terms(rules[k], (use.upstream(places), Column("constant", shares[k])), self._letters(use), say(label))
            for k, label in enumerate(("path_mean", "path_variance"))
        ]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        places = self._channel(use, index[0])
        if own == "bias":
            return [
                Terms(gradient_rule(b("c"), BigSum(("k",), slope(y("k")))), (use.upstream(places),), use.letters("b"))
            ]
        mean, spread = self.statistics(use, index[0])
        hats = (use.x[tuple(places.T)] - mean) / spread

        def symbol(k: int) -> Expr:
            place = tuple(int(i) for i in places[k])
            return Sym("z", place[1:], place[0] if use.many else None)

        def detail(k: int) -> Expr:
            value = float(use.x[tuple(places[k])])
            return equal(symbol(k), Frac(minus(Num(value), Num(mean)), Num(spread)))

        formula = gradient_rule(w("c"), BigSum(("k",), mul(slope(y("k")), Sym("z", ("k",)))), where=(_RULE_K,))
        return [
            Terms(
                formula, (use.upstream(places), Column("local", hats, symbol=symbol, detail=detail)), use.letters("w")
            )
        ]

    def value(self, use: Use, index: Index) -> Value:
        channel = index[1]
        mean, spread = self.statistics(use, channel)
        normal: Expr = Frac(minus(Num(float(use.x[index])), Num(mean)), Num(spread))
        result = (float(use.x[index]) - mean) / spread
        right: Expr = Frac(minus(Sym("x"), _MEAN), _SPREAD)
        shown = normal
        if "weight" in use.arrays:
            weight, bias = (float(use.arrays[name][channel]) for name in ("weight", "bias"))
            right = Sum((mul(w("c"), right), b("c")))
            shown = Sum((mul(Num(weight), normal), Num(bias)))
            result = weight * result + bias
        sources = (Place("value", use.sources[0], index),)
        return Evaluation(
            rule(Sym("y"), right, "S2-B05"), shown, result, sources, self._letters(use), self._notes(use, mean, spread)
        )

    def _notes(self, use: Use, mean: float, spread: float) -> tuple[Message, ...]:
        if use.context.training:
            return (say("norm_batch", mean=mean, spread=spread, count=use.x.size // use.x.shape[1]),)
        return (say("norm_running", mean=mean, spread=spread),)


class ResponseTerms(Local):
    """y_c = x_c s_c^-beta with s_c = k + alpha / size * sum of x² over neighbouring channels."""

    reasons = told(x="why_lrn")

    def _scales(self, use: Use) -> Array:
        layer: Any = use.step.layer
        return normalization.local_response_scale(use.x, layer.size, layer.alpha, layer.k)

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        layer: Any = use.step.layer
        n, c, *rest = index
        channels = np.arange(max(0, c - (layer.size - 1) // 2), min(use.x.shape[1], c + layer.size // 2 + 1))
        places = rows(n, channels, *rest)
        scales = self._scales(use)[tuple(places.T)]
        xs, own = use.x[tuple(places.T)], float(use.x[index])
        rate = 2 * layer.alpha * layer.beta / layer.size
        values = (channels == c) * scales**-layer.beta - rate * own * xs * scales ** (-layer.beta - 1)
        of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
        by = sym("x", Place("value", use.sources[0], index), use.many)
        power = -layer.beta
        details: list[Expr] = []
        for k, channel in enumerate(channels):
            neighbour = Mul((Num(rate), Num(own), Num(float(xs[k])), Pow(Num(float(scales[k])), Num(power - 1))))
            details.append(minus(Pow(Num(float(scales[k])), Num(power)), neighbour) if channel == c else Neg(neighbour))
        inner = minus(
            mul(Iverson(equal(Sym("c"), Sym("k"))), Pow(Sym("s", ("k",)), Neg(Sym("β")))),
            mul(
                Frac(mul(Num(2), Sym("α"), Sym("β")), Sym("size")),
                x("c"),
                x("k"),
                Pow(Sym("s", ("k",)), minus(Neg(Sym("β")), Num(1))),
            ),
        )
        formula = gradient_rule(x("c"), BigSum(("k",), mul(slope(y("k")), inner)), "S2-B05")
        return [Terms(formula, (use.upstream(places), local_slope(values, of, by, details)), use.letters())]

    def value(self, use: Use, index: Index) -> Value:
        layer: Any = use.step.layer
        n, c, *rest = index
        scale = float(self._scales(use)[index])
        formula = rule(y("c"), mul(x("c"), Pow(Sym("s", ("c",)), Neg(Sym("β")))), "S2-B05")
        channels = range(max(0, c - layer.size // 2), min(use.x.shape[1], c + (layer.size - 1) // 2 + 1))
        expression = mul(Num(float(use.x[index])), Pow(Num(scale), Num(-layer.beta)))
        sources = tuple(Place("value", use.sources[0], (n, k, *rest)) for k in channels)
        return Evaluation(formula, expression, float(use.x[index]) * scale**-layer.beta, sources, use.letters())
