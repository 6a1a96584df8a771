"""Compares the gradients of a network, number by number, with differences of its loss."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_batch, to_floats
from chainrule.engines import engine_named
from chainrule.engines.reference import Pass, State, continue_forward, run_forward
from chainrule.errors import ArgumentError, NonFiniteError
from chainrule.gradient_check.differences import FIRST_STEP, Derivative, Estimate, derivative, moving
from chainrule.gradient_check.report import GradientReport, Index, Kink, TensorCheck
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.shapes import integer
from chainrule.training import check_pair

FLOAT64 = np.dtype(np.float64)
SMALL_SHARE = 0.01
"""Numbers below this share of their tensor's largest gradient are judged by it, not by themselves."""
TRIALS = 6


def check_gradients(
    net: Graph,
    x: ArrayLike,
    targets: ArrayLike,
    loss: Loss,
    *,
    step: float | None = None,
    tolerance: float = 1e-7,
    sample: int | None = None,
    seed: int = 0,
    training: bool = True,
    engine: str | None = None,
) -> GradientReport:
    """Compare all gradients of (parameters, input) in float64 with differences of the loss; print the report.

    step       the first (largest) step, times max(1, |number|); it shrinks where the loss needs it
    tolerance  largest |analytic - numeric| / max(|analytic|, |numeric|, 1 % of the tensor's largest gradient)
    sample     check so many randomly chosen numbers of each tensor instead of all (drawn with `seed`)

    Where the loss has a kink (ReLU at 0, equal maxima) the two one-sided derivatives are listed, and the analytic one
    must lie between them. The network is not changed. Raises NonFiniteError where the loss is not finite.
    """
    if not isinstance(loss, Loss):
        raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
    first = _positive("step", FIRST_STEP if step is None else step)
    batch = as_batch(x, net.input_shape)
    prepared = check_pair(net, loss, batch, targets)[1]
    chosen = engine_named(engine)
    analytic = chosen.gradients(net, batch, prepared, loss, FLOAT64, training)
    probe = _Probe(net, to_floats(batch, FLOAT64), prepared, loss, training)
    count = None if sample is None else integer("sample", sample, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    checker = _Checker(probe, first, _positive("tolerance", tolerance), count, rng)
    tensors = [
        checker.tensor(name, probe.state.parameters[name], gradient, probe.from_parameter(name))
        for name, gradient in analytic.parameters.items()
    ]
    tensors.append(checker.tensor("input", probe.x, analytic.dx, probe.from_input))
    return GradientReport(tensors, checker.tolerance, probe.base, chosen.name, count)


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ArgumentError(f"{name} must be a positive number, not {value!r}")
    return float(value)


class _Probe:
    """The loss as a function of arrays that may be moved; only what depends on the moved array is computed again."""

    def __init__(self, net: Graph, x: Array, targets: Array, loss: Loss, training: bool) -> None:
        self.net, self.targets, self.loss, self.training = net, targets, loss, training
        self.state = State.of(net, FLOAT64)
        self.x = x.copy()
        self.done = run_forward(net, self.state, self.x, training=training)
        self.base = self._loss(self.done)
        if not math.isfinite(self.base):
            raise NonFiniteError(f"the loss is {self.base}; gradients can be checked only where it is finite")
        self.rounding = self._measure_rounding()

    def _loss(self, done: Pass) -> float:
        return self.loss.forward(done.values[-1], self.targets)[0]

    def from_input(self) -> float:
        """The loss after the input has been moved."""
        return self._loss(run_forward(self.net, self.state, self.x, training=self.training))

    def from_parameter(self, name: str) -> Callable[[], float]:
        """The loss after a parameter has been moved, from the first node that depends on it."""
        layer = name.rpartition(".")[0]
        start = next(i for i, use in enumerate(self.net.steps) if use.layer_name == layer)

        def compute() -> float:
            done = Pass(self.done.values[: start + 1], self.done.saved[: start + 1])
            continue_forward(self.net, self.state, done, self.net.steps[start:], training=self.training)
            return self._loss(done)

        return compute

    def _measure_rounding(self) -> float:
        """How uncertain a loss value is: its spread when everything moves in its last bit."""
        rng = np.random.default_rng(0)
        eps = float(np.finfo(np.float64).eps)
        kept_x, kept = self.x.copy(), self.state.parameters.flat.copy()
        spread = 0.0
        for _ in range(TRIALS):
            self.x *= 1 + eps * rng.choice([-1, 0, 1], self.x.shape)
            self.state.parameters.flat[:] *= 1 + eps * rng.choice([-1, 0, 1], kept.shape)
            spread = max(spread, abs(self.from_input() - self.base))
            self.x[...], self.state.parameters.flat[:] = kept_x, kept
        return max(eps * abs(self.base), spread)


class _Checker:
    """Checks tensor after tensor."""

    def __init__(
        self, probe: _Probe, step: float, tolerance: float, sample: int | None, rng: np.random.Generator
    ) -> None:
        self.probe, self.step, self.tolerance, self.sample, self.rng = probe, step, tolerance, sample, rng

    def _places(self, size: int) -> Array:
        if self.sample is None or self.sample >= size:
            return np.arange(size)
        return np.sort(self.rng.choice(size, self.sample, replace=False))

    def tensor(self, name: str, array: Array, gradient: Array, loss: Callable[[], float]) -> TensorCheck:
        """Compare the numbers of one tensor; `array` is moved and put back."""
        floor = SMALL_SHARE * float(np.abs(gradient).max(initial=0.0))
        result = TensorCheck(name, array.size)
        for place in self._places(array.size):
            index = tuple(int(i) for i in np.unravel_index(place, array.shape))
            given = float(gradient[index])
            found = self._numeric(loss, array, index, given, floor)
            error = self._error(given, found, floor)
            result.checked += 1
            if found.kink and error <= self.tolerance:
                result.kinks.append(Kink(index, found.left, found.right, given))
            elif result.index is None or not error <= result.error:
                result.error, result.index, result.analytic = error, index, given
                result.numeric = found.value
        return result

    def _numeric(self, loss: Callable[[], float], array: Array, index: Index, given: float, floor: float) -> Derivative:
        def accept(estimate: Estimate) -> bool:
            scale = max(abs(estimate.value), floor)
            near = abs(estimate.value - given) <= self.tolerance * scale
            return near and estimate.error - estimate.noise <= 0.1 * self.tolerance * scale

        step = self.step * max(1.0, abs(float(array[index])))
        return derivative(moving(loss, array, index), self.probe.base, step, self.probe.rounding, accept)

    def _error(self, given: float, found: Derivative, floor: float) -> float:
        """Relative error; at a kink that of the nearer end, outside the range of the one-sided derivatives."""
        low, high = sorted((found.left, found.right))
        nearest = min(max(given, low), high)
        scale = max(abs(given), abs(nearest), floor, found.noise / self.tolerance)
        if not math.isfinite(given):
            return math.inf
        return abs(given - nearest) / scale if scale else 0.0
