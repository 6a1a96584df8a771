"""Activations: a pair of operations each, and which layer they compute."""

from __future__ import annotations

from typing import TypeAlias

from chainrule import layers
from chainrule.engines.native.records.base import Reads, Record, Writes


class ActivationForward(Record):
    """y = f(x), which may lie where x lies, if the derivative is written in y."""

    x: Reads
    y: Writes
    elements: int


class ActivationBackward(Record):
    """dx = dy f', written in y."""

    y: Reads
    dx: Writes
    dy: Reads
    elements: int


class ActivationBackwardByInput(Record):
    """dx = dy f', written in x."""

    x: Reads
    dx: Writes
    dy: Reads
    elements: int


Pair: TypeAlias = tuple[type[ActivationForward], type[ActivationBackward] | type[ActivationBackwardByInput]]


class LeakyReluForward(ActivationForward):
    slope: float


class LeakyReluBackward(ActivationBackwardByInput):
    slope: float


class ReluForward(ActivationForward): ...


class ReluBackward(ActivationBackward): ...


class SigmoidForward(ActivationForward): ...


class SigmoidBackward(ActivationBackward): ...


class TanhForward(ActivationForward): ...


class TanhBackward(ActivationBackward): ...


class ScaledTanhForward(ActivationForward): ...


class ScaledTanhBackward(ActivationBackward): ...


PAIRS: dict[type[layers.Layer], Pair] = {
    layers.ReLU: (ReluForward, ReluBackward),
    layers.Sigmoid: (SigmoidForward, SigmoidBackward),
    layers.Tanh: (TanhForward, TanhBackward),
    layers.ScaledTanh: (ScaledTanhForward, ScaledTanhBackward),
}
"""The activations without options: their rules are made from the two records."""
