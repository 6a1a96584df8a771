"""The optimizers: (w, g, memory) -> (w', memory'), as `chainrule.optimizers` moves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import optimizers
from chainrule.errors import ArgumentError
from chainrule.interchange.onnx.builder import Value
from chainrule.optimizers import Optimizer

Moved = tuple[Value, list[Value]]


@dataclass(frozen=True)
class Clock:
    """What all parameters of a step share: the learning rate, and the number of the step, from 1."""

    rate: Value
    step: Value | None

    def power(self, base: float) -> Value:
        """base^step in double precision: 1 - 0.999^step loses half of float32's digits at the first steps."""
        assert self.step is not None
        return np.float64(base) ** self.step.cast(np.float64)


@dataclass(frozen=True)
class OptimizerRule:
    """The names of an optimizer's memories, whether it counts its steps, and how it moves a parameter."""

    memories: Callable[[Any], Sequence[str]]
    counts: bool
    update: Callable[[Any, Value, Value, Sequence[Value], Clock], Moved]


def _sgd(o: optimizers.SGD, w: Value, g: Value, memory: Sequence[Value], clock: Clock) -> Moved:
    # g = dL/dw + weight_decay w;  v = momentum v + g;  w = w - rate v, or rate (g + momentum v) (S0-E29)
    if o.weight_decay:
        g = g + w * o.weight_decay
    if not o.momentum:
        return w - clock.rate * g, []
    velocity = memory[0] * o.momentum + g
    step = g + velocity * o.momentum if o.nesterov else velocity
    return w - clock.rate * step, [velocity]


def _adam(o: optimizers.Adam, w: Value, g: Value, memory: Sequence[Value], clock: Clock) -> Moved:
    # m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²;  w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    b1, b2 = o.betas
    if o.decoupled and o.weight_decay:
        w = w * (1.0 - clock.rate * o.weight_decay)
    elif o.weight_decay:
        g = g + w * o.weight_decay
    mean = memory[0] * b1 + g * (1 - b1)
    square = memory[1] * b2 + g * g * (1 - b2)
    first = (np.float64(1) - clock.power(b1)).cast()
    second = (np.float64(1) - clock.power(b2)).op("Sqrt").cast()
    return w - (clock.rate / first) * mean / (square.op("Sqrt") / second + o.eps), [mean, square]


def _rmsprop(o: optimizers.RMSprop, w: Value, g: Value, memory: Sequence[Value], clock: Clock) -> Moved:
    # v = alpha v + (1 - alpha) g²;  w = w - rate g / (sqrt(v) + eps), with `centered` sqrt(v - mean²)
    if o.weight_decay:
        g = g + w * o.weight_decay
    after = [memory[0] * o.alpha + g * g * (1 - o.alpha)]
    spread = after[0]
    if o.centered:
        after.append(memory[1] * o.alpha + g * (1 - o.alpha))
        spread = (spread - after[1] * after[1]).op("Relu")  # by rounding it may come out below 0
    move = g / (spread.op("Sqrt") + o.eps)
    if o.momentum:
        move = memory[-1] * o.momentum + move
        after.append(move)
    return w - clock.rate * move, after


def _rmsprop_memories(o: optimizers.RMSprop) -> tuple[str, ...]:
    return ("square", *(("mean",) if o.centered else ()), *(("velocity",) if o.momentum else ()))


RULES: dict[type[Optimizer], OptimizerRule] = {
    optimizers.SGD: OptimizerRule(lambda o: ("velocity",) if o.momentum else (), False, _sgd),
    optimizers.Adam: OptimizerRule(lambda o: ("mean", "square"), True, _adam),
    optimizers.RMSprop: OptimizerRule(_rmsprop_memories, False, _rmsprop),
    optimizers.AdamW: OptimizerRule(lambda o: ("mean", "square"), True, _adam),
}


def rule_of(optimizer: Optimizer) -> OptimizerRule:
    """The rule of an optimizer. Raises ArgumentError for one of the user's own."""
    found = RULES.get(type(optimizer))
    if found is None:
        raise ArgumentError(
            f"the optimizer {optimizer!r} is none of chainrule's, and no ONNX operators are known for it; "
            f"take one of {', '.join(kind.__name__ for kind in RULES)}"
        )
    return found
