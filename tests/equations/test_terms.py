"""The index pattern of the expanded sums, against the entries that S1 and S2 print one by one."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.equations import cross_correlate, window_of
from chainrule.equations.derivations.terms import (
    forward_terms,
    input_gradient_terms,
    meetings,
    weight_gradient_terms,
    write_terms,
)
from chainrule.errors import ArgumentError
from tests.equations.cases import CASES, NAMES, Case

TWO = window_of((2, 2))

S1_INPUT = {
    "S1-E06": ((1, 1), "d11 h11"),
    "S1-E07": ((1, 2), "d11 h12 + d12 h11"),
    "S1-E08": ((1, 3), "d12 h12 + d13 h11"),
    "S1-E09": ((2, 1), "d11 h21 + d21 h11"),
    "S1-E10": ((2, 2), "d11 h22 + d12 h21 + d21 h12 + d22 h11"),
}
S2_INPUT = {
    "S2-E16": ((1, 1), "d11 w11"),
    "S2-E17": ((1, 2), "d11 w12 + d12 w11"),
    "S2-E18": ((1, 3), "d12 w12"),
    "S2-E19": ((2, 1), "d11 w21 + d21 w11"),
    "S2-E20": ((2, 2), "d11 w22 + d12 w21 + d21 w12 + d22 w11"),
    "S2-E21": ((2, 3), "d12 w22 + d22 w12"),
    "S2-E22": ((3, 1), "d21 w21"),
    "S2-E23": ((3, 2), "d21 w22 + d22 w21"),  # the entry that L1083 leaves out (ER2-21)
    "S2-E24": ((3, 3), "d22 w22"),
}
S2_WEIGHT = {
    "S2-E32": ((1, 1), "d11 a11 + d12 a12 + d21 a21 + d22 a22"),
    "S2-E33": ((1, 2), "d11 a12 + d12 a13 + d21 a22 + d22 a23"),
    "S2-E34": ((2, 1), "d11 a21 + d12 a22 + d21 a31 + d22 a32"),
    "S2-E35": ((2, 2), "d11 a22 + d12 a23 + d21 a32 + d22 a33"),
}
S2_FORWARD = {
    (1, 1): "w11 a11 + w12 a12 + w21 a21 + w22 a22",
    (1, 2): "w11 a12 + w12 a13 + w21 a22 + w22 a23",
    (2, 1): "w11 a21 + w12 a22 + w21 a31 + w22 a32",
    (2, 2): "w11 a22 + w12 a23 + w21 a32 + w22 a33",
}


def zero_based(index: tuple[int, int]) -> tuple[int, int]:
    return index[0] - 1, index[1] - 1


@pytest.mark.parametrize("source", S1_INPUT)
def test_S1_E06_to_E10_entries_of_the_input_gradient(source: str) -> None:
    pixel, printed = S1_INPUT[source]
    terms = input_gradient_terms(zero_based(pixel), (4, 4), TWO)
    assert write_terms(terms, ("d", "place"), ("h", "tap")) == printed


@pytest.mark.parametrize("source", S2_INPUT)
def test_S2_E16_to_E24_entries_of_the_input_gradient(source: str) -> None:
    pixel, printed = S2_INPUT[source]
    terms = input_gradient_terms(zero_based(pixel), (3, 3), TWO)
    assert write_terms(terms, ("d", "place"), ("w", "tap")) == printed


@pytest.mark.parametrize("source", S2_WEIGHT)
def test_S2_E32_to_E35_entries_of_the_weight_gradient(source: str) -> None:
    tap, printed = S2_WEIGHT[source]
    terms = weight_gradient_terms(zero_based(tap), (3, 3), TWO)
    assert write_terms(terms, ("d", "place"), ("a", "pixel")) == printed


@pytest.mark.parametrize("place", S2_FORWARD)
def test_S2_E15_entries_of_net(place: tuple[int, int]) -> None:
    terms = forward_terms(zero_based(place), (3, 3), TWO)
    assert write_terms(terms, ("w", "tap"), ("a", "pixel")) == S2_FORWARD[place]


def test_ER2_19_the_wrong_copy_of_net_22() -> None:
    """L954 ends w21 a31 + w22 a32: on a = 1..9 and w = 1..4 that is 70 instead of 77."""
    a, w = np.arange(1.0, 10).reshape(3, 3), np.array([[1.0, 2], [3, 4]])
    printed = w[0, 0] * a[1, 1] + w[0, 1] * a[1, 2] + w[1, 0] * a[2, 0] + w[1, 1] * a[2, 1]
    right = cross_correlate(a, w)[1, 1]
    assert right == sum(w[t.tap] * a[t.pixel] for t in forward_terms((1, 1), (3, 3), TWO)) == 77
    assert printed == 70


def test_S1_E05_S3_E06_first_output_has_four_products() -> None:
    terms = forward_terms((0, 0), (4, 4), TWO)
    assert write_terms(terms, ("i", "pixel"), ("h", "tap")) == "i11 h11 + i12 h12 + i21 h21 + i22 h22"


def test_S1_E13_as_ER1_09_corrects_it_has_nine_terms() -> None:
    terms = weight_gradient_terms((0, 0), (4, 4), TWO)
    printed = "d11 i11 + d12 i12 + d13 i13 + d21 i21 + d22 i22 + d23 i23 + d31 i31 + d32 i32 + d33 i33"
    assert write_terms(terms, ("d", "place"), ("i", "pixel")) == printed


def test_S0_E17_in_its_convention_the_kernel_counts_backwards() -> None:
    terms = input_gradient_terms((1, 1), (3, 3), TWO, "convolution")
    assert write_terms(terms, ("d", "place"), ("w", "tap"), base=0) == "d00 w00 + d01 w01 + d10 w10 + d11 w11"


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_meeting_belongs_to_one_place_one_tap_and_one_pixel(case: Case) -> None:
    window = case.window()
    everything = meetings(case.size, window)
    by_pixel = [t for x in np.ndindex(*case.size) for t in input_gradient_terms(x, case.size, window)]
    by_tap = [t for x in np.ndindex(*case.kernel) for t in weight_gradient_terms(x, case.size, window)]
    places = window.output_size(case.size)
    by_place = [t for x in np.ndindex(*places) for t in forward_terms(x, case.size, window)]
    assert set(by_pixel) == set(by_tap) == set(by_place) == set(everything)
    assert len(by_pixel) == len(by_tap) == len(by_place) == len(everything)
    assert by_place == everything


def test_indices_of_two_digits_are_separated() -> None:
    terms = forward_terms((9, 0), (11, 2), TWO)
    assert write_terms(terms[:1], ("w", "tap"), ("a", "pixel")) == "w11 a10,1"


def test_an_unknown_kind_of_index_is_refused() -> None:
    with pytest.raises(ArgumentError, match="place or tap or pixel, not by 'weight'"):
        write_terms([], ("d", "place"), ("w", "weight"))
