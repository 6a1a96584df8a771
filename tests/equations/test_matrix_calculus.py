"""S4's column form of the dense layer and the identities behind it; the misprinted steps do not conform or differ."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    linear_backward_bias,
    linear_backward_input,
    linear_backward_shared_bias,
    linear_backward_weight,
    linear_forward,
    sigmoid,
    sigmoid_derivative,
)
from chainrule.equations.derivations.chain_factors import descend
from chainrule.equations.derivations.matrix_calculus import (
    bias_jacobian,
    columns_backward_bias,
    columns_backward_bias_sum,
    columns_backward_input,
    columns_backward_weight,
    columns_delta_before,
    columns_forward,
    diagonal_jacobian,
    hadamard_chain,
    input_gradient_from_trace,
    input_jacobian,
    through_vec_jacobian,
    unvec,
    vec,
    vec_bias_gradient,
    vec_input_gradient,
    vec_weight_gradient,
    vec_weight_gradient_product,
    vec_weight_gradient_transposed,
    weight_jacobian,
)
from chainrule.equations.derivations.matrix_identities import IDENTITIES
from tests.helpers import Array, assert_close, assert_differs, numerical_gradient

SHAPES = [(3, 2, 4), (1, 1, 1), (4, 3, 1), (2, 5, 3)]
shapes = pytest.mark.parametrize("n, k, m", SHAPES)


def example(rng: np.random.Generator, n: int, k: int, m: int) -> tuple[Array, Array, Array, Array]:
    """W (n, k), b (n, 1), A (k, m), dZ (n, m)."""
    return rng.normal(size=(n, k)), rng.normal(size=(n, 1)), rng.normal(size=(k, m)), rng.normal(size=(n, m))


@shapes
def test_S4_E38_forward_and_its_row_form(n, k, m, rng):  # type: ignore[no-untyped-def]
    W, b, A, _ = example(rng, n, k, m)
    Z = columns_forward(W, A, b)
    for i, j in np.ndindex(n, m):
        assert abs(Z[i, j] - (sum(W[i, t] * A[t, j] for t in range(k)) + b[i, 0])) < 1e-14
    assert_close("rows", linear_forward(A.T, W, b[:, 0]).T, Z, atol=1e-14)


@shapes
def test_S4_E08_E18_E24_gradients(n, k, m, rng):  # type: ignore[no-untyped-def]
    W, b, A, dZ = example(rng, n, k, m)
    dW, db, dA = columns_backward_weight(dZ, A), columns_backward_bias(dZ), columns_backward_input(W, dZ)
    near = {"rtol": 1e-9, "atol": 1e-11}
    assert_close("dW", dW, numerical_gradient(lambda v: columns_forward(v, A, b) * dZ, W, 0.1), **near)
    assert_close("db", db, numerical_gradient(lambda v: columns_forward(W, A, v) * dZ, b, 0.1), **near)
    assert_close("dA", dA, numerical_gradient(lambda v: columns_forward(W, v, b) * dZ, A, 0.1), **near)
    assert_close("S4-E24 as a sum", columns_backward_bias_sum(dZ), db, atol=1e-14)
    assert_close("rows dW", linear_backward_weight(dZ.T, A.T), dW, atol=1e-14)
    assert_close("rows db", linear_backward_bias(dZ.T), db[:, 0], atol=1e-14)
    assert_close("rows dx", linear_backward_input(dZ.T, W), dA.T, atol=1e-14)


@shapes
def test_S4_E12_to_E17_and_X01_the_vec_forms(n, k, m, rng):  # type: ignore[no-untyped-def]
    W, _, A, dZ = example(rng, n, k, m)
    dW = columns_backward_weight(dZ, A)
    assert weight_jacobian(A, n).shape == (n * m, n * k)
    for name, form in [
        ("S4-E15", vec_weight_gradient_transposed),
        ("S4-E16", vec_weight_gradient),
        ("S4-E17", vec_weight_gradient_product),
    ]:
        assert_close(name, unvec(form(dZ, A), (n, k)), dW, atol=1e-13)
    assert_close("S4-X01", vec_bias_gradient(dZ), columns_backward_bias(dZ), atol=1e-13)
    by_jacobian = through_vec_jacobian(bias_jacobian(n, m), dZ)
    assert_close("S4-X01 by its Jacobian", by_jacobian, columns_backward_bias(dZ), atol=1e-13)
    assert_close("dA", unvec(vec_input_gradient(W, dZ), (k, m)), columns_backward_input(W, dZ), atol=1e-13)
    assert_close("S4-E07", input_gradient_from_trace(dZ, W), columns_backward_input(W, dZ), atol=1e-13)


@shapes
def test_S4_E13_E21_the_jacobians_are_those_of_the_layer(n, k, m, rng):  # type: ignore[no-untyped-def]
    W, b, A, _ = example(rng, n, k, m)

    def numerical(f, x):  # type: ignore[no-untyped-def]
        rows = [vec(numerical_gradient(lambda v, r=r: vec(f(v))[r], x, 0.1))[:, 0] for r in range(n * m)]
        return np.array(rows)

    assert_close("W", weight_jacobian(A, n), numerical(lambda v: columns_forward(v, A, b), W), atol=1e-12)
    assert_close("b", bias_jacobian(n, m), numerical(lambda v: columns_forward(W, A, v), b), atol=1e-12)
    assert_close("A", input_jacobian(W, m), numerical(lambda v: columns_forward(W, v, b), A), atol=1e-12)


@pytest.mark.parametrize("name", IDENTITIES)
@pytest.mark.parametrize("n, k, m", [(3, 2, 4), (1, 3, 2)])
def test_S4_E05_E06_E19_E23_E39_identities(name, n, k, m, rng):  # type: ignore[no-untyped-def]
    identity, words = IDENTITIES[name]
    length = {"n": n, "k": k, "m": m, "1": 1}
    left, right = identity(*(rng.normal(size=[length[letter] for letter in word]) for word in words))
    assert_close(name, left, right, atol=1e-13)


def test_vec_stacks_columns_and_unvec_undoes_it(rng: np.random.Generator) -> None:
    M = np.array([[1, 2], [3, 4]])
    assert_close("vec", vec(M), [[1], [3], [2], [4]])
    M = rng.normal(size=(3, 5))
    assert_close("unvec", unvec(vec(M), (3, 5)), M)


def test_S4_E09_E10_E11_recursion_over_two_layers(rng: np.random.Generator) -> None:
    W1, W2, Z0, T = (rng.normal(size=s) for s in ((3, 2), (4, 3), (2, 5), (4, 5)))

    def cost(Z: Array) -> float:
        return float(((sigmoid(W2 @ sigmoid(W1 @ sigmoid(Z))) - T) ** 2).sum() / 2)

    A0 = sigmoid(Z0)
    A1 = sigmoid(W1 @ A0)
    A2 = sigmoid(W2 @ A1)
    dZ2 = hadamard_chain(A2 - T, sigmoid_derivative(A2))
    dZ1 = columns_delta_before(W2, dZ2, sigmoid_derivative(A1))
    dZ0 = columns_delta_before(W1, dZ1, sigmoid_derivative(A0))
    assert_close("dZ0", dZ0, numerical_gradient(cost, Z0), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("m", [1, 3])
def test_S4_E10_ER4_05_the_diagonal_jacobian_needs_vec(m: int, rng: np.random.Generator) -> None:
    dA, slope = rng.normal(size=(4, m)), rng.normal(size=(4, m))
    by_jacobian = unvec(diagonal_jacobian(slope) @ vec(dA), (4, m))
    assert_close("diag", by_jacobian, hadamard_chain(dA, slope))
    with pytest.raises(ValueError, match="mismatch"):
        dA @ np.diag(slope[:, 0])  # the printed order: (n x m)(n x n)


def test_ER4_06_the_weight_varies_and_not_the_input(rng: np.random.Generator) -> None:
    W, A = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    dW, dA = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    assert_close("vec(dW A)", weight_jacobian(A, 3) @ vec(dW), vec(dW @ A), atol=1e-14)
    assert_differs("vec(W dA)", vec(W @ dA), weight_jacobian(A, 3) @ vec(dW))


def test_ER4_08_without_vec_the_shapes_differ(rng: np.random.Generator) -> None:
    dZ, A = rng.normal(size=(4, 5)), rng.normal(size=(3, 5))
    assert vec_weight_gradient(dZ, A).shape == (12, 1)
    assert (np.eye(4) @ dZ @ A.T).shape == (4, 3)


def test_ER4_01_against_the_gradient_and_with_a_rate() -> None:
    """J = 1.5 w², w = 1: five literal steps w - dJ/dw end at -32."""
    w = np.array(1.0)
    for _ in range(5):
        w = descend(w, 3 * w, 1.0)
    assert w == -32
    w = np.array(1.0)
    for _ in range(50):
        w = descend(w, 3 * w, 0.1)
    assert abs(w) < 1e-7


def test_S0_E20_ERX_08_one_scalar_bias_for_all_outputs(rng: np.random.Generator) -> None:
    x, weight, dy = rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), rng.normal(size=(3, 4))
    shared = np.array([0.35])
    assert_close("y", linear_forward(x, weight, shared), x @ weight.T + 0.35)
    numerical = numerical_gradient(lambda b: linear_forward(x, weight, b) * dy, shared, 0.1)
    assert_close("db", linear_backward_shared_bias(dy), numerical, rtol=1e-9)
    assert_close("no bias", linear_forward(x, weight), x @ weight.T)
