"""Tensors of a block, before and after they have their place in memory."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Slot:
    """A tensor of a block: `elements` numbers for each lane. `outlives`: they are read when all blocks have come to the
    end; `first` and `last`: the operations between which it lives, in the stages named."""

    label: str
    elements: int
    outlives: bool = False
    first: int = -1
    last: int = -1
    stages: set[int] = field(default_factory=set)
    offset: int = 0

    @property
    def kept(self) -> bool:
        """Whether the values cross a stage, so that all blocks' must be kept at once."""
        return self.outlives or len(self.stages) > 1
