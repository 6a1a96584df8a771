"""Misprints about convolution and pooling, as negative tests that no other file holds."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.equations import (
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    cross_correlate,
    max_pool,
    mean_weights,
    rot180,
    softmax,
    weighted_pool,
    weighted_pool_backward,
    windows_of,
)
from chainrule.equations.derivations.channel_forms import layer_input_gradient
from chainrule.equations.derivations.correlation_forms import (
    correlation_delta_before,
    correlation_input_gradient,
    correlation_input_gradient_padded,
    correlation_input_gradient_sum,
    correlation_weight_gradient,
    entry,
)
from chainrule.shapes import Window
from tests.helpers import assert_close, assert_differs, numerical_gradient

X = np.arange(16.0).reshape(4, 4)
H = np.array([[1.0, 2], [3, 4]])
DELTA = np.arange(1.0, 10).reshape(3, 3)


def test_ER0_20_ER1_03_the_forward_sum_has_a_bias() -> None:
    """The bias gradient is the sum of delta only if the bias stands in the forward sum."""
    with_bias = numerical_gradient(lambda b: (conv2d_forward(X[None, None], H[None, None], b) * DELTA).sum(), [0.5])
    assert_close("db", with_bias, [DELTA.sum()], rtol=1e-6)
    without = numerical_gradient(lambda b: (cross_correlate(X, H) * DELTA).sum() + 0 * b, [0.5])
    assert_differs("no bias in net", without, [DELTA.sum()], 1.0)


def test_ER0_23_a_three_by_three_field_has_nine_inputs() -> None:
    field = np.zeros((5, 5))
    y = conv2d_backward_input(np.ones((1, 1, 1, 1)), np.ones((1, 1, 3, 3)), (3, 3))
    field[:3, :3] = y[0, 0]
    assert np.count_nonzero(field) == 9
    assert np.count_nonzero(field[0]) == 3  # the drawing of one row


def test_ER0_30_only_max_pooling_has_a_winner() -> None:
    window = windows_of(np.array([[1.0, 2], [3, 6]]), Window((2, 2)))
    assert max_pool(window)[0] in window
    assert weighted_pool(window, mean_weights((2, 2))) == 3.0
    assert 3.5 not in window
    shares = weighted_pool_backward(np.ones((1, 1)), mean_weights((2, 2)))
    assert np.count_nonzero(shares) == 4  # everyone gets a share


def test_ER1_02_the_output_of_a_layer_is_not_its_weighted_sum() -> None:
    assert X[0, 0] == 0
    assert cross_correlate(X, H)[0, 0] == 34


def test_ER1_05_there_are_two_deltas_of_different_shapes() -> None:
    delta_i = correlation_delta_before(DELTA, H, np.ones((4, 4)))
    assert DELTA.shape == (3, 3)
    assert delta_i.shape == (4, 4)
    assert delta_i[0, 0] != DELTA[0, 1]


def test_ER1_08_both_sides_have_the_same_free_indices() -> None:
    delta_i = correlation_delta_before(DELTA, H, np.ones((4, 4)))
    assert_close("every i, j", delta_i, correlation_input_gradient_sum(DELTA, H))
    assert len(np.unique(delta_i)) > 1  # a left side delta_11 would be one number


def test_ER1_15_ER3_12_the_pooled_value_is_the_output_of_the_pool() -> None:
    pooled, _ = max_pool(windows_of(X, Window((2, 2), (2, 2))))
    assert_close("output", pooled, [[5, 7], [13, 15]])
    assert pooled.shape != X.shape


def test_ER1_17_all_sixteen_entries_follow_from_the_padded_picture() -> None:
    numerical = numerical_gradient(lambda v: (cross_correlate(v, H) * DELTA).sum(), X, 0.1)
    assert_close("sixteen", correlation_input_gradient_padded(DELTA, H), numerical, rtol=1e-9)


def test_ER2_04_a_colour_image_is_three_matrices() -> None:
    with pytest.raises(cr.errors.ShapeError, match="channels"):
        cr.Conv2d(3, 1, 3).output_shape((5, 5))
    assert cr.Conv2d(3, 1, 3).output_shape((3, 5, 5)) == (1, 3, 3)


def test_ER2_14_ERX_04_D_counts_input_maps_and_N_output_maps() -> None:
    layer = cr.Conv2d(in_channels=3, out_channels=2, kernel_size=2)
    assert layer.parameter_shapes()["weight"] == (2, 3, 2, 2)
    dx = layer_input_gradient(np.ones((2, 4, 4)), np.ones((2, 3, 2, 2)), (5, 5))
    assert dx.shape == (3, 5, 5)


def test_ER2_17_ERX_01_forward_correlation_goes_with_backward_convolution() -> None:
    rng = np.random.default_rng(1)
    a, w, delta = rng.normal(size=(5, 5)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    for operation, weight_rule, input_rule in (
        (cross_correlate, cross_correlate(a, delta), convolve(delta, w, "full")),
        (convolve, convolve(rot180(a), delta), convolve(delta, rot180(w), "full")),
    ):
        dw = numerical_gradient(lambda v, f=operation: (f(a, v) * delta).sum(), w, 0.1)  # type: ignore[misc]
        da = numerical_gradient(lambda v, f=operation: (f(v, w) * delta).sum(), a, 0.1)  # type: ignore[misc]
        assert_close("dw", weight_rule, dw, atol=1e-9)
        assert_close("da", input_rule, da, atol=1e-9)
    assert_differs("the other convention's dw", convolve(rot180(a), delta), correlation_weight_gradient(delta, a))
    assert_differs(
        "the other convention's da", convolve(delta, rot180(w), "full"), correlation_input_gradient(delta, w)
    )


def test_ER2_20_the_three_by_three_result_is_not_yet_delta() -> None:
    net = np.array([[1.0, -1, 1], [-1, 1, -1], [1, 1, 1]])
    delta, w = np.array([[1.0, -1], [2, 3]]), H
    da = correlation_input_gradient(delta, w)
    assert_differs("dE/da called delta", da, correlation_delta_before(delta, w, (net > 0).astype(float)))


def test_ER2_31_the_exchanged_factors_of_the_mean_do_no_harm() -> None:
    slopes = mean_weights((2, 2))
    assert slopes[0, 1] == slopes[0, 0] == slopes[1, 0] == 0.25


def test_ER2_36_rows_come_first() -> None:
    image = np.zeros((1, 1, 3, 5))  # H = 3 rows, L = 5 columns
    assert conv2d_forward(image, np.ones((1, 1, 1, 2))).shape == (1, 1, 3, 4)


def test_ER3_03_a_hadamard_product_is_a_matrix() -> None:
    x, w = np.ones((3, 3)), np.full((3, 3), 2.0)
    assert (x * w).shape == (3, 3)
    assert cross_correlate(x, w) == [[18]]


def test_ER3_04_ER3_05_ER3_09_only_the_sums_can_be_checked() -> None:
    assert 0 + (-4) + 0 + 1 == -3
    assert 2 + (-3) + (-3) + 1 == -3
    assert 1 * 1 + 0 * (-1) + 1 * 1 + 1 * (-1) + 0 == 1


@pytest.mark.parametrize("stride, size", [(1, (2, 2)), (2, (1, 1))])
def test_ER3_08_the_stride_decides_the_size_of_the_pooled_map(stride: int, size: tuple[int, int]) -> None:
    assert cr.MaxPool2d(2, stride).output_shape((1, 3, 3)) == (1, *size)


def test_ER3_10_several_classes_need_softmax() -> None:
    logits = np.array([[2.0, 1.0, 0.5]])
    sigmoids = 1 / (1 + np.exp(-logits))
    assert_differs("sigmoids are no probabilities of classes", sigmoids.sum(), 1.0)
    assert_close("softmax", softmax(logits).sum(), 1.0, atol=1e-15)


def test_ER4_04_ER4_28_matrix_by_matrix_derivatives_do_not_multiply() -> None:
    dz, a = np.ones((4, 3)), np.ones((2, 3))
    with pytest.raises(ValueError, match="mismatch"):
        np.matmul(dz, a)
    assert (dz @ a.T).shape == (4, 2)


def test_ER4_18_ER4_19_the_index_of_w_is_a_difference_and_w_is_zero_off_the_kernel() -> None:
    right = correlation_input_gradient(DELTA, H)
    wrapped, clamped = np.zeros((4, 4)), np.zeros((4, 4))
    for x, y in np.ndindex(4, 4):
        for p, q in np.ndindex(3, 3):
            if -2 <= x - p < 2 and -2 <= y - q < 2:
                wrapped[x, y] += DELTA[p, q] * H[x - p, y - q]  # negative indices count from the end
            clamped[x, y] += DELTA[p, q] * entry(H, x - p, y - q)
    assert_close("0 off the kernel", clamped, right)
    assert_differs("w wherever the index leads", wrapped, right, 1.0)


def test_ER4_26_the_sums_over_filters_and_samples_are_needed() -> None:
    rng = np.random.default_rng(2)
    x, w, dy = (rng.normal(size=s) for s in ((2, 3, 4, 4), (2, 3, 2, 2), (2, 2, 3, 3)))
    dx, dw = conv2d_backward_input(dy, w, (4, 4)), conv2d_backward_weight(dy, x, (2, 2))
    assert_close("dx", dx, numerical_gradient(lambda v: (conv2d_forward(v, w) * dy).sum(), x, 0.1), atol=1e-9)
    assert_differs("one filter", conv2d_backward_input(dy[:, :1], w[:1], (4, 4)), dx)
    assert_differs("one sample", conv2d_backward_weight(dy[:1], x[:1], (2, 2)), dw)
