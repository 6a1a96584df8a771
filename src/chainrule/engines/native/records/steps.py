"""The loss, and what ends a step: gradients, copies of weights, the update."""

from __future__ import annotations

from typing import Literal

from chainrule.engines.native.records.base import Part, Reads, Record, Writes

LossKind = Literal[
    "cross_entropy", "cross_entropy_probabilities", "squared", "half_squared", "absolute", "huber", "binary", "map"
]  # fmt: skip
Guess = Literal["none", "largest", "smallest", "sign"]
RawLayout = Literal["lanes", "channels", "numbers", "dense"]
UpdateRule = Literal["sgd", "adam", "adamw", "rmsprop"]


class LossOptions(Part):
    """What a loss is besides its outputs: the numbers of its constructor."""

    kind: LossKind
    guess: Guess
    weighted: bool = False
    weights: tuple[float, ...] = (1.0,)
    positive: tuple[float, ...] = (1.0,)
    smoothing: float = 0.0
    delta: float = 0.0
    rubbish: float = 0.0


class Loss(Record):
    x: Reads
    dx: Writes
    options: LossOptions
    classes: int
    places: int
    gradient: bool


class Ending(Part):
    """How raw gradients of so many rows and columns lie."""

    layout: RawLayout
    rows: int
    columns: int
    taps_rows: int = 1
    taps_columns: int = 1
    padded_in: int = 0
    rotated: bool = False
    mask: tuple[int, ...] | None = None
    xt: Reads | None = None
    dy: Reads | None = None
    points: int = 0
    point_rows: int = 0


class Finish(Record):
    """Raw gradients become a natural one."""

    ending: Ending
    raw: int
    natural: int


class Packing(Part):
    """The order of a copy of a weight."""

    natural: int
    groups: int = 1
    out: int = 1
    in_: int = 1
    taps: int = 1
    backward: bool = False
    rotated: bool = False
    mask: tuple[int, ...] | None = None
    copies: int = 0
    points: int = 0
    point_taps: int = 0
    in_registers: bool = False


class Pack(Record):
    """A copy of a weight."""

    packing: Packing
    packed: int


class Fold(Record):
    """Batch normalisation by running statistics becomes part of the weight before it, and of its bias, which is written
    over the running means."""

    weight: int
    rows: int
    columns: int
    bias: int | None
    norm_weight: int | None
    norm_bias: int | None
    running_mean: int
    running_var: int
    eps: float


class Update(Record):
    """What an optimizer does with a gradient."""

    rule: UpdateRule
    weight_decay: float
    momentum: float = 0.0
    nesterov: bool = False
    centered: bool = False
    beta1: float = 0.0
    beta2: float = 0.0
    eps: float = 0.0
