"""A layer without local terms of its own: its backward pass is given unit vectors, one output at a time, and
returns its local derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.local.base import Local, Value, constant, gradient_rule, local_slope, rule
from chainrule.explain.messages import say
from chainrule.explain.terms import Evaluation, Index, Place, Terms, Use, sym
from chainrule.expressions import BigSum, Expr, Partial, Sym, mul, slope

TOLERANCE = 1e-12
"""How near the terms come to the whole, if none is missing."""
MOST_UNITS = 1024
"""Unit vectors that a backward pass is given for one number."""
MOVE = 1e-3
"""How far a number is moved to see which outputs follow it, relative to its size."""

Slopes: TypeAlias = tuple[Array, Array]
"""Places of y, and dy/dx or dy/dw there."""


class NumericTerms(Local):
    """dL/dx_i = sum_k dL/dy_k dy_k/dx_i, where dy_k/dx_i is what the layer's own backward pass says."""

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        layer = use.step.layer
        saved = layer.forward(use.arrays, *use.xs, context=use.context)[1]

        def slope_at(dy: Array) -> float:
            dx = layer.backward_input(use.arrays, dy, saved)
            return float((dx[which] if isinstance(dx, tuple) else dx)[index])

        def moved(by: float) -> Array:
            xs = [x.copy() if number == which else x for number, x in enumerate(use.xs)]
            xs[which][index] += by
            return layer.forward(use.arrays, *xs, context=use.context)[0]

        step = MOVE * max(1.0, abs(float(use.xs[which][index])))
        by = sym("x", Place("value", use.sources[which], index), use.many)
        return [self._terms(use, slope_at, moved, step, Sym("x"), by, use.letters(which=which))]

    def parameter(self, use: Use, own: str, index: Index) -> list[Terms]:
        layer = use.step.layer
        saved = layer.forward(use.arrays, *use.xs, context=use.context)[1]

        def slope_at(dy: Array) -> float:
            return float(layer.backward_parameters(use.arrays, dy, saved)[own][index])

        def moved(by: float) -> Array:
            arrays = {**use.arrays, own: use.arrays[own].copy()}
            arrays[own][index] += by
            return layer.forward(arrays, *use.xs, context=use.context)[0]

        step = MOVE * max(1.0, abs(float(use.arrays[own][index])))
        letters = (*use.letters(), ("w", use.parameter(own)))
        return [self._terms(use, slope_at, moved, step, Sym("w"), Sym("w", index), letters)]

    def _terms(
        self,
        use: Use,
        slope_at: Callable[[Array], float],
        moved: Callable[[float], Array],
        step: float,
        letter: Sym,
        by: Expr,
        letters: tuple[tuple[str, str], ...],
    ) -> Terms:
        body = BigSum(("k",), mul(slope(Sym("y", ("k",))), Partial(Sym("y", ("k",)), letter)))
        formula, name = gradient_rule(letter, body), type(use.step.layer).__name__
        found = _slopes(use, slope_at, moved, step)
        if found is None:
            note = say("own_backward_whole", layer=name, most=MOST_UNITS)
            return Terms(formula, (constant(slope_at(use.dy)),), letters, notes=(note,))
        places, values = found
        of: list[Expr] = [sym("y", Place("value", use.name, tuple(map(int, k))), use.many) for k in places]
        columns = (use.upstream(places.reshape(-1, use.dy.ndim)), local_slope(values, of, by))
        return Terms(formula, columns, letters, notes=(say("own_backward", layer=name),))

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


def _slopes(
    use: Use, slope_at: Callable[[Array], float], moved: Callable[[float], Array], step: float
) -> Slopes | None:
    """The outputs that follow a number, with its local derivatives; None where they are too many to ask each by itself.

    Asked are those that move when the number does; if these do not make up the whole, all of them."""
    whole = slope_at(use.dy)
    with np.errstate(all="ignore"):  # the layer may have no value there
        last = moved(0.0)
        follows = (moved(step) != last) | (moved(-step) != last)
    for asked in (follows & (use.dy != 0), use.dy != 0):
        places = np.argwhere(asked)
        if len(places) > MOST_UNITS:
            return None
        values = np.array([slope_at(_unit(use, place)) for place in places])
        products = use.dy[asked] * values
        if abs(products.sum() - whole) <= TOLERANCE * (np.abs(products).sum() + abs(whole)):
            break
    return places[values != 0], values[values != 0]


def _unit(use: Use, place: Array) -> Array:
    dy = np.zeros_like(use.dy)
    dy[tuple(place)] = 1
    return dy
