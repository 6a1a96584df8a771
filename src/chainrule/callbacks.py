"""What `on_epoch` may do between two epochs: look, change the optimizer, end training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.graph import Graph
from chainrule.optimizers import Optimizer
from chainrule.shapes import number, shown

Answer = Literal["stop"] | None
"""What `on_epoch` returns: "stop" ends training."""


class EpochCallback:
    """The user's function, watched: training has values of its own, which would overwrite what is changed here."""

    def __init__(self, graph: Graph, optimizer: Optimizer, call: Callable[[Any], Answer]) -> None:
        if not callable(call):
            raise ArgumentError(f"on_epoch must be a function that takes a row of the history, not {shown(call)}")
        self.graph, self.optimizer, self.call = graph, optimizer, call

    def __call__(self, row: Any) -> bool:
        """Call it; whether training should end. Raises ArgumentError for what could have no effect."""
        graph, optimizer = self.graph, self.optimizer
        before = [(values, values.flat.copy()) for values in (graph.parameters, graph.buffers)]
        frozen, memories = set(graph.frozen), optimizer.memories
        answer: object = self.call(row)
        for values, kept in before:
            for name, part in values.slices().items():
                if not np.array_equal(values.flat[part], kept[part]):
                    raise _refusal(f"{name}, and training would overwrite it")
        if graph.frozen != frozen:
            raise _refusal("which parameters are frozen, but that is settled when training begins")
        if optimizer.memories != memories:
            raise _refusal(f"the optimizer so that it needs other memory than it began with, to {optimizer!r}")
        number("learning_rate", optimizer.learning_rate, 0)
        if answer is None or (isinstance(answer, str) and answer == "stop"):
            return answer is not None
        raise ArgumentError(f'on_epoch returned {shown(answer)}; return "stop" to end training, or nothing to go on')


def _refusal(what: str) -> ArgumentError:
    return ArgumentError(f"on_epoch changed {what}; call fit once for each phase, and change it between")
