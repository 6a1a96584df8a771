"""W04, W05, W10, W11, W13: sizes, participation, parameters, receptive fields and connection tables, all exact."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import (
    LENET5_C3_TABLE,
    connection_table,
    conv2d_backward_input,
    convolution_connections,
    convolution_parameters,
    convolve,
    dense_parameters,
    local_parameters,
    participation_map,
    table_parameters,
    window_of,
)
from chainrule.equations.connection_tables import C3_INPUTS
from chainrule.equations.derivations.channel_forms import restore_places
from chainrule.equations.derivations.image_size import block_detector_parameters, image_size_row
from chainrule.shapes import ReceptiveField, Window
from tests.helpers import assert_close

W04 = [
    (4, 2, 1, 0, 3, [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]], 36),
    (4, 2, 2, 0, 2, np.ones((4, 4), int), 16),
    (5, 3, 1, 0, 3, [[1, 2, 3, 2, 1], [2, 4, 6, 4, 2], [3, 6, 9, 6, 3], [2, 4, 6, 4, 2], [1, 2, 3, 2, 1]], 81),
    (5, 3, 2, 0, 2, [[1, 1, 2, 1, 1], [1, 1, 2, 1, 1], [2, 2, 4, 2, 2], [1, 1, 2, 1, 1], [1, 1, 2, 1, 1]], 36),
    (5, 3, 1, 1, 5, [[4, 6, 6, 6, 4], [6, 9, 9, 9, 6], [6, 9, 9, 9, 6], [6, 9, 9, 9, 6], [4, 6, 6, 6, 4]], None),
    (5, 3, 2, 1, 3, [[1, 2, 1, 2, 1], [2, 4, 2, 4, 2], [1, 2, 1, 2, 1], [2, 4, 2, 4, 2], [1, 2, 1, 2, 1]], None),
    (5, 2, 2, 0, 2, np.pad(np.ones((4, 4), int), ((0, 1), (0, 1))), 16),
]  # fmt: skip
w04 = pytest.mark.parametrize(
    "n, F, S, P, places, expected, total", W04, ids=[f"{n}-{F}-{S}-{P}" for n, F, S, P, *_ in W04]
)


@w04
def test_W04_S2_D01_participation(n, F, S, P, places, expected, total):  # type: ignore[no-untyped-def]
    counts = participation_map((n, n), F, S, P)
    assert_close("participation", counts, np.array(expected))
    assert window_of((F, F), S, P).output_size((n, n)) == (places, places)
    if total is not None:
        assert counts.sum() == total == places * places * F * F


@w04
def test_W04_the_map_is_a_gradient_and_a_full_convolution(n, F, S, P, places, expected, total):  # type: ignore[no-untyped-def]
    ones, kernel = np.ones((places, places)), np.ones((F, F))
    gradient = conv2d_backward_input(ones[None, None], kernel[None, None], (n, n), stride=S, padding=P)
    assert_close("gradient", gradient[0, 0], np.array(expected, float))
    restored = restore_places(ones, (S, S), (n, n), (F, F), (P, P, P, P))
    full = convolve(restored, kernel, "full")
    assert_close("conv_full", full[P : P + n, P : P + n], np.array(expected, float))


def test_W04_nine_pixels_are_never_used() -> None:
    assert int((participation_map((5, 5), 2, 2) == 0).sum()) == 9


W05 = [
    (4, 2, 1, 0, 3.0, 3), (5, 3, 1, 0, 3.0, 3), (5, 3, 2, 0, 2.0, 2), (5, 2, 2, 0, 2.5, 2), (6, 2, 2, 0, 3.0, 3),
    (7, 2, 2, 0, 3.5, 3), (7, 3, 2, 0, 3.0, 3), (5, 3, 2, 1, 3.0, 3), (28, 5, 1, 0, 24.0, 24), (28, 5, 1, 2, 28.0, 28),
    (32, 5, 1, 0, 28.0, 28), (6, 3, 2, 0, 2.5, 2),
]  # fmt: skip


@pytest.mark.parametrize("n, F, S, P, raw, size", W05)
def test_W05_S2_E03_to_E07_ER2_11_sizes(n: int, F: int, S: int, P: int, raw: float, size: int) -> None:
    assert (n - F + 2 * P) / S + 1 == raw
    assert window_of((F, F), S, P).output_size((n, n)) == (size, size)


@pytest.mark.parametrize(
    "padding, padded, unused",
    [((0, 1, 0, 1), 6, 0), ((1, 0, 1, 0), 6, 0), (1, 7, 13)],
    ids=["bottom_right", "top_left", "ring"],
)
def test_W05_ER3_01_three_paddings_cover_every_pixel(padding, padded, unused):  # type: ignore[no-untyped-def]
    window = window_of((2, 2), 2, padding)
    assert window.output_size((5, 5)) == (3, 3)
    assert (participation_map((5, 5), 2, 2, padding) > 0).sum() == 25
    top, bottom, left, right = window.sides((5, 5))
    assert (5 + top + bottom, 5 + left + right) == (padded, padded)
    assert (participation_map((padded, padded), 2, 2) == 0).sum() == unused
    assert window_of((2, 2), 2).output_size((5, 5)) == (2, 2)  # S3-N02: without padding a pixel is left over


@pytest.mark.parametrize("F", range(1, 8))
def test_S2_E05_ER2_12_same_padding_adds_F_minus_1_in_total(F: int) -> None:
    window = window_of((F, F), padding="same")
    assert window.output_size((9, 9)) == (9, 9)
    top, bottom, left, right = window.sides((9, 9))
    assert top + bottom == left + right == F - 1
    assert 0 <= bottom - top <= 1
    assert (bottom == top) == (F % 2 == 1)


W10 = [
    (28, 79510, 2572, 256, 44426, 2742, 236310),
    (32, 103510, 2572, 400, 61706, 2742, 308310),
    (64, 410710, 2572, 2704, 338186, 2742, 1229910),
    (128, 1639510, 2572, 13456, 1628426, 2742, 4916310),
    (224, 5018710, 2572, 44944, 5406986, 2742, 15053910),
]


@pytest.mark.parametrize("n, dense, conv, flat, head, average, dense_rgb", W10)
def test_W10_S2_H01_parameters_and_image_size(n, dense, conv, flat, head, average, dense_rgb):  # type: ignore[no-untyped-def]
    assert image_size_row(n) == (n, dense, conv, flat, head, average)
    colour = image_size_row(n, channels=3)
    assert (colour.dense, colour.convolution) == (dense_rgb, 2872)


def test_W10_a_flattened_head_can_cost_more_than_the_dense_network() -> None:
    largest = image_size_row(224)
    assert largest.flattened_head > largest.dense


@pytest.mark.parametrize("n, dense", [(4, 153), (8, 3185), (16, 57825), (28, 572265), (32, 985025)])
def test_W10_S2_F02_block_detector(n: int, dense: int) -> None:
    assert block_detector_parameters(n) == (dense, 5)


def test_W10_S2_H02_how_parameters_become_fewer() -> None:
    counts = (dense_parameters(1024, 4704), local_parameters(1, 6, 5, (28, 28)), convolution_parameters(1, 6, 5))
    assert counts == (4821600, 122304, 156)


@pytest.mark.parametrize("n, without, with_pools", [(28, 768120, 30840), (32, 1106040, 48120)])
def test_W10_ER0_33_pools_shrink_only_the_dense_layer(n: int, without: int, with_pools: int) -> None:
    assert dense_parameters(16 * (n - 8) ** 2, 120) == without
    assert dense_parameters(image_size_row(n).flattened, 120) == with_pools
    assert image_size_row(n).convolution == 2572


C5, C3, C2, POOL = Window((5, 5)), Window((3, 3)), Window((2, 2)), Window((2, 2), (2, 2))
W11 = {
    "lenet5": ([C5, POOL, C5, POOL, C5], [5, 6, 14, 16, 32], [1, 2, 2, 4, 4]),
    "conv3_three_times": ([C3, C3, C3], [3, 5, 7], [1, 1, 1]),
    "conv3_pool_conv3": ([C3, POOL, C3], [3, 4, 8], [1, 2, 2]),
    "conv5_pool_conv5": ([C5, POOL, C5], [5, 6, 14], [1, 2, 2]),
    "conv5_conv5": ([C5, C5], [5, 9], [1, 1]),
    "pool_conv2": ([POOL, C2], [2, 4], [2, 2]),
    "pool_conv3": ([POOL, C3], [2, 6], [2, 2]),
    "pool_conv5": ([POOL, C5], [2, 10], [2, 2]),
    "conv2_conv2": ([C2, C2], [2, 3], [1, 1]),
}


@pytest.mark.parametrize("net", W11)
def test_W11_S2_F05_ER2_15_receptive_fields(net: str) -> None:
    windows, sizes, jumps = W11[net]
    field = ReceptiveField()
    for window, size, jump in zip(windows, sizes, jumps, strict=True):
        field = field.through(window)
        assert (field.size, field.jump) == ((size, size), (jump, jump))


def test_W11_C5_sees_the_whole_image_of_lenet5() -> None:
    field = ReceptiveField()
    for window in W11["lenet5"][0]:
        field = field.through(window)
    assert field.size == (32, 32)
    assert ReceptiveField().through(C5).through(Window((28, 28))).size == (32, 32)


@pytest.mark.parametrize("net", W11)
def test_W11_the_field_is_where_the_gradient_reaches(net: str) -> None:
    """Backpropagate one 1 through kernels of ones: the pixels it reaches span the receptive field."""
    windows, sizes, _ = W11[net]
    maps = [(48, 48)]
    for window in windows:
        maps.append(window.output_size(maps[-1]))
    gradient = np.zeros((1, 1, *maps[-1]))
    gradient[0, 0, 1, 1] = 1
    for window, size in zip(reversed(windows), reversed(maps[:-1]), strict=True):
        kernel = np.ones((1, 1, *window.kernel_size))
        gradient = conv2d_backward_input(gradient, kernel, size, stride=window.stride)
    rows = np.flatnonzero(gradient[0, 0].any(axis=1))
    assert rows.max() - rows.min() + 1 == sizes[-1]


# S2's printed table, with all its errors (ER2-34): rows are the maps of S2, columns those of C3
PRINTED = """
X..XX.X.XXXX.X..
XX..XX..XXXX.X..
XXX...XXX.X.XXX.
.XXX..XXXX.X.XX.
..XXX..XXXX.XXX.
...XXX..XXXX.XX.
"""
TABLE_I = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


def parse(text: str) -> np.ndarray:
    """(out, in) from rows of crosses."""
    return np.array([[cell == "X" for cell in row] for row in text.split()]).T


def test_W13_S2_H03_table_I() -> None:
    assert (parse(TABLE_I) == LENET5_C3_TABLE).all()
    assert LENET5_C3_TABLE.shape == (16, 6)
    assert LENET5_C3_TABLE.sum() == 60
    assert LENET5_C3_TABLE.sum(axis=0).tolist() == [10] * 6
    assert LENET5_C3_TABLE.sum(axis=1).tolist() == [3] * 6 + [4] * 9 + [6]
    assert table_parameters(LENET5_C3_TABLE, 5) == 1516
    assert convolution_connections(1516, (10, 10)) == 151600


def test_W13_table_I_follows_its_rule() -> None:
    """Three neighbours, four neighbours, four in two pairs, all."""
    ring = [tuple(sorted((k + i) % 6 for i in range(3))) for k in range(6)]
    four = [tuple(sorted((k + i) % 6 for i in range(4))) for k in range(6)]
    split = [tuple(sorted({k, k + 1, (k + 3) % 6, (k + 4) % 6})) for k in range(3)]
    split[2] = (0, 2, 3, 5)
    assert set(C3_INPUTS[:6]) == set(ring)
    assert set(C3_INPUTS[6:12]) == set(four)
    assert set(C3_INPUTS[12:15]) == set(split)
    assert C3_INPUTS[15] == (0, 1, 2, 3, 4, 5)
    assert (connection_table(C3_INPUTS, 6) == LENET5_C3_TABLE).all()


def test_W13_ER2_34_the_printed_table_is_corrupt() -> None:
    printed = parse(PRINTED)
    assert printed.sum() == 57
    assert table_parameters(printed, 5) == 1441
    assert convolution_connections(1441, (10, 10)) == 144100
    assert not printed[15].any()  # map 15 has no input at all
    assert printed[8].sum() == printed[13].sum() == 6
    assert (printed != LENET5_C3_TABLE).sum() == 25


def test_W13_ER2_34_the_twenty_five_cells() -> None:
    printed = parse(PRINTED)
    only = {0: {3, 8, 13}, 1: {4, 8, 9}, 2: {10, 12}, 3: {11, 13}, 4: {14}, 5: set()}
    missing = {0: {5, 12, 14, 15}, 1: {6, 7, 12, 15}, 2: {11, 15}, 3: {12, 15}, 4: {15}, 5: {15}}
    for row in range(6):
        assert set(np.flatnonzero(printed[:, row] & ~LENET5_C3_TABLE[:, row]).tolist()) == only[row]
        assert set(np.flatnonzero(~printed[:, row] & LENET5_C3_TABLE[:, row]).tolist()) == missing[row]
