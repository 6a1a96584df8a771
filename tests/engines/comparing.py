"""What the tests of engines share: one comparison of all tensors of two engines, small networks, long or short runs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import ENGINES, Samples
from chainrule.shapes import Shape, product
from tests.helpers import Array
from tests.layers.rows import Row
from tests.strategies import Problem

LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
"""CI runs several times as many random examples."""
NATIVE, REFERENCE = ENGINES["native"], ENGINES["reference"]
EXACT = 1e-12
FLOAT32 = float(np.finfo(np.float32).eps)


def prepared(problem: Problem) -> Array:
    """The targets as engines take them."""
    return problem.loss.prepare_targets(problem.targets, len(problem.x), problem.net.output_shape)


def tensors(engine: str, problem: Problem, dtype: str, training: bool) -> dict[str, Array]:
    """Everything that an engine computes for a problem: trace, gradients and inference."""
    chosen, precision, targets = ENGINES[engine], np.dtype(dtype), prepared(problem)
    given = (problem.net, Samples(problem.x, targets, problem.weights), problem.loss, precision, training)
    trace, result = chosen.trace(*given), chosen.gradients(*given)
    found = {"loss of trace": np.array(trace.loss), "loss": np.array(result.loss)}
    for name, tensor in trace.items():
        found[f"value of {name}"], found[f"gradient of {name}"] = tensor.value, tensor.gradient
    found |= {f"gradient of {name} by gradients()": array for name, array in result.parameters.items()}
    found["gradient of input by gradients()"] = result.dx
    found["outputs"] = result.outputs
    found["inference"] = chosen.forward(problem.net, problem.x, precision)
    return found


def kind_of(name: str) -> str:
    return "gradient" if name.startswith("gradient") else "other"


def scales(found: dict[str, Array]) -> dict[str, float]:
    """The largest number among all values, and among all gradients. Where terms cancel, as for a bias before batch
    normalisation, a tensor's own size says nothing about the size of what was added up."""
    largest = {"gradient": 1e-300, "other": 1e-300}
    for name, array in found.items():
        largest[kind_of(name)] = max(largest[kind_of(name)], float(np.abs(array).max(initial=0)))
    return {name: largest[kind_of(name)] for name in found}


ROUNDING = 4.5
"""What one layer's rounding may come to, in units of each number's last place: an exponential's two, and a sum's."""
DOUBLE = float(np.finfo(np.float64).eps)


def rounded_otherwise(kind: type[cr.Layer], rng: np.random.Generator, epsilon: float) -> dict[str, Any]:
    """Methods for a class of layers whose every result is off by up to `ROUNDING` units."""
    usual_forward, usual_backward = kind.forward, kind.backward_input

    def off(given: Any) -> Any:
        if isinstance(given, tuple | list):
            return type(given)(off(item) for item in given)
        return given * (1 + ROUNDING * epsilon * rng.uniform(-1, 1, given.shape))

    def forward(self: cr.Layer, *arguments: Any, **options: Any) -> Any:
        y, saved = usual_forward(self, *arguments, **options)
        other = off(y)
        if isinstance(saved, tuple):
            return other, tuple(other if item is y else item for item in saved)
        return other, other if saved is y else saved

    def backward_input(self: cr.Layer, *arguments: Any, **options: Any) -> Any:
        return off(usual_backward(self, *arguments, **options))

    return {"forward": forward, "backward_input": backward_input}


def conditioning(problem: Problem, training: bool, epsilon: float = DOUBLE) -> dict[str, float]:
    """How far values and gradients move if every layer rounds otherwise: what rounding can make of these numbers, as
    where squares follow each other, or a saturated activation leaves a derivative of a last bit. Twice the most of
    three tries."""
    plain = tensors("reference", problem, "float64", training)
    moved = {"gradient": 0.0, "other": 0.0}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        with pytest.MonkeyPatch.context() as patch:
            for kind in {type(layer) for layer in problem.net.layers.values()}:
                for method, otherwise in rounded_otherwise(kind, rng, epsilon).items():
                    patch.setattr(kind, method, otherwise)
            other = tensors("reference", problem, "float64", training)
        for name, array in plain.items():
            moved[kind_of(name)] = max(moved[kind_of(name)], float(np.abs(other[name] - array).max(initial=0)))
    return {kind: 2 * most for kind, most in moved.items()}


def assert_engines_agree(problem: Problem, training: bool, rtol: float = EXACT) -> None:
    """Every tensor of the native engine equals the reference's in float64: to `rtol` of the largest, or where that is
    more than rounding leaves, to what it leaves."""
    expected = tensors("reference", problem, "float64", training)
    actual = tensors("native", problem, "float64", training)
    assert list(actual) == list(expected)
    moved: dict[str, float] | None = None
    for name, scale in scales(expected).items():
        assert actual[name].shape == expected[name].shape, name
        assert actual[name].dtype == expected[name].dtype, name
        error = float(np.abs(actual[name] - expected[name]).max(initial=0))
        if error <= rtol * scale:
            continue
        moved = moved or conditioning(problem, training)
        assert error <= moved[kind_of(name)], (
            f"{name}: differs by {error / scale:.3g} of the largest number {scale:.3g}, where rounding makes "
            f"{moved[kind_of(name)] / scale:.3g}, in {problem!r}"
        )


def assert_rounding_only(problem: Problem, training: bool) -> None:
    """In float32 the native engine is as near to float64 as the reference engine is, but for a few roundings."""
    expected = tensors("reference", problem, "float64", training)
    other = tensors("reference", problem, "float32", training)
    actual = tensors("native", problem, "float32", training)
    errors = {name: float(np.abs(other[name] - expected[name]).max(initial=0)) for name in expected}
    worst = {kind: max(e for n, e in errors.items() if n.startswith("gradient") == kind) for kind in (True, False)}
    moved: dict[str, float] | None = None
    for name, scale in scales(expected).items():
        allowed = 4 * worst[name.startswith("gradient")] + 32 * FLOAT32 * max(1.0, scale)
        error = float(np.abs(actual[name] - expected[name]).max(initial=0))
        if error > allowed:
            moved = moved or conditioning(problem, training, FLOAT32)
            allowed = max(allowed, moved[kind_of(name)])
        assert error <= allowed, f"{name}: error {error:.3g}, allowed {allowed:.3g} in {problem!r}"


# --- networks --------------------------------------------------------------------------------------------------------


def around(row: Row) -> cr.Network:
    """A small network with the row's layer inside: a layer with parameters before it, and a dense one behind."""
    x = cr.Input(row.shapes[0])
    if row.positive:
        sources = [cr.Sigmoid()(x)]
    elif len(row.shapes[0]) == 3:
        sources = [cr.Conv2d(row.shapes[0][0], shape[0], 1)(x) for shape in row.shapes]
    elif len(row.shapes[0]) == 1:
        sources = [cr.Linear(row.shapes[0][0], shape[0])(x) for shape in row.shapes]
    else:
        sources = [cr.Tanh()(x)]
    y = cr.Flatten()(row.layer(*sources))
    net = cr.Network(x, cr.Linear(y.shape[0], 3)(y), seed=5)
    rng = np.random.default_rng(6)
    net.parameters.flat[:] += 0.2 * rng.normal(size=net.parameters.flat.shape)
    net.buffers.flat[:] += 0.2 * rng.random(net.buffers.flat.shape)
    return net


def problem_of(net: cr.Network, samples: int) -> Problem:
    """A batch for `around(row)`."""
    rng = np.random.default_rng(samples)
    return Problem(
        net, rng.normal(size=(samples, *net.input_shape)), rng.integers(0, 3, samples), cr.CrossEntropyLoss()
    )


def trainable(row: Row, samples: int) -> bool:
    """Whether a batch can be trained on: batch normalisation needs two numbers of each channel."""
    normalizes = isinstance(row.layer, cr.BatchNorm1d | cr.BatchNorm2d)
    return not normalizes or samples * product(row.shapes[0][1:]) > 1


def copy_of(net: cr.Network) -> cr.Network:
    """The same layers with values of their own."""
    return net.with_values(net.parameters.copy(), net.buffers.copy())


def with_fresh_plans(problem: Problem) -> Problem:
    """The same problem for a network that no engine has seen."""
    return replace(problem, net=copy_of(problem.net))


def fitted(net: cr.Network, engine: str, x: Array, targets: Array, **options: Any) -> tuple[cr.Network, cr.History]:
    """A copy of `net`, trained."""
    made = copy_of(net)
    history = made.fit(x, targets, engine=engine, progress=False, **options)
    return made, history


def assert_trained_alike(net: cr.Network, x: Array, targets: Array, rtol: float = 1e-10, **options: Any) -> None:
    """`fit` on both engines ends with the same parameters, buffers and history."""
    ours, our_history = fitted(net, "native", x, targets, **options)
    theirs, their_history = fitted(net, "reference", x, targets, **options)
    for name, array in (*theirs.parameters.items(), *theirs.buffers.items()):
        own = ours.parameters[name] if name in ours.parameters else ours.buffers[name]
        scale = max(1.0, float(np.abs(array).max(initial=0)))
        error = float(np.abs(own - array).max(initial=0)) / scale
        assert error <= rtol, f"{name}: differs by {error:.3g} after training"
    assert our_history["accuracy"] == their_history["accuracy"]
    np.testing.assert_allclose(our_history["loss"], their_history["loss"], rtol=1e-10)


def mixed_network(shape: Shape = (2, 8, 7), outputs: int = 4) -> cr.Network:
    """A network with everything that training has states for: batch statistics, masks, shared weights, a join."""
    x = cr.Input(shape)
    stem = cr.ReLU()(cr.BatchNorm2d(3)(cr.Conv2d(shape[0], 3, 3, padding=1, bias=False)(x)))
    shared = cr.Conv2d(3, 3, 3, padding=1)
    joined = cr.Add()(stem, cr.Tanh()(shared(shared(stem))))
    h = cr.Dropout(0.3)(cr.Flatten()(cr.MaxPool2d(2)(joined)))
    net = cr.Network(x, cr.Linear(h.shape[0], outputs)(h), seed=11)
    net.parameters.flat[:] += 0.05 * np.random.default_rng(3).normal(size=net.parameters.flat.shape)
    return net
