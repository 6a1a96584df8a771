"""Dense layers: scalar sums, one shared bias, vec and Kronecker, and the order of gradient and update."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.dense import LinearProblem
from chainrule.exercises.exercise import Asked, Case, Exercise, Random, slope

SIZES = ((3, 4, 2), (1, 3, 4), (5, 1, 3), (2, 3, 1), (4, 3, 3))
"""(batch, inputs, outputs): a batch of one, one input, one output, a square weight."""


def _layer(x: Array, weight: Array, dy: Array, *, shared: bool = False) -> Case:
    problem = LinearProblem(x, weight, dy, shared)
    return Case({"dy": dy} if shared else {"x": x, "weight": weight, "dy": dy}, problem)


def _random(rng: Random, n: int, inputs: int, outputs: int) -> tuple[Array, Array, Array]:
    return rng.normal(size=(n, inputs)), rng.normal(size=(outputs, inputs)), rng.normal(size=(n, outputs))


def _dense(rng: Random) -> Iterator[Case]:
    for sizes in SIZES:
        yield _layer(*_random(rng, *sizes))


def _shared(rng: Random) -> Iterator[Case]:
    for sizes in SIZES:
        yield _layer(*_random(rng, *sizes), shared=True)


EXAMPLE = (np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[1.0, -1.0], [2.0, 0.0], [0.0, 4.0]]), np.eye(2, 3))


def _kronecker(a: Array, outputs: int) -> Case:
    """Z = W A; column-major vec. The Jacobian is made of unit matrices, one for each weight."""
    inputs = len(a)
    right = np.stack([(unit @ a).ravel("F") for unit in _units(outputs, inputs)], axis=1)
    eye = np.eye(outputs)
    wrong = {
        "row_major_vec": [np.kron(eye, a.T), right[_rows_first(outputs, a.shape[1])]],
        "factor_not_transposed": [np.kron(a, eye), np.kron(eye, a)],
        "jacobian_transposed": right.T,
    }
    axes = {"jacobian": ("entry of vec Z", "entry of vec W")}
    return Case({"a": a, "outputs": outputs}, Asked({"jacobian": right}, {"jacobian": wrong}, axes))


def _units(rows: int, columns: int) -> Iterator[Array]:
    """The unit matrices in column-major order."""
    for column in range(columns):
        for row in range(rows):
            unit = np.zeros((rows, columns))
            unit[row, column] = 1
            yield unit


def _rows_first(rows: int, columns: int) -> Array:
    """Where the entries of a row-major vec stand in a column-major one."""
    return np.arange(rows * columns).reshape(rows, columns, order="F").ravel()


def _kroneckers(rng: Random) -> Iterator[Case]:
    for inputs, samples, outputs in ((3, 2, 2), (1, 3, 2), (2, 1, 3), (3, 4, 1), (3, 3, 3)):
        yield _kronecker(rng.normal(size=(inputs, samples)), outputs)


def _bias_kronecker(outputs: int, samples: int) -> Case:
    """Z = W A + b 1ᵀ: the Jacobian of vec Z by b, from unit vectors (the sources' reader exercise)."""
    ones = np.ones((1, samples))
    right = np.stack([(unit[:, None] @ ones).ravel("F") for unit in np.eye(outputs)], axis=1)
    wrong = {
        "row_major_vec": np.kron(np.eye(outputs), ones.T),
        "jacobian_transposed": right.T,
        "all_ones": np.ones_like(right),
    }
    axes = {"jacobian": ("entry of vec Z", "entry of b")}
    return Case({"outputs": outputs, "samples": samples}, Asked({"jacobian": right}, {"jacobian": wrong}, axes))


def _bias_kroneckers(rng: Random) -> Iterator[Case]:
    for outputs, samples in ((2, 3), (1, 4), (3, 1), (3, 3), (int(rng.integers(2, 6)), int(rng.integers(6, 9)))):
        yield _bias_kronecker(outputs, samples)


def _step(x: Array, w1: Array, w2: Array, t: Array, rate: float) -> Case:
    """One step of y = sigmoid(W2 sigmoid(W1 x)), E = 1/2 |y - t|²; the gradients come from complex numbers."""

    def sigmoid(z: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-z)))

    def error(first: Array, second: Array) -> Array:
        y = sigmoid(second @ sigmoid(first @ x))
        return np.asarray(((y - t) ** 2).sum() / 2)

    d1, d2 = slope(lambda v: error(v, w2), w1), slope(lambda v: error(w1, v), w2)
    y, h = sigmoid(w2 @ sigmoid(w1 @ x)), sigmoid(w1 @ x)
    dh = (w2 - rate * d2).T @ ((y - t) * y * (1 - y))
    late = np.outer(dh * h * (1 - h), x)
    dy, dz = y - t, (y - t) * y * (1 - y)
    unsloped = [np.outer(w2.T @ v * s, x) for v, s in ((dy, h * (1 - h)), (dz, np.ones_like(h)))]
    new = {"w1": w1 - rate * d1, "w2": w2 - rate * d2}
    wrong = {
        "w1": {
            "updated_weights": w1 - rate * late,
            "slope_of_the_output_missing": w1 - rate * unsloped[0],
            "slope_of_the_hidden_missing": w1 - rate * unsloped[1],
            "updated_first": w1 - rate * slope(lambda v: error(v, w2 - rate * d2), w1),
            **_of_step(w1, d1, rate),
        },
        "w2": {
            "slope_of_the_output_missing": w2 - rate * np.outer(dy, h),
            "updated_first": w2 - rate * slope(lambda v: error(w1 - rate * d1, v), w2),
            **_of_step(w2, d2, rate),
        },
    }
    arguments = {"x": x, "w1": w1, "w2": w2, "t": t, "learning_rate": rate}
    names = ("row", "column")
    return Case(arguments, Asked(new, wrong, {"w1": names, "w2": names}))


def _of_step(w: Array, dw: Array, rate: float) -> dict[str, Array]:
    return {"uphill": w + rate * dw, "not_updated": w, "rate_forgotten": w - dw, "gradient_not_step": dw}


def _steps(rng: Random) -> Iterator[Case]:
    for inputs, hidden, outputs in ((2, 2, 2), (3, 4, 1), (1, 3, 2), (4, 1, 3)):
        weights = rng.normal(size=(hidden, inputs)), rng.normal(size=(outputs, hidden))
        yield _step(rng.normal(size=inputs), *weights, rng.uniform(size=outputs), float(rng.uniform(0.3, 0.9)))


EXERCISES = (
    Exercise(
        "dense", 3, "write", "dense_backward", ("dx", "dweight", "dbias"), _dense, lambda: _layer(*EXAMPLE)
    ),
    Exercise(
        "shared-bias", 3, "write", "shared_bias_gradient", ("dbias",), _shared,
        lambda: _layer(np.ones((2, 1)), np.ones((2, 1)), np.array([[1.0, 2.0], [3.0, 5.0]]), shared=True),
    ),
    Exercise(
        "kronecker", 3, "matrix", "weight_jacobian", ("jacobian",), _kroneckers,
        lambda: _kronecker(np.array([[5.0], [7.0]]), 2),
    ),
    Exercise(
        "bias-kronecker", 3, "matrix", "bias_jacobian", ("jacobian",), _bias_kroneckers, lambda: _bias_kronecker(1, 3)
    ),
    Exercise(
        "early-update-bug", 3, "bug", "train_step", ("w1", "w2"), _steps,
        lambda: _step(np.array([0.05, 0.1]), np.array([[0.15, 0.2], [0.25, 0.3]]), np.array([[0.4, 0.45], [0.5, 0.55]]),
                      np.array([0.01, 0.99]), 0.5),
    ),
)  # fmt: skip
