"""A program under construction: operations in order, cut into stages, over slots that share memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from chainrule.arrays import Array
from chainrule.engines.native import core
from chainrule.engines.native.records.base import Record
from chainrule.engines.native.slots import Slot
from chainrule.shapes import Shape, product

Flat = Literal["raw", "packed", "statistics"]


@dataclass
class Stage:
    """What every block walks through before the threads wait for each other, with labels; `between` couples the samples
    then."""

    operations: list[tuple[Record, str]] = field(default_factory=list)
    between: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class PlanDescription:
    """All that the core makes a plan of, under the names that it has there."""

    isa: str
    number_bytes: int
    lanes: int
    sizes: dict[str, Any]
    stages: list[tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]]
    finishes: list[dict[str, Any]]
    packs: list[dict[str, Any]]
    folds: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class EpochRequest:
    """Steps first, first + 1, ... of an epoch, one for each rate: all that the core trains by, under its names.

    `order` names samples, batch after batch; the sum of a step's losses is multiplied by its number of `scales`;
    `trainable` is begin, end, ... in the parameters. The core writes `losses` and `correct` of every step.
    """

    inputs: Array
    bytes: bool
    targets: Array | None
    labels: Array | None
    weights: Array | None
    order: Array
    batch_size: int
    first: int
    rates: Array
    scales: Array
    seed: int
    step: int
    update: dict[str, Any]
    memories: int
    trainable: list[int]
    losses: Array
    correct: Array
    threads: int


class Program:
    """Collects operations and lays out memory for them."""

    def __init__(self, lanes: int, number_bytes: int) -> None:
        self.lanes = lanes
        self.number_bytes = number_bytes
        self.stages = [Stage()]
        self.slots: list[Slot] = []
        self._time = 0
        self.flat: dict[Flat, int] = {"raw": 0, "packed": 0, "statistics": 0}

    def slot(self, label: str, shape: Shape | int, *, outlives: bool = False) -> Slot:
        """A new tensor."""
        made = Slot(label, shape if isinstance(shape, int) else product(shape), outlives)
        self.slots.append(made)
        return made

    def emit(self, record: Record, label: str) -> None:
        """Append an operation; its slots live at least until now, and what it reads must have been written."""
        slots = list(record.slots())
        for slot, reads in slots:
            assert slot.first >= 0 or not reads, f"{label} reads {slot.label}, which nothing has written"
            slot.first = self._time if slot.first < 0 else slot.first
            slot.last = self._time
            slot.stages.add(len(self.stages) - 1)
        self.stages[-1].operations.append((record, label))
        self._time += 1

    def cut(self, between: Record) -> None:
        """End the stage: all blocks must have come this far before any goes on."""
        self.stages[-1].between.append(between)
        self.stages.append(Stage())

    def take(self, what: Flat, numbers: int) -> int:
        """Reserve `numbers` in a flat region; aligned."""
        offset = self.flat[what]
        step = core.limits()["alignment"] // (8 if what == "statistics" else self.number_bytes)
        self.flat[what] += -(-numbers // step) * step
        return offset

    def lay_out(self) -> tuple[int, int]:
        """Give every slot an offset; slots that do not live at once may share memory. Returns (scratch, kept)."""
        return self._lay_out(False), self._lay_out(True)

    def _lay_out(self, kept: bool) -> int:
        step = core.limits()["alignment"] // self.number_bytes
        placed: list[tuple[Slot, int]] = []
        total = 0
        mine = [slot for slot in self.slots if slot.kept == kept and slot.first >= 0]
        for slot in sorted(mine, key=lambda s: (-s.elements, s.first)):
            size = -(-slot.elements * self.lanes // step) * step
            offset = 0
            busy = sorted(
                (other.offset, other.offset + other_size)
                for other, other_size in placed
                if (other.first <= slot.last or slot.outlives) and (slot.first <= other.last or other.outlives)
            )
            for begin, end in busy:
                if offset + size <= begin:
                    break
                offset = max(offset, end)
            slot.offset = offset
            placed.append((slot, size))
            total = max(total, offset + size)
        return total

    def resolved_stages(self) -> list[tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]]:
        """The stages as the core takes them."""
        return [
            (
                [(record.name, record.resolved()) for record, _ in stage.operations],
                [(record.name, record.resolved()) for record in stage.between],
            )
            for stage in self.stages
        ]
