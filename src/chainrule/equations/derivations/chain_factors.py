"""The chain rule in a dense sigmoid network, factor by factor, as S0 writes it.

One sample. `weights[l]` (out, in), `biases[l]` (out,) or (1,) for S0's single scalar; `outputs[0]` are the
inputs. delta = dE/dnet throughout; the opposite sign that some papers use has functions of its own (S0-E28,
ER0-18). Indices start at 0. Deltas are computed with the weights of the forward pass: all gradients first,
then the update (S0-A02, ER0-14).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid, sigmoid_derivative
from chainrule.equations.losses import half_squared_error, half_squared_error_gradient


class ChainFactors(NamedTuple):
    """dE/dw = dE/dout * dout/dnet * dnet/dw for one weight (S0-E23, S0-E30)."""

    dE_dout: float  # noqa: N815  the names of the equation
    dout_dnet: float
    dnet_dw: float

    @property
    def delta(self) -> float:
        """dE/dnet, the first two factors."""
        return self.dE_dout * self.dout_dnet

    @property
    def gradient(self) -> float:
        """dE/dw, the product of all three (a product, not a sum: ER0-10)."""
        return self.delta * self.dnet_dw


def net_input(weight: Array, out_before: Array, bias: Array) -> Array:
    """net_h = sum_i w_hi i_i + b * 1 (S0-E20)."""
    return weight @ out_before + bias


def sigmoid_output(weight: Array, out_before: Array, bias: Array) -> Array:
    """out = sigma(net), for each output sigma(theta . x + b) on a flattened x (S0-E21, S3-E09, ER3-10)."""
    return sigmoid(net_input(weight, out_before, bias))


def sigmoid_forward(weights: list[Array], biases: list[Array], inputs: Array) -> list[Array]:
    """The outputs of all layers, inputs first: out = sigma(net) (S0-E20, S0-E21)."""
    outputs = [inputs]
    for weight, bias in zip(weights, biases, strict=True):
        outputs.append(sigmoid_output(weight, outputs[-1], bias))
    return outputs


def set_error(outputs: Array, targets: Array) -> float:
    """E = 1/2 sum_p sum_k (t_pk - a_pk)² over a training set (S0-E06, ER0-24). (P, K) each."""
    return float(half_squared_error(outputs, targets).sum())


def output_delta(target: Array, out: Array) -> Array:
    """delta_o = -(target_o - out_o) out_o (1 - out_o) (S0-E27)."""
    return half_squared_error_gradient(out, target) * sigmoid_derivative(out)


def consumer_contributions(delta_after: Array, weight_after: Array) -> Array:
    """c[o, h] = dE_o/dout_h = dE_o/dnet_o * dnet_o/dout_h = delta_o w_oh (S0-E32)."""
    return delta_after[:, None] * weight_after


def output_slope(delta_after: Array, weight_after: Array) -> Array:
    """dE/dout_h = sum_o dE_o/dout_h: a sum over all that consume the output (S0-E31)."""
    result: Array = consumer_contributions(delta_after, weight_after).sum(axis=0)
    return result


def hidden_delta(delta_after: Array, weight_after: Array, out: Array) -> Array:
    """delta_h = (sum_o delta_o w_oh) out_h (1 - out_h) (S0-E34)."""
    return output_slope(delta_after, weight_after) * sigmoid_derivative(out)


def weight_gradient(delta: Array, out_before: Array) -> Array:
    """dE/dw_ji = delta_j out_i: delta of the receiving unit times out of the sending one (S0-E27, S0-E34,
    S2-E10, S2-E11, S3-E10, S3-E11; ER1-14)."""
    return np.outer(delta, out_before)


def opposite_output_delta(target: Array, out: Array) -> Array:
    """delta_o = (target_o - out_o) out_o (1 - out_o): the other sign convention (S0-E28)."""
    return (target - out) * sigmoid_derivative(out)


def opposite_weight_gradient(delta: Array, out_before: Array) -> Array:
    """dE/dw_ji = -delta_j out_i with the other sign convention (S0-E28)."""
    return -np.outer(delta, out_before)


def output_weight_factors(target: Array, out: Array, out_before: Array, unit: int, source: int) -> ChainFactors:
    """The three factors of dE/dw from unit `source` to the output `unit` (S0-E23..E26)."""
    dE_dout = half_squared_error_gradient(out, target)
    return ChainFactors(float(dE_dout[unit]), float(sigmoid_derivative(out)[unit]), float(out_before[source]))


def hidden_weight_factors(
    delta_after: Array, weight_after: Array, out: Array, out_before: Array, unit: int, source: int
) -> ChainFactors:
    """The three factors of dE/dw into the hidden `unit` (S0-E30..E33): the first sums over the units after it."""
    dE_dout = output_slope(delta_after, weight_after)
    return ChainFactors(float(dE_dout[unit]), float(sigmoid_derivative(out)[unit]), float(out_before[source]))


def sigmoid_backward(weights: list[Array], outputs: list[Array], target: Array) -> list[Array]:
    """delta of every layer, first layer first: S0-E35's recursion to any depth, from the last layer back."""
    deltas = [output_delta(target, outputs[-1])]
    for weight_after, out in zip(reversed(weights[1:]), reversed(outputs[1:-1]), strict=True):
        deltas.insert(0, hidden_delta(deltas[0], weight_after, out))
    return deltas


def weight_gradients(deltas: list[Array], outputs: list[Array]) -> list[Array]:
    """dE/dw of every layer: dE/da * da/dnet * dnet/dw_ij, neuron i, incoming weight j (S0-E35)."""
    return [weight_gradient(delta, before) for delta, before in zip(deltas, outputs[:-1], strict=True)]


def descend(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """w+ = w - eta dE/dw (S0-E29, S1-A01, S3-E12, S4-E01, S4-E02; against the gradient, with a rate: ER4-01,
    ERX-02)."""
    return parameter - learning_rate * gradient
