"""Networks without convolutions: a plain classifier, and the network that S0 computes by hand."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.layers import Flatten, Layer, Linear, ReLU, Sigmoid
from chainrule.losses import HalfSquaredErrorLoss
from chainrule.network import Network, Sequential
from chainrule.shapes import product


def mlp(
    input_shape: Sequence[int] = (1, 28, 28), hidden: Sequence[int] = (256, 128), classes: int = 10, seed: int = 0
) -> Network:
    """Flatten, dense layers with ReLU between them, `classes` outputs: 784-256-128-10 unless told otherwise."""
    layers: list[Layer] = [] if len(input_shape) == 1 else [Flatten()]
    width = product(tuple(input_shape))
    for features in hidden:
        layers += [Linear(width, features), ReLU()]
        width = features
    return Sequential(*layers, Linear(width, classes), input_shape=input_shape, seed=seed)


def two_two_two() -> Network:
    """The 2-2-2 network of S0 with its printed weights and one bias per layer (W01).

    W1 = [[w1, w2], [w3, w4]], W2 = [[w5, w6], [w7, w8]]; input (0.05, 0.10), targets (0.01, 0.99), learning rate 0.5.
    S0 leaves the biases as they are: `net.freeze("*.bias")`.
    """
    net = Sequential(Linear(2, 2, bias="shared"), Sigmoid(), Linear(2, 2, bias="shared"), Sigmoid())
    net.parameters["linear1.weight"] = [[0.15, 0.20], [0.25, 0.30]]
    net.parameters["linear1.bias"] = [0.35]
    net.parameters["linear2.weight"] = [[0.40, 0.45], [0.50, 0.55]]
    net.parameters["linear2.bias"] = [0.60]
    net.loss = HalfSquaredErrorLoss()
    return net
