"""Compares the gradients of a network, number by number, with differences of its loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_batch, as_weights, to_floats
from chainrule.diagnosis.layers import diagnose_layers
from chainrule.differences import FIRST_STEP, Derivative, Estimate, derivative, moving
from chainrule.engines import Engine, Samples, engine_named
from chainrule.engines.reference import Pass, State, continue_forward, require_room, run_forward
from chainrule.errors import ArgumentError, NonFiniteError
from chainrule.gradient_check.compound import LayerJudge, acceptance, relative_error
from chainrule.gradient_check.report import GradientReport, Index, Kink, TensorCheck
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import MemoryErrorsNamed
from chainrule.shapes import integer
from chainrule.training import check_targets

FLOAT64 = np.dtype(np.float64)
SMALL_SHARE = 0.01
"""Numbers below this share of their tensor's largest gradient are judged by it, not by themselves."""
LINES, POINTS, SHORT = 3, 9, 1e-9
SHIFT = 1e-4
MOST_NUMBERS = 10_000_000
"""Each takes at least two forward passes, so that more take days."""


@MemoryErrorsNamed("the check of gradients", "take a smaller batch or a smaller network")
def check_gradients(
    net: Graph,
    x: ArrayLike,
    targets: ArrayLike,
    loss: Loss,
    *,
    step: float | None = None,
    tolerance: float = 1e-7,
    sample: int | None = None,
    sample_weight: ArrayLike | None = None,
    seed: int = 0,
    training: bool = True,
    engine: str | None = None,
) -> GradientReport:
    """Compare all gradients of (parameters, input) in float64 with differences of the loss; print the report.

    step       the first (largest) step, times max(1, |number|); it shrinks where the loss needs it
    tolerance  largest |analytic - numeric| / max(|analytic|, |numeric|, 1 % of the tensor's largest gradient)
    sample     check so many randomly chosen numbers of each tensor instead of all (drawn with `seed`)
    sample_weight  weights (n,) of the samples in the loss

    Where the loss has a kink (ReLU at 0, equal maxima) the two one-sided derivatives are listed, and the analytic one
    must lie between them (several kinks at once: see `compound`). The network is not changed.
    Where a gradient is wrong, the layer at fault and its likely mistake are named.
    Raises NonFiniteError where the loss is not finite.
    """
    if not isinstance(loss, Loss):
        raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
    first = _positive("step", FIRST_STEP if step is None else step)
    batch = as_batch(x, net.input_shape, check=False)  # `to_floats` looks at it
    prepared = check_targets(net, loss, len(batch), targets)
    weights = None if sample_weight is None else as_weights(sample_weight, len(batch))
    count = None if sample is None else integer("sample", sample, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    numbers = batch.size + net.parameters.flat.size
    if count is None and numbers > MOST_NUMBERS:
        raise ArgumentError(
            f"a check of all {numbers:,} numbers would take days; give sample=100 to check so many of each tensor"
        )
    require_room(net, len(batch), FLOAT64, backward=True)
    data = Samples(to_floats(batch, FLOAT64), prepared, weights)
    point = _Point(net, data, loss, training, engine_named(engine))
    checker = _Checker(point, first, _positive("tolerance", tolerance), count, rng)
    tensors = [checker.tensor(name) for name in (*net.parameters, "input")]
    report = GradientReport(tensors, checker.tolerance, point.base, point.engine.name, count)
    if report.ok:
        return report
    return replace(report, layers=diagnose_layers(net, point.state.layer, point.done.values, training))


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ArgumentError(f"{name} must be a positive number, not {value!r}")
    return float(value)


class _Point:
    """A network at given parameters and input: its analytic gradients, and its loss when one array is moved.

    Only what depends on the moved array is computed again.
    """

    def __init__(self, net: Graph, data: Samples, loss: Loss, training: bool, engine: Engine) -> None:
        self.net, self.data, self.loss, self.training, self.engine = net, data, loss, training, engine
        self.state = State.of(net, FLOAT64)
        self.x = data.x.copy()
        self.done = run_forward(net, self.state, data.x, training=training)
        self.base, self.saved = loss.forward(self.done.values[-1], data.targets, data.weights)
        if not math.isfinite(self.base):
            raise NonFiniteError(f"the loss is {self.base}; gradients can be checked only where it is finite")
        result = engine.gradients(net, replace(data, x=self.x), loss, FLOAT64, training)
        self.gradients = {**result.parameters, "input": result.dx}
        self.rounding = self._measure_rounding()

    def array(self, name: str) -> Array:
        """A parameter or the input, to be moved in place."""
        return self.x if name == "input" else self.state.parameters[name]

    def run(self, name: str) -> Pass:
        """The forward pass after `name` has been moved."""
        if name == "input":
            return run_forward(self.net, self.state, self.x.copy(), training=self.training)
        layer = name.rpartition(".")[0]
        start = next(i for i, use in enumerate(self.net.steps) if use.layer_name == layer)
        done = Pass(self.done.values[: start + 1], self.done.saved[: start + 1])
        continue_forward(self.net, self.state, done, self.net.steps[start:], training=self.training)
        return done

    def loss_after(self, name: str) -> float:
        """The loss after `name` has been moved."""
        return self.loss.forward(self.run(name).values[-1], self.data.targets, self.data.weights)[0]

    def derivative(self, name: str, index: Index, step: float, accept: Callable[[Estimate], bool]) -> Derivative:
        """dL/d(one number) from losses alone."""
        array = self.array(name)
        length = step * max(1.0, abs(float(array[index])))
        offset = moving(lambda: self.loss_after(name), array, index)
        return derivative(offset, self.base, length, self.rounding, accept)

    def _measure_rounding(self) -> float:
        """How uncertain a loss value is: the roughness of the loss along a few short straight lines.

        Fourth differences of a smooth function at so short steps would be 0; those of independent errors of size s have
        the mean square 70 s² (Hamming's difference table).
        """
        rng = np.random.default_rng(0)
        kept_x, kept = self.x.copy(), self.state.parameters.flat.copy()
        noise = 0.0
        for _ in range(LINES):
            along_x, along = rng.standard_normal(kept_x.shape), rng.standard_normal(kept.shape)
            losses = []
            for k in range(POINTS):
                self.x[...] = kept_x + k * SHORT * along_x
                self.state.parameters.flat[:] = kept + k * SHORT * along
                losses.append(self.loss_after("input"))
            noise = max(noise, math.sqrt(float(np.mean(np.diff(losses, 4) ** 2)) / 70))
        self.x[...], self.state.parameters.flat[:] = kept_x, kept
        return max(float(np.finfo(np.float64).eps) * abs(self.base), 2 * noise)

    def shifted(self) -> _Point:
        """A point close by, where nothing is exactly 0 or tied."""
        rng = np.random.default_rng(1)
        net = copy.copy(self.net)
        net.parameters.flat += SHIFT * rng.standard_normal(net.parameters.flat.shape)
        x = self.x + SHIFT * rng.standard_normal(self.x.shape)
        return _Point(net, replace(self.data, x=x), self.loss, self.training, self.engine)

    def layer_judge(self, tolerance: float) -> LayerJudge:
        """Judges the layers one by one at this point."""
        doutputs = self.loss.backward(self.saved)
        return LayerJudge(self.net, self.state, self.done, doutputs, self.training, tolerance)


class _Checker:
    """Checks tensor after tensor."""

    def __init__(
        self, point: _Point, step: float, tolerance: float, sample: int | None, rng: np.random.Generator
    ) -> None:
        self.point, self.step, self.tolerance, self.sample, self.rng = point, step, tolerance, sample, rng

    def _places(self, size: int) -> Array:
        if self.sample is None or self.sample >= size:
            return np.arange(size)
        return np.sort(self.rng.choice(size, self.sample, replace=False))

    def tensor(self, name: str) -> TensorCheck:
        """Compare the numbers of one tensor."""
        gradient = self.point.gradients[name]
        result = TensorCheck(name, gradient.size)
        for place in self._places(gradient.size):
            index = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
            found, error = self._compare(self.point, name, index)
            result.checked += 1
            compound = error > self.tolerance and self._is_compound_kink(name, index)
            if compound or (found.kink and error <= self.tolerance):
                result.kinks.append(Kink(index, found.left, found.right, float(gradient[index]), compound))
            elif result.index is None or not error <= result.error:
                result.error, result.index = error, index
                result.analytic, result.numeric = float(gradient[index]), found.value
        return result

    def _compare(self, point: _Point, name: str, index: Index) -> tuple[Derivative, float]:
        """The derivative of one number, and the relative error of its analytic gradient."""
        gradient = point.gradients[name]
        given, floor = float(gradient[index]), SMALL_SHARE * float(np.abs(gradient).max())
        found = point.derivative(name, index, self.step, acceptance(given, floor, self.tolerance))
        return found, relative_error(given, found, floor, self.tolerance)

    @cached_property
    def _shifted(self) -> _Point:
        return self.point.shifted()

    @cached_property
    def _judge(self) -> LayerJudge:
        return self.point.layer_judge(self.tolerance)

    def _is_compound_kink(self, name: str, index: Index) -> bool:
        """Whether an analytic gradient that seems wrong is the right outcome of several kinks at once."""
        array, given = self.point.array(name), float(self.point.gradients[name][index])
        own = float(self._judge.gradient(name)[index])
        if not abs(given - own) <= self.tolerance * max(abs(given), abs(own)):
            return False
        kept = float(array[index])

        def run(t: float) -> Pass:
            array[index] = kept + t
            try:
                return self.point.run(name)
            finally:
                array[index] = kept

        return self._judge.right_at_kinks(run) and self._compare(self._shifted, name, index)[1] <= self.tolerance
