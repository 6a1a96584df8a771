"""S1, S2, S3, S4: forward by cross-correlation. All printed forms of the gradients agree, the misprinted do not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from chainrule.equations import (
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    cross_correlate,
    pad,
    relu,
    relu_derivative,
    rot180,
    sigmoid,
    sigmoid_derivative,
)
from chainrule.equations.derivations.correlation_forms import (
    correlation_bias_gradient,
    correlation_delta_before,
    correlation_input_gradient,
    correlation_input_gradient_padded,
    correlation_input_gradient_places,
    correlation_input_gradient_rotated,
    correlation_input_gradient_sum,
    correlation_input_jacobian,
    correlation_weight_gradient,
    correlation_weight_gradient_convolution,
    correlation_weight_gradient_sum,
    correlation_weight_jacobian,
    entry,
    input_size_of,
    kernel_size_of,
    through_jacobian,
)
from tests.helpers import Array, assert_close, assert_differs, numerical_gradient

SIZES = [((4, 4), (2, 2)), ((3, 3), (2, 2)), ((6, 5), (2, 3)), ((4, 4), (1, 1)), ((3, 5), (3, 5))]
sizes = pytest.mark.parametrize("size, kernel", SIZES)


def example(rng: np.random.Generator, size: tuple[int, int], kernel: tuple[int, int]) -> tuple[Array, ...]:
    """a, w and delta of one map."""
    places = (size[0] - kernel[0] + 1, size[1] - kernel[1] + 1)
    return rng.normal(size=size), rng.normal(size=kernel), rng.normal(size=places)


@sizes
@pytest.mark.parametrize(
    "form",
    [correlation_weight_gradient_sum, correlation_weight_gradient, correlation_weight_gradient_convolution],
    ids=["S4_E28_sum", "S4_E29_in_the_order_of_ER4_14", "S4_E29_bracket_as_ER4_15_corrects_it"],
)
def test_weight_gradient_forms(form, size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, delta = example(rng, size, kernel)
    dw = form(delta, a)
    assert_close("conv2d", dw, conv2d_backward_weight(delta[None, None], a[None, None], kernel)[0, 0], atol=1e-12)
    numerical = numerical_gradient(lambda v: (cross_correlate(a, v) * delta).sum(), w, 0.1)
    assert_close("central difference", dw, numerical, rtol=1e-9, atol=1e-11)
    assert_close("S4-E25, E27", through_jacobian(delta, correlation_weight_jacobian(a, kernel)), dw, atol=1e-12)


@sizes
@pytest.mark.parametrize(
    "form",
    [
        correlation_input_gradient_sum,
        correlation_input_gradient_places,
        correlation_input_gradient,
        correlation_input_gradient_rotated,
        correlation_input_gradient_padded,
    ],
    ids=["S2_E26_as_ER2_22", "S4_E36", "S2_E25_S4_E37", "S4_E37_second_as_ER4_20", "S1_E11_padded_delta"],
)
def test_input_gradient_forms(form, size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, delta = example(rng, size, kernel)
    da = form(delta, w)
    assert_close("conv2d", da, conv2d_backward_input(delta[None, None], w[None, None], size)[0, 0], atol=1e-12)
    numerical = numerical_gradient(lambda v: (cross_correlate(v, w) * delta).sum(), a, 0.1)
    assert_close("central difference", da, numerical, rtol=1e-9, atol=1e-11)
    assert_close("S4-E33..E35", through_jacobian(delta, correlation_input_jacobian(w, size)), da, atol=1e-12)


@sizes
def test_S4_E31_bias_gradient_is_ones_correlated_with_delta(size, kernel, rng):  # type: ignore[no-untyped-def]
    delta = example(rng, size, kernel)[2]
    db = correlation_bias_gradient(delta)
    assert_close("db", db, [[delta.sum()]], atol=1e-12)
    assert_close("conv2d", db[0], conv2d_backward_bias(delta[None, None]), atol=1e-12)


@sizes
def test_ER4_22_sizes_and_padding_of_the_full_convolution(size, kernel, rng):  # type: ignore[no-untyped-def]
    a, w, delta = example(rng, size, kernel)
    assert kernel_size_of(a, delta) == kernel
    assert input_size_of(delta, w) == size
    assert (size[0] - delta.shape[0], size[1] - delta.shape[1]) == (kernel[0] - 1, kernel[1] - 1)


def test_S1_E12_S2_E27_S4_E37_delta_of_the_layer_before(rng: np.random.Generator) -> None:
    net, w, v, target = rng.normal(size=(5, 5)), *(rng.normal(size=s) for s in ((3, 3), (2, 2), (2, 2)))

    def error(n: Array) -> float:
        """net -> sigmoid -> ⋆ w -> sigmoid -> ⋆ v -> half squared error."""
        return float(((cross_correlate(sigmoid(cross_correlate(sigmoid(n), w)), v) - target) ** 2).sum() / 2)

    hidden = cross_correlate(sigmoid(net), w)
    last = cross_correlate(sigmoid(hidden), v) - target
    delta_hidden = correlation_delta_before(last, v, sigmoid_derivative(sigmoid(hidden)))
    delta = correlation_delta_before(delta_hidden, w, sigmoid_derivative(sigmoid(net)))
    assert_close("delta", delta, numerical_gradient(error, net), rtol=1e-7, atol=1e-9)


def misprinted_plus(delta: Array, w: Array, base: int, padded: bool, turned: bool) -> Array:
    """sum h[m, n] delta[i + m, j + n] as S1, S2 and S3 print it, in one of the eight ways to read it.

    `base`: indices begin at 0 or 1; `padded`: delta has F - 1 rings of zeros; `turned`: h is rot180 of h.
    """
    kernel = rot180(w) if turned else w
    rows, columns = w.shape[0] - 1, w.shape[1] - 1
    source = pad(delta, (rows, rows, columns, columns)) if padded else delta
    da = np.zeros(input_size_of(delta, w))
    for i, j in np.ndindex(*da.shape):
        for m, n in np.ndindex(*w.shape):
            da[i, j] += kernel[m, n] * entry(source, i + m + base, j + n + base)
    return da


@pytest.mark.parametrize("size", [4, 3], ids=["ER1_06_ER3_13_map_of_4", "ER2_22_map_of_3"])
def test_only_one_of_eight_readings_of_i_plus_m_is_right(size: int, rng: np.random.Generator) -> None:
    delta, w = rng.normal(size=(size - 1, size - 1)) + 2, rng.normal(size=(2, 2)) + 1
    right = correlation_input_gradient(delta, w)
    for base, padded, turned in itertools.product((0, 1), (False, True), (False, True)):
        wrong = misprinted_plus(delta, w, base, padded, turned)
        if (base, padded, turned) == (0, True, True):
            assert_close("padded and turned", wrong, right, atol=1e-12)
        else:
            assert_differs(f"base {base}, padded {padded}, turned {turned}", wrong, right, 1.0)


def test_ER1_09_the_kernel_is_not_its_own_gradient(rng: np.random.Generator) -> None:
    a, w, delta = rng.normal(size=(4, 4)), rng.normal(size=(2, 2)), rng.normal(size=(3, 3))
    right = correlation_weight_gradient(delta, a)[0, 0]
    printed = sum(delta[p, q] * w[0, 0] for p, q in np.ndindex(3, 3))
    corrected = sum(delta[p, q] * a[p, q] for p, q in np.ndindex(3, 3))
    assert_close("corrected", corrected, right, atol=1e-12)
    assert_differs("S1-E13 as printed", printed, right)


def test_ER1_09_on_integers_where_every_number_can_be_followed() -> None:
    a, delta = np.arange(16.0).reshape(4, 4), np.arange(1.0, 10).reshape(3, 3)
    assert correlation_weight_gradient(delta, a)[0, 0] == 303
    assert delta.sum() * 1 == 45  # the printed form, for h_11 = 1


def test_ER1_10_ER3_14_the_gradient_takes_the_input_at_i_plus_m_minus_1(rng: np.random.Generator) -> None:
    a, w, delta = rng.normal(size=(4, 4)), rng.normal(size=(2, 2)), rng.normal(size=(3, 3))
    right = correlation_weight_gradient_sum(delta, a)
    out = relu(cross_correlate(a, w))
    with_output, one_based = np.zeros((2, 2)), np.zeros((2, 2))
    for i, j in np.ndindex(2, 2):
        for m, n in np.ndindex(3, 3):
            with_output[i, j] += delta[m, n] * entry(out, i + m, j + n)
            one_based[i, j] += delta[m, n] * entry(a, i + m + 1, j + n + 1)
    assert_differs("with the layer's output", with_output, right)
    assert_differs("1-based i + m", one_based, right)


def test_ER1_11_the_bias_gradient_has_all_nine_terms() -> None:
    delta = np.arange(1.0, 10).reshape(3, 3)
    assert correlation_bias_gradient(delta) == 45
    assert delta[:2, :2].sum() == 12  # the four printed terms


def test_ER1_07_sliding_the_turned_kernel_must_not_turn_it_again() -> None:
    """W03 a: the padded delta under the turned kernel is a cross-correlation."""
    delta, w = np.arange(1.0, 10).reshape(3, 3), np.array([[1.0, 2], [3, 4]])
    right = [[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]
    assert_close("sliding", correlation_input_gradient_padded(delta, w), right)
    assert_close("conv_full", convolve(delta, w, "full"), right)
    assert_differs("turned twice", convolve(pad(delta, (1, 1, 1, 1)), rot180(w)), right, 1.0)


def test_ER4_14_the_swapped_order_gives_the_turned_gradient(rng: np.random.Generator) -> None:
    a, delta = rng.normal(size=(5, 5)), rng.normal(size=(4, 4))
    right = correlation_weight_gradient(delta, a)
    places = np.pad(delta, 1)  # dZ ⋆ g(Z): dZ stays, the larger map slides
    swapped = np.zeros((2, 2))
    for x, y in np.ndindex(2, 2):
        swapped[x, y] = sum(
            entry(places, x + i, y + j) * a[i, j] for i, j in np.ndindex(5, 5)
        )  # dZ padded so that the 2x2 whole overlaps exist
    assert_close("turned", rot180(swapped), right, atol=1e-12)
    assert_differs("as printed", swapped, right)


def test_ER4_15_the_printed_bracket_gives_the_turned_gradient() -> None:
    """W03 b: dJ/dZ ∗ rot180(Z) is the gradient in S0's convention, not in S4's."""
    a, delta = np.arange(1.0, 10).reshape(3, 3), np.array([[1.0, -1], [2, 3]])
    printed = convolve(rot180(a), delta)
    assert_close("printed", printed, [[42, 37], [27, 22]])
    right = correlation_weight_gradient_convolution(delta, a)
    assert_close("right", right, [[22, 27], [37, 42]])
    assert_close("printed, turned", rot180(printed), right)


def test_ER4_20_the_second_form_contradicts_the_first() -> None:
    """W03 b: ∗_full ROT180(W) gives the input gradient of S0's convention."""
    w, delta = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, -1], [2, 3]])
    right = [[1, 1, -2], [5, 8, 2], [6, 17, 12]]
    assert_close("first form", correlation_input_gradient(delta, w), right)
    assert_close("⋆_full ROT180(W)", correlation_input_gradient_rotated(delta, w), right)
    assert_close("printed second form", convolve(delta, rot180(w), "full"), [[4, -1, -3], [10, 17, 8], [4, 8, 3]])


def test_ER4_13_inclusive_limits_run_out_of_bounds() -> None:
    a, delta = np.arange(25.0).reshape(5, 5), np.ones((4, 4))
    terms = list(itertools.product(range(delta.shape[0] + 1), range(delta.shape[1] + 1)))
    assert len(terms) == 25
    with pytest.raises(IndexError):
        sum(delta[x, y] * a[x, y] for x, y in terms)
    assert correlation_weight_gradient_sum(delta, a).shape == (2, 2)


def test_ER4_21_ER2_28_the_slope_multiplies_last(rng: np.random.Generator) -> None:
    delta, w, slope = rng.normal(size=(3, 3)), rng.normal(size=(2, 2)), rng.normal(size=(4, 4))
    right = correlation_delta_before(delta, w, slope)
    assert_close("brackets", right, correlation_input_gradient(delta, w) * slope)
    assert_differs("no brackets", convolve(delta, w * slope[:2, :2], "full"), right)


def test_S4_N01_the_kernel_index_of_the_example_needs_three_rows() -> None:
    jacobian = correlation_input_jacobian(np.arange(9.0).reshape(3, 3), (4, 4))
    assert jacobian[0, 0, 2, 2] == 8  # w[2, 2]
    assert correlation_input_jacobian(np.ones((2, 2)), (4, 4))[0, 0, 2, 2] == 0


def test_S1_E04_E05_S3_E18_E20_convolution_then_relu() -> None:
    net_i = np.arange(-8.0, 8).reshape(4, 4)
    i = relu(net_i)
    h = np.array([[1.0, -1], [2, 1]])
    net_o = conv2d_forward(i[None, None], h[None, None])[0, 0]
    for p, q in np.ndindex(3, 3):
        nine = i[p, q] * 1 - i[p, q + 1] + 2 * i[p + 1, q] + i[p + 1, q + 1]
        assert net_o[p, q] == nine
    delta_i = correlation_delta_before(relu_derivative(relu(net_o)), h, relu_derivative(i))
    numerical = numerical_gradient(lambda v: relu(cross_correlate(relu(v), h)).sum(), net_i + 0.25)
    assert_close("delta_i", delta_i[net_i != 0], numerical[net_i != 0], atol=1e-8)
