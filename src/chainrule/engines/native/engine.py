"""The native engine: plans in C++ behind the same contract as the reference engine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.arrays import Array, check_finite
from chainrule.engines.base import (
    EpochTotals,
    FirstNonFinite,
    GradientResult,
    OnStep,
    Recipe,
    Samples,
    Trace,
    Traced,
    Trainer,
    step_masses,
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
from chainrule.engines.native.pace import Pace
from chainrule.engines.native.rules.losses import is_known
from chainrule.engines.native.threads import threads
from chainrule.engines.reference import ReferenceEngine, ReferenceTrainer
from chainrule.errors import EngineError, warn
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import bytes_text
from chainrule.parameters import Parameters
from chainrule.shapes import Shape

Prepared: TypeAlias = tuple[Array, bool, Array | None, Array | None, Array | None]
"""Inputs, whether they are bytes, targets, labels to count right answers by, and the samples' weights, as the core
reads them."""

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
        return NativeTrainer(self, graph, recipe)


def threads_for(samples: int) -> int:
    """Threads that a call may use; one sample is one thread's, and its caller need not wait for an answer."""
    return 1 if samples == 1 else threads()


def targets_for(loss: Loss, targets: Array, dtype: np.dtype[Any]) -> Array:
    """Targets as the core reads them: int64 class indices or numbers of the compute dtype."""
    indices = loss.by_class and targets.dtype.kind != "f"
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(targets, np.int64 if indices else dtype)


def _sums(numbers: Array, order: Array, begins: Array) -> Array:
    """The sum over each batch of the order."""
    return np.add.reduceat(numbers[order], begins) if len(begins) else np.zeros(0)


@dataclass(frozen=True)
class Reading:
    """What the trainer has found out about the data that it was given last."""

    data: Samples
    prepared: Prepared
    masses: Array
    """What each sample adds to the mass of its step."""
    places: int
    """Labels of a sample that are counted."""


class StepNumbers:
    """Numbers of every step: what goes into it, and what comes out."""

    def __init__(self, loss: Loss, shape: Shape, sizes: Array, masses: Array, labelled: Array) -> None:
        self.sizes, self.masses, self.labelled = sizes, masses, labelled
        self.mean = loss.reduction == "mean"
        per_sample = loss.count((1, *shape)) if self.mean else 1
        with np.errstate(divide="ignore"):
            scales = 1 / (per_sample * masses)
        self.scales = np.where(masses > 0, scales, 0.0) if self.mean else np.ones(len(sizes))
        self.losses, self.correct = np.zeros(len(sizes)), np.zeros(len(sizes))

    def totals(self, steps: slice = slice(None)) -> EpochTotals:
        """Added up over some of the steps."""
        losses, masses = self.losses[steps], self.masses[steps]
        return EpochTotals(
            loss_sum=float(losses @ masses if self.mean else losses.sum()),
            mass=float(masses.sum()),
            correct=float(self.correct[steps].sum()),
            labelled=float(self.labelled[steps].sum()),
            samples=int(self.sizes[steps].sum()),
            steps=len(losses),
        )


class NativeTrainer:
    """Epochs in C++, in chunks short enough for progress and interruption."""

    def __init__(self, engine: NativeEngine, graph: Graph, recipe: Recipe) -> None:
        self.engine = engine
        self.graph = graph
        self.recipe = recipe
        self.step = 0
        self._compiled: Compiled | None = None
        self._seconds_per_step = CHUNK_SECONDS
        self._reading: Reading | None = None
        self._pace = Pace(threads())

    def _read(self, data: Samples, batch_size: int) -> Reading:
        """Data as the core reads it, converted once for all epochs."""
        if self._reading is not None and self._reading.data is data:
            return self._reading
        x, targets = data.x, data.targets
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
        prepared = (inputs, is_bytes, targets_for(loss, targets, dtype), labels, data.weights)
        places = 0 if labels is None else labels.size // len(inputs)
        self._reading = Reading(data, prepared, step_masses(loss, targets, data.weights), places)
        return self._reading

    def epochs(
        self, data: Samples, orders: Array, batch_size: int, rates: Array, on_step: OnStep | None
    ) -> list[EpochTotals]:
        """Train on x[order] in batches for each row of `orders`, with one learning rate per step in that of `rates`.

        Epochs without a short last batch follow each other within one call of the core.
        """
        batch_size = min(batch_size, len(data.x))
        if len(orders) > 1 and orders.shape[1] % batch_size == 0:
            steps = self._run(data, orders.reshape(-1), batch_size, rates.reshape(-1), None)
            return [steps.totals(slice(k, k + rates.shape[1])) for k in range(0, rates.size, rates.shape[1])]
        together = zip(orders, rates, strict=True)
        return [self._run(data, order, batch_size, rate, on_step).totals() for order, rate in together]

    def _run(self, data: Samples, order: Array, batch_size: int, rates: Array, on_step: OnStep | None) -> StepNumbers:
        """What came out of every step; in chunks."""
        reading = self._read(data, batch_size)
        steps = self._step_numbers(reading, order, batch_size, len(rates))
        first = 0
        while first < len(rates):
            count = min(len(rates) - first, max(1, int(CHUNK_SECONDS / max(self._seconds_per_step, 1e-9))))
            part = slice(first, first + count)
            self._pace.limit(threads())
            begin, processor = time.perf_counter(), time.process_time()
            done = self._train(reading.prepared, order, batch_size, rates[part], first, steps, part)
            seconds = time.perf_counter() - begin
            self._seconds_per_step = seconds / max(done, 1)
            if seconds > CHUNK_SECONDS / 2:
                self._pace.note(self._seconds_per_step, seconds, time.process_time() - processor)
            if done < count:
                self._diagnose(data, order, batch_size, first + done, float(rates[first + done]))
            first += done
            if on_step is not None:
                on_step(steps.totals(slice(first)))
        return steps

    def _step_numbers(self, reading: Reading, order: Array, batch_size: int, count: int) -> StepNumbers:
        """What is known of every step beforehand: its mass, and the factor of its loss."""
        begins = np.arange(count) * batch_size
        weights = reading.data.weights
        masses = _sums(reading.masses, order, begins)
        labelled = _sums(np.ones(len(order)) if weights is None else weights, order, begins) * reading.places
        sizes = np.minimum(batch_size, len(order) - begins)
        return StepNumbers(self.recipe.loss, self.graph.output_shape, sizes, masses, labelled)

    def _train(
        self,
        prepared: Prepared,
        order: Array,
        batch_size: int,
        rates: Array,
        first: int,
        steps: StepNumbers,
        part: slice,
    ) -> int:
        """Steps first, first + 1, ... of the order, one for each rate; returns how many were done."""
        assert self._compiled is not None
        optimizer = self.recipe.optimizer
        self._compiled.require_room(batch_size, self._pace.threads, optimizer.memories)
        try:
            done: int = self._compiled.plan.train(
                *prepared, order, batch_size, np.ascontiguousarray(rates), steps.scales[part], first,
                self.graph.seed, self.step, optimizer.native_update(), optimizer.memories, self._trainable(),
                steps.losses[part], steps.correct[part], self._pace.threads,
            )  # fmt: skip
        except MemoryError:
            needed = bytes_text(self._compiled.memory_bytes(batch_size, self._pace.threads, optimizer.memories))
            raise EngineError(
                f"not enough memory to train in batches of {batch_size}, which needs {needed}; take smaller ones"
            ) from None
        self.step += done
        return done

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

    def _diagnose(self, data: Samples, order: Array, batch_size: int, batch: int, rate: float) -> None:
        """Compute the failed step again on the reference engine, which names the first tensor that is not finite."""
        self.store()
        trainer = ReferenceTrainer(self.graph, self.recipe)
        trainer.step = self.step
        chosen = order[batch * batch_size : (batch + 1) * batch_size]
        step = self.step % -(-len(data.x) // batch_size)
        trainer.step_on(data.at(chosen), rate, EpochTotals(steps=step))
        # The reference engine begins without the optimizer's memory: what it does not find came from there.
        raise FirstNonFinite(["a parameter after the update"]).error(f"at step {step + 1}")

    def store(self) -> None:
        """Write parameters and buffers back into the graph."""
        if self._compiled is not None:
            self._compiled.plan.get_values(self.graph.parameters.flat, self.graph.buffers.flat)
