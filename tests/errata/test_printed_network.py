"""Misprints in the worked 2-2-2 network (S0): what is printed gives other numbers than what is right."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import half_squared_error
from chainrule.equations.derivations.chain_factors import (
    hidden_delta,
    hidden_weight_factors,
    net_input,
    opposite_output_delta,
    opposite_weight_gradient,
    output_delta,
    output_weight_factors,
    set_error,
    sigmoid_forward,
    weight_gradient,
)
from tests.helpers import Array, assert_close, assert_differs

INPUT, T = np.array([0.05, 0.10]), np.array([0.01, 0.99])
W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
B1, B2 = np.array([0.35]), np.array([0.60])


def outputs(first: Array = W1, second: Array = W2) -> list[Array]:
    return sigmoid_forward([first, second], [B1, B2], INPUT)


def error(first: Array = W1) -> float:
    return set_error(outputs(first)[-1][None], T[None])


def test_ER0_02_the_printed_addends_do_not_sum_to_the_printed_total() -> None:
    assert round(0.27481103 + 0.023560026, 9) == 0.298371056
    assert round(0.274811083 + 0.023560026, 9) == 0.298371109
    assert_close("E", error(), 0.298371109, atol=5e-10)


def test_ER0_03_the_last_factor_is_a_derivative_and_not_a_quotient() -> None:
    layers = outputs()
    factors = output_weight_factors(T, layers[2], layers[1], 0, 0)
    assert_close("three factors", factors.gradient, 0.08216704056423077, rtol=1e-13)
    net_o1 = net_input(W2, layers[1], B2)[0]
    assert_differs("net_o1 / w5 as the last factor", factors.delta * net_o1 / W2[0, 0], factors.gradient)


def test_ER0_15_a_five_is_lost_in_the_second_output() -> None:
    def half(first: float, second: float) -> float:
        return ((0.01 - first) ** 2 + (0.99 - second) ** 2) / 2

    assert_close("as printed", half(0.015912196, 0.98406734), 3.5075e-05, atol=5e-10)
    assert_close("with the 5", half(0.015912196, 0.984065734), 3.508478725e-05, atol=5e-14)
    assert round(3.508478725e-05, 9) == 0.000035085


def test_ER0_16_trained_biases_give_other_numbers_than_the_printed_ones() -> None:
    layers = outputs()
    delta2 = output_delta(T, layers[2])
    delta1 = hidden_delta(delta2, W2, layers[1])
    first, second = W1 - 0.5 * weight_gradient(delta1, INPUT), W2 - 0.5 * weight_gradient(delta2, layers[1])
    trained = sigmoid_forward([first, second], [B1 - 0.5 * delta1.sum(), B2 - 0.5 * delta2.sum()], INPUT)
    assert_close("E, biases trained", set_error(trained[-1][None], T[None]), 0.2857508866992965, rtol=1e-13)
    frozen = outputs(first, second)
    assert_close("E, biases frozen", set_error(frozen[-1][None], T[None]), 0.29102777369359933, rtol=1e-13)


@pytest.mark.parametrize("w3, w4", [(0.25, 0.30), (0.05, 0.40), (0.85, 0.0)])
def test_ER0_17_only_one_combination_of_w3_and_w4_is_fixed(w3: float, w4: float) -> None:
    assert_close("0.05 w3 + 0.1 w4", 0.05 * w3 + 0.1 * w4, 0.0425, atol=1e-16)
    assert_close("E", error(np.array([[0.15, 0.20], [w3, w4]])), 0.2983711087600027, rtol=1e-13)


def test_ER0_17_w7_and_w8_follow_from_printed_numbers() -> None:
    layers = outputs()
    w7 = -0.019049119 / output_delta(T, layers[2])[1]
    assert_close("w7", w7, 0.5, atol=5e-8)
    net_o2 = np.log(0.772928465 / (1 - 0.772928465))
    assert_close("w8", (net_o2 - 0.6 - w7 * layers[1][0]) / layers[1][1], 0.55, atol=5e-8)


def test_ER0_18_one_sign_must_be_chosen_and_kept() -> None:
    layers = outputs()
    here, there = output_delta(T, layers[2]), opposite_output_delta(T, layers[2])
    assert_close("opposite", there, -here)
    right = weight_gradient(here, layers[1])
    assert_close("each with its own rule", opposite_weight_gradient(there, layers[1]), right)
    assert_differs("one rule with the other's delta", weight_gradient(there, layers[1]), right)


def test_ER0_24_the_error_sums_over_the_outputs_too() -> None:
    y, t = np.array([[0.2, 0.9], [0.4, 0.1]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert_close("E", set_error(y, t), ((t - y) ** 2).sum() / 2, rtol=1e-15)
    assert_differs("one output alone", set_error(y[:, :1], t[:, :1]), set_error(y, t), 0.005)
    assert_close("one sample is S0-E22", set_error(y[:1], t[:1]), half_squared_error(y[:1], t[:1])[0])


def test_ER1_14_the_delta_is_that_of_the_receiving_unit() -> None:
    layers = outputs()
    delta2 = output_delta(T, layers[2])
    delta1 = hidden_delta(delta2, W2, layers[1])
    assert_close("dE/dw5", weight_gradient(delta2, layers[1])[0, 0], 0.08216704056423077, rtol=1e-13)
    assert_differs("delta and out of one unit", delta1[0] * layers[1][0], 0.08216704056423077, 0.05)
    factors = hidden_weight_factors(delta2, W2, layers[1], INPUT, 0, 0)
    assert_close("dE/dw1", factors.gradient, 0.0004385677344743465, rtol=1e-12)


def test_ER4_27_a_mean_over_m_samples_has_its_factor_in_the_last_delta_alone() -> None:
    rng = np.random.default_rng(5)
    x, t, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(2, 3))
    dz = (x @ w.T - t) / 4
    step = 1e-6
    moved = w.copy()
    moved[0, 0] += step
    up = half_squared_error(x @ moved.T, t).mean()
    moved[0, 0] -= 2 * step
    down = half_squared_error(x @ moved.T, t).mean()
    assert_close("dW[0,0]", (dz.T @ x)[0, 0], (up - down) / (2 * step), atol=1e-8)
    assert_differs("1/m once more", (dz.T @ x)[0, 0] / 4, (up - down) / (2 * step), 1e-3)
