"""The numbers of the vectors: fixed by the name of the case, the same on every machine and with every NumPy.

Ordinary ones are multiples of 1/16 between -2 and 2, so that sums of their products are exact in float64: any
order of summation must give the same bits.
"""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.random_bits import random_words
from chainrule.shapes import Shape, product

Kind = Literal["plain", "positive", "ties", "distinct", "zeros", "large", "extreme", "constant", "tiny"]

EXTREMES = (0.0, 1.0, -1.0, 30.0, -30.0, 200.0, -200.0, 1000.0, -1000.0, 1e5, -1e5, 2.0**-30)


def draw(case: str, tensor: str, shape: Shape, kind: Kind = "plain") -> Array:
    """Numbers for one tensor of one case.

    plain     multiples of 1/16 in -2..2            positive  the same in 1/16..2
    ties      -1, 0 or 1: many are equal            distinct  multiples of 1/16, no two equal
    large     integers times 2^40                   extreme   where exp overflows or vanishes
    tiny      multiples of 2^-60                    zeros, constant (1/2 everywhere)
    """
    words = random_words(1, product(shape), zlib.crc32(f"{case}/{tensor}".encode()), 0, 0)[0].astype(np.int64)
    if kind == "ties":
        values = (words % 3 - 1).astype(np.float64)
    elif kind == "distinct":
        values = (np.argsort(words, kind="stable") - product(shape) // 2) / 16
    elif kind == "positive":
        values = (words % 32 + 1) / 16
    elif kind == "large":
        values = (words % 65 - 32) * 2.0**40
    elif kind == "tiny":
        values = (words % 65 - 32) * 2.0**-60
    elif kind == "extreme":
        values = np.asarray(EXTREMES)[words % len(EXTREMES)]
    elif kind in ("zeros", "constant"):
        values = np.full(product(shape), 0.0 if kind == "zeros" else 0.5)
    else:
        values = (words % 65 - 32) / 16
    result: Array = np.asarray(values, np.float64).reshape(shape)
    return result
