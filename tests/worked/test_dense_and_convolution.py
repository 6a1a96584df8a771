"""W02, W03, W06, W08, W12: worked examples on integers, which must come out exactly."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    Convention,
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolution_parameters,
    linear_backward_bias,
    linear_backward_input,
    linear_backward_weight,
    linear_forward,
    max_pool,
    relu,
    window_of,
)
from chainrule.equations.derivations.channel_forms import (
    channel_sums,
    feature_maps,
    layer_input_gradient,
    layer_weight_gradient,
    restore_places,
)
from chainrule.equations.derivations.convolution_matrix import (
    BLOCK_POSITIONS,
    convolution_matrix,
    matrix_backward_input,
    matrix_backward_weight,
    matrix_forward,
)
from chainrule.equations.derivations.literal_sums import (
    literal_backward_input,
    literal_backward_weight,
    literal_forward,
)
from chainrule.equations.derivations.matrix_calculus import (
    columns_backward_bias,
    columns_backward_input,
    columns_backward_weight,
    columns_forward,
)
from tests.helpers import Array, assert_close, numerical_gradient


def array(values: object) -> Array:
    return np.array(values, dtype=np.float64)


def test_W02_dense_layer_in_matrix_form() -> None:
    W, b, A = array([[1, 2], [3, 4], [5, 6]]), array([[1], [0], [-1]]), array([[1, 0, 2], [-1, 3, 1]])
    dZ = array([[1, 0, -1], [2, 1, 0], [0, -2, 3]])
    assert_close("Z", columns_forward(W, A, b), [[0, 7, 5], [-1, 12, 10], [-2, 17, 15]])
    assert_close("dW", columns_backward_weight(dZ, A), [[-1, -2], [2, 1], [6, -3]])
    assert_close("db", columns_backward_bias(dZ), [[0], [3], [1]])
    assert_close("dA", columns_backward_input(W, dZ), [[7, -7, 14], [10, -8, 16]])


def test_W02_the_same_with_one_sample_per_row() -> None:
    weight, bias, x = array([[1, 2], [3, 4], [5, 6]]), array([1, 0, -1]), array([[1, -1], [0, 3], [2, 1]])
    dy = array([[1, 2, 0], [0, 1, -2], [-1, 0, 3]])
    assert_close("y", linear_forward(x, weight, bias), [[0, -1, -2], [7, 12, 17], [5, 10, 15]])
    assert_close("dweight", linear_backward_weight(dy, x), [[-1, -2], [2, 1], [6, -3]])
    assert_close("dbias", linear_backward_bias(dy), [0, 3, 1])
    assert_close("dx", linear_backward_input(dy, weight), [[7, 10], [-7, -8], [14, 16]])


W03: dict[str, tuple[Convention, Array, Array, Array, Array, Array, Array, float]] = {
    "a": (
        "correlation",
        np.arange(16.0).reshape(4, 4),
        array([[1, 2], [3, 4]]),
        np.arange(1.0, 10).reshape(3, 3),
        array([[34, 44, 54], [74, 84, 94], [114, 124, 134]]),
        array([[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]),
        array([[303, 348], [483, 528]]),
        45,
    ),
    "b": (
        "correlation",
        np.arange(1.0, 10).reshape(3, 3),
        array([[1, 2], [3, 4]]),
        array([[1, -1], [2, 3]]),
        array([[37, 47], [67, 77]]),
        array([[1, 1, -2], [5, 8, 2], [6, 17, 12]]),
        array([[22, 27], [37, 42]]),
        5,
    ),
    "c": (
        "convolution",
        np.arange(1.0, 10).reshape(3, 3),
        array([[1, 2], [3, 4]]),
        array([[1, -1], [2, 3]]),
        array([[23, 33], [53, 63]]),
        array([[4, -1, -3], [10, 17, 8], [4, 8, 3]]),
        array([[42, 37], [27, 22]]),
        5,
    ),
}


@pytest.mark.parametrize("case", W03)
def test_W03_convolution_on_integers(case: str) -> None:
    mode, a, w, d, y, dx, dw, db = W03[case]
    x, weight, dy = a[None, None], w[None, None], d[None, None]
    assert_close("y", conv2d_forward(x, weight, np.zeros(1), mode=mode)[0, 0], y)
    assert_close("dE/dinput", conv2d_backward_input(dy, weight, a.shape, mode=mode)[0, 0], dx)
    assert_close("dE/dkernel", conv2d_backward_weight(dy, x, w.shape, mode=mode)[0, 0], dw)
    assert_close("dE/db", conv2d_backward_bias(dy), [db])


@pytest.mark.parametrize("case", W03)
def test_W03_by_literal_sums_and_as_a_matrix(case: str) -> None:
    mode, a, w, d, y, dx, dw, _ = W03[case]
    x, weight, dy, window = a[None, None], w[None, None], d[None, None], window_of(w.shape)
    assert_close("y", literal_forward(x, weight, np.zeros(1), window, mode=mode)[0, 0], y)
    assert_close("dx", literal_backward_input(dy, weight, a.shape, window, mode=mode)[0, 0], dx)
    assert_close("dw", literal_backward_weight(dy, x, window, mode=mode)[0, 0], dw)
    matrix = convolution_matrix(weight, a.shape, mode=mode)
    assert_close("M x", matrix_forward(matrix, x).reshape(y.shape), y)
    assert_close("Mᵀ dy", matrix_backward_input(matrix, dy).reshape(dx.shape), dx)
    assert_close("dw of the matrix", matrix_backward_weight(dy, x, w.shape, mode=mode)[0, 0], dw)


@pytest.mark.parametrize("case", W03)
def test_W03_by_central_differences(case: str) -> None:
    mode, a, w, d, _, dx, dw, _ = W03[case]

    def loss(a: Array, w: Array) -> Array:
        return conv2d_forward(a[None, None], w[None, None], mode=mode)[0, 0] * d

    assert_close("dx", numerical_gradient(lambda v: loss(v, w), a, 0.5), dx, atol=1e-10)
    assert_close("dw", numerical_gradient(lambda v: loss(a, v), w, 0.5), dw, atol=1e-10)


IMAGE = array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
CROSS = array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
W06 = {
    1: (
        [[4, 3, 4], [2, 4, 3], [2, 3, 4]],
        np.arange(1.0, 10).reshape(3, 3),
        [[1, 2, 4, 2, 3], [4, 6, 12, 8, 6], [8, 14, 25, 16, 12], [4, 12, 18, 14, 6], [7, 8, 16, 8, 9]],
        [[26, 35, 34], [20, 34, 33], [26, 31, 22]],
        45,
    ),
    2: (
        [[4, 4], [2, 4]],
        array([[1, 2], [3, 4]]),
        [[1, 0, 3, 0, 2], [0, 1, 0, 2, 0], [4, 0, 10, 0, 6], [0, 3, 0, 4, 0], [3, 0, 7, 0, 4]],
        [[7, 5, 8], [6, 7, 4], [6, 5, 6]],
        10,
    ),
}


@pytest.mark.parametrize("stride", W06)
def test_W06_S2_N02_convolution_with_a_stride(stride: int) -> None:
    y, d, dx, dw, db = W06[stride]
    x, weight, dy = IMAGE[None, None], CROSS[None, None], d[None, None]
    assert_close("y", conv2d_forward(x, weight, np.zeros(1), stride=stride)[0, 0], y)
    assert_close("dE/dx", conv2d_backward_input(dy, weight, (5, 5), stride=stride)[0, 0], dx)
    assert_close("dE/dw", conv2d_backward_weight(dy, x, (3, 3), stride=stride)[0, 0], dw)
    assert_close("dE/db", conv2d_backward_bias(dy), [db])
    steps = (stride, stride)
    assert_close("S2-E31", layer_input_gradient(dy[0], weight, (5, 5), steps)[0], dx)
    assert_close("S2-E37", layer_weight_gradient(dy[0], x[0], (3, 3), steps)[0, 0], dw)


def test_W06_the_restored_sensitivity_map() -> None:
    restored = restore_places(array([[1, 2], [3, 4]]), (2, 2), (5, 5), (3, 3))
    assert_close("restored", restored, [[1, 0, 2], [0, 0, 0], [3, 0, 4]])


def test_W06_ER2_24_stride_two_keeps_every_second_place_of_both_axes() -> None:
    dense = array(W06[1][0])
    assert_close("kept", dense[::2, ::2], W06[2][0])
    assert dense[::2].shape != (2, 2)  # the printed colours keep whole rows


X08 = array([
    [[0, 0, 2, 1, 1], [0, 1, 1, 0, 2], [0, 2, 0, 0, 2], [0, 0, 1, 2, 1], [0, 0, 0, 1, 2]],
    [[1, 1, 2, 2, 0], [0, 2, 2, 0, 0], [2, 1, 0, 2, 0], [1, 1, 1, 0, 0], [2, 2, 2, 1, 2]],
    [[1, 2, 1, 0, 1], [2, 0, 1, 1, 2], [2, 0, 0, 0, 2], [0, 2, 2, 1, 0], [0, 1, 2, 2, 0]],
])  # fmt: skip
K08 = array([
    [[1, 0, 0], [-1, 0, 0], [1, 1, 0]],
    [[-1, 0, 1], [-1, -1, -1], [0, 1, -1]],
    [[1, -1, -1], [-1, 0, 0], [-1, 0, -1]],
])  # fmt: skip


def test_W08_S3_E05_N05_three_channels_with_padding_and_stride() -> None:
    y = [[-3, -3, -1], [-4, -8, 0], [-4, -7, -2]]
    options = {"stride": 2, "padding": 1}
    assert_close("y", conv2d_forward(X08[None], K08[None], np.ones(1), **options)[0, 0], y)
    sums = channel_sums(X08, K08[None], (2, 2), (1, 1, 1, 1))[0]
    assert_close("0 + (-4) + 0 + 1", sums[:, 0, 0], [0, -4, 0])
    assert_close("2 + (-3) + (-3) + 1", sums[:, 0, 1], [2, -3, -3])
    maps = feature_maps(X08, K08[None], np.ones(1), lambda v: v, (2, 2), (1, 1, 1, 1))
    assert_close("maps", maps[0], y)


def test_W08_S3_E06_E07_E08_first_output_of_the_forward_pass() -> None:
    i, h = array([[1, 0], [1, 1]]), array([[1, -1], [1, -1]])
    net = conv2d_forward(i[None, None], h[None, None])
    assert net.item() == 1
    assert relu(net).item() == 1
    assert max_pool(array([[1, 0], [0, 1]]))[0] == 1  # the other three values of the window are not printed


def test_W08_S3_N04_N07_shapes_and_parameters() -> None:
    assert convolution_parameters(3, 2, 3) == 56
    two = conv2d_forward(np.ones((1, 1, 4, 4)), np.ones((2, 1, 2, 2)))
    assert two.shape == (1, 2, 3, 3)


W12_ROWS = [
    {0x0, 0x1, 0x4, 0x5}, {0x1, 0x2, 0x5, 0x6}, {0x2, 0x3, 0x6, 0x7},
    {0x4, 0x5, 0x8, 0x9}, {0x5, 0x6, 0x9, 0xA}, {0x6, 0x7, 0xA, 0xB},
    {0x8, 0x9, 0xC, 0xD}, {0x9, 0xA, 0xD, 0xE}, {0xA, 0xB, 0xE, 0xF},
]  # fmt: skip


def test_W12_S2_E01_nine_windows_as_a_matrix() -> None:
    matrix = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4))
    assert matrix.shape == (9, 16)
    assert [set(np.flatnonzero(row).tolist()) for row in matrix] == W12_ROWS
    assert np.count_nonzero(matrix) == 36
    assert_close("column sums", matrix.sum(axis=0), [1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1])


def test_W12_matrix_times_image() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    ones = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4))
    assert_close("z", matrix_forward(ones, x, np.zeros(1)), [[10, 14, 18, 26, 30, 34, 42, 46, 50]])
    kernel = convolution_matrix(array([[[[1, 2], [3, 4]]]]), (4, 4))
    assert_close("z", matrix_forward(kernel, x), [[34, 44, 54, 74, 84, 94, 114, 124, 134]])


@pytest.mark.parametrize("place", BLOCK_POSITIONS)
def test_W12_the_detector_fires_at_its_block_alone(place: str) -> None:
    matrix = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4))
    row = list(BLOCK_POSITIONS).index(place)
    image = np.zeros((1, 1, 16))
    image[0, 0, list(W12_ROWS[row])] = 1
    fired = relu(matrix_forward(matrix, image, array([-3])))
    expected = np.zeros((1, 9))
    expected[0, row] = 1
    assert_close("detector", fired, expected)
