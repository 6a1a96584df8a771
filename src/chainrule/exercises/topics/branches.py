"""Normalisation, branches, dropout and radial basis functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.normalization import BatchNormProblem, DropoutProblem
from chainrule.exercises.exercise import Asked, Case, Exercise, Random, slope


def _norm(x: Array, weight: Array, dy: Array, eps: float) -> Case:
    return Case({"x": x, "weight": weight, "dy": dy, "eps": eps}, BatchNormProblem(x, weight, dy, eps))


def _norms(rng: Random) -> Iterator[Case]:
    for n, channels, rows, columns in ((3, 2, 4, 5), (1, 3, 3, 2), (5, 1, 2, 2), (6, 3, 1, 1)):
        shape = (n, channels, rows, columns)
        x = 2 * rng.normal(size=shape) + rng.normal(size=(1, channels, 1, 1))
        yield _norm(x, rng.uniform(0.5, 3, channels), rng.normal(size=shape), float(rng.choice([1e-5, 0.1])))


def _residual(x: Array, weight: Array, dy: Array) -> Case:
    """y = x + max(0, x Wᵀ)."""
    on = x @ weight.T > 0
    late, turned = dy * (x + np.where(on, x @ weight.T, 0) > 0), dy * (x @ weight > 0)
    summed = dy * (x + x @ weight.T > 0)

    def total(v: Array, w: Array) -> Array:
        return np.asarray((dy * (v + np.where(on, v @ w.T, 0))).sum())

    dx, dweight = slope(lambda v: total(v, weight), x), slope(lambda w: total(x, w), weight)
    branch = dy * on
    wrong_x = {
        "shortcut_forgotten": branch @ weight,
        "branch_forgotten": dy,
        "slope_missing": dy + dy @ weight,
        "weight_transposed": dy + branch @ weight.T,
        "mask_from_input": dy + (dy * (x > 0)) @ weight,
        "mask_from_output": [dy + late @ weight, dy + summed @ weight],
        "forward_weight_transposed": [dy + turned @ weight, dy + turned @ weight.T],
        "mask_on_the_sum": [branch + branch @ weight, (dy + dy @ weight) * on],
        "shares_multiplied": dy * (branch @ weight),
        "shortcut_through_the_weight": 2 * (branch @ weight),
        "shares_averaged": (dy + branch @ weight) / 2,
    }
    wrong_w = {
        "slope_missing": dy.T @ x,
        "mask_from_input": (dy * (x > 0)).T @ x,
        "mask_from_output": [late.T @ x, summed.T @ x],
        "forward_weight_transposed": [turned.T @ x, x.T @ turned],
        "axes_exchanged": (branch.T @ x).T,
        "gradient_instead_of_input": branch.T @ dy,
        "shortcut_in_the_weight": branch.T @ x + np.eye(len(weight)),
        "output_instead_of_input": branch.T @ (x + np.where(on, x @ weight.T, 0)),
    }
    names = {"dx": ("sample", "feature"), "dweight": ("output", "input")}
    wrong = {"dx": wrong_x, "dweight": wrong_w}
    asked = Asked({"dx": dx, "dweight": dweight}, wrong, names, divisors={"the batch size": len(x)})
    return Case({"x": x, "weight": weight, "dy": dy}, asked)


def _residuals(rng: Random) -> Iterator[Case]:
    for n, features in ((4, 3), (1, 4), (3, 1), (2, 5)):
        x, dy = rng.normal(size=(2, n, features))
        yield _residual(x, rng.normal(size=(features, features)), dy)


def _concat(a: Array, b: Array, dy: Array) -> Case:
    """y = (a, b, a + b at the end of the channels): the common part goes to both."""
    first, second, k = a.shape[1], b.shape[1], min(a.shape[1], b.shape[1])

    def total(v: Array, w: Array) -> Array:
        return np.asarray((dy * np.concatenate([v, w, v[:, :k] + w[:, :k]], axis=1)).sum())

    da, db = slope(lambda v: total(v, b), a), slope(lambda w: total(a, w), b)
    alone = {"a": dy[:, :first], "b": dy[:, first : first + second]}
    shared = dy[:, first + second :]
    swapped = {"a": dy[:, second : second + first], "b": dy[:, :second]}
    wrong = {}
    for name, part in alone.items():
        only, mixed, half = part * 0, part * 1, part * 1
        only[:, :k] = shared
        half[:, :k] += shared / 2
        late = mixed.copy()
        late[:, part.shape[1] - k :] += shared
        over = part * 1
        over[:, :k] = shared
        other = swapped[name].copy()
        other[:, :k] += shared
        wrong[f"d{name}"] = {
            "one_path_only": [part, only], "overlaps_overwritten": over, "share_halved": half, "at_the_other_end": late,
            "parts_exchanged": [swapped[name], other], "sign_of_a_path": 2 * part - (mixed + only),
        }  # fmt: skip
    names = ("sample", "channel", "row", "column")
    return Case({"a": a, "b": b, "dy": dy}, Asked({"da": da, "db": db}, wrong, {"da": names, "db": names}))


def _concats(rng: Random) -> Iterator[Case]:
    for n, first, second, rows, columns in ((2, 3, 2, 3, 2), (1, 1, 4, 2, 2), (3, 2, 2, 1, 3), (2, 4, 1, 2, 1)):
        a, b = rng.normal(size=(n, first, rows, columns)), rng.normal(size=(n, second, rows, columns))
        yield _concat(a, b, rng.normal(size=(n, first + second + min(first, second), rows, columns)))


def _dropout(mask: Array, dy: Array, p: float) -> Case:
    return Case({"mask": mask, "dy": dy, "p": p}, DropoutProblem(mask, dy, p))


def _dropouts(rng: Random) -> Iterator[Case]:
    for shape, p in (((4, 5), 0.3), ((1, 6), 0.6), ((2, 2, 3, 3), 0.25), ((3, 4), 0.0)):
        mask = (rng.random(shape) >= p).astype(float)
        mask.flat[0], mask.flat[1] = 1.0, float(p == 0)
        yield _dropout(mask, rng.normal(size=shape), p)


def _rbf(x: Array, centres: Array, dy: Array) -> Case:
    """y_o = sum_i (x_i - c_oi)²."""

    def total(v: Array, c: Array) -> Array:
        return np.asarray((dy * ((v[:, None] - c) ** 2).sum(axis=2)).sum())

    dx, dc = slope(lambda v: total(v, centres), x), slope(lambda c: total(x, c), centres)
    away = x[:, None] - centres
    wrong_x = {
        "factor_two_missing": dx / 2,
        "difference_turned_round": -dx,
        "difference_missing": 2 * np.broadcast_to(dy.sum(axis=1, keepdims=True), x.shape),
        "as_a_dense_layer": dy @ centres,
        "absolute_instead_of_square": np.einsum("no,noi->ni", dy, np.sign(away)),
        "sum_instead_of_difference": 2 * np.einsum("no,noi->ni", dy, x[:, None] + centres),
        "square_not_differentiated": [share * np.einsum("no,noi->ni", dy, away**2) for share in (1, 2)],
        "input_alone": 2 * x * dy.sum(axis=1, keepdims=True),
        "one_output_only": [2 * dy[:, [o]] * away[:, o] for o in (-1, 0)] if len(centres) > 1 else [],
    }
    wrong_c = {
        "factor_two_missing": dc / 2,
        "difference_turned_round": -dc,
        "as_a_dense_layer": dy.T @ x,
        "one_sample_only": [-2 * dy[n][:, None] * away[n] for n in (-1, 0)] if len(x) > 1 else [],
        "absolute_instead_of_square": -np.einsum("no,noi->oi", dy, np.sign(away)),
        "not_summed_over_the_batch": -2 * dy[:, :, None] * away,
        "sum_instead_of_difference": [s * np.einsum("no,noi->oi", dy, x[:, None] + centres) for s in (-2, 2)],
        "square_not_differentiated": [share * np.einsum("no,noi->oi", dy, away**2) for share in (-2, -1, 1, 2)],
        "input_alone": -2 * dy.T @ x,
    }
    names = {"dx": ("sample", "feature"), "dcentres": ("output", "feature")}
    wrong = {"dx": wrong_x, "dcentres": wrong_c}
    asked = Asked({"dx": dx, "dcentres": dc}, wrong, names, divisors={"the batch size": len(x)})
    return Case({"x": x, "centres": centres, "dy": dy}, asked)


def _rbfs(rng: Random) -> Iterator[Case]:
    for n, features, outputs in ((3, 4, 2), (1, 3, 5), (4, 1, 3), (2, 2, 1), (3, 3, 3)):
        yield _rbf(rng.normal(size=(n, features)), rng.choice([-1.0, 1.0], (outputs, features)),
                   rng.normal(size=(n, outputs)))  # fmt: skip


def _example_of_norm() -> Case:
    return _norm(
        np.array([[[[1.0]]], [[[3.0]]], [[[5.0]]]]), np.array([1.0]), np.array([[[[1.0]]], [[[0.0]]], [[[0.0]]]]), 0.0
    )


EXERCISES = (
    Exercise("batch-norm", 11, "write", "batch_norm_backward", ("dx", "dweight", "dbias"), _norms, _example_of_norm),
    Exercise("residual", 11, "write", "residual_backward", ("dx", "dweight"), _residuals,
             lambda: _residual(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, -1.0]]), np.array([[10.0, 1.0]]))),
    Exercise("concat", 11, "write", "concat_backward", ("da", "db"), _concats,
             lambda: _concat(np.zeros((1, 2, 1, 1)), np.zeros((1, 1, 1, 1)), np.arange(1.0, 5.0).reshape(1, 4, 1, 1))),
    Exercise("dropout", 11, "write", "dropout_backward", ("dx",), _dropouts,
             lambda: _dropout(np.array([[1.0, 0.0]]), np.array([[3.0, 3.0]]), 0.5)),
    Exercise("rbf", 11, "write", "rbf_backward", ("dx", "dcentres"), _rbfs,
             lambda: _rbf(np.array([[2.0, 1.0]]), np.array([[1.0, 1.0]]), np.array([[1.0]]))),
)  # fmt: skip
