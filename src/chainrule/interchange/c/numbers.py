"""Numbers as C writes them, and the constants of the elementary functions in each precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.arrays import Array

PER_LINE = 8


class Literals:
    """Literals of one precision: the shortest that read back as the same number."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.suffix = "f" if dtype == np.float32 else ""

    def real(self, value: float) -> str:
        """One number."""
        return f"{self.dtype.type(value)!s}{self.suffix}"

    def array(self, values: Any) -> str:
        """An initializer in braces, on one line."""
        return "{" + ", ".join(map(self.real, values)) + "}"

    def lines(self, values: Array, indent: str = "    ") -> str:
        """The inside of an initializer, a few numbers a line."""
        texts = [f"{value!s}{self.suffix}," for value in values.ravel().astype(self.dtype)]
        rows = (" ".join(texts[i : i + PER_LINE]) for i in range(0, len(texts), PER_LINE))
        return "\n".join(indent + row for row in rows)


def constants(dtype: np.dtype[Any]) -> dict[str, Any]:
    """What `numbers.c.j2` is filled with. Each series is long enough for the last bit."""
    single = dtype == np.float32
    terms, reciprocals = (7, 4) if single else (13, 11)
    info = np.finfo(dtype)
    return {
        "bits_type": "uint32_t" if single else "uint64_t",
        "bias": 127 if single else 1023,
        "mantissa": info.nmant,
        "mantissa_mask": f"{hex(2**info.nmant - 1)}u" if single else f"UINT64_C({hex(2**info.nmant - 1)})",
        "inverse_factorials": [1 / math.factorial(k) for k in range(terms, 0, -1)],
        "odd_reciprocals": [1 / (2 * k + 1) for k in range(reciprocals, 0, -1)],
        "lowest_exponent": 104.0 if single else 746.0,
        "highest_exponent": 89.0 if single else 710.0,
        "ln2_high": 355 / 512 if single else 6.93147180369123816490e-01,
        "ln2_low": math.log(2) - 355 / 512 if single else 1.90821492927058770002e-10,
        "largest": float(info.max),
        "smallest": float(info.tiny),
        "saturated": 10.0 if single else 20.0,
        "sqrt": "sqrtf" if single else "sqrt",
    }
