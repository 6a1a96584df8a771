"""The convolutions of S1, S2 and S3, and the block detector of S2, with whole numbers that can be checked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.engines import Trace
from chainrule.equations import convolve, rot180
from chainrule.equations.derivations.convolution_matrix import convolution_matrix
from chainrule.explain.api import derive
from chainrule.explain.blocks import Block, Text
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples.story import by_hand, matrix_text, wrong_forms
from chainrule.explain.messages import say
from chainrule.layers import Conv2d, Linear, MaxPool2d, ReLU
from chainrule.losses import HalfSquaredErrorLoss
from chainrule.network import Network, Sequential

Rows = list[tuple[str, str, Any, Any]]
SUM = HalfSquaredErrorLoss(reduction="sum")


def targets_for(net: Network, x: Array, delta: Array) -> Array:
    """Targets for which 1/2 (t - y)² has the gradient `delta`: t = y - delta."""
    return np.asarray(net(x, dtype="float64", engine="reference") - delta)


def one_kernel(
    shape: tuple[int, int, int], kernel: Array, stride: int = 1, padding: int = 0, bias: float = 0
) -> Network:
    """A network of a single filter."""
    side = kernel.shape[-1]
    net = Sequential(Conv2d(shape[0], 1, side, stride, padding), input_shape=shape)
    net.parameters["conv1.weight"] = kernel.reshape(1, shape[0], side, side)
    net.parameters["conv1.bias"] = [bias]
    return net


def traced(net: Network, x: Array, targets: Array) -> Trace:
    """All values and gradients in float64."""
    return net.trace(x, targets, loss=SUM, dtype="float64", engine="reference")


def explained(net: Network, x: Array, targets: Array, *of: str, **options: Any) -> list[Derivation]:
    """A derivation for each number."""
    return [derive(net, x, targets, SUM, one, **options) for one in of]


def s1() -> list[Block | Derivation]:
    """W03 a: 4x4 input 0..15, kernel [[1,2],[3,4]], deltas 1..9."""
    x, h, delta = np.arange(16.0).reshape(1, 1, 4, 4), np.array([[1.0, 2], [3, 4]]), np.arange(1.0, 10).reshape(3, 3)
    net = one_kernel((1, 4, 4), h)
    targets = targets_for(net, x, delta)
    trace = traced(net, x, targets)
    dx = [[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]
    rows: Rows = [
        ("S1-E05", "net_o", [[34, 44, 54], [74, 84, 94], [114, 124, 134]], trace["conv1"].value[0, 0]),
        ("S1-E11", "dE/di", dx, trace["input"].gradient[0, 0]),
        ("S1-E14", "dE/dh", [[303, 348], [483, 528]], trace["conv1.weight"].gradient[0, 0]),
        ("S1-E15", "dE/db", 45, trace["conv1.bias"].gradient[0]),
    ]
    literal = sum(h[m, n] * delta[1 + m, 1 + n] for m in range(2) for n in range(2))
    wrong = [
        ("ER1-06", "dE/di[1,1] = Σ h[m,n] δ[i+m,j+n]", matrix_text(literal), "23"),
        ("ER1-09", "dE/dh[0,0] = Σ δ h[0,0]", matrix_text(delta.sum() * h[0, 0]), "303"),
        ("ER1-11", "dE/db = δ11 + δ12 + δ21 + δ22", matrix_text(delta[:2, :2].sum()), "45"),
    ]
    asked = explained(net, x, targets, "input[0,1,1]", "conv1.weight[0,0,0,0]", "conv1.bias[0]", terms=9, breadth=1)
    return [Text(say("s1_intro")), by_hand(rows), wrong_forms(wrong), Text(say("derivations_follow")), *asked]


IMAGE = np.array([[1.0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
KERNEL = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]])


def s2() -> list[Block | Derivation]:
    """W06: the 5x5 image of S2-N02 with stride 1 and 2."""
    x, delta = IMAGE[None, None], np.array([[1.0, 2], [3, 4]])
    plain, net = one_kernel((1, 5, 5), KERNEL), one_kernel((1, 5, 5), KERNEL, stride=2)
    targets = targets_for(net, x, delta)
    trace = traced(net, x, targets)
    dx = [[1, 0, 3, 0, 2], [0, 1, 0, 2, 0], [4, 0, 10, 0, 6], [0, 3, 0, 4, 0], [3, 0, 7, 0, 4]]
    rows: Rows = [
        ("S2-N02", "S = 1", [[4, 3, 4], [2, 4, 3], [2, 3, 4]], plain(x, dtype="float64", engine="reference")[0, 0]),
        ("S2-N02", "S = 2", [[4, 4], [2, 4]], trace["conv1"].value[0, 0]),
        ("S2-E28", "dE/dx", dx, trace["input"].gradient[0, 0]),
        ("S2-E37", "dE/dw", [[7, 5, 8], [6, 7, 4], [6, 5, 6]], trace["conv1.weight"].gradient[0, 0]),
        ("S2-E36", "dE/dw_b", 10, trace["conv1.bias"].gradient[0]),
    ]
    asked = explained(net, x, targets, "input[0,2,2]", "conv1.weight[0,0,0,0]", terms=9, breadth=1)
    intro: list[Block | Derivation] = [
        Text(say("s2_intro")),
        by_hand(rows),
        Text(say("ER2-24"), "note"),
        Text(say("derivations_follow")),
    ]
    return [*intro, *asked]


CHANNELS = np.array(
    [
        [[0.0, 0, 2, 1, 1], [0, 1, 1, 0, 2], [0, 2, 0, 0, 2], [0, 0, 1, 2, 1], [0, 0, 0, 1, 2]],
        [[1, 1, 2, 2, 0], [0, 2, 2, 0, 0], [2, 1, 0, 2, 0], [1, 1, 1, 0, 0], [2, 2, 2, 1, 2]],
        [[1, 2, 1, 0, 1], [2, 0, 1, 1, 2], [2, 0, 0, 0, 2], [0, 2, 2, 1, 0], [0, 1, 2, 2, 0]],
    ]
)
FILTER = np.array(
    [
        [[1.0, 0, 0], [-1, 0, 0], [1, 1, 0]],
        [[-1, 0, 1], [-1, -1, -1], [0, 1, -1]],
        [[1, -1, -1], [-1, 0, 0], [-1, 0, -1]],
    ]
)


def s3() -> list[Block | Derivation]:
    """W08: three channels, padding 1, stride 2, bias 1; then one window of two layers, ReLU and max."""
    x = CHANNELS[None]
    net = one_kernel((3, 5, 5), FILTER, stride=2, padding=1, bias=1)
    y = net(x, dtype="float64", engine="reference")[0, 0]
    padded = np.pad(CHANNELS, ((0, 0), (1, 1), (1, 1)))
    sums = [[float((padded[d, :3, s : s + 3] * FILTER[d]).sum()) for d in range(3)] for s in (0, 2)]
    small = Sequential(Conv2d(1, 1, 2), ReLU(), MaxPool2d(1), input_shape=(1, 2, 2))
    small.parameters["conv1.weight"] = np.array([[[[1.0, -1], [1, -1]]]])
    small.parameters["conv1.bias"] = [0.0]
    window = np.array([[[[1.0, 0], [1, 1]]]])
    trace = traced(small, window, np.zeros((1, 1, 1, 1)))
    rows: Rows = [
        ("S3-E05", "Σ x∘W", [0, -4, 0], sums[0]),
        ("S3-E05", "y[0,0]", -3, y[0, 0]),
        ("S3-N05", "Σ x∘W", [2, -3, -3], sums[1]),
        ("S3-N05", "y[0,1]", -3, y[0, 1]),
        ("W08", "y", [[-3, -3, -1], [-4, -8, 0], [-4, -7, -2]], y),
        ("S3-E06", "net_o11", 1, trace["conv1"].value[0, 0, 0, 0]),
        ("S3-E07", "out_o11", 1, trace["relu1"].value[0, 0, 0, 0]),
        ("S3-E08", "out_m11", 1, trace["maxpool1"].value[0, 0, 0, 0]),
    ]
    value = derive(net, x, y[None, None] - 1, SUM, "conv1[0,0,0]", quantity="value", terms=27)
    pixel = derive(net, x, y[None, None] - 1, SUM, "input[1,2,2]", breadth=1)
    return [Text(say("s3_intro")), by_hand(rows), Text(say("derivations_follow")), value, pixel]


def s4() -> list[Block | Derivation]:
    """W02: W 3x2, three samples; and what the misprinted forms of the convolution part give (W03 b)."""
    w, b = np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([1.0, 0, -1])
    a, dz = np.array([[1.0, 0, 2], [-1, 3, 1]]), np.array([[1.0, 0, -1], [2, 1, 0], [0, -2, 3]])
    net = Sequential(Linear(2, 3))
    net.parameters["linear1.weight"], net.parameters["linear1.bias"] = w, b
    targets = targets_for(net, a.T, dz.T)
    trace = traced(net, a.T, targets)
    rows: Rows = [
        ("S4-E38", "Z", [[0, 7, 5], [-1, 12, 10], [-2, 17, 15]], trace["linear1"].value.T),
        ("S4-E18", "dW", [[-1, -2], [2, 1], [6, -3]], trace["linear1.weight"].gradient),
        ("S4-E24", "db", [0, 3, 1], trace["linear1.bias"].gradient),
        ("S4-E08", "dA", [[7, -7, 14], [10, -8, 16]], trace["input"].gradient.T),
    ]
    x, kernel, delta = np.arange(1.0, 10).reshape(3, 3), np.array([[1.0, 2], [3, 4]]), np.array([[1.0, -1], [2, 3]])
    wrong = [
        ("ER4-15", "dW = dZ ∗ ROT180(A)", matrix_text(convolve(rot180(x), delta)), "[[22,27], [37,42]]"),
        (
            "ER4-20",
            "dA = dZ ∗ ROT180(W), full",
            matrix_text(convolve(delta, rot180(kernel), "full")),
            "[[1,1,−2], [5,8,2], [6,17,12]]",
        ),
        ("ER4-01", "W := W + dJ/dW", "W + dW", "W − η dW"),
    ]
    asked = explained(net, a.T, targets, "linear1.weight[0,1]", "linear1.bias[1]", breadth=3)
    asked += explained(net, a.T, targets, "input[0]", sample=2, breadth=3)
    return [Text(say("s4_intro")), by_hand(rows), wrong_forms(wrong), Text(say("derivations_follow")), *asked]


def detector() -> list[Block | Derivation]:
    """W12: nine windows as a matrix, bias -3, ReLU."""
    matrix = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4))
    net = Sequential(Linear(16, 9), ReLU())
    net.parameters["linear1.weight"] = np.asarray(matrix).reshape(9, 16)
    net.parameters["linear1.bias"] = np.full(9, -3.0)
    image = np.zeros((1, 16))
    image[0, [5, 6, 9, 10]] = 1
    ramp = np.arange(16.0)[None]
    wanted = np.eye(9)[[3]]
    rows: Rows = [
        (
            "S2-E01",
            "z + 3, x = 0..15",
            [10, 14, 18, 26, 30, 34, 42, 46, 50],
            traced(net, ramp, wanted)["linear1"].value[0] + 3,
        ),
        ("W12", "e", [0, 0, 0, 0, 1, 0, 0, 0, 0], net(image, dtype="float64", engine="reference")[0]),
        ("W04", "Σ W", [1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1], net.parameters["linear1.weight"].sum(axis=0)),
    ]
    value = derive(net, image, wanted, SUM, "relu1[4]", quantity="value", breadth=1, terms=16)
    slope = derive(net, image, wanted, SUM, "input[5]", terms=9)
    intro: list[Block | Derivation] = [
        Text(say("detector_intro")),
        by_hand(rows),
        Text(say("ER2-01"), "note"),
        Text(say("derivations_follow")),
    ]
    return [*intro, value, slope]
