"""The native engine: plans in C++ behind the same contract as the reference engine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.arrays import Array, check_finite
from chainrule.engines.base import EpochTotals, FirstNonFinite, GradientResult, OnStep, Recipe, Trace, Traced, Trainer
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
from chainrule.engines.native.pace import Pace
from chainrule.engines.native.rules.losses import is_known
from chainrule.engines.native.threads import threads
from chainrule.engines.reference import ReferenceEngine, ReferenceTrainer
from chainrule.errors import EngineError, warn
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import bytes_text
from chainrule.parameters import Parameters

Prepared: TypeAlias = tuple[Array, bool, Array, Array | None]
"""Inputs, whether they are bytes, targets, and labels to count right answers by, as the core reads them."""

CHUNK_SECONDS = 0.05
"""How long the core trains before Python may show progress or be interrupted."""


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
        _, finite = self._run(compiled, graph, x, dtype, None, None, [outputs])
        if not finite:
            check_finite(x, "x")
        return outputs

    def _run(
        self,
        compiled: Compiled,
        graph: Graph,
        x: Array,
        dtype: np.dtype[Any],
        targets: Array | None,
        labels: Array | None,
        exports: list[Array],
    ) -> tuple[float, bool]:
        """(loss, whether `x` is finite)."""
        inputs, is_bytes = contiguous(x, dtype)
        compiled.load(graph)
        try:
            loss, _, finite = compiled.plan.run(
                inputs, is_bytes, targets, labels, exports, len(x), graph.seed, 0, threads_for(len(x))
            )
        except MemoryError:
            needed = bytes_text(compiled.memory_bytes(len(x), threads_for(len(x))))
            raise EngineError(
                f"not enough memory for a batch of {len(x)} samples, which needs {needed}; take smaller batches"
            ) from None
        return float(loss), bool(finite)

    def _backward(
        self, graph: Graph, x: Array, targets: Array, loss: Loss, dtype: np.dtype[Any], training: bool, mode: str
    ) -> tuple[float, Parameters, dict[tuple[str, str], Array]]:
        compiled = self.compiled(graph, mode, len(x), dtype, training=training, loss=loss, targets=targets)
        compiled.require_room(len(x), threads_for(len(x)))
        shapes = dict(zip(graph.names, graph.shapes, strict=True)) | {"output": graph.output_shape}
        exports = {key: np.empty((len(x), *shapes[key[1]]), dtype) for key in compiled.exports}
        gradients = Parameters(graph.parameters.shapes, dtype)
        truth = targets_for(loss, targets, dtype)
        with compiled.lock:
            value, finite = self._run(compiled, graph, x, dtype, truth, None, list(exports.values()))
            if not finite:
                check_finite(x, "x")
            if gradients.flat.size:
                compiled.plan.get_gradient(gradients.flat)
        return value, gradients, exports

    def gradients(
        self, graph: Graph, x: Array, targets: Array, loss: Loss, dtype: np.dtype[Any], training: bool
    ) -> GradientResult:
        """Loss, gradients of all parameters and of the input."""
        if self._falls_back(graph, training, loss):
            return self._reference.gradients(graph, x, targets, loss, dtype, training)
        value, gradients, exports = self._backward(graph, x, targets, loss, dtype, training, "gradients")
        return GradientResult(value, gradients, exports["gradient", "input"], exports["value", "output"])

    def trace(self, graph: Graph, x: Array, targets: Array, loss: Loss, dtype: np.dtype[Any], training: bool) -> Trace:
        """Values and gradients of every node and parameter."""
        if self._falls_back(graph, training, loss):
            return self._reference.trace(graph, x, targets, loss, dtype, training)
        value, gradients, exports = self._backward(graph, x, targets, loss, dtype, training, "trace")
        tensors = {name: Traced(exports["value", name], exports["gradient", name]) for name in graph.names}
        parameters = graph.parameters.copy(dtype)
        tensors |= {name: Traced(parameters[name], gradients[name]) for name in gradients}
        return Trace(value, tensors)

    def trainer(self, graph: Graph, recipe: Recipe) -> Trainer:
        """Begin a training run."""
        if self._falls_back(graph, True, recipe.loss, recipe):
            return ReferenceTrainer(graph, recipe)
        return NativeTrainer(self, graph, recipe)


def threads_for(samples: int) -> int:
    """Threads that a call may use; one sample is one thread's, and its caller need not wait for an answer."""
    return 1 if samples == 1 else threads()


def targets_for(loss: Loss, targets: Array, dtype: np.dtype[Any]) -> Array:
    """Targets as the core reads them: int64 class indices or numbers of the compute dtype."""
    indices = loss.by_class and targets.dtype.kind != "f"
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(targets, np.int64 if indices else dtype)


class NativeTrainer:
    """Epochs in C++, in chunks short enough for progress and interruption."""

    def __init__(self, engine: NativeEngine, graph: Graph, recipe: Recipe) -> None:
        self.engine = engine
        self.graph = graph
        self.recipe = recipe
        self.step = 0
        self._compiled: Compiled | None = None
        self._seconds_per_step = CHUNK_SECONDS
        self._reading: tuple[Array, Array, Prepared] | None = None
        self._labels_per_sample = 0
        self._pace = Pace(threads())

    def _prepare(self, x: Array, targets: Array, batch_size: int) -> Prepared:
        """Data as the core reads it, converted once for all epochs."""
        if self._reading is not None and self._reading[0] is x and self._reading[1] is targets:
            return self._reading[2]
        loss, dtype = self.recipe.loss, self.recipe.dtype
        inputs, is_bytes = contiguous(x, dtype)
        truth = loss.true_classes(targets)
        guesses = truth is not None and loss.predicted_classes(np.zeros((1, *self.graph.output_shape))) is not None
        labels = np.ascontiguousarray(truth, np.int64).reshape(-1) if guesses else None
        if self._compiled is None:
            self._compiled = self.engine.compiled(
                self.graph,
                "train",
                min(batch_size, len(x)),
                dtype,
                training=True,
                loss=loss,
                targets=targets,
                guesses=guesses,
            )
            self._compiled.load(self.graph)
        prepared = (inputs, is_bytes, targets_for(loss, targets, dtype), labels)
        self._reading = (x, targets, prepared)
        self._labels_per_sample = 0 if labels is None else labels.size // len(inputs)
        return prepared

    def epochs(
        self, x: Array, targets: Array, orders: Array, batch_size: int, rates: Array, on_step: OnStep | None
    ) -> list[EpochTotals]:
        """Train on x[order] in batches for each row of `orders`, with one learning rate per step in that of `rates`.

        Epochs without a short last batch follow each other within one call of the core.
        """
        batch_size = min(batch_size, len(x))
        if len(orders) > 1 and orders.shape[1] % batch_size == 0:
            losses, correct = self._run(x, targets, orders.reshape(-1), batch_size, rates.reshape(-1), None)
            return self._totals(losses.reshape(rates.shape), correct.reshape(rates.shape), len(x), batch_size)
        totals = []
        for order, rate in zip(orders, rates, strict=True):
            losses, correct = self._run(x, targets, order, batch_size, rate, on_step)
            totals += self._totals(losses[None], correct[None], len(x), batch_size)
        return totals

    def _run(
        self, x: Array, targets: Array, order: Array, batch_size: int, rates: Array, on_step: OnStep | None
    ) -> tuple[Array, Array]:
        """(loss, right answers) of every step; in chunks."""
        prepared = self._prepare(x, targets, batch_size)
        losses, correct = np.zeros(len(rates)), np.zeros(len(rates), np.int64)
        first = 0
        while first < len(rates):
            count = min(len(rates) - first, max(1, int(CHUNK_SECONDS / max(self._seconds_per_step, 1e-9))))
            part = slice(first, first + count)
            self._pace.limit(threads())
            begin, processor = time.perf_counter(), time.process_time()
            done = self._train(prepared, order, batch_size, rates[part], first, losses[part], correct[part])
            seconds = time.perf_counter() - begin
            self._seconds_per_step = seconds / max(done, 1)
            if seconds > CHUNK_SECONDS / 2:
                self._pace.note(self._seconds_per_step, seconds, time.process_time() - processor)
            if done < count:
                self._diagnose(x, targets, order, batch_size, first + done, float(rates[first + done]))
            first += done
            if on_step is not None:
                on_step(self._totals(losses[None, :first], correct[None, :first], len(order), batch_size)[0])
        return losses, correct

    def _train(
        self,
        prepared: Prepared,
        order: Array,
        batch_size: int,
        rates: Array,
        first: int,
        losses: Array,
        correct: Array,
    ) -> int:
        """Steps first, first + 1, ... of the order, one for each rate; returns how many were done."""
        assert self._compiled is not None
        inputs, is_bytes, targets, labels = prepared
        optimizer = self.recipe.optimizer
        self._compiled.require_room(batch_size, self._pace.threads, optimizer.memories)
        try:
            done: int = self._compiled.plan.train(
                inputs, is_bytes, targets, labels, order, batch_size, np.ascontiguousarray(rates), first,
                self.graph.seed, self.step, optimizer.native_update(), optimizer.memories, self._trainable(),
                losses, correct, self._pace.threads,
            )  # fmt: skip
        except MemoryError:
            needed = bytes_text(self._compiled.memory_bytes(batch_size, self._pace.threads, optimizer.memories))
            raise EngineError(
                f"not enough memory to train in batches of {batch_size}, which needs {needed}; take smaller ones"
            ) from None
        self.step += done
        return done

    def _totals(self, losses: Array, correct: Array, samples: int, batch_size: int) -> list[EpochTotals]:
        """One total for each row of per-step numbers; the last batch of a row may be short."""
        steps = losses.shape[1]
        sizes = np.minimum(batch_size, samples - np.arange(steps) * batch_size)
        sums = losses @ (sizes if self.recipe.loss.reduction == "mean" else np.ones(steps))
        seen = int(sizes.sum())
        labelled = seen * self._labels_per_sample
        rows = zip(sums.tolist(), correct.sum(axis=1).tolist(), strict=True)
        return [EpochTotals(loss, right, labelled, seen, steps) for loss, right in rows]

    def _trainable(self) -> list[int]:
        """begin, end, begin, end, ... of what is not frozen, neighbours joined."""
        ranges: list[int] = []
        for name, part in self.graph.parameters.slices().items():
            if name in self.graph.frozen:
                continue
            if ranges and ranges[-1] == part.start:
                ranges[-1] = part.stop
            else:
                ranges += [part.start, part.stop]
        return ranges

    def _diagnose(self, x: Array, targets: Array, order: Array, batch_size: int, batch: int, rate: float) -> None:
        """Compute the failed step again on the reference engine, which names the first tensor that is not finite."""
        self.store()
        trainer = ReferenceTrainer(self.graph, self.recipe)
        trainer.step = self.step
        chosen = order[batch * batch_size : (batch + 1) * batch_size]
        step = self.step % -(-len(x) // batch_size)
        trainer.step_on(x[chosen], targets[chosen], rate, EpochTotals(steps=step))
        # The reference engine begins without the optimizer's memory: what it does not find came from there.
        raise FirstNonFinite(["a parameter after the update"]).error(f"at step {step + 1}")

    def store(self) -> None:
        """Write parameters and buffers back into the graph."""
        if self._compiled is not None:
            self._compiled.plan.get_values(self.graph.parameters.flat, self.graph.buffers.flat)
