"""What a case is: one layer (or loss) with its options, on inputs of a certain kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.layers.base import Context, Layer
from chainrule.losses import Loss
from chainrule.shapes import Shape
from chainrule.vectors.numbers import Kind

CONTEXT = {"seed": 7, "step": 3, "node": 5}
"""The key of dropout's random bits in every case."""


@dataclass(frozen=True)
class LayerCase:
    """A layer on a batch. `exact`: every number is exact in float64, so any order of summation gives these bits."""

    name: str
    description: str
    layer: Layer
    shapes: tuple[Shape, ...]
    batch: int = 2
    kind: Kind = "plain"
    training: bool = False
    exact: bool = False
    parameters: Kind = "plain"
    sources: tuple[str, ...] = ()

    def context(self) -> Context:
        """What the forward pass knows beyond its arrays."""
        return Context(self.training, **CONTEXT)


@dataclass(frozen=True)
class LossCase:
    """A loss at outputs (batch, *shape); targets are class indices, probabilities or values."""

    name: str
    description: str
    loss: Loss
    shape: Shape
    targets: str
    batch: int = 3
    kind: Kind = "plain"
    exact: bool = False
    sources: tuple[str, ...] = ()


@dataclass
class Family:
    """Collects the cases of one layer: names are numbered "conv2d_01", "conv2d_02", ..."""

    stem: str
    sources: tuple[str, ...]
    cases: list[LayerCase] = field(default_factory=list)

    def add(
        self,
        description: str,
        layer: Layer,
        *shapes: Shape,
        batch: int = 2,
        kind: Kind = "plain",
        training: bool = False,
        exact: bool = True,
        parameters: Kind = "plain",
    ) -> None:
        """One more case."""
        name = f"{self.stem}_{len(self.cases) + 1:02d}"
        self.cases.append(
            LayerCase(name, description, layer, shapes, batch, kind, training, exact, parameters, self.sources)
        )
