"""A lowered network together with the core's plan that runs it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np

from chainrule.arrays import Array, check_converted
from chainrule.engines.native import core
from chainrule.engines.native.fusion import Mode, Task
from chainrule.engines.native.lowering import Lowering
from chainrule.engines.native.program import PlanDescription, Program
from chainrule.engines.native.records.convolution import ConvolveLarge
from chainrule.engines.native.rules import LAYER_RULES
from chainrule.engines.native.rules.losses import loss_plan
from chainrule.errors import ArgumentError, EngineError
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.memory import bytes_text, require_memory
from chainrule.shapes import product

SHARDS = 16
"""Most shards of a batch: as many threads can share a step."""
SMALL_BATCH = 1024
"""So many samples may keep what the gradients of dense layers need at the end of the step. Larger batches do not, so
that memory has a bound that does not depend on the batch; they have enough blocks for each sum on the way."""
GROUP = 4
"""Blocks that use large weights together."""
MOST_SINGLE = 4
"""So many samples are computed one by one: a block of eight for them would be half empty, and leave a core idle."""
RAW_BYTES = 512 * 2**20
"""Most memory for the raw gradients of all shards together; large networks get fewer shards."""
LARGEST_TENSOR = 2**30
"""Most numbers of one sample's tensor. 32 bits index twice as many, as a window needs that leaves the map."""


@dataclass(frozen=True)
class InstructionSet:
    """Kernels that this processor can run: lanes by number size, widest first."""

    name: str
    lanes: dict[int, list[int]]
    channel_vector: dict[int, int]
    registers: int


def instruction_set() -> InstructionSet:
    """The fastest that the processor has, or the one that CHAINRULE_ISA names."""
    return _instruction_set(os.environ.get("CHAINRULE_ISA"))


@cache
def _instruction_set(wanted: str | None) -> InstructionSet:
    known = [InstructionSet(*item) for item in core.isas()]
    if not wanted:
        return known[0]
    for isa in known:
        if isa.name == wanted:
            return isa
    names = ", ".join(isa.name for isa in known)
    raise ArgumentError(f"CHAINRULE_ISA={wanted!r} is not an instruction set of this processor; it has {names}")


def lanes_for(samples: int, available: list[int]) -> int:
    """Samples per block: the widest vector that still leaves two blocks for two cores, else the narrowest of more than
    one lane. Up to `MOST_SINGLE` samples have a block each, where there are such blocks.

    It depends on the batch alone, so that results do not depend on the number of threads.
    """
    if samples <= MOST_SINGLE and available[-1] == 1:
        return 1
    several = [lanes for lanes in available if lanes > 1]
    return next((lanes for lanes in several if samples > lanes), several[-1])


class Request(NamedTuple):
    """What a plan is made for; plans are kept and found again by it."""

    mode: Mode
    training: bool
    number_bytes: int
    lanes: int
    isa: str
    loss: tuple[Any, ...] | None
    guesses: bool
    frozen: frozenset[str]
    small: bool
    """Whether the batch has at most `SMALL_BATCH` samples."""


class Compiled:
    """A program, its exports, and the core's plan."""

    def __init__(
        self, graph: Graph, request: Request, loss: Loss | None, isa: InstructionSet, probabilities: bool
    ) -> None:
        self.request = request
        self.lock = threading.Lock()
        """For calls that belong together: a run and the gradient it leaves."""
        _everyone.add(self)
        self._loaded = False
        self.program = Program(request.lanes, request.number_bytes)
        task = Task(
            graph=graph,
            mode=request.mode,
            training=request.training,
            small=request.small,
            lanes=request.lanes,
            number_bytes=request.number_bytes,
            channel_vector=isa.channel_vector[request.number_bytes],
            registers=isa.registers,
        )
        plan = None
        if loss is not None:
            plan = loss_plan(loss, graph.output_shape, probabilities=probabilities, guesses=request.guesses)
        low = Lowering(task, self.program, LAYER_RULES, plan)
        low.lower()
        self._check_extents()
        self.exports = low.exports
        self.sizes = self._sizes(graph, low)
        self._allowed = (0, 0, 0)
        self.require_room(1, 1)
        self.description = PlanDescription(
            isa=request.isa,
            number_bytes=request.number_bytes,
            lanes=request.lanes,
            sizes={**self.sizes, "zeroed": low.zeroed},
            stages=self.program.resolved_stages(),
            finishes=[finish.resolved() for finish in low.finishes.values()],
            packs=[pack.resolved() for pack in low.packs.values()],
            folds=[fold.resolved() for fold in low.folds],
        )
        try:
            self.plan = core.Plan(self.description)
        except (MemoryError, OverflowError, RuntimeError):
            size = bytes_text(self.memory_bytes(1, 1))
            raise EngineError(f"a plan of {size} ran out of memory; use a smaller network") from None
        except (ValueError, TypeError) as error:
            raise EngineError(f"the native core refuses the plan that it was given: {error}") from None

    def memory_bytes(self, samples: int, threads: int, memories: int = 0) -> int:
        """What the core takes for batches of so many samples, as its plan reserves it, and what comes out of it."""
        sizes, number = self.sizes, self.request.number_bytes
        blocks = -(-samples // self.request.lanes)
        shards = min(blocks, sizes["shard_limit"])
        weights = sizes["parameters"] + sizes["buffers"] + sizes["packed"]
        copies = 2 if self.request.mode == "train" else 1  # the state before a step that may fail
        numbers = copies * (weights + memories * sizes["parameters"]) + sizes["parameters"]
        numbers += sizes["scratch"] * sizes["group"] * min(threads, shards) + sizes["kept"] * blocks
        numbers += sizes["raw"] * shards + self._exported * samples
        return numbers * number + 8 * (sizes["statistics"] * blocks + sizes["shared"])

    def require_room(self, samples: int, threads: int, memories: int = 0) -> None:
        """Refuse a batch that memory cannot hold; a call like an earlier one is answered at once."""
        if samples <= self._allowed[0] and (threads, memories) == self._allowed[1:]:
            return
        size = self.memory_bytes(samples, threads, memories)
        require_memory(size, lambda: self._needs(samples), "take smaller batches, a smaller network or fewer threads")
        self._allowed = (samples, threads, memories)

    def _needs(self, samples: int) -> str:
        """The subject of a refusal; the largest tensor tells where the size comes from."""
        what = {"inference": "inference", "train": "training", "trace": "a trace", "gradients": "gradients"}
        largest = max(self.program.slots, key=lambda slot: slot.elements)
        many = f"{samples:,} samples" if samples > 1 else "one sample"
        return f"{what[self.request.mode]} with {many}, whose largest tensor is {largest.label},"

    def _check_extents(self) -> None:
        """The core counts the numbers of one sample's tensor in 32 bits."""
        for slot in self.program.slots:
            if slot.elements > LARGEST_TENSOR:
                raise EngineError(
                    f"{slot.label} has {slot.elements} numbers for each sample; "
                    f"the native engine can index {LARGEST_TENSOR}"
                )

    def _sizes(self, graph: Graph, low: Lowering) -> dict[str, int]:
        scratch, kept = self.program.lay_out()
        natural = graph.parameters.flat.size + graph.buffers.flat.size
        flat = self.program.flat
        raw_bytes = max(flat["raw"] * self.request.number_bytes, 1)
        shapes = dict(zip(graph.names, graph.shapes, strict=True)) | {"output": graph.output_shape}
        self._exported = sum(product(shapes[name]) for _, name in low.exports)
        return {
            "scratch": scratch,
            "kept": kept,
            "parameters": graph.parameters.flat.size,
            "buffers": graph.buffers.flat.size,
            "packed": low.natural_size - natural + flat["packed"],
            "raw": flat["raw"],
            "statistics": flat["statistics"],
            "shared": flat["statistics"],
            "shard_limit": max(1, min(SHARDS, RAW_BYTES // raw_bytes)),
            "group": GROUP if self._has_large_weights() else 1,
        }

    def _has_large_weights(self) -> bool:
        """Whether a convolution's weights, dense layers' above all, would be read from memory for each block anew."""
        return any(isinstance(op, ConvolveLarge) for stage in self.program.stages for op, _ in stage.operations)

    def load(self, graph: Graph) -> None:
        """Copy the graph's parameters and buffers into the plan; those of a snapshot once."""
        if not self._loaded:
            self.plan.set_values(graph.parameters.flat, graph.buffers.flat)
            self._loaded = graph.parameters.sealed and graph.buffers.sealed

    def describe(self) -> str:
        """The plan for a reader: stages, operations, memory."""
        number = self.request.number_bytes
        block = self.request.lanes
        lines = [
            f"plan: {self.request.mode}, float{8 * number}, {self.request.isa}, {block} lanes, "
            f"{len(self.program.stages)} stage(s)",
            f"arena per thread {self.sizes['scratch'] * number:,} bytes; kept per block of {block} samples "
            f"{self.sizes['kept'] * number:,} bytes; gradients per shard {self.sizes['raw'] * number:,} bytes",
        ]
        for index, stage in enumerate(self.program.stages):
            lines.append(f"stage {index + 1}")
            lines += [f"  {record.name:<34} {label}" for record, label in stage.operations]
            lines += [f"  all blocks meet: {record.name}" for record in stage.between]
        return "\n".join(lines)


_everyone: WeakSet[Compiled] = WeakSet()


def _unlock_after_fork() -> None:
    """Whoever held a lock when the process forked is not in the child, which shall not wait for it."""
    for compiled in _everyone:
        compiled.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_after_fork)


def unsupported_layers(graph: Graph, training: bool) -> list[str]:
    """Layers that only the reference engine can compute: those that are not of the package."""
    return sorted({type(step.layer).__name__ for step in graph.steps if type(step.layer) not in LAYER_RULES})


def dtype_bytes(dtype: np.dtype[Any]) -> int:
    """4 for float32, 8 for float64."""
    return int(dtype.itemsize)


def contiguous(x: Array, dtype: np.dtype[Any]) -> tuple[Array, bool]:
    """(array as the core reads it, whether it holds bytes): uint8 as it is, all else in the compute dtype."""
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x), True
    if x.dtype == dtype and x.flags.c_contiguous and x.flags.aligned:
        return x, False
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(x, dtype)
    if numbers.dtype.itemsize < x.dtype.itemsize:
        check_converted(numbers, x)
    return numbers if numbers.flags.aligned else numbers.copy(), False
