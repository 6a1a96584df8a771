"""Five ideas, each in one small network: why the kernel turns around, winners, dead units, means, and shortcuts."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.derivations.convolution_matrix import convolution_matrix
from chainrule.explain.blocks import Block, Text
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples.convolutions import Rows, explained, one_kernel, targets_for, traced
from chainrule.explain.examples.story import by_hand
from chainrule.explain.messages import say
from chainrule.graph import Input
from chainrule.layers import Add, AvgPool2d, BatchNorm1d, Layer, LeakyReLU, Linear, MaxPool2d, ReLU
from chainrule.network import Network, Sequential


def rotate() -> list[Block | Derivation]:
    """One 3x3 map and one 2x2 kernel: sums, a matrix and an adjoint give the same rotated kernel."""
    x, kernel = np.arange(1.0, 10).reshape(1, 1, 3, 3), np.array([[1.0, 2], [3, 4]])
    one, delta = np.array([[1.0, 0], [0, 0]]), np.array([[1.0, 2], [3, 4]])
    net = one_kernel((1, 3, 3), kernel)
    targets = targets_for(net, x, delta)
    trace = traced(net, x, targets)
    alone = traced(net, x, targets_for(net, x, one))["input"].gradient[0, 0]
    dx, y = trace["input"].gradient[0, 0], trace["conv1"].value[0, 0]
    matrix = convolution_matrix(kernel[None, None], (3, 3))
    beside = np.pad(delta, 1)[1:3, 1:3]
    rows: Rows = [
        ("1", "∂L/∂input, δ = [[1,0],[0,0]]", [[1, 2, 0], [3, 4, 0], [0, 0, 0]], alone),
        ("2", "1·4 + 2·3 + 3·2 + 4·1", 20, dx[1, 1]),
        ("3", "∂L/∂input", [[1, 4, 4], [6, 20, 16], [9, 24, 16]], dx),
        ("4", "Mᵀ δ", [1, 4, 4, 6, 20, 16, 9, 24, 16], matrix.T @ delta.ravel()),
        ("5", "δ · conv1", 640, (delta * y).sum()),
        ("6", "∂L/∂input · input", 640, (dx * x).sum()),
        ("7", "1·1 + 2·2 + 3·3 + 4·4", 30, (beside * kernel).sum()),
    ]
    asked = explained(net, x, targets, "input[0,1,1]", "conv1.weight[0,0,0,0]", terms=9, breadth=1)
    return [
        Text(say("rotate_intro")),
        by_hand(rows),
        Text(say("rotate_end")),
        Text(say("derivations_follow")),
        *asked,
    ]


def winner() -> list[Block | Derivation]:
    """Overlapping windows with ties: maximum and mean of the same map."""
    x = np.array([[[[1.0, 3, 3], [0, 2, 1], [5, 5, 4]]]])
    delta = np.array([[1.0, 2], [3, 4]])
    most, mean = (Sequential(pool(2, 1), input_shape=(1, 3, 3)) for pool in (MaxPool2d, AvgPool2d))
    targets = targets_for(most, x, delta)
    trace, other = traced(most, x, targets), traced(mean, x, targets_for(mean, x, delta))
    rows: Rows = [
        ("1", "max", [[3, 3], [5, 5]], trace["maxpool1"].value[0, 0]),
        ("2", "∂L/∂input, max", [[0, 3, 0], [0, 0, 0], [3, 4, 0]], trace["input"].gradient[0, 0]),
        ("3", "mean", [[1.5, 2.25], [3, 3]], other["avgpool1"].value[0, 0]),
        (
            "4",
            "∂L/∂input, mean",
            [[0.25, 0.75, 0.5], [1, 2.5, 1.5], [0.75, 1.75, 1]],
            other["input"].gradient[0, 0],
        ),
    ]
    asked = explained(most, x, targets, "input[0,0,1]", "input[0,0,2]")
    return [
        Text(say("winner_intro")),
        by_hand(rows),
        Text(say("winner_end")),
        Text(say("derivations_follow")),
        *asked,
    ]


def _two_units(activation: Layer) -> Network:
    net = Sequential(Linear(1, 2), activation, Linear(2, 1))
    net.parameters["linear1.weight"] = [[1.0], [-1.0]]
    net.parameters["linear1.bias"] = [0.0, -1.0]
    net.parameters["linear2.weight"] = [[1.0, 5.0]]
    net.parameters["linear2.bias"] = [0.0]
    return net


def dead() -> list[Block | Derivation]:
    """Two units at the input 2: one is on, one is off; with ReLU and with LeakyReLU."""
    x, delta = np.array([[2.0]]), np.array([[1.0]])
    plain, leaky = _two_units(ReLU()), _two_units(LeakyReLU(0.1))
    targets = targets_for(plain, x, delta)
    trace, other = traced(plain, x, targets), traced(leaky, x, targets_for(leaky, x, delta))
    rows: Rows = [
        ("1", "linear1", [2, -3], trace["linear1"].value[0]),
        ("2", "∂L/∂relu1", [1, 5], trace["relu1"].gradient[0]),
        ("3", "∂L/∂linear1, ReLU", [1, 0], trace["linear1"].gradient[0]),
        ("4", "∂L/∂linear1.weight, ReLU", [2, 0], trace["linear1.weight"].gradient[:, 0]),
        ("5", "∂L/∂linear1, LeakyReLU", [1, 0.5], other["linear1"].gradient[0]),
        ("6", "∂L/∂linear1.weight, LeakyReLU", [2, 1], other["linear1.weight"].gradient[:, 0]),
    ]
    asked = explained(plain, x, targets, "linear1[1]", "linear1.weight[0,0]")
    return [Text(say("dead_intro")), by_hand(rows), Text(say("dead_end")), Text(say("derivations_follow")), *asked]


def _training_targets(x: Array, delta: Array) -> Array:
    """As `targets_for`, where y = x in training, since x is normalised already."""
    return np.asarray(x - delta)


def norm() -> list[Block | Derivation]:
    """One feature, four samples: what moves all of them alike, or stretches them, has no gradient."""
    x = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    net = Sequential(BatchNorm1d(1, eps=0.0), input_shape=(1,))
    alike, along, free = np.ones((4, 1)), x, np.array([[4.0], [0], [0], [0]])
    gradients = [traced(net, x, _training_targets(x, delta))["input"].gradient[:, 0] for delta in (alike, along)]
    targets = _training_targets(x, free)
    trace = traced(net, x, targets)
    dx = trace["input"].gradient[:, 0]
    rows: Rows = [
        ("1", "batchnorm1", [-1, 1, -1, 1], trace["batchnorm1"].value[:, 0]),
        ("2", "∂L/∂input, δ = [1,1,1,1]", [0, 0, 0, 0], gradients[0]),
        ("3", "∂L/∂input, δ = [-1,1,-1,1]".replace("-", "−"), [0, 0, 0, 0], gradients[1]),
        ("4", "∂L/∂input, δ = [4,0,0,0]", [2, 0, -2, 0], dx),
        ("5", "Σ ∂L/∂input", 0, dx.sum()),
        ("6", "Σ ∂L/∂input · input", 0, (dx * x[:, 0]).sum()),
    ]
    asked = explained(net, x, targets, "input[0]", sample=0)
    return [Text(say("norm_intro")), by_hand(rows), Text(say("norm_end")), Text(say("derivations_follow")), *asked]


def _chain(depth: int, shortcut: bool) -> Network:
    start = Input((1,))
    node = start
    for _ in range(depth):
        inner = Linear(1, 1, bias=False)(node)
        node = Add()(inner, node) if shortcut else inner
    net = Network(start, node)
    for name in net.parameters:
        net.parameters[name] = [[0.1]]
    return net


def shortcut() -> list[Block | Derivation]:
    """Ten layers that let a tenth through, without and with a residual branch around each."""
    x, delta = np.array([[1.0]]), np.array([[1.0]])
    gradients = []
    for depth in (1, 10):
        for with_branch in (False, True):
            net = _chain(depth, with_branch)
            gradients.append(traced(net, x, targets_for(net, x, delta))["input"].gradient[0, 0])
    names = ["0.1", "1 + 0.1", "0.1¹⁰", "(1 + 0.1)¹⁰"]
    rows: Rows = [
        (str(k + 1), f"∂L/∂input = {name}", hand, ours)
        for k, (name, hand, ours) in enumerate(zip(names, [0.1, 1.1, 1e-10, 2.5937424601], gradients, strict=True))
    ]
    net = _chain(2, True)
    asked = explained(net, x, targets_for(net, x, delta), "input[0]")
    return [
        Text(say("shortcut_intro")),
        by_hand(rows),
        Text(say("shortcut_end")),
        Text(say("derivations_follow")),
        *asked,
    ]
