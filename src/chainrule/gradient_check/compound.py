"""Several kinks at one point: what their one-sided derivatives cannot decide, and how it is decided.

Where one number moves several others off a kink at once (a black patch under zero biases: every ReLU at 0, every
pooling window tied), each layer rightly takes a one-sided derivative, but their sum may lie outside the two of the
whole. Such a number is accepted only if

1. the analytic value is the one that the layers' own backward passes give,
2. at every layer where a kink arises, moving single values of its input alone gives one-sided derivatives that hold
   the layer's own gradient between them,
3. a small random shift of everything, which leaves all kinks, makes the analytic gradient right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from chainrule.arrays import Array
from chainrule.differences import FIRST_STEP, Derivative, Estimate, derivative, moving
from chainrule.engines.reference import Pass, State, run_backward
from chainrule.graph import Graph, Step
from chainrule.layers.base import Context

NEAR = 2.0**-20
BEND = 1e-3
"""Share of a value's change by which its two sides must differ to be called a kink."""
LOCAL_NUMBERS = 48
"""Numbers of a layer's input that are moved to judge it at its kinks."""


def relative_error(given: float, found: Derivative, floor: float, tolerance: float) -> float:
    """Error relative to the size of the numbers; at a kink, the distance to the nearer one-sided derivative."""
    low, high = sorted((found.left, found.right))
    nearest = min(max(given, low), high)
    scale = max(abs(given), abs(nearest), floor, found.noise / tolerance)
    if not np.isfinite(given):
        return np.inf
    return abs(given - nearest) / scale if scale else 0.0


def acceptance(given: float, floor: float, tolerance: float) -> Callable[[Estimate], bool]:
    """Whether an estimate is exact enough, and no search for kinks is needed because it agrees with `given`."""

    def accept(estimate: Estimate) -> bool:
        scale = max(abs(estimate.value), floor)
        near = abs(estimate.value - given) <= tolerance * scale
        return near and estimate.error - estimate.noise <= 0.1 * tolerance * scale

    return accept


@dataclass
class LayerJudge:
    """Judges layers at their kinks, one at a time and each once."""

    net: Graph
    state: State
    done: Pass
    doutputs: Array
    training: bool
    tolerance: float
    verdicts: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.node_gradients, self.parameter_gradients = run_backward(self.net, self.state, self.done, self.doutputs)

    def gradient(self, name: str) -> Array:
        """What the layers' own backward passes give for a parameter or "input"."""
        return self.node_gradients[0] if name == "input" else self.parameter_gradients[name]

    def right_at_kinks(self, run: Callable[[float], Pass]) -> bool:
        """Whether kinks arise along `run` (a displacement -> the pass there), all in layers that are right there."""
        bends = self._bends(run)
        return bool(bends) and all(self._judge(step, places) for step, places in bends)

    def _bends(self, run: Callable[[float], Pass]) -> list[tuple[Step, list[Array]]]:
        """The steps whose outputs bend, with the places of the inputs that move."""
        after, before = run(NEAR), run(-NEAR)
        bent, moved = [], []
        for here, a, b in zip(self.done.values, after.values, before.values, strict=True):
            change = np.abs(a - here) + np.abs(here - b)
            moved.append(np.argwhere(change > 0))
            bent.append(bool((np.abs(a + b - 2 * here) > BEND * change + 1e-13 * np.abs(here)).any()))
        return [(step, [moved[i] for i in step.inputs]) for step in self.net.steps if bent[step.index]]

    def _judge(self, step: Step, places: list[Array]) -> bool:
        if step.index not in self.verdicts:
            self.verdicts[step.index] = all(
                self._input_is_right(step, slot, where) for slot, where in enumerate(places)
            )
        return self.verdicts[step.index]

    def _input_is_right(self, step: Step, slot: int, places: Array) -> bool:
        """One-sided derivatives of sum(dy * y) of this layer alone hold its dx between them."""
        values = self.state.layer(step.layer_name)
        inputs = [self.done.values[i].copy() for i in step.inputs]
        dy = self.node_gradients[step.index]
        context = Context(self.training, self.net.seed, 0, step.index)

        def loss() -> float:
            return float((dy * step.layer.forward(values, *inputs, context=context)[0]).sum())

        dx = step.layer.backward_input(values, dy, self.done.saved[step.index])
        own = dx[slot] if isinstance(dx, tuple) else dx
        floor, base = 1e-2 * float(np.abs(own).max(initial=0.0)), loss()
        rounding = float(np.finfo(np.float64).eps) * max(abs(base), float(np.abs(dy).max(initial=0.0)))
        for place in places[:: max(1, len(places) // LOCAL_NUMBERS)]:
            index = tuple(int(i) for i in place)
            given, length = float(own[index]), FIRST_STEP * max(1.0, abs(float(inputs[slot][index])))
            accept = acceptance(given, floor, self.tolerance)
            found = derivative(moving(loss, inputs[slot], index), base, length, rounding, accept)
            if not relative_error(given, found, floor, self.tolerance) <= self.tolerance:
                return False
        return True
