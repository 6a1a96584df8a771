"""What an exported network needs: the plan that is shown before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes of an exported network. `print` it."""

    ram: dict[str, int]
    constants: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def ram_bytes(self) -> int:
        """What must be writable."""
        return sum(self.ram.values())

    @property
    def constant_bytes(self) -> int:
        """What can stay in read-only memory."""
        return sum(self.constants.values())

    def lines(self) -> list[str]:
        """One line for RAM, one for constants, then the notes."""
        lines = [_line("RAM", self.ram)]
        if self.constants:
            lines.append(_line("Constants", self.constants))
        return [*lines, *self.notes]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _line(what: str, parts: dict[str, int]) -> str:
    listed = ", ".join(f"{name} {_kib(size)}" for name, size in parts.items() if size)
    return f"{what} {_kib(sum(parts.values()))}{f': {listed}' if listed else ''}"


def _kib(size: int) -> str:
    return f"{size} bytes" if size < KIB else f"{size / KIB:.1f} KiB"
