"""One traced pass, from which any number of derivations and single steps are built."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import as_batch, as_weights
from chainrule.engines import Samples, Trace, engine_named
from chainrule.errors import ArgumentError, NonFiniteError
from chainrule.explain.building import Builder, Share
from chainrule.explain.ending import Ending
from chainrule.explain.local import LOCAL
from chainrule.explain.steps import DerivationStep
from chainrule.explain.terms import MAP_SIZE, Place
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.training import check_targets


@dataclass(frozen=True)
class TracedPass:
    """A network at a batch, traced once in float64 and found finite. It holds true as long as nobody changes the
    network's values."""

    net: Network
    data: Samples
    loss: Loss
    training: bool
    engine: str
    trace: Trace
    ending: Ending

    @classmethod
    def of(
        cls,
        net: Network,
        x: ArrayLike,
        targets: ArrayLike,
        loss: Loss,
        *,
        sample_weight: ArrayLike | None = None,
        training: bool = True,
        engine: str = "reference",
    ) -> TracedPass:
        """Trace a batch. Raises NonFiniteError, which names the first tensor with NaN or infinity, and what
        `net.trace` raises."""
        if not isinstance(loss, Loss):
            raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
        batch = as_batch(x, net.input_shape, check=False)
        weights = None if sample_weight is None else as_weights(sample_weight, len(batch))
        data = Samples(batch, check_targets(net, loss, len(batch), targets), weights)
        trace = _finite_trace(net, data, loss, training, engine)
        ending = Ending(loss, trace[net.names[-1]].value, data.targets, net.names[-1], weights)
        return cls(net, data, loss, training, engine, trace, ending)

    @property
    def samples(self) -> int:
        """How many samples the batch holds."""
        return len(self.data.x)

    def names_samples(self, place: Place) -> bool:
        """Whether symbols name their sample: not where all numbers in a node's chain belong to one."""
        return self.samples > 1 and not (place.is_node and self._samples_apart())

    def _samples_apart(self) -> bool:
        layers = self.net.layers.values()
        return all(type(layer) in LOCAL and not layer.couples_samples(self.training) for layer in layers)

    def builder(self, place: Place, terms: int, breadth: int, map_size: int = MAP_SIZE) -> Builder:
        """What builds the chain of one number; of each sum it keeps `terms` terms, of each map `map_size` rows."""
        many = self.names_samples(place)
        return Builder(self.net, self.trace, self.ending, self.training, terms, breadth, many, map_size)

    def step(self, place: Place | None, terms: int, map_size: int = MAP_SIZE) -> tuple[DerivationStep, list[Share]]:
        """The one step that derives the number at a place (None: the loss), and all that it is made from."""
        builder = self.builder(place or Place("value", self.ending.node, (0,)), terms, 1, map_size)
        if place is None:
            step = builder.loss_step()
        elif place.quantity == "parameter":
            step = builder.parameter_step(place)
        elif place.quantity == "gradient":
            step = builder.node_step(self.net.index_of(place.name), place.index)
        else:
            step = builder.value_step(self.net.index_of(place.name), place.index)
        return replace(step, number=1), builder.shares


def _finite_trace(net: Network, data: Samples, loss: Loss, training: bool, engine: str) -> Trace:
    """The traced pass in float64; NonFiniteError names the first tensor with NaN or infinity."""
    for name, array in [*net.parameters.items(), *net.buffers.items()]:
        _look(name, array)
    with np.errstate(all="ignore"):
        trace = engine_named(engine).trace(net, data, loss, np.dtype(np.float64), training)
    for name in net.names:
        _look(f"the output of {name}", trace[name].value)
    _look("the loss", np.asarray(trace.loss))
    for name in trace:
        _look(f"the gradient of {name}", trace[name].gradient)
    return trace


def _look(name: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        index = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        where = f" at index {index}" if index else ""
        raise NonFiniteError(f"nothing can be explained: {name} holds {array[tuple(index)]}{where}")
