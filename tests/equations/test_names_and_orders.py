"""Errors of the counts name their argument, features in the order of any two layouts, and a norm that cancels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule.equations import counts, lp_pool, lp_pool_backward, window_of
from chainrule.equations.layout import LAYOUTS, convert_layout, flat_order
from chainrule.errors import ArgumentError
from tests.helpers import assert_close


def window_of_two(**options: Any) -> object:
    """A window of 2 x 2."""
    return window_of((2, 2), **options)


BAD: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (window_of_two, {"stride": 1, "padding": 0, "dilation": 1}),
    (counts.placements, {"size": (4, 4), "kernel_size": 2, "stride": 1, "padding": 0}),
    (counts.participation_map, {"size": (4, 4), "kernel_size": 2, "stride": 1, "padding": 0, "dilation": 1}),
    (counts.ring_width, {"kernel_size": 3}),
    (counts.dense_parameters, {"inputs": 3, "outputs": 2}),
    (counts.convolution_parameters, {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "groups": 2}),
    (counts.table_parameters, {"table": np.ones((2, 2), bool), "kernel_size": 3}),
    (counts.local_parameters, {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "output_size": (2, 2)}),
    (counts.convolution_connections, {"parameters": 5, "output_size": (2, 2)}),
    (counts.pool_connections, {"channels": 2, "kernel_size": 3, "output_size": (2, 2)}),
]
UNCHECKED = ("size", "table", "parameters")
CASES = [(f, good, name) for f, good in BAD for name in good if name not in UNCHECKED]


@pytest.mark.parametrize(("count", "good", "name"), CASES, ids=[f"{f.__name__}-{name}" for f, _, name in CASES])
def test_errors_of_counts_name_the_argument(count: Callable[..., Any], good: dict[str, Any], name: str) -> None:
    count(**good)
    for value in (-1, 2.5, None, "3"):
        with pytest.raises(ArgumentError) as caught:
            count(**good | {name: value})
        assert re.match(rf"{name}\b", str(caught.value)), str(caught.value)


@pytest.mark.parametrize("name", ["kernel_size", "channels", "output_size"])
def test_the_smallest_sizes_are_counted(name: str) -> None:
    good = {"channels": 2, "kernel_size": 2, "output_size": (2, 2)}
    assert (
        counts.pool_connections(**good | {name: 1}) == 32 // {"kernel_size": 4, "channels": 2, "output_size": 4}[name]
    )


MAPS = ("chainrule", "S2", "S3", "S4")


@pytest.mark.parametrize("target", MAPS)
@pytest.mark.parametrize("source", MAPS)
def test_flat_order_between_any_two_layouts_of_maps(source: str, target: str) -> None:
    """flat_target = flat_source[order], for a sample whose channel, row and column are its value's digits."""
    values = np.array([[[100 * c + 10 * h + w for w in range(4)] for h in range(3)] for c in range(2)])
    one = {name: convert_layout(values, "CHW", LAYOUTS[name].replace("N", "")) for name in MAPS}
    order = flat_order(one[source].shape, source, target)
    assert_close("features", one[source].reshape(-1)[order], one[target].reshape(-1))
    assert sorted(order.tolist()) == list(range(24))


def test_dropping_the_sample_axis_leaves_other_axes_of_length_one() -> None:
    assert convert_layout(np.ones((1, 1, 3, 1)), "NCHW", "HWC").shape == (3, 1, 1)
    assert convert_layout(np.ones((1, 1)), "NC", "C").shape == (1,)


@pytest.mark.parametrize(("size", "rings"), [(1, 0), (3, 1), (5, 2), (7, 3)])
def test_rings_are_counted_in_whole_numbers(size: int, rings: int) -> None:
    assert counts.ring_width(size) == rings
    assert isinstance(counts.ring_width(size), int)


def test_where_signed_powers_cancel_the_norm_is_0_and_nothing_flows_back() -> None:
    """The sum of the cubes of 1 and -1 is 0, though neither is."""
    windows = np.array([[[[[[1.0, -1.0]]]]]])
    y = lp_pool(windows, 3)
    assert_close("y", y, np.zeros((1, 1, 1, 1)))
    assert_close("dx", lp_pool_backward(np.ones_like(y), windows, y, 3), np.zeros_like(windows))
