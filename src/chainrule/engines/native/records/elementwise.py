"""In and out, joins, activations, softmax and dropout."""

from __future__ import annotations

from chainrule.engines.native.records.base import Reads, Record, Writes


class Gather(Record):
    x: Writes
    elements: int


class Scatter(Record):
    x: Reads
    elements: int
    target: int


class _Joining(Record):
    elements: tuple[int, ...]
    count: int


class Sum(_Joining):
    y: Writes
    sources: tuple[Reads, ...]


class Concat(_Joining):
    y: Writes
    sources: tuple[Reads, ...]


class Split(_Joining):
    y: Reads
    sources: tuple[Writes, ...]


class ActivationForward(Record):
    """y = f(x), which may lie where x lies."""

    x: Reads
    y: Writes
    elements: int


class ActivationBackward(Record):
    """dx = dy f', written in y."""

    y: Reads
    dx: Writes
    dy: Reads
    elements: int


class ReluForward(ActivationForward): ...


class ReluBackward(ActivationBackward): ...


class SigmoidForward(ActivationForward): ...


class SigmoidBackward(ActivationBackward): ...


class TanhForward(ActivationForward): ...


class TanhBackward(ActivationBackward): ...


class ScaledTanhForward(ActivationForward): ...


class ScaledTanhBackward(ActivationBackward): ...


class LeakyReluForward(Record):
    x: Reads
    y: Writes
    elements: int
    slope: float


class LeakyReluBackward(Record):
    x: Reads
    dx: Writes
    dy: Reads
    elements: int
    slope: float


class SoftmaxForward(Record):
    x: Reads
    y: Writes
    classes: int
    places: int


class SoftmaxBackward(Record):
    y: Reads
    dx: Writes
    dy: Reads
    classes: int
    places: int


class DropoutForward(Record):
    x: Reads
    y: Writes
    mask: Writes
    elements: int
    p: float
    node: int


class DropoutBackward(Record):
    dx: Writes
    dy: Reads
    mask: Reads
    elements: int
    p: float
    node: int
