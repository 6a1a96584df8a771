"""Counting places, participation, parameters and connections, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    LENET5_C3_TABLE,
    conv2d_backward_input,
    convolution_connections,
    convolution_parameters,
    dense_parameters,
    local_parameters,
    participation_map,
    placements,
    pool_connections,
    ring_width,
    table_parameters,
)
from chainrule.equations.derivations.convolution_matrix import convolution_matrix
from chainrule.equations.derivations.image_size import block_detector_parameters, image_size_report, image_size_row
from chainrule.errors import ArgumentError, ShapeError
from tests.equations.cases import CASES, NAMES, Case
from tests.helpers import assert_close


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_S2_D01_participation_is_the_gradient_of_a_kernel_of_ones(case: Case) -> None:
    counts = participation_map(case.size, case.kernel, **case.options)
    assert counts.dtype == np.int64
    ones = np.ones((1, 1, *case.window().output_size(case.size)))
    kernel = np.ones((1, 1, *case.kernel))
    gradient = conv2d_backward_input(ones, kernel, case.size, **case.options)
    assert_close("gradient", counts, gradient[0, 0].astype(int))
    matrix = convolution_matrix(kernel, case.size, **case.options)
    assert_close("column sums", counts.ravel(), matrix.sum(axis=0).astype(int))


def test_S2_C01_placements() -> None:
    assert placements((4, 4), 2) == 9
    assert placements((28, 28), 3) == 676
    assert placements((5, 5), 3, stride=2, padding=1) == 9
    with pytest.raises(ShapeError):
        placements((2, 2), 3)


@pytest.mark.parametrize("kernel, width", [(1, 0), (3, 1), (5, 2), (7, 3)])
def test_S2_C02_ER2_10_ring_width(kernel: int, width: int) -> None:
    assert ring_width(kernel) == width
    centres = {p + kernel // 2 for p in range(11 - kernel + 1)}
    assert min(centres) == width
    assert 10 - max(centres) == width


@pytest.mark.parametrize("kernel", [2, 4, 0, -3, 1.5, True])
def test_ER2_10_an_even_kernel_has_no_centre(kernel: int) -> None:
    with pytest.raises(ArgumentError):
        ring_width(kernel)


def test_S3_N01_dense_parameters() -> None:
    assert dense_parameters(784, 100) == 78500
    assert dense_parameters(784, 100, bias=False) == 78400
    with pytest.raises(ArgumentError, match="inputs"):
        dense_parameters(0, 100)


def test_the_smallest_layers_are_counted() -> None:
    assert dense_parameters(1, 1) == convolution_parameters(1, 1, 1) == local_parameters(1, 1, 1, (1, 1)) == 2
    assert placements((1, 1), 1) == participation_map((1, 1), 1).item() == pool_connections(1, 1, (1, 1)) == 1
    assert convolution_connections(2, (1, 1)) == table_parameters(np.ones((1, 1), bool), 1) == 2


def test_convolution_parameters() -> None:
    assert convolution_parameters(3, 2, 3) == 56
    assert convolution_parameters(4, 6, (3, 1), groups=2, bias=False) == 36
    with pytest.raises(ArgumentError, match="groups"):
        convolution_parameters(3, 4, 3, groups=2)
    with pytest.raises(ArgumentError, match="groups"):
        convolution_parameters(3, 3, 3, groups=0)


def test_S2_H02_ways_to_fewer_parameters() -> None:
    """LeNet-5's C1 on 32x32: dense, local and unshared, shared."""
    assert dense_parameters(32 * 32, 6 * 28 * 28) == 4821600
    assert local_parameters(1, 6, 5, (28, 28)) == 122304
    assert convolution_parameters(1, 6, 5) == 156
    assert convolution_connections(156, (28, 28)) == 122304


def test_pool_connections_of_lenet5() -> None:
    assert pool_connections(6, 2, (14, 14), bias=True) == 5880
    assert pool_connections(6, 2, (14, 14)) == 4704
    assert pool_connections(16, 2, (5, 5), bias=True) == 2000
    assert pool_connections(16, 2, (5, 5)) == 1600


def test_S2_H03_table_parameters() -> None:
    assert table_parameters(LENET5_C3_TABLE, 5) == 1516
    assert convolution_connections(1516, (10, 10)) == 151600
    assert table_parameters(LENET5_C3_TABLE, 5, bias=False) == 1500
    assert table_parameters(np.ones((16, 6), bool), 5) == convolution_parameters(6, 16, 5) == 2416


def test_the_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        LENET5_C3_TABLE[0, 0] = False


def test_the_report_shows_every_row() -> None:
    lines = image_size_report((28, 224)).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["28x28", "79,510", "2,572", "256", "44,426", "2,742"]
    assert lines[2].split() == ["224x224", "5,018,710", "2,572", "44,944", "5,406,986", "2,742"]


def test_an_image_too_small_for_the_network_is_refused() -> None:
    assert image_size_row(16).flattened == 16
    with pytest.raises(ArgumentError, match="size must lie between 16"):
        image_size_row(15)


def test_S2_F02_the_detector() -> None:
    assert block_detector_parameters(4) == (153, 5)
