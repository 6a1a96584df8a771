"""Local response and batch normalisation."""

from __future__ import annotations

from chainrule.engines.native.records.base import Part, Reads, Record, Writes


class Channels(Part):
    """Of each sample, and numbers in each."""

    channels: int
    places: int


class _ResponseNorm(Record):
    channels: Channels
    size: int
    alpha: float
    beta: float
    k: float


class ResponseNormForward(_ResponseNorm):
    x: Reads
    y: Writes
    scale: Writes


class ResponseNormBackward(_ResponseNorm):
    x: Reads
    dx: Writes
    dy: Reads
    scale: Reads


class Normalization(Part):
    """Normalises by finished statistics of the batch in training, by running ones else."""

    channels: Channels
    running_mean: int
    running_var: int
    forward_statistics: int
    eps: float
    training: bool


class BatchNormStatistics(Record):
    channels: Channels
    x: Reads
    forward_statistics: int


class BatchNormFinishForward(Record):
    channels: Channels
    running_mean: int
    running_var: int
    forward_statistics: int
    eps: float
    momentum: float


class BatchNormForward(Record):
    norm: Normalization
    x: Reads
    y: Writes
    weight: int | None
    bias: int | None


class BatchNormBackwardSums(Record):
    norm: Normalization
    x: Reads
    dy: Reads
    backward_statistics: int


class BatchNormFinishBackward(Record):
    channels: Channels
    backward_statistics: int
    raw_weight: int | None
    raw_bias: int | None


class BatchNormBackwardInput(Record):
    norm: Normalization
    x: Reads
    dx: Writes
    dy: Reads
    weight: int | None
    backward_statistics: int
