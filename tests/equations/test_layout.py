"""ERX-06: the axis orders of the sources and the way between them."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import LAYOUTS, convert_layout, flat_order, flatten_maps, linear_forward
from chainrule.errors import ArgumentError, ShapeError
from tests.helpers import assert_close

IMAGES = [name for name, axes in LAYOUTS.items() if "H" in axes]


@pytest.mark.parametrize("target", IMAGES)
@pytest.mark.parametrize("source", IMAGES)
def test_every_layout_reaches_every_other_and_comes_back(source: str, target: str, rng: np.random.Generator) -> None:
    extents = {"N": 1, "C": 2, "H": 3, "W": 4}
    x = rng.normal(size=[extents[letter] for letter in LAYOUTS[source]])
    there = convert_layout(x, source, target)
    assert there.shape == tuple(extents[letter] for letter in LAYOUTS[target])
    assert_close("there and back", convert_layout(there, target, source), x)


def test_ERX_06_one_pixel_is_found_in_all_layouts(rng: np.random.Generator) -> None:
    x = rng.normal(size=(5, 2, 3, 4))
    assert convert_layout(x, "chainrule", "S4")[1, 3, 0, 2] == x[2, 0, 1, 3]
    assert convert_layout(x[:1], "chainrule", "S2")[1, 2, 3] == x[0, 1, 2, 3]
    assert convert_layout(x[:1], "chainrule", "S3")[2, 3, 1] == x[0, 1, 2, 3]
    assert convert_layout(x, "NCHW", "HWCN").base is x  # a view


def test_S4_E38_columns_are_transposed_rows(rng: np.random.Generator) -> None:
    A = rng.normal(size=(3, 5))
    assert_close("rows", convert_layout(A, "columns", "rows"), A.T)


def test_the_flat_orders_differ_and_translate(rng: np.random.Generator) -> None:
    """A dense layer behind a flattened S3 map gives the same behind NCHW once its columns are put in order."""
    x, weight = rng.normal(size=(4, 2, 3, 5)), rng.normal(size=(6, 30))
    hwc = np.stack([convert_layout(one, "S2", "S3").reshape(-1) for one in x])
    order = flat_order((3, 5, 2), "S3", "chainrule")
    assert_close("features", hwc[:, order], flatten_maps(x))
    y = linear_forward(flatten_maps(x), weight[:, order])
    assert_close("y", y, linear_forward(hwc, weight), atol=1e-13)
    assert (order != np.arange(30)).any()


def test_S2_F04_a_four_by_four_image_flattens_row_major() -> None:
    assert_close("pixels", flatten_maps(np.arange(16).reshape(1, 1, 4, 4)), [range(16)])


def test_what_cannot_be_converted_is_refused() -> None:
    with pytest.raises(ArgumentError, match="word of the letters"):
        convert_layout(np.ones((1, 2)), "NQ", "NC")
    with pytest.raises(ArgumentError, match="word of the letters"):
        convert_layout(np.ones((1, 2)), "", "NC")
    with pytest.raises(ArgumentError, match="same axes"):
        convert_layout(np.ones((1, 2)), "NC", "NCHW")
    with pytest.raises(ShapeError, match="has 4 axes"):
        convert_layout(np.ones((1, 2)), "NCHW", "HWCN")
    with pytest.raises(ShapeError, match="one sample, but the array in NCHW has 2"):
        convert_layout(np.ones((2, 1, 1, 1)), "NCHW", "CHW")
