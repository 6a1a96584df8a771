"""One neuron, a small graph, activation functions and losses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import chainrule.losses as losses
from chainrule.arrays import Array
from chainrule.diagnosis.activations import ActivationProblem
from chainrule.diagnosis.losses import LossProblem
from chainrule.diagnosis.upstream import Upstream
from chainrule.exercises.exercise import Asked, Case, Exercise, Named, Random, slope


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _error(x: Any, w: Any, b: Any, t: float) -> Any:
    return (_sigmoid(w * x + b) - t) ** 2 / 2


def _by(f: Any, value: float) -> float:
    """The derivative of f at a number."""
    return float(slope(lambda v: f(v[0]), np.array([value]))[0])


def _neuron(x: float, w: float, b: float, t: float) -> Case:
    right = {
        "dw": _by(lambda v: _error(x, v, b, t), w),
        "db": _by(lambda v: _error(x, w, v, t), b),
        "dx": _by(lambda v: _error(v, w, b, t), x),
    }
    z = np.array([w * x + b])
    y = float(_sigmoid(z)[0])
    above = Upstream("sigmoid", z, np.array([y - t]))
    slips = {key: float(dz[0]) for key, _, dz in above.mistakes() if key != "other_slope"}
    slips["target_not_subtracted"] = y * y * (1 - y)
    slips["slope_alone"] = y * (1 - y)
    slips["loss_instead_of_its_slope"] = (y - t) ** 2 / 2 * y * (1 - y)
    bare = float(_sigmoid(w * x))
    slips["bias_left_out"] = (bare - t) * bare * (1 - bare)
    ways = {"dw": (x, w), "db": (1.0, w), "dx": (w, x)}
    wrong: dict[str, dict[str, Any]] = {}
    for name, (right_factor, other) in ways.items():
        dz = right["db"]
        wrong[name] = {key: slip * right_factor for key, slip in slips.items()}
        wrong[name] |= {"other_factor": [dz * other, dz * x] if name == "db" else dz * other}
        if name != "db":
            wrong[name]["factor_missing"] = dz
    return Case({"x": x, "w": w, "b": b, "t": t}, Asked(right, wrong))


def _neurons(rng: Random) -> Iterator[Case]:
    for _ in range(6):
        x, w, b = (float(v) for v in rng.choice([-1, 1], 3) * rng.uniform(0.4, 1.6, 3))
        yield _neuron(x, w, b, float(rng.uniform(0, 1)))


def _signs(x: float, w: float, y: float, t: float) -> Case:
    """The signs of the three derivatives, for the bias that makes this y."""
    b = math.log(y / (1 - y)) - w * x
    values = (
        _by(lambda v: _error(x, v, b, t), w),
        _by(lambda v: _error(x, w, v, t), b),
        _by(lambda v: _error(v, w, b, t), x),
    )
    dw, db, dx = (float(np.sign(round(v, 12))) for v in values)
    wrong: dict[str, dict[str, Any]] = {
        "dw": {"sign_of_the_update": -dw, "other_factor": db * np.sign(w), "factor_missing": db},
        "db": {"sign_of_the_update": -db, "other_factor": [db * np.sign(x), db * np.sign(w)]},
        "dx": {"sign_of_the_update": -dx, "other_factor": db * np.sign(x), "factor_missing": db},
    }
    return Case({"x": x, "w": w, "y": y, "t": t}, Asked({"dw": dw, "db": db, "dx": dx}, wrong))


def _all_signs(rng: Random) -> Iterator[Case]:
    for x, w, over in ((1, 1, 1), (1, 1, -1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1), (0, 1, 1), (1, 0, -1), (1, -1, 0)):
        y = float(rng.uniform(0.3, 0.7))
        size = rng.uniform(0.5, 2, 2)
        yield _signs(float(x * size[0]), float(w * size[1]), y, y - over * float(rng.uniform(0.1, 0.3)))


def _graph(a: float, b: float, c: float) -> Case:
    """u = a b, v = u + c, w = a - c, L = v w: a and c are used twice."""

    def value(a: Any, b: Any, c: Any) -> Any:
        return (a * b + c) * (a - c)

    v, w = a * b + c, a - c
    right = {
        "da": _by(lambda s: value(s, b, c), a),
        "db": _by(lambda s: value(a, s, c), b),
        "dc": _by(lambda s: value(a, b, s), c),
    }
    wrong: dict[str, dict[str, Any]] = {
        "da": {"one_path_only": [w * b, v], "paths_multiplied": w * b * v, "sign_of_a_path": w * b - v,
               "wrong_branch": [v * b + v, w * b + w], "own_factor": [v * b + w, w * a + v]},
        "db": {"wrong_branch": v * a, "own_factor": w * b, "factor_missing": [w, a]},
        "dc": {"one_path_only": [w, -v], "paths_multiplied": -v * w, "sign_of_a_path": w + v, "own_factor": v - w},
    }  # fmt: skip
    return Case({"a": a, "b": b, "c": c}, Asked(right, wrong))


def _graphs(rng: Random) -> Iterator[Case]:
    for _ in range(5):
        yield _graph(*(float(v) for v in rng.choice([-1, 1], 3) * rng.uniform(0.5, 3, 3)))


def _activation(name: str, x: Array, dy: Array) -> Case:
    return Case({"x": x, "dy": dy}, ActivationProblem(Upstream(name, x, dy)))


def _activations(name: str) -> Any:
    def cases(rng: Random) -> Iterator[Case]:
        for shape in ((4, 5), (1, 3), (2, 3, 4, 2), (6,)):
            x = rng.normal(size=shape)
            if name == "relu":
                x = np.where(rng.random(shape) < 0.25, 0.0, x)
                x.flat[0] = 0.0
            yield _activation(name, x, rng.normal(size=shape))
        if name != "relu":  # far out the slope is nearly 0
            yield _activation(name, np.array([[-30.0, 0.5, 30.0], [0.0, -4.0, 2.0]]), rng.normal(size=(2, 3)))

    return cases


def _stalling(share: float) -> Case:
    """How many sigmoids, at their best, until less than a share of the gradient is left."""
    best = max(_by(_sigmoid, z) for z in np.linspace(-2, 2, 81))

    def layers(factor: float) -> int:
        left, count = 1.0, 0
        while left >= share:
            left, count = left * factor, count + 1
        return count

    right = layers(best)
    wrong = {"off_by_one_layer": [right - 1, right + 1], "value_instead_of_slope": layers(0.5)}
    return Case({"share": share}, Asked({"layers": right}, {"layers": wrong}))


def _stallings(rng: Random) -> Iterator[Case]:
    for power in rng.permutation(np.arange(1, 9)):
        yield _stalling(float(0.25 ** (power + rng.uniform(0.2, 0.8))))
    yield _stalling(0.25**3)  # exactly on the border


ENTROPY = losses.CrossEntropyLoss()
NAMES = ("logits", "labels")


def _loss(loss: losses.Loss, outputs: Array, targets: Any, names: tuple[str, str]) -> Case:
    prepared = loss.prepare_targets(targets, len(outputs), outputs.shape[1:])
    axes = ("sample", "class" if names == NAMES else "output")
    problem = Named(LossProblem(loss, outputs, prepared), "doutputs", f"d{names[0]}", axes)
    return Case(dict(zip(names, (outputs, targets), strict=True)), problem)


def _entropies(rng: Random) -> Iterator[Case]:
    for n, classes in ((4, 5), (1, 3), (3, 3), (5, 2)):
        yield _loss(ENTROPY, rng.normal(size=(n, classes)), rng.integers(0, classes, n), NAMES)
    large = rng.normal(size=(3, 4)) + np.array([[1000.0], [-1000.0], [0.0]])
    yield _loss(ENTROPY, large, rng.integers(0, 4, 3), NAMES)
    yield _loss(ENTROPY, rng.permuted(np.tile([1000.0, 0.0, -1000.0], (4, 1)), axis=1), rng.integers(0, 3, 4), NAMES)


def _half_squares(rng: Random) -> Iterator[Case]:
    for shape in ((4, 3), (1, 4), (5, 1), (3, 3)):
        yield _loss(losses.HalfSquaredErrorLoss(), rng.normal(size=shape), rng.normal(size=shape), ("y", "t"))


EXERCISES = (
    Exercise("neuron", 1, "write", "neuron_backward", ("dw", "db", "dx"), _neurons,
             lambda: _neuron(2.0, 0.5, -1.0, 1.0)),
    Exercise("neuron-signs", 1, "predict", "neuron_signs", ("dw", "db", "dx"), _all_signs,
             lambda: _signs(2.0, 1.0, 0.5, 0.5)),
    Exercise("graph", 2, "write", "graph_backward", ("da", "db", "dc"), _graphs, lambda: _graph(2.0, 3.0, 1.0)),
    *(
        Exercise(name, 4, "write", f"{name}_backward", ("dx",), _activations(name),
                 lambda name=name: _activation(name, np.array([[-1.0, 0.0, 2.0]]), np.array([[1.0, 1.0, 1.0]])))  # type: ignore[misc]
        for name in ("sigmoid", "tanh", "relu")
    ),
    Exercise("stalling", 4, "predict", "layers_until", ("layers",), _stallings, lambda: _stalling(0.9)),
    Exercise("cross-entropy", 5, "write", "cross_entropy_backward", ("dlogits",), _entropies,
             lambda: _loss(ENTROPY, np.array([[0.0, 0.0]]), np.array([1]), NAMES)),
    Exercise("half-squared-error", 5, "write", "half_squared_error_backward", ("dy",), _half_squares,
             lambda: _loss(losses.HalfSquaredErrorLoss(), np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]), ("y", "t"))),
)  # fmt: skip
