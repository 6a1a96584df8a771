"""The native engine: plans in C++ behind the same contract as the reference engine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.arrays import Array, check_finite
from chainrule.engines.base import (
    GradientResult,
    Recipe,
    Samples,
    Trace,
    Traced,
    Trainer,
)
from chainrule.engines.native.compiled import (
    SMALL_BATCH,
    Compiled,
    InstructionSet,
    Request,
    contiguous,
    dtype_bytes,
    instruction_set,
    lanes_for,
    unsupported_layers,
)
from chainrule.engines.native.rules.losses import is_known
from chainrule.engines.native.threads import threads
from chainrule.engines.native.trainer import NativeTrainer, Prepared, targets_for
from chainrule.engines.reference import ReferenceEngine, ReferenceTrainer
from chainrule.errors import EngineError, warn
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import bytes_text
from chainrule.parameters import Parameters

PLANS, SIZES = 16, 64
"""Most plans that a network keeps, and most batch sizes whose plan it finds at once. Each plan has memory of its own;
a network that is used in ever new ways (losses, frozen parameters) would gather them. The least recently used goes."""

Key = TypeVar("Key")


@dataclass
class Known:
    """What the engine has found out about a graph."""

    plans: dict[Request, Compiled] = field(default_factory=dict)
    foreign: dict[bool, list[str]] = field(default_factory=dict)
    """Layers that only the reference engine can compute, in training and in inference."""
    told: set[str] = field(default_factory=set)
    """Why it runs on the reference engine, as far as that has been said."""
    inference: dict[tuple[int, np.dtype[Any], str | None], Compiled] = field(default_factory=dict)
    """Plans by samples, precision and CHAINRULE_ISA: calls with one sample should find theirs at once."""


def _remember(kept: dict[Key, Compiled], key: Key, compiled: Compiled, most: int) -> Compiled:
    """Enter a plan as the most recently used; a thread that runs one that goes has it to the end."""
    if key not in kept or len(kept) == most:  # while there is room, the order of use does not matter
        kept.pop(key, None)
        kept[key] = compiled
    for oldest in list(kept)[:-most]:
        kept.pop(oldest, None)
    return compiled


class NativeEngine:
    """Every layer of the package; networks with layers of the user's own run on the reference engine."""

    name = "native"

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Graph, Known] = WeakKeyDictionary()
        self._reference = ReferenceEngine()

    def _of(self, graph: Graph) -> Known:
        known = self._known.get(graph)
        return known if known is not None else self._known.setdefault(graph, Known())

    def _foreign(self, graph: Graph, training: bool, loss: Loss | None = None) -> list[str]:
        """What of a network and a loss only the reference engine can compute, each as a statement."""
        known = self._of(graph).foreign
        if training not in known:
            known[training] = unsupported_layers(graph, training)
        reasons = [f"{name} is not a layer of chainrule" for name in known[training]]
        if loss is not None and not is_known(loss):
            reasons.append(f"{type(loss).__name__} is not a loss of chainrule")
        return reasons

    def refuse_foreign(self, graph: Graph, loss: Loss | None) -> None:
        """Raise EngineError where only the reference engine can compute."""
        for reason in self._foreign(graph, loss is not None, loss):
            raise EngineError(f"{reason}, so the native engine has no plan: the reference engine computes it")

    def _falls_back(self, graph: Graph, training: bool, loss: Loss | None = None, recipe: Recipe | None = None) -> bool:
        """Whether the reference engine must compute; why is said once for each network."""
        reasons = self._foreign(graph, training, loss)
        if recipe is not None and not recipe.optimizer.native_update():
            reasons.append(f"{type(recipe.optimizer).__name__} is not an optimizer of chainrule")
        if recipe is not None and recipe.sequential:
            reasons.append('update_order="sequential" is not an order of the native engine')
        told = self._of(graph).told
        for reason in reasons:
            if reason not in told:
                told.add(reason)
                warn(
                    f"{reason}, so what needs it runs on the reference engine, which is slower; "
                    f'pass engine="reference" to choose that without this note'
                )
        return bool(reasons)

    def compiled(
        self,
        graph: Graph,
        mode: Any,
        samples: int,
        dtype: np.dtype[Any],
        *,
        training: bool = False,
        loss: Loss | None = None,
        targets: Array | None = None,
        guesses: bool = False,
    ) -> Compiled:
        """The plan for a mode and batch geometry, made once."""
        isa: InstructionSet = instruction_set()
        number_bytes = dtype_bytes(dtype)
        probabilities = loss is not None and loss.by_class and targets is not None and targets.dtype.kind == "f"
        described = None
        if loss is not None:
            described = (type(loss).__name__, *sorted(loss.hyperparameters().items()), probabilities)
        request = Request(
            mode=mode,
            training=training,
            number_bytes=number_bytes,
            lanes=lanes_for(samples, isa.lanes[number_bytes]),
            isa=isa.name,
            loss=described,
            guesses=guesses,
            frozen=frozenset(graph.frozen),
            small=mode == "inference" or samples <= SMALL_BATCH,
        )
        plans = self._of(graph).plans
        compiled = plans.get(request)
        if compiled is None:
            compiled = Compiled(graph, request, loss, isa, probabilities)
        return _remember(plans, request, compiled, PLANS)

    def forward(self, graph: Graph, x: Array, dtype: np.dtype[Any]) -> Array:
        """Outputs in inference."""
        key = (len(x), dtype, os.environ.get("CHAINRULE_ISA"))
        compiled = self._of(graph).inference.get(key)
        if compiled is None:
            if self._falls_back(graph, False):
                return self._reference.forward(graph, x, dtype)
            compiled = self.compiled(graph, "inference", len(x), dtype)
            _remember(self._of(graph).inference, key, compiled, SIZES)
        compiled.require_room(len(x), threads_for(len(x)))
        outputs = np.empty((len(x), *graph.output_shape), dtype)
        _, finite = self._run(compiled, graph, (*contiguous(x, dtype), None, None, None), 1.0, [outputs])
        if not finite:
            check_finite(x, "x")
        return outputs

    def _run(
        self,
        compiled: Compiled,
        graph: Graph,
        prepared: Prepared,
        scale: float,
        exports: list[Array],
    ) -> tuple[float, bool]:
        """(loss, whether the inputs are finite)."""
        samples = len(prepared[0])
        compiled.load(graph)
        try:
            loss, _, finite = compiled.plan.run(*prepared, scale, exports, samples, graph.seed, 0, threads_for(samples))
        except MemoryError:
            needed = bytes_text(compiled.memory_bytes(samples, threads_for(samples)))
            raise EngineError(
                f"not enough memory for a batch of {samples} samples, which needs {needed}; take smaller batches"
            ) from None
        return float(loss), bool(finite)

    def _backward(
        self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool, mode: str
    ) -> tuple[float, Parameters, dict[tuple[str, str], Array]]:
        x, targets = data.x, data.targets
        compiled = self.compiled(graph, mode, len(x), dtype, training=training, loss=loss, targets=targets)
        compiled.require_room(len(x), threads_for(len(x)))
        shapes = dict(zip(graph.names, graph.shapes, strict=True)) | {"output": graph.output_shape}
        exports = {key: np.empty((len(x), *shapes[key[1]]), dtype) for key in compiled.exports}
        gradients = Parameters(graph.parameters.shapes, dtype)
        prepared = (*contiguous(x, dtype), targets_for(loss, targets, dtype), None, data.weights)
        scale = loss.scale((len(x), *graph.output_shape), loss.masses(targets, data.weights))
        with compiled.lock:
            value, finite = self._run(compiled, graph, prepared, scale, list(exports.values()))
            if not finite:
                check_finite(x, "x")
            if gradients.flat.size:
                compiled.plan.get_gradient(gradients.flat)
        return value, gradients, exports

    def gradients(
        self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool
    ) -> GradientResult:
        """Loss, gradients of all parameters and of the input."""
        if self._falls_back(graph, training, loss):
            return self._reference.gradients(graph, data, loss, dtype, training)
        value, gradients, exports = self._backward(graph, data, loss, dtype, training, "gradients")
        return GradientResult(value, gradients, exports["gradient", "input"], exports["value", "output"])

    def trace(self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool) -> Trace:
        """Values and gradients of every node and parameter."""
        if self._falls_back(graph, training, loss):
            return self._reference.trace(graph, data, loss, dtype, training)
        value, gradients, exports = self._backward(graph, data, loss, dtype, training, "trace")
        tensors = {name: Traced(exports["value", name], exports["gradient", name]) for name in graph.names}
        parameters = graph.parameters.copy(dtype)
        tensors |= {name: Traced(parameters[name], gradients[name]) for name in gradients}
        return Trace(value, tensors)

    def trainer(self, graph: Graph, recipe: Recipe) -> Trainer:
        """Begin a training run."""
        if self._falls_back(graph, True, recipe.loss, recipe):
            return ReferenceTrainer(graph, recipe)
        return NativeTrainer(self.compiled, graph, recipe)


def threads_for(samples: int) -> int:
    """Threads that a call may use; one sample is one thread's, and its caller need not wait for an answer."""
    return 1 if samples == 1 else threads()
