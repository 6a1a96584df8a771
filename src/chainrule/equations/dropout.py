"""Dropout: the mask is a function of (seed, step, node, sample, element), see `random_bits`."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.random_bits import random_words


def dropout_mask(shape: tuple[int, ...], p: float, seed: int, step: int, node: int) -> Array:
    """bool (n, ...): True where a value is kept, with probability 1 - p."""
    elements = int(np.prod(shape[1:]))
    words = random_words(shape[0], elements, seed, step, node)
    kept: Array = (words >= np.uint64(round(p * 2**32))).reshape(shape)
    return kept


def dropout(x: Array, mask: Array, p: float) -> Array:
    """y = x mask / (1 - p): kept values are scaled so that the mean stays. Its own backward: dx = dy mask / (1 - p)."""
    scale = x.dtype.type(0 if p == 1 else 1 / (1 - p))
    y: Array = np.where(mask, x * scale, x.dtype.type(0))
    return y
