"""A layer without local terms of its own: its backward pass is given unit vectors, one output at a time, and
returns its local derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.local.base import Local, Value, gradient_rule, local_slope, rule
from chainrule.explain.messages import say
from chainrule.explain.terms import Evaluation, Index, Place, Terms, Use, sym
from chainrule.expressions import BigSum, Expr, Partial, Sym, mul, slope


class NumericTerms(Local):
    """dL/dx_i = sum_k dL/dy_k dy_k/dx_i, where dy_k/dx_i is what the layer's own backward pass says."""

    def _saved(self, use: Use) -> Any:
        return use.step.layer.forward(use.arrays, *use.xs, context=use.context)[1]

    def _unit(self, use: Use, place: Array) -> Array:
        dy = np.zeros_like(use.dy)
        dy[tuple(place)] = 1
        return dy

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        saved, layer = self._saved(use), use.step.layer
        places = np.argwhere(use.dy != 0)
        found = []
        for place in places:
            dx = layer.backward_input(use.arrays, self._unit(use, place), saved)
            found.append(float((dx[which] if isinstance(dx, tuple) else dx)[index]))
        values = np.array(found)
        places, values = places[values != 0], values[values != 0]
        of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
        by = sym("x", Place("value", use.sources[which], index), use.many)
        body = BigSum(("k",), mul(slope(Sym("y", ("k",))), Partial(Sym("y", ("k",)), Sym("x"))))
        columns = (use.upstream(places.reshape(-1, use.dy.ndim)), local_slope(values, of, by))
        return [Terms(gradient_rule(Sym("x"), body), columns, use.letters(which=which), notes=(self._note(use),))]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        saved, layer = self._saved(use), use.step.layer
        places = np.argwhere(use.dy != 0)
        found = [float(layer.backward_parameters(use.arrays, self._unit(use, k), saved)[own][index]) for k in places]
        values = np.array(found)
        places, values = places[values != 0], values[values != 0]
        of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
        by = Sym("w", index)
        body = BigSum(("k",), mul(slope(Sym("y", ("k",))), Partial(Sym("y", ("k",)), Sym("w"))))
        columns = (use.upstream(places.reshape(-1, use.dy.ndim)), local_slope(values, of, by))
        letters = (*use.letters(), ("w", use.parameter(own)))
        return [Terms(gradient_rule(Sym("w"), body), columns, letters, notes=(self._note(use),))]

    def value(self, use: Use, index: Index) -> Value:
        sources = tuple(
            Place("value", source, index)
            for source, array in zip(use.sources, use.xs, strict=True)
            if array.shape == use.y.shape
        )
        formula = rule(Sym("y"), Sym("f"))
        return Evaluation(
            formula,
            sym("y", Place("value", use.name, index), use.many),
            float(use.y[index]),
            sources,
            use.letters(),
            (say("own_forward", layer=type(use.step.layer).__name__),),
        )

    def _note(self, use: Use) -> Any:
        return say("own_backward", layer=type(use.step.layer).__name__)
