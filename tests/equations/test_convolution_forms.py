"""S0: forward by true convolution. All forms of its equations (4) to (18) agree; the misread ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolution_parameters,
    convolve,
    cross_correlate,
    rot180,
    sigmoid,
    sigmoid_derivative,
)
from chainrule.equations.derivations.convolution_forms import (
    convolution_delta_before,
    convolution_forward_sum,
    convolution_input_gradient,
    convolution_input_gradient_correlation,
    convolution_input_gradient_sum,
    convolution_input_jacobian,
    convolution_weight_gradient,
    convolution_weight_gradient_sum,
    convolution_weight_jacobian,
)
from chainrule.equations.derivations.correlation_forms import correlation_weight_gradient, through_jacobian
from tests.equations.test_correlation_forms import example, sizes
from tests.helpers import Array, assert_close, assert_differs, numerical_gradient


@sizes
def test_S0_E03_E04_forward(size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, _ = example(rng, size, kernel)
    o = convolution_forward_sum(a, w, 0.5)
    assert_close("S0-E03", convolve(a, w) + 0.5, o, atol=1e-14)
    layer = conv2d_forward(a[None, None], w[None, None], np.array([0.5]), mode="convolution")
    assert_close("conv2d", layer[0, 0], o, atol=1e-14)


@sizes
def test_S0_E05_activation_then_convolution(size, kernel, rng):  # type: ignore[no-untyped-def]
    o_before, w, _ = example(rng, size, kernel)
    o = convolution_forward_sum(sigmoid(o_before), w)
    assert_close("o", o, convolve(sigmoid(o_before), w), atol=1e-14)


@sizes
@pytest.mark.parametrize(
    "form", [convolution_weight_gradient_sum, convolution_weight_gradient], ids=["S0_E10", "S0_E11_E12"]
)
def test_weight_gradient_forms(form, size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, delta = example(rng, size, kernel)
    dw = form(delta, a)
    layer = conv2d_backward_weight(delta[None, None], a[None, None], kernel, mode="convolution")
    assert_close("conv2d", dw, layer[0, 0], atol=1e-12)
    numerical = numerical_gradient(lambda v: (convolve(a, v) * delta).sum(), w, 0.1)
    assert_close("central difference", dw, numerical, rtol=1e-9, atol=1e-11)
    assert_close("S0-E07..E09", through_jacobian(delta, convolution_weight_jacobian(a, kernel)), dw, atol=1e-12)


@sizes
@pytest.mark.parametrize(
    "form",
    [convolution_input_gradient_sum, convolution_input_gradient, convolution_input_gradient_correlation],
    ids=["S0_E17", "S0_E18", "S0_E17_as_cross_correlation"],
)
def test_input_gradient_forms(form, size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, delta = example(rng, size, kernel)
    da = form(delta, w)
    layer = conv2d_backward_input(delta[None, None], w[None, None], size, mode="convolution")
    assert_close("conv2d", da, layer[0, 0], atol=1e-12)
    numerical = numerical_gradient(lambda v: (convolve(v, w) * delta).sum(), a, 0.1)
    assert_close("central difference", da, numerical, rtol=1e-9, atol=1e-11)
    assert_close("S0-E14..E16", through_jacobian(delta, convolution_input_jacobian(w, size)), da, atol=1e-12)


def test_S0_E13_E18_delta_through_two_layers(rng: np.random.Generator) -> None:
    o_before, w, v, target = (rng.normal(size=s) for s in ((5, 5), (2, 3), (2, 2), (3, 2)))

    def error(o: Array) -> float:
        a = sigmoid(convolve(sigmoid(convolve(sigmoid(o), w)), v))
        return float(((target - a) ** 2).sum() / 2)

    middle = convolve(sigmoid(o_before), w)
    a_last = sigmoid(convolve(sigmoid(middle), v))
    delta_last = (a_last - target) * sigmoid_derivative(a_last)
    delta_middle = convolution_delta_before(delta_last, v, sigmoid_derivative(sigmoid(middle)))
    delta = convolution_delta_before(delta_middle, w, sigmoid_derivative(sigmoid(o_before)))
    assert_close("delta", delta, numerical_gradient(error, o_before), rtol=1e-7, atol=1e-9)


def test_ER0_28_the_unturned_kernel_is_wrong() -> None:
    """W03 c: the full convolution takes rot180(w) here; with w itself it is the gradient of W03 b."""
    w, delta = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, -1], [2, 3]])
    assert_close("right", convolution_input_gradient(delta, w), [[4, -1, -3], [10, 17, 8], [4, 8, 3]])
    assert_close("unturned", convolve(delta, w, "full"), [[1, 1, -2], [5, 8, 2], [6, 17, 12]])


def test_ER0_28_valid_convolution_has_not_the_size_of_the_map(rng: np.random.Generator) -> None:
    delta, w = rng.normal(size=(4, 4)), rng.normal(size=(3, 3))
    assert convolve(delta, rot180(w)).shape == (2, 2)
    assert convolution_input_gradient(delta, w).shape == (6, 6)


def test_ER0_26_ER0_27_the_map_is_turned_and_not_the_kernel(rng: np.random.Generator) -> None:
    a, delta = rng.normal(size=(5, 5)), rng.normal(size=(4, 4))
    right = convolution_weight_gradient_sum(delta, a)
    assert_close("rot180(a) ∗ delta", convolution_weight_gradient(delta, a), right, atol=1e-12)
    assert_differs("delta turned too", convolve(rot180(a), rot180(delta)), right)
    assert_differs("the form of S1 to S4", correlation_weight_gradient(delta, a), right)


def test_ER0_22_without_the_sum_it_is_no_convolution(rng: np.random.Generator) -> None:
    a, w = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    assert_differs("w_xy a_xy + b", (w * a), convolution_forward_sum(a, w))


def test_ER0_19_ER0_25_ranges_of_the_output() -> None:
    n, k = 6, 3
    a, w = np.ones((n, n)), np.ones((k, k))
    assert convolve(a, w).size == 16  # k - 1 <= x <= n - 1; the printed range 0 <= x <= k - 1 has 9
    assert convolve(a, w, "full").shape == (n + k - 1, n + k - 1)
    assert cross_correlate(a, w).shape == (n - k + 1, n - k + 1)
    assert convolve(a, w, "full")[0, 0] == 1  # the value at (0, 0) sees one pixel, not nine


def test_ER0_21_one_bias_per_kernel() -> None:
    assert convolution_parameters(1, 6, 5) == 156
    assert convolution_parameters(1, 6, 5, bias=False) + 6 * 28 * 28 == 4854


def test_ER0_29_bias_gradient_is_the_sum_of_delta(rng: np.random.Generator) -> None:
    a, w, delta = rng.normal(size=(5, 5)), rng.normal(size=(2, 2)), rng.normal(size=(4, 4))
    numerical = numerical_gradient(lambda b: (convolution_forward_sum(a, w, b[0]) * delta).sum(), [0.0], 0.1)
    assert_close("db", conv2d_backward_bias(delta[None, None]), numerical, rtol=1e-9)
