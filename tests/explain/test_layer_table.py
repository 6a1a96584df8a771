"""Every layer has local terms, and they give its backward and forward numbers for every option in the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.local import LOCAL, local_terms
from chainrule.explain.local.numeric import NumericTerms
from chainrule.explain.terms import Evaluation, Use
from chainrule.graph import Step
from chainrule.layers import LAYERS
from chainrule.shapes import product
from tests.helpers import Array, assert_close
from tests.layers.rows import IDS, ROWS, Row

MOST = 6
"""Elements of each array that are looked at."""


def test_every_layer_of_the_package_has_local_terms() -> None:
    assert set(LOCAL) == set(LAYERS.values())
    assert not any(isinstance(local, NumericTerms) for local in LOCAL.values())


def make_use(row: Row) -> tuple[Use, list[Array], dict[str, Array]]:
    """A use of the row's layer, with its input gradients and parameter gradients from its own backward pass."""
    values, xs, dy = row.arrays()
    y, saved = row.layer.forward(values, *xs, context=row.context())
    dx = row.layer.backward_input(values, dy, saved)
    inputs = list(dx) if isinstance(dx, tuple) else [dx]
    step = Step(2, "layer", row.layer, "layer", tuple(range(len(xs))), y.shape[1:], row.shapes)
    names = tuple(f"x{i}" for i in range(len(xs)))
    use = Use(step, names, values, tuple(xs), y, dy, row.context(), len(dy) > 1)
    return use, inputs, row.layer.backward_parameters(values, dy, saved)


def some_indices(array: Array, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """The first, the last and some random elements."""
    flat = {0, array.size - 1, *(int(k) for k in rng.integers(0, array.size, MOST))}
    return [tuple(int(i) for i in np.unravel_index(k, array.shape)) for k in sorted(flat)]


def total(answer: Any) -> float:
    """What local terms add up to."""
    if isinstance(answer, Evaluation):
        return answer.result
    return float(sum(terms.products.sum() for terms in answer))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_local_terms_add_up_to_the_layers_own_numbers(row: Row) -> None:
    use, inputs, parameters = make_use(row)
    local, rng = local_terms(row.layer), np.random.default_rng(0)
    for which, dx in enumerate(inputs):
        for index in some_indices(dx, rng):
            assert_close(f"dx{which}{list(index)}", total(local.input(use, which, index)), dx[index], 1e-11, 1e-12)
    for own, gradient in parameters.items():
        for index in some_indices(gradient, rng):
            found = total(local.parameter(use, own, index))
            assert_close(f"d{own}{list(index)}", found, gradient[index], 1e-11, 1e-12)
    for index in some_indices(use.y, rng):
        assert_close(f"y{list(index)}", total(local.value(use, index)), use.y[index], 1e-11, 1e-12)


@pytest.mark.parametrize("row", ROWS[::7], ids=IDS[::7])
def test_the_numeric_terms_of_unknown_layers_agree_with_the_written_ones(row: Row) -> None:
    use, inputs, parameters = make_use(row)
    if product(use.y.shape) > 60:
        return
    local, rng = NumericTerms(), np.random.default_rng(0)
    index = some_indices(inputs[0], rng)[-1]
    assert_close("dx", total(local.input(use, 0, index)), inputs[0][index], 1e-10, 1e-12)
    for own, gradient in parameters.items():
        index = some_indices(gradient, rng)[0]
        assert_close(own, total(local.parameter(use, own, index)), gradient[index], 1e-10, 1e-12)


class Squares(cr.Layer):
    """A user's own layer: y = w x²."""

    def output_shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        return shapes[0]

    def parameter_shapes(self, *shapes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"weight": shapes[0]}

    def initialize(self, rng: np.random.Generator, *shapes: tuple[int, ...]) -> dict[str, Array]:
        return {"weight": rng.normal(size=shapes[0])}

    def forward(self, parameters: Any, *xs: Array, context: cr.Context) -> tuple[Array, Array]:
        return parameters["weight"] * xs[0] ** 2, xs[0]

    def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
        return dy * parameters["weight"] * 2 * saved

    def backward_parameters(self, parameters: Any, dy: Array, saved: Array) -> dict[str, Array]:
        return {"weight": (dy * saved**2).sum(axis=0)}


def test_a_layer_of_the_users_own_is_explained_by_its_backward_pass_and_says_so() -> None:
    net = cr.Sequential(cr.Linear(3, 4), Squares(), cr.Linear(4, 2))
    x, targets = np.random.default_rng(0).normal(size=(2, 3)), np.array([0, 1])
    for of in ("linear1.weight[2,1]", "squares1.weight[3]", "input[1]"):
        derivation = cr.explain(net, x, targets, cr.CrossEntropyLoss(), of=of, sample=1)
        assert derivation.value == pytest.approx(derivation.engine_value, rel=1e-12)
        assert "Squares has no local terms of its own" in derivation.text(width=10**4)
    assert "Squares 没有自己的局部项" in derivation.text(lang="zh", width=10**4)


def test_a_backward_pass_that_is_not_linear_in_dy_is_refused() -> None:
    class Wrong(Squares):
        def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
            return dy**2

    net = cr.Sequential(cr.Linear(3, 4), Wrong(), cr.Linear(4, 2))
    with pytest.raises(cr.errors.EngineError, match="must have backward passes that are linear in dy"):
        cr.explain(net, np.ones((1, 3)), np.array([0]), cr.CrossEntropyLoss(), of="linear1[0]")
