"""S2's rules for strides, padding, channels and filters against the layer, its literal sums and differences."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    cross_correlate,
    sigmoid,
    sigmoid_derivative,
)
from chainrule.equations.derivations.channel_forms import (
    channel_sums,
    feature_maps,
    filter_input_gradient,
    layer_delta_before,
    layer_input_gradient,
    layer_weight_gradient,
    restore_places,
    skip_places,
    spread_kernel,
)
from chainrule.shapes import Pair
from tests.equations.cases import CASES, Case
from tests.helpers import Array, assert_close, assert_differs, numerical_gradient

PLAIN = [case for case in CASES if case.groups == 1 and "dilation" not in case.options]
plain_case = pytest.mark.parametrize("case", PLAIN, ids=[case.name for case in PLAIN])
DILATED = [case for case in CASES if "dilation" in case.options]
dilated_case = pytest.mark.parametrize("case", DILATED, ids=[case.name for case in DILATED])


@plain_case
def test_S2_E08_E29_E31_E37_one_sample_agrees_with_the_layer(case: Case, rng: np.random.Generator) -> None:
    x, weight, bias, dy = case.arrays(rng)
    stride, sides = case.window().stride, case.window().sides(case.size)
    y = feature_maps(x[0], weight, bias, sigmoid, stride, sides)
    assert_close("a", y, sigmoid(conv2d_forward(x, weight, bias, **case.options)[0]), atol=1e-14)
    dx = layer_input_gradient(dy[0], weight, case.size, stride, sides)
    assert_close("dx", dx, conv2d_backward_input(dy, weight, case.size, **case.options)[0], atol=1e-12)
    dw = layer_weight_gradient(dy[0], x[0], case.kernel, stride, sides)
    expected = conv2d_backward_weight(dy[:1], x[:1], case.kernel, **case.options)
    assert_close("dw", dw, expected, atol=1e-12)


def test_S2_E30_E31_delta_of_the_layer_before(rng: np.random.Generator) -> None:
    net, weight, bias = rng.normal(size=(3, 8, 7)), rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)
    target = rng.normal(size=(2, 4, 3))

    def error(n: Array) -> float:
        return float(((feature_maps(sigmoid(n), weight, bias, sigmoid, (2, 2), (1, 0, 0, 1)) - target) ** 2).sum())

    a = feature_maps(sigmoid(net), weight, bias, sigmoid, (2, 2), (1, 0, 0, 1))
    delta = 2 * (a - target) * sigmoid_derivative(a)
    before = layer_delta_before(delta, weight, sigmoid_derivative(sigmoid(net)), (2, 2), (1, 0, 0, 1))
    assert_close("delta before", before, numerical_gradient(error, net), rtol=1e-7, atol=1e-8)


@plain_case
def test_S2_C03_a_stride_leaves_out_places_of_the_dense_map(case: Case, rng: np.random.Generator) -> None:
    x, weight, _, _ = case.arrays(rng)
    sides = case.window().sides(case.size)
    options = {**case.options, "stride": 1, "padding": sides}
    dense = conv2d_forward(x, weight, **options)
    strided = conv2d_forward(x, weight, **case.options)
    assert_close("skipped", skip_places(dense, case.window().stride), strided)


@pytest.mark.parametrize("size", [(7, 7), (8, 8), (9, 6)])
def test_S2_E28_restoring_is_the_adjoint_of_skipping(size: Pair, rng: np.random.Generator) -> None:
    dense = rng.normal(size=(size[0] - 2, size[1] - 2))
    skipped = skip_places(dense, (2, 3))
    delta = rng.normal(size=skipped.shape)
    restored = restore_places(delta, (2, 3), size, (3, 3))
    assert restored.shape == dense.shape
    assert_close("inner product", (skipped * delta).sum(), (dense * restored).sum(), atol=1e-13)


def test_ER2_23_without_trailing_zeros_the_result_is_too_small(rng: np.random.Generator) -> None:
    delta, w = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    restored = restore_places(delta, (2, 2), (8, 8), (3, 3))
    assert restored.shape == (6, 6)
    assert convolve(restored, w, "full").shape == (8, 8)
    only_between = np.zeros((5, 5))
    only_between[::2, ::2] = delta
    assert convolve(only_between, w, "full").shape == (7, 7)


@dilated_case
def test_dilation_is_a_larger_kernel_with_gaps(case: Case, rng: np.random.Generator) -> None:
    x, weight, bias, dy = case.arrays(rng)
    sides, dilation = case.window().sides(case.size), case.window().dilation
    options = {"stride": case.options.get("stride", 1), "padding": sides, "groups": case.groups}
    spread = spread_kernel(weight, dilation)
    y = conv2d_forward(x, weight, bias, **options, dilation=dilation)
    assert_close("y", conv2d_forward(x, spread, bias, **options), y, atol=1e-12)
    dx = conv2d_backward_input(dy, weight, case.size, **options, dilation=dilation)
    assert_close("dx", conv2d_backward_input(dy, spread, case.size, **options), dx, atol=1e-12)
    dw = conv2d_backward_weight(dy, x, case.kernel, **options, dilation=dilation)
    wide = conv2d_backward_weight(dy, x, spread.shape[2:], **options)
    assert_close("dw", wide[..., :: dilation[0], :: dilation[1]], dw, atol=1e-12)


def test_S3_E05_N05_channel_sums_plus_bias(rng: np.random.Generator) -> None:
    x, weight = rng.normal(size=(3, 5, 5)), rng.normal(size=(2, 3, 3, 3))
    sums = channel_sums(x, weight, (2, 2), (1, 1, 1, 1))
    assert sums.shape == (2, 3, 3, 3)
    maps = feature_maps(x, weight, np.ones(2), lambda v: v, (2, 2), (1, 1, 1, 1))
    for n, p, q in np.ndindex(*maps.shape):
        total = sums[n, 0, p, q] + sums[n, 1, p, q] + sums[n, 2, p, q] + 1
        assert abs(maps[n, p, q] - total) < 1e-14


def test_S2_E02_printed_for_a_kernel_of_three(rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
    a = feature_maps(x[None], w[None, None], np.array([0.5]), sigmoid)[0]
    for i, j in np.ndindex(3, 3):
        net = sum(w[m, n] * x[i + m, j + n] for m in range(3) for n in range(3)) + 0.5
        assert_close("a_ij", a[i, j], sigmoid(np.float64(net)), rtol=1e-14)


def test_ER2_25_ER2_26_every_filter_gives_D_matrices_from_its_one_delta(rng: np.random.Generator) -> None:
    delta, weight = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 3, 2, 2))
    groups = [filter_input_gradient(delta[n], weight[n], (5, 5)) for n in range(2)]
    assert [group.shape for group in groups] == [(3, 5, 5), (3, 5, 5)]
    assert_close("sum", layer_input_gradient(delta, weight, (5, 5)), groups[0] + groups[1], atol=1e-14)


def test_ER2_27_the_sum_over_filters_ends_at_N_minus_1(rng: np.random.Generator) -> None:
    delta, weight = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 3, 2, 2))
    with pytest.raises(IndexError):
        sum(filter_input_gradient(delta[n], weight[n], (5, 5)) for n in range(2 + 1))
    numerical = numerical_gradient(
        lambda x: (feature_maps(x, weight, np.zeros(2), lambda v: v) * delta).sum(), np.zeros((3, 5, 5)), 0.1
    )
    assert_close("N terms", layer_input_gradient(delta, weight, (5, 5)), numerical, rtol=1e-9, atol=1e-11)


def test_ER2_29_pooling_net_or_out_differs_for_the_mean_only(rng: np.random.Generator) -> None:
    net = rng.normal(size=(2, 2))
    relu = np.maximum(net, 0)
    assert np.maximum(net.max(), 0) == relu.max()
    assert_differs("mean", np.maximum(net.mean(), 0), relu.mean(), 1e-3)


def test_S2_C04_a_shifted_input_shifts_the_map(rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(6, 6)), rng.normal(size=(3, 3))
    larger = np.pad(x, 4)
    y = cross_correlate(larger, w)
    assert_close("shifted", cross_correlate(np.roll(larger, (1, 2), (0, 1)), w), np.roll(y, (1, 2), (0, 1)))
