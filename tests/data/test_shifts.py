"""Shifted copies: moved, filled with 0, never wrapped around."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.data.shifts import shift, with_shifted_copies
from chainrule.errors import ArgumentError, ShapeError

IMAGE = np.arange(1, 13, dtype=np.uint8).reshape(1, 3, 4)  # 1..4, 5..8, 9..12


def test_shift_by_hand() -> None:
    assert shift(IMAGE, 1, -1)[0].tolist() == [[0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0]]
    assert shift(IMAGE, -2, 2)[0].tolist() == [[0, 0, 9, 10], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert (shift(IMAGE, 0, 0) == IMAGE).all()
    assert not shift(IMAGE, 5, 0).any()


def test_copies_follow_the_images_and_keep_their_labels() -> None:
    images = np.random.default_rng(0).integers(1, 255, (6, 2, 5, 5), dtype=np.uint8)
    labels = np.arange(6)
    more, their = with_shifted_copies(images, labels, 3, pixels=1, seed=4)
    assert more.shape == (24, 2, 5, 5)
    assert more.dtype == np.uint8
    assert (more[:6] == images).all()
    assert their.tolist() == [*range(6)] * 4
    for copy, label in zip(more[6:], their[6:], strict=True):
        assert any((copy == shift(images[label], a, b)).all() for a in (-1, 0, 1) for b in (-1, 0, 1))
    assert (with_shifted_copies(images, labels, 3, pixels=1, seed=4)[0] == more).all()
    assert (with_shifted_copies(images, labels, 0)[0] == images).all()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="copies"):
        with_shifted_copies(IMAGE[None], np.zeros(1, int), -1)
    with pytest.raises(ShapeError, match="2 labels need images"):
        with_shifted_copies(IMAGE[None], np.zeros(2, int), 1)
