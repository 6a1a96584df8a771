"""Where values lie in one block of memory: values share a place where their times do not meet.

A program is a list of operations, each of which reads and writes tensors. A tensor lives from the operation that writes
it to the last that reads it. An operation may be able to write its result over one of its inputs; where nobody reads
that input later, both become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Tensor:
    """Numbers that live for a while; `size` is that of one sample, or with `whole_batch` of all together."""

    symbol: str
    size: int
    whole_batch: bool = False
    external: bool = False
    """Whether it is the caller's, such as the input."""
    born: int = -1
    last: int = -1
    offset: int = -1
    lies_in: Tensor | None = None
    """The tensor whose place it takes over."""

    @property
    def root(self) -> Tensor:
        """The first of those that lie in one place."""
        found = self
        while found.lies_in is not None:
            found = found.lies_in
        return found


@dataclass
class Timeline:
    """Operations in their order."""

    time: int = 0
    tensors: list[Tensor] = field(default_factory=list)
    overlays: list[tuple[int, Tensor, Tensor]] = field(default_factory=list)

    def operation(
        self, reads: Iterable[Tensor], writes: Iterable[Tensor], over: Sequence[tuple[Tensor, Tensor]] = ()
    ) -> None:
        """One operation; `over` are pairs (input, output) of which the output may take the input's place."""
        for tensor in (*reads, *writes):
            if tensor.born < 0:
                tensor.born = self.time
                self.tensors.append(tensor)
            tensor.last = self.time
        self.overlays += [(self.time, source, target) for source, target in over]
        self.time += 1

    def place(self, samples: int) -> int:
        """Give every tensor its offset, for so many samples side by side; the numbers needed in all."""
        self._overlay()
        homes: dict[Tensor, tuple[int, int]] = {}
        for tensor in self.tensors:
            if not tensor.external:
                begin, end = homes.get(tensor.root, (tensor.born, tensor.last))
                homes[tensor.root] = min(begin, tensor.born), max(end, tensor.last)
        placed: list[tuple[Tensor, int, int]] = []
        for home in sorted(homes, key=lambda t: (-_extent(t, samples), t.born)):
            begin, end = homes[home]
            meeting = [(t.offset, t.offset + _extent(t, samples)) for t, b, e in placed if b <= end and begin <= e]
            home.offset = _first_gap(sorted(meeting), _extent(home, samples))
            placed.append((home, begin, end))
        for tensor in self.tensors:
            tensor.offset = tensor.root.offset
        return max((home.offset + _extent(home, samples) for home in homes), default=0)

    def _overlay(self) -> None:
        taken: set[Tensor] = set()
        for time, source, target in self.overlays:
            alike = source.size == target.size and source.whole_batch == target.whole_batch
            free = source not in taken and target.lies_in is None and not source.external and source.last == time
            if alike and free and source is not target:
                target.lies_in = source
                taken.add(source)


def _extent(tensor: Tensor, samples: int) -> int:
    return tensor.size * (1 if tensor.whole_batch else samples)


def _first_gap(taken: list[tuple[int, int]], size: int) -> int:
    """The lowest offset at which `size` numbers fit between those that are taken."""
    offset = 0
    for begin, end in taken:
        if begin - offset >= size:
            break
        offset = max(offset, end)
    return offset
