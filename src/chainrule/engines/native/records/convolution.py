"""Convolutions and their gradients, locally connected layers, and radial basis functions."""

from __future__ import annotations

from chainrule.engines.native.axes import Axis
from chainrule.engines.native.records.base import Part, Reads, Record, Works, Writes


class Pad(Record):
    x: Reads
    y: Writes
    channels: int
    rows: int
    columns: int
    padded_rows: int
    padded_columns: int
    top: int
    left: int


class Kernels(Part):
    """Channels of a group that slide over maps."""

    in_: int
    out: int
    rows: Axis
    columns: Axis


class Convolve(Record):
    kernels: Kernels
    x: Reads
    y: Writes
    weight: int
    bias: int | None
    groups: int
    filters_outer: bool


class ConvolveLarge(Convolve):
    tile: Works
    natural_order: bool


class WeightGradient(Record):
    kernels: Kernels
    x: Reads
    dy: Reads
    sums: Works
    raw: int
    groups: int
    starts: bool


class ChannelGradient(Record):
    kernels: Kernels
    x: Reads
    xt: Works
    dy: Reads
    raw: int
    groups: int
    padded_in: int
    starts: bool


class TransposeInput(Record):
    x: Reads
    xt: Writes
    in_: int
    padded_in: int


class BiasGradient(Record):
    dy: Reads
    raw: int
    out: int
    places: int
    shared: bool


class Strips(Part):
    """Winograd's algorithm, a strip of rows at a time."""

    kernels: Kernels
    groups: int
    points: int
    strip: int
    source_points: Works
    result_points: Works | None


class WinogradForward(Record):
    strips: Strips
    pairs: bool
    source: Reads
    result: Writes
    winners: Writes | None
    weight: int
    bias: int | None
    in_registers: bool


class WinogradBackwardInput(Record):
    strips: Strips
    pairs: bool
    source: Reads
    result: Writes
    winners: Reads | None
    weight: int


class WinogradWeightGradient(Record):
    strips: Strips
    pairs: bool
    source: Reads
    result: Reads
    winners: Reads | None
    transposed: Works
    raw: int
    padded_in: int
    starts: bool


class LocalForward(Record):
    kernels: Kernels
    x: Reads
    y: Writes
    weight: int
    bias: int | None


class LocalBackwardInput(Record):
    kernels: Kernels
    dx: Writes
    dy: Reads
    weight: int


class LocalBackwardParameters(Record):
    kernels: Kernels
    x: Reads
    dy: Reads
    raw_weight: int | None
    raw_bias: int | None


class _Rbf(Record):
    x: Reads
    weight: int
    in_: int
    out: int


class RbfForward(_Rbf):
    y: Writes


class RbfBackwardInput(_Rbf):
    dx: Writes
    dy: Reads


class RbfBackwardWeight(_Rbf):
    dy: Reads
    raw_weight: int
