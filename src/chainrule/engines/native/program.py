"""A program under construction: operations in order, cut into stages, over slots that share memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chainrule.shapes import Shape

ALIGNMENT = 64


@dataclass(eq=False)
class Slot:
    """A tensor of a block: `elements` numbers for each lane. `locked`: its values are read again after its consumer;
    `outlives`: they are read when all blocks have come to the end."""

    label: str
    elements: int
    locked: bool = False
    outlives: bool = False
    first: int = -1
    last: int = -1
    stages: set[int] = field(default_factory=set)
    offset: int = 0

    @property
    def kept(self) -> bool:
        """Whether the values cross a stage, so that all blocks' must be kept at once."""
        return self.outlives or len(self.stages) > 1


@dataclass
class Operation:
    """One call of a kernel."""

    name: str
    fields: dict[str, Any]
    label: str


@dataclass
class Stage:
    """What every block walks through before the threads meet; `between` couples the samples then."""

    operations: list[Operation] = field(default_factory=list)
    between: list[tuple[bool, dict[str, Any]]] = field(default_factory=list)


class Program:
    """Collects operations and lays out memory for them."""

    def __init__(self, lanes: int, number_bytes: int) -> None:
        self.lanes = lanes
        self.number_bytes = number_bytes
        self.stages = [Stage()]
        self.slots: list[Slot] = []
        self._time = 0
        self.raw = 0
        self.packed = 0
        self.statistics = 0

    def slot(self, label: str, shape: Shape | int, *, locked: bool = False, outlives: bool = False) -> Slot:
        """A new tensor."""
        elements = shape if isinstance(shape, int) else _product(shape)
        made = Slot(label, elements, locked, outlives)
        self.slots.append(made)
        return made

    def emit(self, name: str, label: str, **fields: Any) -> None:
        """Append an operation; slots among its fields live at least until now."""
        for value in fields.values():
            for slot in value if isinstance(value, list) else [value]:
                if isinstance(slot, Slot):
                    slot.first = self._time if slot.first < 0 else slot.first
                    slot.last = self._time
                    slot.stages.add(len(self.stages) - 1)
        self.stages[-1].operations.append(Operation(name, fields, label))
        self._time += 1

    def cut(self, backward: bool, fields: dict[str, Any]) -> None:
        """End the stage: all blocks must have come this far before any goes on."""
        self.stages[-1].between.append((backward, fields))
        self.stages.append(Stage())

    def take(self, what: str, numbers: int) -> int:
        """Reserve `numbers` in a flat region ("raw", "packed", "statistics"); aligned."""
        offset: int = getattr(self, what)
        step = ALIGNMENT // (8 if what == "statistics" else self.number_bytes)
        setattr(self, what, offset + -(-numbers // step) * step)
        return offset

    def lay_out(self) -> tuple[int, int]:
        """Give every slot an offset; slots that do not live at once may share memory. Returns (scratch, kept)."""
        return self._lay_out(False), self._lay_out(True)

    def _lay_out(self, kept: bool) -> int:
        step = ALIGNMENT // self.number_bytes
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

    def resolved(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Fields as the core takes them: a slot is (offset, kept)."""
        return {name: _resolve(value) for name, value in fields.items()}


def _resolve(value: Any) -> Any:
    if isinstance(value, Slot):
        return [value.offset, int(value.kept)]
    if isinstance(value, list) and value and isinstance(value[0], Slot):
        return [n for slot in value for n in (slot.offset, int(slot.kept))]
    if hasattr(value, "numbers"):
        return value.numbers()
    return value


def _product(shape: Shape) -> int:
    result = 1
    for extent in shape:
        result *= extent
    return result
