"""Local terms of Conv2d and LocallyConnected2d, with every option."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.explain import maps
from chainrule.explain.local.base import Local, Value, b, gradient_rule, one, rule, told, w, x, y
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Column, Formula, Index, Table, Terms, Use
from chainrule.explain.windows import covered, covering, crossed, under_tap
from chainrule.expressions import BigSum, Expr, IndexPart, Mul, Neg, Num, Sum, Sym, equal, mul, slope
from chainrule.shapes import Pair, Window


def _size(use: Use) -> Pair:
    return (use.x.shape[2], use.x.shape[3])


def unit(window: Window) -> bool:
    """Whether the window moves by one pixel and has no gaps."""
    return window.stride == (1, 1) and window.dilation == (1, 1)


def pixel(window: Window, size: Pair, axis: int, flipped: bool = False) -> Expr:
    """The pixel under a tap, p S + i D - P, with the numbers of this layer put in."""
    place, tap = Sym("pq"[axis]), Sym("ij"[axis])
    stride, gap, before = window.stride[axis], window.dilation[axis], window.sides(size)[2 * axis]
    terms: list[Expr] = [place if stride == 1 else mul(Num(stride), place)]
    last = window.kernel_size[axis] - 1
    if flipped:
        terms += [Num(last * gap)] if last else []
        terms.append(Neg(tap if gap == 1 else mul(Num(gap), tap)))
    else:
        terms.append(tap if gap == 1 else mul(Num(gap), tap))
    return Sum((*terms, Neg(Num(before)))) if before else Sum(tuple(terms))


class ConvTerms(Local):
    """y[o,p,q] = sum_dij w[o,d,i,j] x[d, p S + i D - P, q S + j D - P] + b[o]."""

    reasons = told(x="why_conv_x", weight="why_conv_w", bias="why_conv_b")

    def because(self, use: Use, of: str) -> str | None:
        flipped = of == "x" and self._layer(use)[2]
        return "why_flipped_x" if flipped else super().because(use, of)

    def _layer(self, use: Use) -> tuple[Any, Window, bool]:
        layer: Any = use.step.layer
        return layer, layer.window, layer.mode == "convolution"

    def _taps(self, layer: Any, taps: Array) -> Array:
        """Taps of the kernel as it slides, as taps of the weight (rotated in the convention of S0)."""
        return np.array(layer.kernel_size) - 1 - taps if layer.mode == "convolution" else taps

    def _joined(self, layer: Any, o: int, d: int) -> bool:
        return layer.connections is None or bool(layer.connections[o, d])

    def _filters(self, layer: Any, d: int) -> tuple[Array, int]:
        """The filters that see input channel d, and the number of d in their weights."""
        per_group, filters = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        group = d // per_group
        found = [o for o in range(group * filters, (group + 1) * filters) if self._joined(layer, o, d)]
        return np.array(found, np.int64)[:, None], d % per_group

    def input_formula(self, use: Use) -> Formula:
        _, window, flipped = self._layer(use)
        body = Mul((slope(y("o", "p", "q")), w("o", "d", "i", "j")))
        size = _size(use)
        place = tuple(equal(pixel(window, size, axis, flipped), Sym("rc"[axis])) for axis in range(2))
        sources = ("S0-E17", "S0-E18") if flipped else ("S2-E31", "S1-E11", "S4-E36")
        sources = sources if window.stride == (1, 1) else ("S2-E28", *sources)
        return gradient_rule(x("d", "r", "c"), BigSum(("o", "p", "q", "i", "j"), body), *sources, where=place)

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, d, r, c = index
        layer, window, _ = self._layer(use)
        filters, own = self._filters(layer, d)
        chosen, cover = crossed(filters, covering(window, _size(use), (r, c)))
        places = np.concatenate([np.full_like(chosen, n), chosen, cover[:, :2]], axis=1)
        taps = self._taps(layer, cover[:, 2:])
        columns = (
            use.upstream(places),
            use.weights("weight", "w", np.concatenate([chosen, np.full_like(chosen, own), taps], axis=1)),
        )
        return [
            Terms(
                self.input_formula(use),
                columns,
                use.letters("w"),
                notes=self._notes(layer) if len(filters) else (),
                tables=lambda: maps.convolution_input(use, layer, index, filters.ravel(), own),
            )
        ]

    def _notes(self, layer: Any) -> tuple[Message, ...]:
        notes = [say("conv_flipped")] if layer.mode == "convolution" else [say("conv_theorem")]
        if layer.stride != (1, 1):
            notes.append(say("conv_stride"))
        if layer.groups > 1:
            notes.append(say("conv_groups", groups=layer.groups))
        if layer.connections is not None:
            notes.append(say("conv_connections"))
        return tuple(notes)

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        layer, window, flipped = self._layer(use)
        if own == "bias":
            return [_bias(use, index)]
        o, d, i, j = index
        channel = d + o // (layer.out_channels // layer.groups) * (layer.in_channels // layer.groups)
        size = _size(use)
        tap = self._taps(layer, np.array([[i, j]]))[0]
        meet = under_tap(window, size, (int(tap[0]), int(tap[1])))
        missing = not self._joined(layer, o, channel)
        notes = [say("conv_missing", filter=o, channel=channel)] if missing else []
        samples, meet = crossed(np.arange(len(use.y))[:, None], meet[:0] if missing else meet)
        columns = (
            use.upstream(np.concatenate([samples, np.full_like(samples, o), meet[:, :2]], axis=1)),
            use.inputs(np.concatenate([samples, np.full_like(samples, channel), meet[:, 2:]], axis=1)),
        )
        if not missing:
            samples_, _, rows, columns_ = use.y.shape
            key = "conv_shared" if len(meet) == samples_ * rows * columns_ else "conv_shared_padded"
            notes.append(say(key, places=len(meet), samples=samples_, rows=rows, columns=columns_))
        under: list[IndexPart] = [pixel(window, size, axis, flipped) for axis in range(2)]  # type: ignore[misc]
        body = Mul((slope(Sym("y", ("o", "p", "q"), "n")), Sym("x", ("d", *under), "n")))
        sources = ("S0-E10", "S0-E12") if flipped else ("S4-E28", "S1-E14", "S2-E32")
        sources = sources if window.stride == (1, 1) else ("S2-E37", *sources)
        formula = gradient_rule(w("o", "d", "i", "j"), BigSum(("n", "p", "q"), body), *sources)
        return [
            Terms(
                formula,
                columns,
                use.letters("w"),
                notes=tuple(notes),
                tables=lambda: [] if missing else maps.convolution_weight(use, layer, o, channel, (i, j)),
            )
        ]

    def value(self, use: Use, index: Index) -> Value:
        n, o, p, q = index
        layer, window, flipped = self._layer(use)
        per_group = layer.in_channels // layer.groups
        first = o // (layer.out_channels // layer.groups) * per_group
        inner = [[d] for d in range(per_group) if self._joined(layer, o, first + d)]
        channels = np.array(inner, np.int64).reshape(-1, 1)
        chosen, cover = crossed(channels, covered(window, _size(use), (p, q)))
        columns = (
            use.weights(
                "weight",
                "w",
                np.concatenate([np.full_like(chosen, o), chosen, self._taps(layer, cover[:, 2:])], axis=1),
            ),
            use.inputs(np.concatenate([np.full_like(chosen, n), chosen + first, cover[:, :2]], axis=1)),
        )
        under: list[IndexPart] = [pixel(window, _size(use), axis, flipped) for axis in range(2)]  # type: ignore[misc]
        body: Expr = BigSum(("d", "i", "j"), Mul((w("o", "d", "i", "j"), x("d", *under))))
        sources = ("S0-E04",) if flipped else ("S2-E08", "S4-E26")

        def tables() -> list[Table]:
            return maps.convolution_value(use, layer, index, channels.ravel(), first)

        if not layer.bias:
            return [Terms(rule(y("o", "p", "q"), body, *sources), columns, use.letters("w"), tables=tables)]
        formula = rule(y("o", "p", "q"), Sum((body, b("o"))), *sources)
        last = Terms(formula, (use.weights("bias", "b", one((o,))),), use.letters("w", "b"), say("the_bias"))
        return [Terms(formula, columns, use.letters("w", "b"), say("the_weights"), tables=tables), last]


def _bias(use: Use, index: Index) -> Terms:
    """db[o] = sum of all deltas of map o (S1-E15)."""
    n, _, rows, columns = use.y.shape
    places = np.argwhere(np.ones((n, 1, rows, columns), bool))
    places[:, 1] = index[0]
    formula = gradient_rule(
        b("o"),
        BigSum(("n", "p", "q"), slope(Sym("y", ("o", "p", "q"), "n"))),
        "S1-E15",
        "S2-E36",
        "S4-E31",
        "ER0-29",
    )
    note = say("bias_places", places=len(places), rows=rows, columns=columns, samples=n)
    return Terms(formula, (use.upstream(places),), use.letters("b"), notes=(note,))


class LocalConvTerms(Local):
    """y[o,p,q] = sum_dij w[o,p,q,d,i,j] x[d, ...] + b[o,p,q]: a kernel of its own for every place."""

    reasons = told(x="why_local_x", weight="why_local_w", bias="why_local_b")

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        n, d, r, c = index
        layer: Any = use.step.layer
        filters = np.arange(layer.out_channels)[:, None]
        chosen, cover = crossed(filters, covering(layer.window, _size(use), (r, c)))
        here = np.concatenate([chosen, cover[:, :2]], axis=1)
        columns = (
            use.upstream(np.concatenate([np.full_like(chosen, n), here], axis=1)),
            use.weights("weight", "w", np.concatenate([here, np.full_like(chosen, d), cover[:, 2:]], axis=1)),
        )
        place = tuple(equal(pixel(layer.window, _size(use), axis), Sym("rc"[axis])) for axis in range(2))
        body = Mul((slope(y("o", "p", "q")), w("o", "p", "q", "d", "i", "j")))
        formula = gradient_rule(x("d", "r", "c"), BigSum(("o", "p", "q", "i", "j"), body), "S2-F09", where=place)
        return [Terms(formula, columns, use.letters("w"), notes=(say("local_own_kernel"),))]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        layer: Any = use.step.layer
        samples = np.arange(len(use.y))[:, None]
        o, p, q = index[:3]
        here = np.concatenate([samples, np.tile(np.array([[o, p, q]]), (len(samples), 1))], axis=1)
        upstream = slope(Sym("y", ("o", "p", "q"), "n"))
        if own == "bias":
            formula = gradient_rule(b("o", "p", "q"), BigSum(("n",), upstream), "S2-F09")
            return [Terms(formula, (use.upstream(here),), use.letters("b"))]
        d, i, j = index[3:]
        meet = covered(layer.window, _size(use), (p, q))
        meet = meet[(meet[:, 2] == i) & (meet[:, 3] == j)]
        under: list[IndexPart] = [pixel(layer.window, _size(use), axis) for axis in range(2)]  # type: ignore[misc]
        body = Mul((upstream, Sym("x", ("d", *under), "n")))
        formula = gradient_rule(w("o", "p", "q", "d", "i", "j"), BigSum(("n",), body), "S2-F09")
        if not len(meet):
            columns: tuple[Column, ...] = (use.upstream(here[:0]),)
            return [Terms(formula, columns, use.letters("w"), notes=(say("local_on_padding"),))]
        pixels = np.concatenate([samples, np.tile(np.array([[d, *meet[0, :2]]]), (len(samples), 1))], axis=1)
        columns = (use.upstream(here), use.inputs(pixels))
        return [Terms(formula, columns, use.letters("w"), notes=(say("local_own_weight"),))]

    def value(self, use: Use, index: Index) -> Value:
        n, o, p, q = index
        layer: Any = use.step.layer
        chosen, cover = crossed(np.arange(layer.in_channels)[:, None], covered(layer.window, _size(use), (p, q)))
        here = np.tile(np.array([[o, p, q]]), (len(chosen), 1))
        columns = (
            use.weights("weight", "w", np.concatenate([here, chosen, cover[:, 2:]], axis=1)),
            use.inputs(np.concatenate([np.full_like(chosen, n), chosen, cover[:, :2]], axis=1)),
        )
        under: list[IndexPart] = [pixel(layer.window, _size(use), axis) for axis in range(2)]  # type: ignore[misc]
        body: Expr = BigSum(("d", "i", "j"), Mul((w("o", "p", "q", "d", "i", "j"), x("d", *under))))
        if not layer.bias:
            return [Terms(rule(y("o", "p", "q"), body, "S2-F09"), columns, use.letters("w"))]
        formula = rule(y("o", "p", "q"), Sum((body, b("o", "p", "q"))), "S2-F09")
        last = Terms(formula, (use.weights("bias", "b", one((o, p, q))),), use.letters("w", "b"), say("the_bias"))
        return [Terms(formula, columns, use.letters("w", "b"), say("the_weights")), last]
