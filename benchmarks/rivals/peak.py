"""The machine itself: as many multiply-adds as the processor can do, without memory. One step is a million operations.

It takes part in every case, so that each is compared with the peak of the same minutes.
"""

from __future__ import annotations

import time

from benchmarks.rivals import Contender, Job
from benchmarks.tasks import Array, KernelTask, NetworkTask
from chainrule import _native
from chainrule.engines.native.compiled import instruction_set

STEP_FLOPS = 1e6
LEAST_SECONDS = 0.02


class Peak(Contender):
    """The same job, whatever the task."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.isa = instruction_set().name
        self.speed = 1e11
        self.measure(LEAST_SECONDS)

    def version(self) -> str:
        return self.isa

    def measure(self, seconds: float) -> int:
        """Multiply and add for so long; the steps done."""
        begin = time.perf_counter()
        self.speed = _native.multiply_add_peak(self.isa, 4, self.threads, max(seconds, LEAST_SECONDS))
        return round(self.speed * (time.perf_counter() - begin) / STEP_FLOPS)

    def network(self, task: NetworkTask) -> Job:
        return PeakJob(self)

    def kernel(self, task: KernelTask) -> Job:
        return PeakJob(self)


class PeakJob:
    """As many steps as asked, in the time that they took last time."""

    def __init__(self, peak: Peak) -> None:
        self.peak = peak

    def first(self) -> dict[str, Array]:
        return {}

    def run(self, steps: int) -> int:
        return self.peak.measure(steps * STEP_FLOPS / self.peak.speed)


def make(threads: int) -> Contender:
    return Peak(threads)
