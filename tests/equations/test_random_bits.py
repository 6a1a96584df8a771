"""Philox against the published answers, who gets which word, the order of samples, and the masks of dropout."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from chainrule.equations.dropout import dropout, dropout_mask
from chainrule.equations.random_bits import SHUFFLE, philox4x32, random_words, shuffled_orders
from tests.helpers import Array, assert_close

ONES = 0xFFFFFFFF
# (counter, key, words) from the known answers that the authors of Philox publish with their generator, Random123.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def words(counter: tuple[int, ...], key: tuple[int, int]) -> list[int]:
    c0, c1, c2, c3 = (np.array(value, np.uint64) for value in counter)
    return [int(word) for word in philox4x32((c0, c1, c2, c3), key)]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_the_published_answers(counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]) -> None:
    assert words(counter, key) == list(expected)


@pytest.mark.parametrize("elements", [1, 3, 4, 5, 8, 11])
def test_every_element_has_its_own_word(elements: int) -> None:
    """Word e % 4 of the counter (e // 4, sample, step, node) under the two halves of the seed."""
    seed, step, node = 0x1234567890ABCDEF, 0x23456789A, 7
    found = random_words(3, elements, seed, step, node, first_sample=5)
    assert found.shape == (3, elements)
    assert found.dtype == np.uint64
    for sample, e in np.ndindex(3, elements):
        expected = words((e // 4, 5 + sample, step & ONES, node), (0x90ABCDEF, 0x12345678))
        assert int(found[sample, e]) == expected[e % 4]
    assert_close("from sample 0", random_words(8, elements, seed, step, node)[5:], found)


@pytest.mark.parametrize("samples", [1, 2, 5, 100])
def test_orders_sort_the_samples_by_their_words(samples: int) -> None:
    orders = shuffled_orders(seed=3, first_epoch=4, epochs=6, samples=samples)
    assert orders.shape == (6, samples)
    assert orders.dtype == np.int64
    keys = random_words(6, samples, 3, 0, SHUFFLE, first_sample=4)
    for epoch in range(6):
        expected = sorted(range(samples), key=lambda i, row=keys[epoch]: (int(row[i]), i))  # type: ignore[misc]
        assert orders[epoch].tolist() == expected
        assert sorted(orders[epoch].tolist()) == list(range(samples))
    assert_close("one epoch alone", shuffled_orders(3, 7, 1, samples)[0], orders[3])


# --- dropout ---------------------------------------------------------------------------------------------------------

SHAPE = (50, 4, 10, 25)  # 50,000 values


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_each_value_is_kept_with_probability_1_minus_p(p: float) -> None:
    """The share strays from 1 - p by sqrt(p (1 - p) / N); five such errors are exceeded once in a million."""
    mask = dropout_mask(SHAPE, p, seed=1, step=2, node=3)
    assert mask.shape == SHAPE
    assert mask.dtype == bool
    assert abs(mask.mean() - (1 - p)) <= 5 * math.sqrt(p * (1 - p) / mask.size)


def test_a_value_is_dropped_where_its_word_is_below_p_of_all_words() -> None:
    mask = dropout_mask((3, 2, 5), 0.3, seed=1, step=2, node=3)
    expected = random_words(3, 10, 1, 2, 3) / 2**32 >= 0.3
    assert_close("mask", mask.reshape(3, 10), expected)


def test_masks_of_other_seeds_steps_nodes_and_samples_are_unrelated() -> None:
    masks = {key: dropout_mask(SHAPE, 0.5, *key) for key in itertools.product((1, 2), (1, 2), (1, 2))}
    masks |= {("sample", i): np.roll(masks[1, 1, 1], i, axis=0) for i in (1, 2)}  # type: ignore[misc]
    rows = np.array([mask.ravel() for mask in masks.values()])
    correlations = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlations).max() < 5 / math.sqrt(rows.shape[1])
    assert_close("again", dropout_mask(SHAPE, 0.5, 1, 2, 1), masks[1, 2, 1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kept_values_are_scaled_and_the_others_are_0(dtype: str) -> None:
    x: Array = np.array([[1.0, -2.0, 3.0, np.inf]], dtype)
    mask = np.array([[True, True, False, False]])
    for p, factor in ((0.0, 1.0), (0.5, 2.0), (0.75, 4.0)):
        y = dropout(x, mask, p)
        assert y.dtype == dtype
        assert_close("y", y, np.array([[factor, -2 * factor, 0, 0]], dtype))
    assert_close("p = 1", dropout(x[:, :3], np.zeros((1, 3), bool), 1.0), np.zeros((1, 3), dtype))
    assert_close("p = 1, kept", dropout(x[:, :3], np.ones((1, 3), bool), 1.0), np.zeros((1, 3), dtype))
