"""From one map to a layer: channels, filters, strides, padding and dilation by the rules of S2.

S2 reduces every layer to the single map at stride 1: zeros are restored where the stride skipped places,
channels are treated one by one, and the filters' contributions are added. x (D, rows, columns), weight (N, D,
F, F), delta (N, places, places), as in S2 ([D, H, W], ERX-06). Cross-correlation forward; indices start at 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import convolve, crop, cross_correlate, pad, zero_restore
from chainrule.shapes import Pair, Sides

NO_SIDES: Sides = (0, 0, 0, 0)


def channel_sums(x: Array, weight: Array, stride: Pair = (1, 1), sides: Sides = NO_SIDES) -> Array:
    """s[n, d] = x_d ⋆ w_nd: what each channel contributes before they are added (S3-E05, S2-E29). (N, D, h', w')."""
    padded = pad(x, sides)
    pairs = [[cross_correlate(padded[d], w, stride=stride) for d, w in enumerate(one)] for one in weight]
    return np.array(pairs)


def feature_maps(
    x: Array,
    weight: Array,
    bias: Array,
    function: Callable[[Array], Array],
    stride: Pair = (1, 1),
    sides: Sides = NO_SIDES,
) -> Array:
    """a_n = f(sum_d x_d ⋆ w_nd + b_n) (S2-E02, S2-E08, S2-E12, S2-E13; S0-E36 names the layers)."""
    return function(channel_sums(x, weight, stride, sides).sum(axis=1) + bias[:, None, None])


def skip_places(net: Array, stride: Pair) -> Array:
    """The map at stride S is the map at stride 1 with the places between left out: net[::S, ::S] (S2-C03)."""
    return net[..., :: stride[0], :: stride[1]]


def restore_places(delta: Array, stride: Pair, size: Pair, kernel_size: Pair, sides: Sides = NO_SIDES) -> Array:
    """The sensitivity map at stride 1: zeros where places were skipped, (L - F + 2P + 1) wide (S2-E28, ER2-23).

    `size` is that of the layer's input, before padding.
    """
    rows = size[0] + sides[0] + sides[1] - kernel_size[0] + 1
    columns = size[1] + sides[2] + sides[3] - kernel_size[1] + 1
    return zero_restore(delta, stride, (rows, columns))


def spread_kernel(weight: Array, dilation: Pair) -> Array:
    """A dilated kernel as a larger plain one with zeros in its gaps: w'[i D, j D] = w[i, j], else 0."""
    kh, kw = weight.shape[-2:]
    return zero_restore(weight, dilation, (dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1))


def filter_input_gradient(
    delta: Array, weight: Array, size: Pair, stride: Pair = (1, 1), sides: Sides = NO_SIDES
) -> Array:
    """One filter: dE/dx_d = delta ∗_full w_d for each channel d (S2-E29; there is one delta, ER2-25).

    delta (h', w'), weight (D, F, F) -> (D, rows, columns): D matrices for every filter (ER2-26).
    """
    restored = restore_places(delta, stride, size, weight.shape[1:], sides)
    return crop(np.stack([convolve(restored, kernel, "full") for kernel in weight]), sides)


def layer_input_gradient(
    delta: Array, weight: Array, size: Pair, stride: Pair = (1, 1), sides: Sides = NO_SIDES
) -> Array:
    """dE/dx_d = sum_{n=0}^{N-1} delta_n ∗_full w_nd (S2-E30, S2-E31 before f'; N - 1, not N: ER2-27)."""
    groups = [filter_input_gradient(d, w, size, stride, sides) for d, w in zip(delta, weight, strict=True)]
    result: Array = np.stack(groups).sum(axis=0)
    return result


def layer_delta_before(
    delta: Array, weight: Array, slope: Array, stride: Pair = (1, 1), sides: Sides = NO_SIDES
) -> Array:
    """delta_d before = (sum_n delta_n ∗_full w_nd) ∘ f'(net_d) (S2-E30, S2-E31; ER2-28). `slope` is f'(net),
    (D, ...)."""
    return layer_input_gradient(delta, weight, (slope.shape[1], slope.shape[2]), stride, sides) * slope


def layer_weight_gradient(
    delta: Array, x: Array, kernel_size: Pair, stride: Pair = (1, 1), sides: Sides = NO_SIDES
) -> Array:
    """dw_nd = x_d ⋆ (delta_n restored to stride 1) (S2-E37; S2-E32..E35 at stride 1). (N, D, F, F)."""
    restored = restore_places(delta, stride, (x.shape[1], x.shape[2]), kernel_size, sides)
    padded = pad(x, sides)
    return np.array([[cross_correlate(channel, one) for channel in padded] for one in restored])
