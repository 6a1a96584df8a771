"""Training runs of the native engine: epochs in C++, in chunks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.engines.base import EpochTotals, FirstNonFinite, OnStep, Recipe, Samples, step_masses
from chainrule.engines.native.compiled import Compiled, contiguous
from chainrule.engines.native.pace import Pace
from chainrule.engines.native.program import EpochRequest
from chainrule.engines.native.threads import threads
from chainrule.engines.reference import ReferenceTrainer
from chainrule.errors import EngineError
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import bytes_text
from chainrule.shapes import Shape

Prepared: TypeAlias = tuple[Array, bool, Array | None, Array | None, Array | None]
"""Inputs, whether they are bytes, targets, labels to count right answers by, and the samples' weights, as the core
reads them."""

CHUNK_SECONDS = 0.05
"""How long the core trains before Python may show progress or be interrupted."""


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

    def __init__(self, compiled: Callable[..., Compiled], graph: Graph, recipe: Recipe) -> None:
        self._compile = compiled
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
            self._compiled = self._compile(
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
            done: int = self._compiled.plan.train(self._request(prepared, order, batch_size, rates, first, steps, part))
        except MemoryError:
            needed = bytes_text(self._compiled.memory_bytes(batch_size, self._pace.threads, optimizer.memories))
            raise EngineError(
                f"not enough memory to train in batches of {batch_size}, which needs {needed}; take smaller ones"
            ) from None
        self.step += done
        return done

    def _request(
        self,
        prepared: Prepared,
        order: Array,
        batch_size: int,
        rates: Array,
        first: int,
        steps: StepNumbers,
        part: slice,
    ) -> EpochRequest:
        optimizer = self.recipe.optimizer
        inputs, is_bytes, targets, labels, weights = prepared
        return EpochRequest(
            inputs=inputs,
            bytes=is_bytes,
            targets=targets,
            labels=labels,
            weights=weights,
            order=order,
            batch_size=batch_size,
            first=first,
            rates=np.ascontiguousarray(rates),
            scales=steps.scales[part],
            seed=self.graph.seed,
            step=self.step,
            update=optimizer.native_update(),
            memories=optimizer.memories,
            trainable=self._trainable(),
            losses=steps.losses[part],
            correct=steps.correct[part],
            threads=self._pace.threads,
        )

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
