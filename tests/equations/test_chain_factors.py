"""S0's chain rule factor by factor, to any depth, in both sign conventions; and its misprinted numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from chainrule.equations.derivations.chain_factors import (
    consumer_contributions,
    descend,
    hidden_delta,
    hidden_weight_factors,
    net_input,
    opposite_output_delta,
    opposite_weight_gradient,
    output_delta,
    output_slope,
    output_weight_factors,
    set_error,
    sigmoid_backward,
    sigmoid_forward,
    weight_gradient,
    weight_gradients,
)
from tests.helpers import Array, assert_close, numerical_gradient

INPUT, T = np.array([0.05, 0.10]), np.array([0.01, 0.99])
W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
B1, B2 = np.array([0.35]), np.array([0.60])


def deep(rng: np.random.Generator, *sizes: int) -> tuple[list[Array], list[Array], Array, Array]:
    """Weights, biases, inputs and targets of a network of these layer sizes."""
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return weights, [rng.normal(size=s) for s in sizes[1:]], rng.normal(size=sizes[0]), rng.uniform(size=sizes[-1])


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 4), (1, 1, 1), (4, 3, 5, 2, 3)])
def test_S0_E35_gradients_at_any_depth(sizes: tuple[int, ...], rng: np.random.Generator) -> None:
    weights, biases, inputs, target = deep(rng, *sizes)
    outputs = sigmoid_forward(weights, biases, inputs)
    deltas = sigmoid_backward(weights, outputs, target)
    for layer, gradient in enumerate(weight_gradients(deltas, outputs)):

        def with_weight(w: Array, layer: int = layer) -> float:
            changed = [*weights[:layer], w, *weights[layer + 1 :]]
            return set_error(sigmoid_forward(changed, biases, inputs)[-1][None], target[None])

        def with_bias(b: Array, layer: int = layer) -> float:
            changed = [*biases[:layer], b, *biases[layer + 1 :]]
            return set_error(sigmoid_forward(weights, changed, inputs)[-1][None], target[None])

        numerical = numerical_gradient(with_weight, weights[layer])
        assert_close(f"dE/dw of layer {layer}", gradient, numerical, rtol=1e-7, atol=1e-9)
        assert_close(f"delta of layer {layer}", deltas[layer], numerical_gradient(with_bias, biases[layer]), 1e-7, 1e-9)


def test_S0_E23_E30_the_three_factors_multiply_to_the_gradient(rng: np.random.Generator) -> None:
    weights, biases, inputs, target = deep(rng, 3, 4, 2)
    outputs = sigmoid_forward(weights, biases, inputs)
    deltas = sigmoid_backward(weights, outputs, target)
    first, second = weight_gradients(deltas, outputs)
    for unit, source in np.ndindex(2, 4):
        factors = output_weight_factors(target, outputs[2], outputs[1], unit, source)
        assert_close("product", factors.gradient, second[unit, source], rtol=1e-14)
        assert_close("delta", factors.delta, deltas[1][unit], rtol=1e-14)
        assert factors.dnet_dw == outputs[1][source]
    for unit, source in np.ndindex(4, 3):
        factors = hidden_weight_factors(deltas[1], weights[1], outputs[1], outputs[0], unit, source)
        assert_close("product", factors.gradient, first[unit, source], rtol=1e-14)
        assert_close("delta", factors.delta, deltas[0][unit], rtol=1e-14)
        assert factors.dnet_dw == inputs[source]


def test_S0_E28_both_sign_conventions_give_one_gradient(rng: np.random.Generator) -> None:
    target, out, before = rng.uniform(size=3), rng.uniform(size=3), rng.uniform(size=4)
    assert_close("delta", opposite_output_delta(target, out), -output_delta(target, out))
    opposite = opposite_weight_gradient(opposite_output_delta(target, out), before)
    assert_close("gradient", opposite, weight_gradient(output_delta(target, out), before))


def test_S0_E31_E32_a_node_collects_from_all_its_consumers(rng: np.random.Generator) -> None:
    delta, weight = rng.normal(size=3), rng.normal(size=(3, 2))
    contributions = consumer_contributions(delta, weight)
    for o, h in np.ndindex(3, 2):
        assert contributions[o, h] == delta[o] * weight[o, h]
    assert_close("dE/dout_h", output_slope(delta, weight), contributions[0] + contributions[1] + contributions[2])


def test_S0_E06_the_error_of_a_set_is_the_sum_over_samples_and_outputs() -> None:
    outputs, targets = np.array([[1.0, 2], [3, 4]]), np.array([[0.0, 0], [1, 1]])
    assert set_error(outputs, targets) == (1 + 4 + 4 + 9) / 2


def s0() -> tuple[list[Array], list[Array]]:
    """Outputs and deltas of S0's network."""
    outputs = sigmoid_forward([W1, W2], [B1, B2], INPUT)
    return outputs, sigmoid_backward([W1, W2], outputs, T)


def test_S0_E20_to_E35_the_printed_network() -> None:
    """The numbers of W01 that one forward and one backward pass make."""
    outputs, deltas = s0()
    near = {"rtol": 1e-13, "atol": 1e-15}
    assert_close("net_h", net_input(W1, INPUT, B1), [0.3775, 0.39249999999999996], **near)
    assert_close("out_h", outputs[1], [0.5932699921071872, 0.596884378259767], **near)
    assert_close("out_o", outputs[2], [0.7513650695523157, 0.7729284653214625], **near)
    assert_close("E_total", set_error(outputs[2][None], T[None]), 0.2983711087600027, **near)
    assert_close("delta_o", deltas[1], [0.13849856162855695, -0.038098236516556236], **near)
    contributions = [[0.05539942465142278, 0.06232435273285063], [-0.019049118258278118, -0.020954030084105933]]
    assert_close("dE_o/dout_h", consumer_contributions(deltas[1], W2), contributions, **near)
    assert_close("dE/dout_h", output_slope(deltas[1], W2), [0.03635030639314466, 0.0413703226487447], **near)
    assert_close("delta_h", deltas[0], [0.00877135468948693, 0.009954254705217196], **near)
    first, second = weight_gradients(deltas, outputs)
    assert_close("dE/dw1..w4", first.ravel(), [0.0004385677344743465, 0.000877135468948693, 0.0004977127352608599,
                                              0.0009954254705217198], **near)  # fmt: skip
    assert_close("dE/dw5..w8", second.ravel(), [0.08216704056423077, 0.08266762784753325, -0.02260254047747507,
                                               -0.022740242215978222], **near)  # fmt: skip
    assert_close("w1+", descend(W1, first, 0.5)[0, 0], 0.1497807161327628, **near)
    factors = output_weight_factors(T, outputs[2], outputs[1], 0, 0)
    assert_close("S0-E23", factors, [0.7413650695523157, 0.18681560180895948, 0.5932699921071872], **near)
    factors = hidden_weight_factors(deltas[1], W2, outputs[1], INPUT, 0, 0)
    assert_close("S0-E30", factors, [0.03635030639314466, 0.24130070857232525, 0.05], **near)


def test_ER0_01_the_printed_sample_gives_another_error() -> None:
    outputs = sigmoid_forward([W1, W2], [B1, B2], np.array([0.05, 0.01]))
    assert_close("net_h1", net_input(W1, np.array([0.05, 0.01]), B1)[0], 0.3595, atol=1e-15)
    assert_close("E", set_error(outputs[-1][None], T[None]), 0.29794398887966267, rtol=1e-13)


def test_ER0_06_subtracting_the_weight_is_no_descent() -> None:
    outputs, deltas = s0()
    w5 = W2[0, 0]
    assert descend(w5, w5, 0.5) == 0.2
    assert_close("w5+", descend(w5, weight_gradient(deltas[1], outputs[1])[0, 0], 0.5), 0.35891647971788465, rtol=1e-13)


def test_ER0_07_the_printed_value_is_delta_o1_and_not_dE_dnet_h1() -> None:
    outputs, deltas = s0()
    through_o1 = consumer_contributions(deltas[1], W2)[0, 0] * outputs[1][0] * (1 - outputs[1][0])
    assert_close("true dE_o1/dnet_h1", through_o1, 0.013367920422887458, rtol=1e-13)
    assert_close("printed as dE_o1/dnet_h1", 0.138498562, deltas[1][0], atol=5e-10)


def test_ER0_08_the_last_printed_digit() -> None:
    exact = consumer_contributions(s0()[1][1], W2)[1, 0]
    assert round(float(exact), 9) == -0.019049118
    assert round(round(float(s0()[1][1][1]), 9) / 2, 10) == -0.0190491185  # the printed -0.019049119 rounds this


def test_ER0_09_ER0_10_ER0_11_misprinted_factors() -> None:
    assert_close("ER0-09 as printed", 0.59326999 * (1 - 0.59356999), 0.24112272796839992, rtol=1e-15)
    assert_close("ER0-09 corrected", 0.59326999 * (1 - 0.59326999), 0.2413007089653999, rtol=1e-15)
    assert_close("ER0-11 as printed", 0.036360306 * 0.241300709 * 0.05, 0.00043868838, atol=5e-12)
    assert_close("ER0-11 corrected", 0.036350306 * 0.241300709 * 0.05, 0.00043856773, atol=5e-12)
    assert 0.036350306 + 0.241300709 + 0.05 > 0.3  # ER0-10: the items are multiplied, not summed


def test_ER0_13_the_gradient_of_w2_takes_i2() -> None:
    outputs, deltas = s0()
    gradient = weight_gradient(deltas[0], outputs[0])
    assert_close("dE/dw2", gradient[0, 1], deltas[0][0] * INPUT[1])
    assert_close("dE/dw2", gradient[0, 1], 0.000877135468948693, rtol=1e-13)


def test_ER0_14_the_hidden_delta_takes_the_weights_of_the_forward_pass() -> None:
    outputs, deltas = s0()
    updated = descend(W2, weight_gradient(deltas[1], outputs[1]), 0.5)
    sequential = hidden_delta(deltas[1], updated, outputs[1])
    assert_close("with updated w5..w8", sequential, [0.007294457551881869, 0.008472592089352561], rtol=1e-13)
    assert_close("w1+ would be", W1[0, 0] - 0.5 * sequential[0] * INPUT[0], 0.14981763856120295, rtol=1e-13)
    assert_close("with the original", deltas[0], [0.00877135468948693, 0.009954254705217196], rtol=1e-13)
