"""Initial weights: random values whose spread keeps signals at the same size from layer to layer.

    glorot   variance 2 / (fan_in + fan_out)     for tanh and sigmoid
    he       variance 2 / fan_in                 for ReLU
    lecun    variance 1 / fan_in                 for scaled tanh, as in LeNet-5

Each comes as `_uniform` and `_normal`; the bare name means uniform. "zeros" is meant for biases.
For a convolution the fans are multiplied by the kernel area.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Shape, choice

VARIANCES: dict[str, Any] = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}
NAMES = ("zeros", *(name + kind for name in VARIANCES for kind in ("", "_uniform", "_normal")))


def check_initialization(name: str) -> str:
    """`name` if it is one of `NAMES`."""
    return choice("initialization", name, NAMES)


def draw(name: str, rng: np.random.Generator, shape: Shape, fan_in: float, fan_out: float) -> Array:
    """Initial weights of `shape` in float64: uniform in ±sqrt(3 v) or normal with variance v."""
    if check_initialization(name) == "zeros":
        return np.zeros(shape)
    rule, _, kind = name.partition("_")
    variance = VARIANCES[rule](max(fan_in, 1), max(fan_out, 1))
    if kind == "normal":
        return rng.normal(0, np.sqrt(variance), shape)
    limit = np.sqrt(3 * variance)
    return rng.uniform(-limit, limit, shape)
