"""The convolution layer against its literal sums and against central differences, in both conventions."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    Convention,
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    crop,
    cross_correlate,
    pad,
    rot180,
    scatter_windows,
    window_of,
    windows_of,
    zero_restore,
)
from chainrule.equations.derivations.literal_sums import (
    literal_backward_bias,
    literal_backward_input,
    literal_backward_weight,
    literal_forward,
)
from chainrule.errors import ArgumentError, ShapeError
from tests.equations.cases import CASES, MODES, NAMES, Case
from tests.helpers import assert_close, numerical_gradient

every_case = pytest.mark.parametrize("case", CASES, ids=NAMES)
both_modes = pytest.mark.parametrize("mode", MODES)


@both_modes
@every_case
def test_conv2d_agrees_with_the_literal_sums(case: Case, mode: Convention, rng: np.random.Generator) -> None:
    x, weight, bias, dy = case.arrays(rng)
    window, groups = case.window(), case.groups
    options = {**case.options, "groups": groups, "mode": mode}
    assert_close(
        "y", conv2d_forward(x, weight, bias, **options), literal_forward(x, weight, bias, window, groups, mode),
        atol=1e-12,
    )  # fmt: skip
    assert_close(
        "dx",
        conv2d_backward_input(dy, weight, case.size, **options),
        literal_backward_input(dy, weight, case.size, window, groups, mode),
        atol=1e-12,
    )
    assert_close(
        "dweight",
        conv2d_backward_weight(dy, x, case.kernel, **options),
        literal_backward_weight(dy, x, window, groups, mode),
        atol=1e-12,
    )
    assert_close("dbias", conv2d_backward_bias(dy), literal_backward_bias(dy), atol=1e-12)


@both_modes
@every_case
def test_conv2d_gradients_agree_with_central_differences(
    case: Case, mode: Convention, rng: np.random.Generator
) -> None:
    x, weight, bias, dy = (a[:1] if a.ndim == 4 and a.shape[0] == case.batch else a for a in case.arrays(rng))
    if weight.shape[0] != case.filters:  # a batch as large as the number of filters was cut too
        weight = rng.normal(size=(case.filters, *weight.shape[1:]))
    options = {**case.options, "groups": case.groups, "mode": mode}

    def loss(x: np.ndarray = x, weight: np.ndarray = weight, bias: np.ndarray = bias) -> float:
        return float((conv2d_forward(x, weight, bias, **options) * dy).sum())

    dx = conv2d_backward_input(dy, weight, case.size, **options)
    dw = conv2d_backward_weight(dy, x, case.kernel, **options)
    # the loss is linear in each argument, so a large step has no truncation error
    assert_close("dx", dx, numerical_gradient(lambda v: loss(x=v), x, 0.1), rtol=1e-9, atol=1e-11)
    assert_close("dw", dw, numerical_gradient(lambda v: loss(weight=v), weight, 0.1), rtol=1e-9, atol=1e-11)
    db = numerical_gradient(lambda v: loss(bias=v), bias, 0.1)
    assert_close("db", conv2d_backward_bias(dy), db, rtol=1e-9, atol=1e-11)


@every_case
def test_forward_without_bias_adds_nothing(case: Case, rng: np.random.Generator) -> None:
    x, weight, _, _ = case.arrays(rng)
    options = {**case.options, "groups": case.groups}
    zeros = np.zeros(case.filters)
    assert_close("y", conv2d_forward(x, weight, None, **options), conv2d_forward(x, weight, zeros, **options))


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 2), (4, 5)])
def test_S0_C02_convolution_is_correlation_with_the_turned_kernel(
    mode: str, kernel: tuple[int, int], rng: np.random.Generator
) -> None:
    a, w = rng.normal(size=(5, 6)), rng.normal(size=kernel)
    assert_close("a ∗ w", convolve(a, w, mode), cross_correlate(a, rot180(w), mode))  # type: ignore[arg-type]
    sizes = {"valid": (6 - kernel[0], 7 - kernel[1]), "full": (4 + kernel[0], 5 + kernel[1]), "same": (5, 6)}
    assert cross_correlate(a, w, mode).shape == sizes[mode]  # type: ignore[arg-type]


def test_S0_E01_E02_both_sliding_operations_as_printed(rng: np.random.Generator) -> None:
    a, w = rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
    padded = np.pad(a, 4)  # so that a[x - i] and a[x + i] may leave the array
    correlation = np.zeros((3, 3))
    convolution = np.zeros((7, 7))
    for x, y in np.ndindex(7, 7):
        for i, j in np.ndindex(3, 3):
            convolution[x, y] += padded[x - i + 4, y - j + 4] * w[i, j]
            if x < 3 and y < 3:
                correlation[x, y] += a[x + i, y + j] * w[i, j]
    assert_close("a ⋆ w", cross_correlate(a, w), correlation, atol=1e-14)
    assert_close("a ∗ w, full", convolve(a, w, "full"), convolution, atol=1e-14)
    assert_close("a ∗ w, valid, 2 to 4", convolve(a, w), convolution[2:5, 2:5], atol=1e-14)


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_leading_axes_are_maps_of_their_own(mode: str, rng: np.random.Generator) -> None:
    a, w = rng.normal(size=(3, 2, 5, 4)), rng.normal(size=(2, 3))
    y = cross_correlate(a, w, mode)  # type: ignore[arg-type]
    for n, c in np.ndindex(3, 2):
        one = cross_correlate(a[n, c], w, mode)  # type: ignore[arg-type]
        assert_close("map", y[n, c], one, atol=1e-14)


def test_full_convolution_is_commutative_and_correlation_is_not(rng: np.random.Generator) -> None:
    a, w = rng.normal(size=(4, 4)), rng.normal(size=(3, 3))
    assert_close("w ∗ a", convolve(w, a, "full"), convolve(a, w, "full"), atol=1e-14)
    swapped = cross_correlate(w, a, "full")
    assert_close("w ⋆ a is turned", swapped, rot180(cross_correlate(a, w, "full")), atol=1e-14)


def test_S4_F02_rot180_is_two_quarter_turns(rng: np.random.Generator) -> None:
    w = rng.normal(size=(2, 3, 4, 5))
    assert_close("rot180", rot180(w), np.rot90(w, 2, axes=(2, 3)))
    assert_close("twice", rot180(rot180(w)), w)


def test_a_kernel_larger_than_the_array_is_refused() -> None:
    with pytest.raises(ShapeError, match="does not fit"):
        cross_correlate(np.ones((2, 2)), np.ones((3, 3)))
    with pytest.raises(ShapeError, match=r"\(3, 3\) does not fit an array of \(4, 2\)"):
        cross_correlate(np.ones((7, 5, 4, 2)), np.ones((3, 3)))
    with pytest.raises(ShapeError, match="does not fit a map of 2x2"):
        conv2d_forward(np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3)))
    with pytest.raises(ArgumentError, match="stride"):
        conv2d_forward(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), stride=0)


@every_case
def test_adjoints_of_windows_and_padding(case: Case, rng: np.random.Generator) -> None:
    """<windows(pad(x)), v> = <x, crop(scatter(v))>: the backward functions are the transposed forward ones."""
    window = case.window()
    sides = window.sides(case.size)
    x = rng.normal(size=case.size)
    padded = pad(x, sides)
    views = windows_of(padded, window)
    v = rng.normal(size=views.shape)
    back = crop(scatter_windows(v, window, padded.shape), sides)
    assert back.shape == x.shape
    assert_close("inner product", (views * v).sum(), (x * back).sum(), atol=1e-11)


def test_ER2_23_zero_restore_fills_between_and_behind() -> None:
    dy = np.array([[1.0, 2.0], [3.0, 4.0]])
    restored = zero_restore(dy, (2, 2), (4, 4))
    assert_close("restored", restored, [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]])
    assert zero_restore(dy, (1, 1), (2, 2)) is dy


def test_pad_and_crop() -> None:
    a = np.arange(6.0).reshape(2, 3)
    padded = pad(a, (1, 0, 0, 2), value=-1)
    assert_close("padded", padded, [[-1, -1, -1, -1, -1], [0, 1, 2, -1, -1], [3, 4, 5, -1, -1]])
    assert_close("cropped", crop(padded, (1, 0, 0, 2)), a)
    assert pad(a, (0, 0, 0, 0)) is a


def test_ER2_13_the_stride_stands_in_the_index(rng: np.random.Generator) -> None:
    """a[0, 1] at S = 2 is the window that starts in column 2, not in column 1 as S2's L680 reads literally."""
    x, w = rng.normal(size=(1, 1, 5, 5)), rng.normal(size=(1, 1, 3, 3))
    y = conv2d_forward(x, w, stride=2)
    assert_close("a_01", y[0, 0, 0, 1], (x[0, 0, 0:3, 2:5] * w[0, 0]).sum(), atol=1e-14)
    assert abs(y[0, 0, 0, 1] - (x[0, 0, 0:3, 1:4] * w[0, 0]).sum()) > 0.1


def test_an_unknown_window_option_is_refused() -> None:
    with pytest.raises(ArgumentError, match="padding"):
        window_of((3, 3), padding="reflect")  # type: ignore[arg-type]


@both_modes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_data_is_kept(mode: Convention, dtype: type, rng: np.random.Generator) -> None:
    x, weight, bias, dy = (a.astype(dtype) for a in Case("", options={"stride": 2, "padding": 1}).arrays(rng))
    options = {"stride": 2, "padding": 1, "mode": mode}
    assert conv2d_forward(x, weight, bias, **options).dtype == dtype
    assert conv2d_backward_input(dy, weight, (6, 6), **options).dtype == dtype
    assert conv2d_backward_weight(dy, x, (3, 3), **options).dtype == dtype
    assert conv2d_backward_bias(dy).dtype == dtype
