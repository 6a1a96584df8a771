"""Diagnosis of the layers of a network, one by one: which of them has a wrong backward pass, and which mistake it is.

Each layer is taken out of the network, fed with the input it has there and a random dy, and its own gradients are
compared with differences of sum(dy y). A mistake in one layer spoils the gradients of all layers before it; here only
the layer itself is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.convolution import Conv2dProblem
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.recognition import recognise
from chainrule.diagnosis.report import TensorDiagnosis, examine
from chainrule.diagnosis.truth import Truth, distance, largest
from chainrule.differences import FIRST_STEP, Estimate, derivative, moving
from chainrule.equations.activations import ACTIVATIONS
from chainrule.graph import Graph, Step
from chainrule.layers import LAYERS
from chainrule.layers.base import Context, Layer

MOST_NUMBERS = 4000
"""Tensors with more numbers are not compared with differences."""
MOST_PRODUCTS = 2 * 10**7
"""Nor are those whose forward pass, repeated for each number, would take minutes."""
ACCURACY = 1e-6
"""The accuracy of the differences, as a share of the largest number."""


@dataclass(frozen=True)
class LayerDiagnosis:
    """The wrong gradients of one layer of a network."""

    layer: str
    recognised: str
    tensors: tuple[TensorDiagnosis, ...]

    @property
    def mistakes(self) -> dict[str, tuple[str, ...]]:
        """The keys of the mistakes by tensor."""
        return {tensor.name: tensor.mistakes for tensor in self.tensors}

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and texts."""
        return asdict(self)

    def __str__(self) -> str:
        known = f", which computes {self.recognised}" if self.recognised else ""
        lines = [f"The backward pass of {self.layer}{known}:"]
        return "\n".join([*lines, *(f"  {line}" for tensor in self.tensors for line in tensor.lines())])


@dataclass(frozen=True)
class _Numeric(Problem):
    """A layer that is known only by its forward pass."""

    truth: dict[str, Truth]
    x: Array
    y: Array
    dy: Array

    def truths(self) -> dict[str, Truth]:
        return self.truth

    def counts(self) -> Mapping[str, int]:
        numbers = {"the batch size": len(self.x)}
        if self.y.ndim > 2:
            numbers["the number of places"] = int(np.prod(self.y.shape[2:]))
            numbers["batch size times places"] = len(self.x) * numbers["the number of places"]
        return numbers

    def upstream(self) -> Iterator[tuple[str, str, Problem]]:
        """An f' of the layer's own output that is missing or applied twice, where dx has the shape of y."""
        truth = self.truth.get("dx")
        if truth is None or truth.value.shape != self.y.shape:
            return
        for name, pair in ACTIVATIONS.items():
            slope = pair.derivative_from_output(self.y)
            with np.errstate(divide="ignore", invalid="ignore"):
                for key, said, value in (
                    ("slope_missing", f"A factor equal to f' of {name} at y is missing.", truth.value / slope),
                    ("slope_twice", f"There is one factor too many, equal to f' of {name} at y.", truth.value * slope),
                ):
                    if np.isfinite(value).all() and distance(value, truth.value) > ACCURACY * largest(truth.value):
                        wrong = Truth(value, truth.magnitude, 1, truth.axes, "", "")
                        yield key, said, _Numeric({"dx": wrong}, self.x, self.y, self.dy)


def diagnose_layers(
    net: Graph, parameters: Callable[[str], dict[str, Array]], values: list[Array], training: bool
) -> tuple[LayerDiagnosis, ...]:
    """The layers whose backward pass is wrong, those that the user wrote first.

    `values` are those of all nodes, `parameters` gives a layer's arrays.
    """
    first_uses = {step.layer_name: step for step in reversed(net.steps)}
    steps = [step for step in net.steps if first_uses[step.layer_name] is step]

    def examined(chosen: list[Step]) -> tuple[LayerDiagnosis, ...]:
        made = (
            _diagnose(
                step,
                parameters(step.layer_name),
                [values[i] for i in step.inputs],
                Context(training, net.seed, 0, step.index),
            )
            for step in chosen
        )
        return tuple(diagnosis for diagnosis in made if diagnosis is not None)

    return examined([s for s in steps if not _is_ours(s.layer)]) or examined([s for s in steps if _is_ours(s.layer)])


def _is_ours(layer: Layer) -> bool:
    """A layer of chainrule itself, which the user did not write."""
    return LAYERS.get(type(layer).__name__) is type(layer)


def _diagnose(step: Step, own: dict[str, Array], inputs: list[Array], context: Context) -> LayerDiagnosis | None:
    layer = step.layer
    y, saved = layer.forward(own, *inputs, context=context)
    dy = np.random.default_rng(step.index).uniform(0.5, 1.5, y.shape) * _signs(y.shape)
    given = _given(layer, own, dy, saved)
    names = list(layer.parameter_shapes(*step.input_shapes))
    given |= {f"d{name}": np.zeros_like(own[name]) for name in names if f"d{name}" not in given}
    known = _recognise(layer, {name: own[name] for name in names}, inputs, y, dy)
    problems, recognised = ({}, "") if known is None else known
    tensors = []
    for name, gradient in given.items():
        problem = problems.get(name) or _numeric(layer, own, inputs, y, dy, name, context)
        if problem is not None:
            tensor, tolerance = problem[1], problem[2]
            result = examine(
                tensor, np.asarray(gradient, np.float64), problem[0], float(np.finfo(float).eps), tolerance
            )
            if not result.ok:
                tensors.append(_renamed(result, name))
    return LayerDiagnosis(step.name, recognised, tuple(tensors)) if tensors else None


def _renamed(result: TensorDiagnosis, name: str) -> TensorDiagnosis:
    return TensorDiagnosis(
        name, result.ok, result.formula, result.sources, result.message, result.findings, result.index
    )


def _signs(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(7).choice([-1.0, 1.0], shape)


def _given(layer: Layer, own: dict[str, Array], dy: Array, saved: Any) -> dict[str, Array]:
    """The layer's own gradients: "dx" ("dx[0]", "dx[1]" for several inputs) and "d<parameter>"."""
    given = {f"d{name}": g for name, g in layer.backward_parameters(own, dy, saved).items()}
    dx = layer.backward_input(own, dy, saved)
    if isinstance(dx, tuple):
        return {**{f"dx[{i}]": part for i, part in enumerate(dx)}, **given}
    return {"dx": dx, **given}


Judged = tuple[Problem, str, float]
"""A problem, the tensor's name in it, and the tolerance in addition to rounding."""


def _recognise(
    layer: Layer, parameters: dict[str, Array], inputs: list[Array], y: Array, dy: Array
) -> tuple[dict[str, Judged], str] | None:
    """The layer as one whose equations are known."""
    if len(inputs) != 1 or _is_ours(layer):
        return None
    problem = recognise(parameters, inputs[0], y, dy)
    if problem is None:
        return None
    judged: dict[str, Judged] = {"dx": (problem, "dx", 0.0)}
    for name, array in parameters.items():
        judged[f"d{name}"] = (problem, "dbias" if array.ndim == 1 else "dweight", 0.0)
    return judged, _description(problem)


def _description(problem: Problem) -> str:
    if isinstance(problem, Conv2dProblem):
        window = problem.window
        return f"a {problem.mode} with stride {window.stride}, padding {problem.sides}, dilation {window.dilation}"
    words = {"LinearProblem": "a dense layer", "PoolProblem": "a pooling layer", "SoftmaxProblem": "softmax"}
    return words.get(type(problem).__name__, "an activation function")


def _numeric(
    layer: Layer, own: dict[str, Array], inputs: list[Array], y: Array, dy: Array, name: str, context: Context
) -> Judged | None:
    """The gradient of sum(dy y) by differences; NaN where the layer has a kink."""
    moved = {key: value.copy() for key, value in own.items()}
    xs = [x.copy() for x in inputs]
    slot = int(name[3:-1]) if name.startswith("dx[") else 0
    array = xs[slot] if name.startswith("dx") and name[1:] not in own else moved[name[1:]]
    if array.size > MOST_NUMBERS or array.size * (y.size + array.size) > MOST_PRODUCTS:
        return None

    def loss() -> float:
        return float((dy * layer.forward(moved, *xs, context=context)[0]).sum())

    value = _gradient(loss, array, float(np.finfo(float).eps) * float(np.abs(dy * y).sum()))
    size = np.full(array.shape, max(largest(value), float(np.finfo(float).tiny)))
    axes = ("sample", "channel", "row", "column")[: array.ndim] if name.startswith("dx") else ()
    truth = Truth(value, size, 1, axes, "the derivative of the layer's own forward pass, by differences", "S4-F01")
    return _Numeric({name: truth}, inputs[0], y, dy), name, ACCURACY


def _gradient(loss: Callable[[], float], array: Array, rounding: float) -> Array:
    """The derivatives by all numbers of `array`; NaN at kinks. `rounding` is the error of one value of the loss."""
    base, value = loss(), np.full(array.shape, np.nan)
    for index in np.ndindex(*array.shape):
        length = FIRST_STEP * max(1.0, abs(float(array[index])))
        found = derivative(moving(loss, array, index), base, length, rounding, _exact_enough)
        if not found.kink:
            value[index] = found.value
    return value


def _exact_enough(estimate: Estimate) -> bool:
    """Whether shorter steps are not needed, or can add nothing but rounding."""
    return estimate.error <= max(0.1 * ACCURACY * abs(estimate.value), 2 * estimate.noise)
