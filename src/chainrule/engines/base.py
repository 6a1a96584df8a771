"""What an engine is: it computes outputs, gradients and traces of a graph, and trains it epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from chainrule.arrays import Array
from chainrule.display import div, heading, table
from chainrule.errors import NameLookupError, NonFiniteError
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.parameters import Parameters
from chainrule.shapes import shape_text


@dataclass(frozen=True)
class Traced:
    """One tensor of a trace: its value and dL/d(value), of the same shape."""

    value: Array
    gradient: Array

    def __repr__(self) -> str:
        return f"Traced({shape_text(self.value.shape)}, value {_span(self.value)}, gradient {_span(self.gradient)})"


def _span(array: Array) -> str:
    return f"{array.min():.4g}..{array.max():.4g}" if array.size else "empty"


class Trace(Mapping[str, Traced]):
    """Every node and parameter of one forward and backward pass: trace["conv1"].value, trace["conv1.weight"].gradient.

    "input" is the batch itself; trace.loss the loss.
    """

    def __init__(self, loss: float, tensors: dict[str, Traced]) -> None:
        self.loss = loss
        self._tensors = tensors

    def __getitem__(self, name: str) -> Traced:
        try:
            return self._tensors[name]
        except KeyError:
            raise NameLookupError("node or parameter", name, self._tensors) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        width = max(map(len, self._tensors))
        rows = [f"  {name:<{width}}  {tensor!r}" for name, tensor in self._tensors.items()]
        return "\n".join([f"Trace, loss {self.loss:.6g}", *rows])

    def _repr_html_(self) -> str:
        rows = [
            [name, shape_text(t.value.shape), _span(t.value), _span(t.gradient)] for name, t in self._tensors.items()
        ]
        return div(heading(f"Trace, loss {self.loss:.6g}"), table(("tensor", "shape", "value", "gradient"), rows))


@dataclass(frozen=True)
class GradientResult:
    """Loss, parameter gradients, dL/dinput, and the outputs they belong to."""

    loss: float
    parameters: Parameters
    dx: Array
    outputs: Array


@dataclass(slots=True)
class EpochTotals:
    """What one epoch of training adds up to. `loss` is the mean of the loss at each step, by the steps' masses.

    The mass of a step is what its mean divides by: its number of samples, or the sum of their weights. `correct` and
    `labelled` are sums of the samples' weights, too: numbers of samples, resp. places, where there are none.
    """

    loss_sum: float = 0.0
    mass: float = 0.0
    correct: float = 0.0
    labelled: float = 0.0
    samples: int = 0
    steps: int = 0

    @property
    def loss(self) -> float:
        """Mean loss per sample."""
        return self.loss_sum / self.mass if self.mass else 0.0

    @property
    def accuracy(self) -> float | None:
        """Fraction of samples whose class was right, while training; None where the loss names no classes."""
        return self.correct / self.labelled if self.labelled else None


def step_masses(loss: Loss, targets: Array, weights: Array | None) -> Array:
    """(n,) what each sample adds to the mass of its step: what a mean divides by, for a sum its weight."""
    return loss.masses(targets, weights) if loss.reduction == "mean" else Loss.masses(loss, targets, weights)


@dataclass(frozen=True)
class Samples:
    """What is computed with: inputs, prepared targets, and the samples' weights (n,), None for 1 each."""

    x: Array
    targets: Array
    weights: Array | None = None

    def at(self, chosen: Array) -> Samples:
        """Some of them, in that order."""
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.x[chosen], self.targets[chosen], weights)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: what an engine's trainer needs to know besides the data."""

    loss: Loss
    optimizer: Any
    dtype: np.dtype[Any]
    seed: int
    sequential: bool = False


OnStep = Callable[[EpochTotals], None]
"""Called after each step (or group of steps) with the totals so far."""


class Trainer(Protocol):
    """A training run in progress on one engine; owns copies of the parameters in the compute precision."""

    step: int
    """Steps done so far."""

    def epochs(
        self, data: Samples, orders: Array, batch_size: int, rates: Array, on_step: OnStep | None
    ) -> list[EpochTotals]:
        """Train on x[order] in batches for each row of `orders`, with one learning rate per step in that of `rates`.

        Raises NonFiniteError and leaves finite parameters.
        """

    def store(self) -> None:
        """Write parameters and buffers back into the graph."""


class Engine(Protocol):
    """An implementation of the whole contract."""

    name: str

    def forward(self, graph: Graph, x: Array, dtype: np.dtype[Any]) -> Array:
        """Outputs in inference. Raises DataError if `x` is not finite: who computes sees all numbers anyway."""

    def gradients(
        self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool
    ) -> GradientResult:
        """Loss, gradients of all parameters and of the input. Raises DataError as `forward` does."""

    def trace(self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool) -> Trace:
        """Values and gradients of every node and parameter. Raises DataError as `forward` does."""

    def trainer(self, graph: Graph, recipe: Recipe) -> Trainer:
        """Begin a training run, on inputs that are known to be finite."""


@dataclass
class FirstNonFinite:
    """Finds the first tensor that is not finite, in the order of computation."""

    names: list[str] = field(default_factory=list)

    def look(self, name: str, array: Array) -> None:
        """Note `name` if its array holds NaN or infinity."""
        if not np.isfinite(array).all():
            kind = "nan" if np.isnan(array).any() else "inf"
            self.names.append(f"{name} ({kind} in {int((~np.isfinite(array)).sum())} of {array.size} numbers)")

    def error(self, where: str) -> NonFiniteError:
        """The error to raise; `where` says in which epoch and step."""
        first = self.names[0] if self.names else "the loss"
        return NonFiniteError(
            f"training stopped {where}: the first tensor that is not finite is {first}. "
            f"A smaller learning rate or inputs of unit scale usually help; "
            f"the network keeps its last finite parameters"
        )
