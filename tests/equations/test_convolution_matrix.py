"""The convolution layer as one matrix: M x, Mᵀ dz and the gathered dM, against the layer."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    Convention,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
)
from chainrule.equations.derivations.convolution_matrix import (
    BLOCK_POSITIONS,
    convolution_matrix,
    matrix_backward_input,
    matrix_backward_weight,
    matrix_forward,
    ungroup,
)
from tests.equations.cases import CASES, MODES, NAMES, Case
from tests.helpers import assert_close, numerical_gradient

every_case = pytest.mark.parametrize("case", CASES, ids=NAMES)


@pytest.mark.parametrize("mode", MODES)
@every_case
def test_S2_E01_the_matrix_is_the_layer(case: Case, mode: Convention, rng: np.random.Generator) -> None:
    x, weight, bias, dy = case.arrays(rng)
    options = {**case.options, "groups": case.groups, "mode": mode}
    matrix = convolution_matrix(weight, case.size, **options)
    y = conv2d_forward(x, weight, bias, **options)
    assert matrix.shape == (y[0].size, x[0].size)
    assert_close("z = M x + b", matrix_forward(matrix, x, bias).reshape(y.shape), y, atol=1e-12)
    assert_close("M x", matrix_forward(matrix, x), conv2d_forward(x, weight, **options).reshape(len(x), -1), atol=1e-12)
    dx = conv2d_backward_input(dy, weight, case.size, **options)
    assert_close("Mᵀ dz", matrix_backward_input(matrix, dy).reshape(x.shape), dx, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@every_case
def test_shared_weights_collect_their_entries_of_the_matrix_gradient(
    case: Case, mode: Convention, rng: np.random.Generator
) -> None:
    x, weight, _, dy = case.arrays(rng)
    full = ungroup(weight, case.groups)
    dw = matrix_backward_weight(dy, x, case.kernel, **case.options, mode=mode)
    options = {**case.options, "mode": mode}
    assert_close("dw", dw, conv2d_backward_weight(dy, x, case.kernel, **options), atol=1e-12)
    grouped = conv2d_backward_weight(dy, x, case.kernel, **options, groups=case.groups)
    seen = ungroup(np.ones_like(weight), case.groups) == 1
    assert_close("dw of the groups", dw[seen].reshape(weight.shape), grouped, atol=1e-12)
    assert full.shape == dw.shape


def test_the_matrix_is_the_jacobian_of_the_layer(rng: np.random.Generator) -> None:
    weight = rng.normal(size=(2, 1, 2, 2))
    matrix = convolution_matrix(weight, (3, 3), stride=2, padding=1)
    for row in range(len(matrix)):
        numerical = numerical_gradient(
            lambda x, row=row: conv2d_forward(x, weight, stride=2, padding=1).reshape(-1)[row],
            np.zeros((1, 1, 3, 3)), 0.1,
        )  # fmt: skip
        assert_close(f"row {row}", matrix[row], numerical.reshape(-1), atol=1e-12)


def test_S2_F03_the_rows_are_named_by_their_places() -> None:
    matrix = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4)).reshape(3, 3, 4, 4)
    assert list(BLOCK_POSITIONS) == list("abcdefghi")
    assert [place for _, place in BLOCK_POSITIONS.values()] == list(np.ndindex(3, 3))
    rows, columns = ("top", "", "bottom"), ("left", "", "right")
    names = ["-".join(filter(None, (rows[i], columns[j]))) or "centre" for i, j in np.ndindex(3, 3)]
    assert [name for name, _ in BLOCK_POSITIONS.values()] == names
    for _, (row, column) in BLOCK_POSITIONS.values():
        block = np.zeros((4, 4))
        block[row : row + 2, column : column + 2] = 1
        assert_close("row", matrix[row, column], block)


def test_ER2_01_the_tenth_printed_row_wraps_round_the_edge() -> None:
    """The printed row of the pixels 7, 8, B, C lies on the right edge and on the left one: it is no window."""
    matrix = convolution_matrix(np.ones((1, 1, 2, 2)), (4, 4))
    assert matrix.shape == (9, 16)
    printed = np.zeros(16)
    printed[[0x7, 0x8, 0xB, 0xC]] = 1
    assert not (matrix == printed).all(axis=1).any()
    assert printed @ printed == 4
    assert (matrix @ printed).max() == 2


def test_ER2_02_nine_positions_belong_to_a_block_of_two_by_two() -> None:
    counts = [len(convolution_matrix(np.ones((1, 1, *k)), (4, 4))) for k in ((1, 2), (2, 1), (2, 2))]
    assert counts == [12, 12, 9]
