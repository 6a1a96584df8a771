"""Poolings."""

from __future__ import annotations

from chainrule.engines.native.records.base import Part, Reads, Record, Writes


class Maps(Part):
    """Channels of maps that become maps of another size."""

    channels: int
    rows: int
    columns: int
    out_rows: int
    out_columns: int


class AdaptivePoolForward(Record):
    maps: Maps
    x: Reads
    y: Writes


class AdaptivePoolBackward(Record):
    maps: Maps
    dx: Writes
    dy: Reads


class Windows(Part):
    """Windows over each map."""

    maps: Maps

    kernel_rows: int
    kernel_columns: int
    stride_rows: int
    stride_columns: int
    top: int
    left: int


class MaxPoolForward(Record):
    windows: Windows
    x: Reads
    y: Writes


class MaxPoolBackward(Record):
    windows: Windows
    x: Reads
    y: Reads
    dx: Writes
    dy: Reads


class WeightedPoolForward(Record):
    """`uniform`: all weights are the same number, and it stands there once."""

    windows: Windows
    x: Reads
    y: Writes
    uniform: bool
    weights: tuple[float, ...]


class WeightedPoolBackward(Record):
    windows: Windows
    dx: Writes
    dy: Reads
    uniform: bool
    weights: tuple[float, ...]


class LpPoolForward(Record):
    windows: Windows
    x: Reads
    y: Writes
    norm: float


class LpPoolBackward(Record):
    windows: Windows
    x: Reads
    y: Reads
    dx: Writes
    dy: Reads
    norm: float


class TrainablePoolForward(Record):
    windows: Windows
    x: Reads
    y: Writes
    weight: int
    bias: int


class TrainablePoolBackwardInput(Record):
    windows: Windows
    dx: Writes
    dy: Reads
    weight: int


class TrainablePoolBackwardParameters(Record):
    windows: Windows
    x: Reads
    dy: Reads
    raw_weight: int | None
    raw_bias: int | None
