"""The update of one weight: the last step of a chain that ends at a parameter."""

from __future__ import annotations

import math

import numpy as np

from chainrule.errors import ArgumentError, EngineError
from chainrule.explain.messages import Message, say
from chainrule.explain.naming import named_formula
from chainrule.explain.steps import DerivationStep, Part
from chainrule.explain.terms import Formula, Place
from chainrule.expressions import Expr, Frac, Num, Pow, Rel, Root, Sum, Sym, Words, equal, minus, mul
from chainrule.expressions import slope as slope_of
from chainrule.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

_W, _ETA = Sym("w"), Sym("η")
_G = slope_of(_W)


def chosen_optimizer(optimizer: object, learning_rate: object) -> Optimizer | None:
    """The optimizer to show a step of; a bare learning rate means plain gradient descent."""
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"optimizer must be an optimizer such as SGD(0.5), not {optimizer!r}")
    if optimizer is not None and learning_rate is not None:
        raise ArgumentError("give an optimizer or a learning_rate, not both: an optimizer has its own rate")
    return optimizer if optimizer is not None or learning_rate is None else SGD(learning_rate)  # type: ignore[arg-type]


def update_step(optimizer: Optimizer, place: Place, before: float, gradient: float) -> DerivationStep:
    """w+ = w - ..., as the optimizer takes its first step."""
    array = np.array([before])
    optimizer.update(array, np.array([gradient]), optimizer.initial_state(array), optimizer.learning_rate, 1)
    after = float(array[0])
    formula, expression, value, notes = _rule(optimizer, before, gradient)
    if not math.isclose(value, after, rel_tol=1e-10, abs_tol=1e-14):
        raise EngineError(f"the update written out gives {value!r}, but {optimizer!r} gives {after!r}")
    letters = (("w", place.name),)
    formula = named_formula(formula, dict(letters))
    part = Part(place.name, type(optimizer).__name__, formula, value, letters, expression=expression, count=1)
    symbol = Words(place.name, place.index, None, "plus")
    title = say("title_update", optimizer=type(optimizer).__name__, rate=float(optimizer.learning_rate))
    return DerivationStep("update", 0, place, symbol, title, (part,), value, after, notes)


def _rule(optimizer: Optimizer, w: float, g: float) -> tuple[Formula, Expr, float, tuple[Message, ...]]:
    new = Sym("w", (), None, "plus")
    rate = optimizer.learning_rate
    if isinstance(optimizer, SGD):
        decay, momentum = optimizer.weight_decay, optimizer.momentum
        total = g + decay * w
        push = total * (1 + momentum) if optimizer.nesterov else total
        slope: Expr = Sum((_G, mul(Sym("λ"), _W))) if decay else _G
        shown: Expr = Sum((Num(g), mul(Num(decay), Num(w)))) if decay else Num(g)
        if optimizer.nesterov:
            slope, shown = (mul(Sum((Num(1), Sym("m"))), e) for e in (slope, shown))
            shown = mul(Sum((Num(1), Num(momentum))), Sum((Num(g), mul(Num(decay), Num(w)))) if decay else Num(g))
        notes = (say("first_momentum", momentum=momentum),) if momentum else ()
        formula = Formula(Rel((new, minus(_W, mul(_ETA, slope)))), ("S0-E29", "ER0-06", "ER4-01"))
        return formula, minus(Num(w), mul(Num(rate), shown)), w - rate * push, notes
    if isinstance(optimizer, Adam):
        return _adam(optimizer, w, g, new)
    if isinstance(optimizer, RMSprop):
        return _rmsprop(optimizer, w, g, new)
    array = np.array([w])
    optimizer.update(array, np.array([g]), optimizer.initial_state(array), rate, 1)
    formula = Formula(Rel((new, Sum((_W, Sym("step"))))))
    return formula, Sum((Num(w), Num(float(array[0]) - w))), float(array[0]), (say("own_optimizer"),)


def _adam(optimizer: Adam, w: float, g: float, new: Sym) -> tuple[Formula, Expr, float, tuple[Message, ...]]:
    """The first step: the averages, corrected for starting at zero, are g and g²."""
    decay, rate, eps = optimizer.weight_decay, optimizer.learning_rate, optimizer.eps
    decoupled = isinstance(optimizer, AdamW)
    kept = 1 - rate * decay if decoupled else 1.0
    total = g if decoupled else g + decay * w
    fraction = Frac(Sym("m", accent="hat"), Sum((Root(Sym("v", accent="hat")), Sym("ε"))))
    start: Expr = mul(minus(Num(1), mul(_ETA, Sym("λ"))), _W) if decoupled and decay else _W
    where = (equal(Sym("m", accent="hat"), _G), equal(Sym("v", accent="hat"), Pow(_G, Num(2))))
    formula = Formula(Rel((new, minus(start, mul(_ETA, fraction)))), (), where)
    shown_start: Expr = mul(Num(kept), Num(w)) if kept != 1 else Num(w)
    bottom = Sum((Root(Pow(Num(total), Num(2))), Num(eps)))
    expression = minus(shown_start, mul(Num(rate), Frac(Num(total), bottom)))
    value = kept * w - rate * total / (abs(total) + eps) if total or eps else kept * w
    return formula, expression, value, (say("first_adam"),)


def _rmsprop(optimizer: RMSprop, w: float, g: float, new: Sym) -> tuple[Formula, Expr, float, tuple[Message, ...]]:
    """The first step: the averages start at 0."""
    decay, rate, eps, rest = optimizer.weight_decay, optimizer.learning_rate, optimizer.eps, 1 - optimizer.alpha
    total = g + decay * w
    share: Expr = mul(minus(Num(1), Sym("α")), Pow(_G, Num(2)))
    spread = rest * total * total
    shown: Expr = mul(Num(rest), Pow(Num(total), Num(2)))
    if optimizer.centered:
        share = minus(share, Pow(mul(minus(Num(1), Sym("α")), _G), Num(2)))
        shown = minus(shown, Pow(mul(Num(rest), Num(total)), Num(2)))
        spread = max(spread - (rest * total) ** 2, 0.0)
    fraction = Frac(_G, Sum((Root(Sym("v")), Sym("ε"))))
    formula = Formula(Rel((new, minus(_W, mul(_ETA, fraction)))), (), (equal(Sym("v"), share),))
    bottom = Sum((Root(shown), Num(eps)))
    expression = minus(Num(w), mul(Num(rate), Frac(Num(total), bottom)))
    value = w - rate * total / (math.sqrt(spread) + eps) if total or eps else w
    notes = (say("first_momentum", momentum=optimizer.momentum),) if optimizer.momentum else ()
    return formula, expression, value, (say("first_rmsprop"), *notes)
