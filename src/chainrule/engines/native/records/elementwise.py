"""In and out, joins, softmax and dropout."""

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
