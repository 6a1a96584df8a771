"""A counter-based generator: random bits are a function of what they are for, and nothing is drawn in sequence.

So every engine, any number of threads and a resumed run get the same dropout masks and the same order of samples.
The function is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, 2011).
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array

SHUFFLE = 0xFFFFFFFF
"""In place of a node: the stream of the sample orders."""

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def philox4x32(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """Ten rounds of Philox on four 32-bit counters (uint64 arrays that broadcast) and two 32-bit keys."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (p1 >> _SHIFT) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def random_words(samples: int, elements: int, seed: int, step: int, node: int, first_sample: int = 0) -> Array:
    """(samples, elements) of uniform 32-bit words, as uint64; samples count from first_sample.

    Element e is word e % 4 of the counter (e // 4, sample, step, node).
    """
    blocks = np.arange(-(-elements // 4), dtype=np.uint64)[None, :]
    sample = np.arange(first_sample, first_sample + samples, dtype=np.uint64)[:, None]
    counter = (
        blocks,
        sample,
        np.full((1, 1), step & 0xFFFFFFFF, np.uint64),
        np.full((1, 1), node, np.uint64),
    )
    words = np.stack(np.broadcast_arrays(*philox4x32(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))), axis=-1)
    result: Array = words.reshape(samples, -1)[:, :elements]
    return result


def shuffled_orders(seed: int, first_epoch: int, epochs: int, samples: int) -> Array:
    """(epochs, samples) orders, each a function of (seed, epoch): samples sorted by random words, then by index."""
    if samples == 1:
        return np.zeros((epochs, 1), np.int64)
    words = random_words(epochs, samples, seed, 0, SHUFFLE, first_epoch)
    keys = (words << np.uint64(32)) | np.arange(samples, dtype=np.uint64)
    keys.sort(axis=1)
    orders: Array = (keys & _LOW).astype(np.int64)
    return orders
