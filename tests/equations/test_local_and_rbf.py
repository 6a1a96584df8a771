"""Locally connected convolution and radial basis units by central differences and by their sharing counterparts."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    crop,
    local_backward_bias,
    local_backward_weight,
    local_backward_windows,
    local_forward,
    pad,
    rbf_backward_input,
    rbf_backward_weight,
    rbf_forward,
    scatter_windows,
    windows_of,
)
from chainrule.shapes import Window
from tests.helpers import Array, assert_close, numerical_gradient

CASES = [
    Window((2, 2)),
    Window((3, 2), (2, 2), (1, 0, 1, 1)),
    Window((2, 2), (1, 1), dilation=(2, 1)),
    Window((4, 5)),
]
every_window = pytest.mark.parametrize("window", CASES, ids=["plain", "strided", "dilated", "whole"])
SIZE = (4, 5)


def example(rng: np.random.Generator, window: Window) -> tuple[Array, Array, Array, Array]:
    """x, weight, bias, dy."""
    places = window.output_size(SIZE)
    weight = rng.normal(size=(3, *places, 2, *window.kernel_size))
    return rng.normal(size=(2, 2, *SIZE)), weight, rng.normal(size=(3, *places)), rng.normal(size=(2, 3, *places))


def views(x: Array, window: Window) -> Array:
    return windows_of(pad(x, window.sides(SIZE)), window)


@every_window
def test_S2_F09_local_gradients(window: Window, rng: np.random.Generator) -> None:
    x, weight, bias, dy = example(rng, window)
    sides = window.sides(SIZE)
    near = {"rtol": 1e-9, "atol": 1e-11}
    dw = local_backward_weight(dy, views(x, window))
    numerical = numerical_gradient(lambda v: local_forward(views(x, window), v, bias) * dy, weight, 0.1)
    assert_close("dweight", dw, numerical, **near)
    numerical = numerical_gradient(lambda v: local_forward(views(x, window), weight, v) * dy, bias, 0.1)
    assert_close("dbias", local_backward_bias(dy), numerical, **near)
    padded = (SIZE[0] + sides[0] + sides[1], SIZE[1] + sides[2] + sides[3])
    dx = crop(scatter_windows(local_backward_windows(dy, weight), window, padded), sides)
    numerical = numerical_gradient(lambda v: local_forward(views(v, window), weight, bias) * dy, x, 0.1)
    assert_close("dx", dx, numerical, **near)


@every_window
def test_equal_kernels_everywhere_are_a_convolution(window: Window, rng: np.random.Generator) -> None:
    """Weight sharing: the shared gradient is the sum of the unshared ones over the places (S0-F03)."""
    x, weight, bias, dy = example(rng, window)
    shared, shared_bias = weight[:, 0, 0], bias[:, 0, 0]
    everywhere = np.broadcast_to(shared[:, None, None], weight.shape)
    y = local_forward(views(x, window), everywhere, np.broadcast_to(shared_bias[:, None, None], bias.shape))
    options = {"stride": window.stride, "padding": window.padding, "dilation": window.dilation}
    assert_close("y", y, conv2d_forward(x, shared, shared_bias, **options), atol=1e-12)
    dw = local_backward_weight(dy, views(x, window)).sum(axis=(1, 2))
    assert_close("dw", dw, conv2d_backward_weight(dy, x, window.kernel_size, **options), atol=1e-12)
    assert_close("db", local_backward_bias(dy).sum(axis=(1, 2)), conv2d_backward_bias(dy), atol=1e-12)
    sides = window.sides(SIZE)
    padded = (SIZE[0] + sides[0] + sides[1], SIZE[1] + sides[2] + sides[3])
    dx = crop(scatter_windows(local_backward_windows(dy, everywhere), window, padded), sides)
    assert_close("dx", dx, conv2d_backward_input(dy, shared, SIZE, **options), atol=1e-12)


def test_rbf_is_the_squared_distance(rng: np.random.Generator) -> None:
    x, weight, dy = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=(3, 5))
    y = rbf_forward(x, weight)
    for n, o in np.ndindex(3, 5):
        assert_close("y", y[n, o], np.linalg.norm(x[n] - weight[o]) ** 2, rtol=1e-13)
    near = {"rtol": 1e-7, "atol": 1e-8}
    dx = rbf_backward_input(dy, x, weight)
    assert_close("dx", dx, numerical_gradient(lambda v: rbf_forward(v, weight) * dy, x), **near)
    dw = rbf_backward_weight(dy, x, weight)
    assert_close("dweight", dw, numerical_gradient(lambda v: rbf_forward(x, v) * dy, weight), **near)


def test_rbf_at_its_centre_has_no_gradient() -> None:
    centre = np.array([[1.0, -1, 1]])
    dy = np.ones((1, 1))
    assert rbf_forward(centre, centre) == 0
    assert_close("dx", rbf_backward_input(dy, centre, centre), np.zeros((1, 3)))
    assert_close("dweight", rbf_backward_weight(dy, centre, centre), np.zeros((1, 3)))
