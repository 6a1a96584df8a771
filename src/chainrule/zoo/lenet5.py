"""LeNet-5 (S2-H03): as it is built today, and as it was in 1998, with everything in between."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array
from chainrule.equations.connection_tables import LENET5_C3_TABLE
from chainrule.errors import ArgumentError
from chainrule.layers import (
    RBF,
    AvgPool2d,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    ScaledTanh,
    TrainablePool2d,
)
from chainrule.losses import MAPLoss
from chainrule.network import Network, Sequential
from chainrule.zoo.digits import digit_centres

Form = Literal["modern", "1998"]
Pool = Literal["max", "avg", "trainable"]
Connections = Literal["full", "table"]
Output = Literal["fc", "rbf"]


def lenet5(
    form: Form = "modern",
    input_size: Literal[28, 32] = 28,
    seed: int = 0,
    *,
    pool: Pool | None = None,
    connections: Connections | ArrayLike | None = None,
    output: Output | None = None,
) -> Network:
    """LeNet-5 for (1, input_size, input_size) digits; 28x28 images are padded by 2 to the same 28x28 maps.

    "modern"   ReLU, max pools, full C3, a dense output: 61,706 parameters, 429,342 connections
    "1998"     scaled tanh, trainable pools, C3 with the paper's Table I, RBF outputs whose centres are fixed drawings
               of the digits: 60,000 trainable parameters, 340,908 connections; trains with MAPLoss

    pool ("max", "avg", "trainable"), connections ("full", "table" or a bool table (16, 6)) and output ("fc", "rbf")
    change one part of a form. Raises ArgumentError for anything else.
    """
    _one_of("form", form, ("modern", "1998"))
    _one_of("input_size", input_size, (28, 32))
    modern = form == "modern"
    if pool is None:
        pool = "max" if modern else "trainable"
    if output is None:
        output = "fc" if modern else "rbf"
    _one_of("pool", pool, ("max", "avg", "trainable"))
    _one_of("output", output, ("fc", "rbf"))
    table = _table(("full" if modern else "table") if connections is None else connections)
    start = "he" if modern else "lecun"
    padding = 2 if input_size == 28 else 0
    weighted: list[Layer] = [
        Conv2d(1, 6, 5, padding=padding, initialization=start),
        _pool(pool, 6),
        Conv2d(6, 16, 5, connections=table, initialization=start),
        _pool(pool, 16),
        *_fifth(modern, start),
        Linear(120, 84, initialization=start),
    ]
    layers: list[Layer] = []
    for layer in weighted:
        layers.append(layer)
        learns = not isinstance(layer, MaxPool2d | AvgPool2d | Flatten)
        if learns:
            layers.append(ReLU() if modern else ScaledTanh())
    layers.append(Linear(84, 10, initialization=start) if output == "fc" else RBF(84, 10))
    net = Sequential(*layers, input_shape=(1, input_size, input_size), seed=seed)
    if output == "rbf":
        net.parameters["rbf1.weight"] = digit_centres()
        net.loss = MAPLoss()
    return net


def _one_of(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise ArgumentError(f"{name} must be {' or '.join(map(repr, known))}, not {value!r}")


def _table(connections: Connections | ArrayLike) -> Array | None:
    if isinstance(connections, str):
        _one_of("connections", connections, ("full", "table"))
        return None if connections == "full" else LENET5_C3_TABLE
    return np.asarray(connections)


def _pool(name: Pool, channels: int) -> Layer:
    if name == "trainable":
        return TrainablePool2d(channels, 2)
    return MaxPool2d(2) if name == "max" else AvgPool2d(2)


def _fifth(modern: bool, start: str) -> list[Layer]:
    """C5: a 5x5 convolution of 5x5 maps, which is a dense layer."""
    if modern:
        return [Flatten(), Linear(400, 120, initialization=start)]
    return [Conv2d(16, 120, 5, initialization=start), Flatten()]
