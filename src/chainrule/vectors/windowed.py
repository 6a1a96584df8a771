"""The cases of the layers with windows: convolutions and poolings, option by option."""

from __future__ import annotations

import numpy as np

from chainrule.layers.convolution import Conv2d, LocallyConnected2d
from chainrule.layers.pooling import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    GaussianPool2d,
    LPPool2d,
    MaxPool2d,
    TrainablePool2d,
)
from chainrule.vectors.cases import Family, LayerCase

TABLE = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], bool)


def convolutions() -> list[LayerCase]:
    """Conv2d."""
    f = Family("conv2d", ("S2-E08", "S2-E31", "S2-E37", "S2-E36", "ER2-13", "ER2-23"))
    f.add("plain", Conv2d(2, 3, 3), (2, 5, 4))
    f.add("one sample", Conv2d(2, 3, 3), (2, 5, 4), batch=1)
    f.add("one pixel under a 1x1 kernel", Conv2d(1, 1, 1), (1, 1, 1), batch=1)
    f.add("kernel as large as the map", Conv2d(3, 2, (3, 5)), (3, 3, 5))
    f.add("kernel of even size", Conv2d(2, 2, (2, 4)), (2, 5, 6))
    f.add("stride that divides the map", Conv2d(2, 3, 3, 2), (2, 7, 7))
    f.add("stride that leaves a row and a column over: zeros behind the last entry", Conv2d(2, 3, 3, 2), (2, 8, 8))
    f.add("two strides, pixels left over on both axes", Conv2d(2, 2, (3, 2), (3, 2)), (2, 8, 7))
    f.add("stride beyond the kernel: pixels that no window covers get 0", Conv2d(1, 2, (2, 1), 3), (1, 7, 6))
    f.add("padding", Conv2d(2, 2, 3, padding=1), (2, 4, 5))
    f.add("two paddings", Conv2d(2, 2, 3, padding=(2, 1)), (2, 4, 5))
    f.add("padding on one side only", Conv2d(2, 2, 2, 2, (0, 1, 0, 1)), (2, 5, 5))
    f.add("four paddings", Conv2d(1, 2, 3, (1, 2), (2, 0, 1, 3)), (1, 5, 4))
    f.add("padding beyond the kernel: windows that see zeros alone", Conv2d(1, 2, 2, padding=3), (1, 2, 3))
    f.add("padding same, odd kernel", Conv2d(2, 2, 3, padding="same"), (2, 4, 5))
    f.add(
        "padding same, even kernel: the odd pixel is below and right", Conv2d(2, 2, (4, 2), padding="same"), (2, 5, 4)
    )
    f.add("padding same with a stride", Conv2d(1, 2, 3, 2, "same"), (1, 5, 6))
    f.add("padding valid", Conv2d(2, 2, 2, padding="valid"), (2, 3, 3))
    f.add("dilation", Conv2d(2, 2, 3, dilation=2), (2, 6, 5))
    f.add("two dilations, stride and four paddings", Conv2d(2, 2, (3, 2), 2, (1, 0, 2, 1), (2, 3)), (2, 7, 6))
    f.add("groups", Conv2d(4, 6, 3, 2, 1, groups=2), (4, 5, 6))
    f.add("depthwise", Conv2d(3, 3, 3, groups=3), (3, 4, 5))
    f.add("depthwise with two filters for each channel", Conv2d(2, 4, 2, dilation=2, groups=2), (2, 4, 3))
    f.add("no bias", Conv2d(2, 3, 2, bias=False), (2, 4, 3))
    f.add("connection table", Conv2d(3, 4, 2, connections=TABLE), (3, 4, 4))
    f.add("connection table in which no map is linked", Conv2d(2, 2, 2, connections=np.zeros((2, 2), bool)), (2, 3, 3))
    f.add("true convolution: the kernel is flipped", Conv2d(2, 3, (2, 3), mode="convolution"), (2, 4, 5))
    f.add(
        "true convolution with every option",
        Conv2d(4, 2, (3, 2), 2, (1, 0, 0, 2), (1, 2), 2, mode="convolution"),
        (4, 6, 5),
    )
    f.add("inputs and parameters all zero", Conv2d(2, 2, 3), (2, 4, 4), kind="zeros", parameters="zeros")
    f.add("inputs around 2^45", Conv2d(2, 2, 3, padding=1), (2, 4, 4), kind="large")
    f.add("inputs around 2^-55, no bias", Conv2d(2, 2, 3, padding=1, bias=False), (2, 4, 4), kind="tiny")
    g = Family("locally_connected2d", ("S2-F09", "S2-H02"))
    g.add("plain", LocallyConnected2d(2, 3, 2), (2, 4, 3))
    g.add("stride and padding", LocallyConnected2d(2, 2, 3, 2, (1, 0, 0, 1)), (2, 5, 4))
    g.add("dilation", LocallyConnected2d(1, 2, 2, dilation=(2, 1)), (1, 4, 4))
    g.add("no bias, one sample", LocallyConnected2d(2, 2, 2, bias=False), (2, 3, 3), batch=1)
    return f.cases + g.cases


def max_pools() -> list[LayerCase]:
    """MaxPool2d, where ties decide."""
    f = Family("max_pool2d", ("S2-E38", "S2-E39", "ER1-16"))
    f.add("plain, no two pixels equal", MaxPool2d(2), (2, 4, 6), kind="distinct")
    f.add("ties: the first in row-major order wins", MaxPool2d(2), (2, 4, 6), kind="ties")
    f.add("all pixels equal", MaxPool2d(2), (1, 4, 4), kind="constant")
    f.add("overlapping windows with ties: contributions add", MaxPool2d(3, 1), (2, 5, 4), kind="ties")
    f.add("stride that leaves pixels over", MaxPool2d(2), (2, 5, 3), kind="distinct", batch=1)
    f.add("stride beyond the window", MaxPool2d((1, 2), (2, 3)), (2, 4, 6), kind="distinct")
    f.add("padding is minus infinity and never wins", MaxPool2d(3, 2, 1), (2, 5, 6), kind="distinct")
    f.add("padding on two sides, with ties", MaxPool2d((3, 2), 1, (0, 1, 1, 0)), (2, 4, 3), kind="ties")
    f.add("all pixels below zero", MaxPool2d(2, padding=1), (1, 3, 4), kind="large")
    f.add("one pixel", MaxPool2d(1), (1, 1, 1), batch=1)
    return f.cases


def other_pools() -> list[LayerCase]:
    """Averages, norms, Gaussians, trainable and adaptive pooling."""
    f = Family("avg_pool2d", ("S2-E40", "S2-E41", "ER4-23"))
    f.add("plain", AvgPool2d(2), (2, 4, 6))
    f.add("stride that leaves pixels over", AvgPool2d(2), (2, 5, 3), batch=1)
    f.add("overlapping windows", AvgPool2d((2, 4), 1), (2, 5, 6))
    f.add("padding counts in the average", AvgPool2d((2, 4), 2, (1, 2)), (2, 3, 5))
    f.add("padding on two sides", AvgPool2d((4, 2), 1, (0, 1, 1, 0)), (2, 4, 3))
    f.add("a window of nine", AvgPool2d(3, 2, 1), (2, 5, 6), exact=False)
    g = Family("lp_pool2d", ("S0-F05", "ER0-32"))
    for p in (1, 2, 3, 2.5):
        g.add(f"norm of order {p}", LPPool2d(p, 2), (2, 4, 6), kind="positive", exact=p == 1)
    g.add("overlapping windows", LPPool2d(2, (3, 2), 1), (2, 5, 4), exact=False)
    g.add("norm of zeros: the gradient is 0", LPPool2d(2, 2), (1, 4, 4), kind="zeros")
    h = Family("gaussian_pool2d", ("S2-F06", "ER2-06"))
    h.add("a window of 2x2 is the mean, whatever sigma", GaussianPool2d(2, sigma=0.8), (2, 4, 6), exact=False)
    h.add("3x3", GaussianPool2d(3, sigma=1.0), (2, 6, 6), exact=False)
    h.add("overlapping windows, narrow", GaussianPool2d((3, 4), 2, sigma=0.5), (2, 7, 8), exact=False)
    t = Family("trainable_pool2d", ("S2-F06", "ER2-07"))
    t.add("plain", TrainablePool2d(2, 2), (2, 4, 6))
    t.add("overlapping windows, one sample", TrainablePool2d(3, (3, 2), 1), (3, 4, 4), batch=1)
    a = Family("adaptive_avg_pool2d", ("S2-E40",))
    a.add("to one pixel", AdaptiveAvgPool2d(1), (2, 4, 8))
    a.add("windows of unequal size that overlap", AdaptiveAvgPool2d((3, 4)), (2, 5, 7), exact=False)
    a.add("to a larger map", AdaptiveAvgPool2d((4, 6)), (1, 2, 4))
    return f.cases + g.cases + h.cases + t.cases + a.cases
