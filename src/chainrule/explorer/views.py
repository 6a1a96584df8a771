"""What is explored, and how one of its samples is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainrule.arrays import Array
from chainrule.explain.terms import Place
from chainrule.explain.tracing import TracedPass
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.parameters import Parameters

VERSION = 1
"""Of questions and answers."""


@dataclass(frozen=True)
class Subject:
    """What is explored: a network, samples (n, *input_shape) with targets, a loss. `training` says whether batch
    normalisation takes the statistics of its batch and dropout is on; `together` whether all samples are one batch, or
    each is a batch of its own. `learned_from` holds the samples that `train` learns from, the same unless given.
    `goals` are numbers to derive ("conv1.weight[0,0,1,2]"), of which the first is where the tour ends. `titles`
    say what it is, in English and Chinese; `first` is the sample that is looked at first."""

    net: Network
    x: Array
    targets: Array
    loss: Loss
    training: bool = False
    together: bool = False
    learned_from: tuple[Array, Array] | None = None
    class_names: tuple[str, ...] | None = None
    goals: tuple[str, ...] = ()
    titles: tuple[str, str] = ("", "")
    first: int = 0


@dataclass(frozen=True)
class Values:
    """Copies of what can be changed: weights, buffers, and the samples that were painted on."""

    parameters: Parameters
    buffers: Parameters
    edited: dict[int, Array]


@dataclass(frozen=True)
class View:
    """One sample in its traced pass: `row` is its number there, `sample` among all samples."""

    traced: TracedPass
    row: int
    sample: int

    def inner(self, place: Place) -> Place:
        """A place as the traced pass has it."""
        return replace(place, index=(self.row, *place.index[1:])) if place.is_node else place

    def outer(self, place: Place) -> Place:
        """A place of the traced pass as everybody else has it: node indices begin with the number of the sample."""
        shift = self.sample - self.row
        return replace(place, index=(place.index[0] + shift, *place.index[1:])) if place.is_node else place
