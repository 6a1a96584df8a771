"""One operation of a native plan on its own: no gathering before it, no loss and no update after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import chainrule as cr
from benchmarks.rivals import Job
from benchmarks.tasks import Array, KernelTask
from chainrule import _native
from chainrule.engines.native import NativeEngine
from chainrule.engines.native.compiled import Compiled

REPEATS = 8
"""How often a block does the operation before the next block comes."""


def network_around(task: KernelTask) -> cr.Network:
    """One layer."""
    if task.layer == "dense":
        x = cr.Input((task.inputs,))
        return cr.Network(x, cr.Linear(task.inputs, task.outputs, bias=False)(x))
    x = cr.Input((task.inputs, task.size, task.size))
    if task.layer == "max pool 2":
        return cr.Network(x, cr.MaxPool2d(2)(x))
    return cr.Network(x, cr.Conv2d(task.inputs, task.outputs, task.kernel, padding=task.padding, bias=False)(x))


def single_operation(compiled: Compiled, label: str) -> tuple[str, dict[str, object]]:
    """The one operation of a plan that computes what the label says."""
    operations = [record for stage in compiled.program.stages for record, own in stage.operations if own == label]
    kernels = [record for record in operations if record.name not in ("gather", "scatter")]
    if len(kernels) != 1:
        raise LookupError(f"{len(kernels)} operations for {label!r} in\n{compiled.describe()}")
    return kernels[0].name, kernels[0].resolved()


class Kernel:
    """A plan whose only stage repeats the operation."""

    def __init__(self, task: KernelTask, threads: int) -> None:
        net = network_around(task)
        name = net.names[1]
        labels = {"forward": name, "input": f"d input of {name}", "weight": f"d {name}.weight"}
        compiled = NativeEngine().compiled(
            net, "gradients", task.batch, np.dtype(np.float32), training=True, loss=cr.MSELoss()
        )
        operation = single_operation(compiled, labels[task.part])
        # A dense layer's weight gradient is computed when the step ends: the blocks only turn its input.
        at_the_end = operation[0] == "transpose_input"
        self.repeats = 1 if at_the_end else REPEATS
        given = compiled.description
        finishes = [finish for finish in given.finishes if finish["layout"] == "dense"] if at_the_end else []
        stages: Any = [([operation] * self.repeats, [])]
        sizes = {**given.sizes, "zeroed": []}
        self.plan = _native.Plan(replace(given, sizes=sizes, stages=stages, finishes=finishes))
        self.plan.set_values(net.parameters.flat, net.buffers.flat)
        self.x = np.zeros((task.batch, *net.input_shape), np.float32)
        self.threads = threads

    def run(self, steps: int) -> int:
        calls = max(1, round(steps / self.repeats))
        for _ in range(calls):
            self.plan.run(self.x, False, None, None, None, 1.0, [], len(self.x), 0, 0, self.threads)
        return calls * self.repeats

    def first(self) -> dict[str, Array]:
        return {}


def kernel_job(task: KernelTask, threads: int) -> Job:
    """A kernel of the native engine."""
    return Kernel(task, threads)
