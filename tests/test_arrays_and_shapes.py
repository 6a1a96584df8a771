"""What may enter a computation, and the arguments of windows: what is accepted, and how the rest is refused."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.arrays import (
    as_array,
    as_batch,
    as_labels,
    check_finite,
    compute_dtype,
    one_hot,
    to_floats,
)
from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, NameLookupError, ShapeError
from chainrule.shapes import Window, integer, padding_sides, pair, product, shape_text
from tests.helpers import assert_close, assert_differs, numerical_gradient


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_finite_numbers_are_finite_and_give_no_warning(dtype: type) -> None:
    """Their sum overflows, they do not."""
    check_finite(np.full(4, np.finfo(dtype).max, dtype), "x")
    check_finite(np.array([1, 2]), "x")


@pytest.mark.parametrize("bad", [[1, np.nan], [np.inf, -np.inf], [0, -np.inf]])
def test_the_first_value_that_is_not_finite_is_named(bad: list[float]) -> None:
    place = 1 if np.isfinite(bad[0]) else 0
    with pytest.raises(DataError, match=rf"x holds .* at index \[{place}\]"):
        check_finite(np.array(bad), "x")


@pytest.mark.parametrize("value", [["a"], [object()], [1j], np.array(["2020-01-01"], "datetime64[D]"), None])
def test_what_is_no_real_number_is_refused(value: object) -> None:
    with pytest.raises(DtypeError, match="x must hold real numbers"):
        as_array(value, "x")  # type: ignore[arg-type]


def test_ragged_lists_are_refused() -> None:
    with pytest.raises(ShapeError, match="not a rectangular array"):
        as_array([[1, 2], [3]], "x")


def test_a_batch_has_samples_of_the_right_shape() -> None:
    assert as_batch(np.zeros((2, 1, 4, 4)), (1, 4, 4)).shape == (2, 1, 4, 4)
    with pytest.raises(ShapeError, match=r"pass x\[None\]"):
        as_batch(np.zeros((1, 4, 4)), (1, 4, 4))
    with pytest.raises(ShapeError, match=r"\(n, 1, 4, 4\), not \(2, 16\)"):
        as_batch(np.zeros((2, 16)), (1, 4, 4))
    with pytest.raises(DataError, match="no samples"):
        as_batch(np.zeros((0, 3)), (3,))


@pytest.mark.parametrize(
    "data, expected",
    [
        (np.uint8, "float32"), (np.bool_, "float32"), (np.float16, "float32"), (np.float32, "float32"),
        (np.float64, "float64"), (np.int64, "float64"), (np.int8, "float64"), (np.uint16, "float64"),
    ],
)  # fmt: skip
def test_the_compute_dtype_follows_the_data(data: type, expected: str) -> None:
    assert compute_dtype(np.zeros(1, data), None) == expected
    assert compute_dtype(np.zeros(1, data), "float64") == "float64"


@pytest.mark.parametrize("dtype", ["float16", "double precision", int, 3])
def test_an_unknown_compute_dtype_is_refused(dtype: str) -> None:
    with pytest.raises(ArgumentError, match='"float32" or "float64"'):
        compute_dtype(np.zeros(1), dtype)


def test_numpy_spellings_of_a_dtype_are_understood() -> None:
    for spelling in (np.float32, np.dtype("float32"), "float32"):
        assert compute_dtype(np.zeros(1), spelling) == np.float32  # type: ignore[arg-type]


def test_bytes_become_fractions_and_numbers_that_do_not_fit_are_named() -> None:
    assert_close("bytes", to_floats(np.array([0, 51, 255], np.uint8), np.dtype(np.float64)), [0, 0.2, 1])
    with pytest.raises(DataError, match="x as float32 holds inf"):
        to_floats(np.array([1e300]), np.dtype(np.float32))


def test_labels() -> None:
    assert_close("one hot", one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(DataError, match=r"the label 3, but the network has 3 outputs: 0\.\.2"):
        as_labels([0, 3], 3)
    with pytest.raises(DataError, match="the label -1"):
        as_labels([-1], 3)
    with pytest.raises(DtypeError, match="integer class indices"):
        as_labels([0.0], 3)
    with pytest.raises(DtypeError, match="integer class indices"):
        as_labels([True], 3)


@pytest.mark.parametrize("value", [True, 1.5, "3", None, -1, 2**31])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ArgumentError, match="stride must"):
        integer("stride", value, 1)


def test_one_number_or_a_pair() -> None:
    assert pair("stride", 2, 1) == pair("stride", [2, 2], 1) == pair("stride", np.int64(2), 1) == (2, 2)
    with pytest.raises(ArgumentError, match="pair"):
        pair("stride", (1, 2, 3), 1)


def test_every_way_to_write_a_padding() -> None:
    assert padding_sides("valid") == padding_sides(0) == (0, 0, 0, 0)
    assert padding_sides((1, 2)) == (1, 1, 2, 2)
    assert padding_sides([1, 2, 3, 4]) == (1, 2, 3, 4)
    assert padding_sides("same") == "same"
    for bad in ("reflect", (1, 2, 3), -1, (0, 0, 0, -1), 1.5, None):
        with pytest.raises(ArgumentError):
            padding_sides(bad)


@pytest.mark.parametrize("size", [(7, 8), (1, 1), (3, 10)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel, dilation", [(1, 1), (2, 1), (3, 2), (5, 1)])
def test_same_gives_ceil_n_over_stride_places(size: tuple[int, int], stride: int, kernel: int, dilation: int) -> None:
    window = Window((kernel, kernel), (stride, stride), "same", (dilation, dilation))
    assert window.output_size(size) == (-(-size[0] // stride), -(-size[1] // stride))
    assert min(window.sides(size)) >= 0


def test_a_window_that_does_not_fit_says_both_sizes() -> None:
    with pytest.raises(ShapeError, match=r"a window of 5x5 does not fit a map of 4x4 \(2x2 before padding\)"):
        Window((5, 5), padding=(1, 1, 1, 1)).output_size((2, 2))
    with pytest.raises(ShapeError, match=r"a window of 2x3 does not fit a map of 4x1$"):
        Window((2, 3)).output_size((4, 1))


def test_products_and_texts_of_shapes() -> None:
    assert product((2**40, 2**40)) == 2**80
    assert product(()) == 1
    assert shape_text((6, 28, 28)) == "6x28x28"
    assert shape_text(()) == "scalar"


def test_a_wrong_name_suggests_the_nearest() -> None:
    error = NameLookupError("parameter", "conv1.wieght", ["conv1.weight", "conv1.bias"])
    assert str(error).startswith("no parameter is named 'conv1.wieght'; did you mean 'conv1.weight'")
    assert isinstance(error, KeyError)
    assert isinstance(error, ChainruleError)
    assert str(NameLookupError("layer", "x", [])) == "no layer is named 'x'; there are none"


def test_the_comparison_names_the_tensor_and_the_place() -> None:
    with pytest.raises(AssertionError, match=r"dx: 1 of 4 values differ; the worst at \[1, 0\].*difference 0.5"):
        assert_close("dx", [[1, 2], [3.5, 4]], [[1, 2], [3, 4]])
    with pytest.raises(AssertionError, match=r"dx: shape \(2,\), expected \(3,\)"):
        assert_close("dx", [1, 2], [1, 2, 3])
    with pytest.raises(AssertionError, match="1 of 2 values differ"):
        assert_close("dx", [np.nan, 1], [0, 1], atol=1e9)
    assert_close("dx", [np.nan, np.inf], [np.nan, np.inf])
    assert_close("dx", [1.0, 100.0], [1.001, 100.1], rtol=1.1e-3)
    with pytest.raises(AssertionError, match="only, but it is the wrong form"):
        assert_differs("form", [1.0], [1.001])


def test_the_numerical_gradient_of_a_known_function() -> None:
    x = np.array([[1.0, 2], [3, 4]])
    assert_close("3 x²", numerical_gradient(lambda v: v**3, x), 3 * x**2, rtol=1e-8)
    assert_close("x", x, [[1, 2], [3, 4]])
