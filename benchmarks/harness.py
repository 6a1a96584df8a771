"""Interleaved repetitions of all contenders: A B C A B C ..., so that all of them see the same machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from benchmarks.records import Results, Sample
from benchmarks.rivals import PEAK
from benchmarks.tasks import Array, NetworkTask, Task
from benchmarks.worker import RefusalError, WorkerError

TOLERANCE = 0.1
"""Most that updates or outputs of two contenders may differ, relative to the largest. Rounding in float32 alone reaches
0.03 behind many batch normalisations, whose first updates are small; another rule or weight makes more than 0.3."""


class Asked(Protocol):
    """What the harness needs of a worker."""

    def ask(self, question: str, *arguments: object) -> object:
        """Prepare, run or drop a task."""

    def repetition(self, steps: int) -> tuple[float, int, float | None]:
        """(seconds, steps done, share of the machine that others took)."""


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    repetitions: int = 7
    seconds: float = 0.3
    warm_up: float = 0.3

    @classmethod
    def quick(cls) -> Effort:
        """Just enough to see that everything runs."""
        return cls(3, 0.05, 0.02)


@dataclass(frozen=True)
class Case:
    """A task with a name. `steps` fixes the number of steps; without it they fill the effort's seconds.

    `part` of those seconds is enough where steps are short; `repetitions` at most where they are long.
    """

    name: str
    task: Task
    steps: int | None = None
    unit: str = "images"
    part: float = 1.0
    repetitions: int | None = None

    @property
    def work(self) -> float:
        """Units of one step."""
        return 1.0 if self.unit in ("calls", "updates") else float(self.task.batch)


def calibrate(worker: Asked, effort: Effort) -> int:
    """Warm up, and find out how many steps fill a repetition."""
    spent, steps, speed = 0.0, 1, 1.0
    while True:
        seconds, done, _ = worker.repetition(steps)
        spent += seconds
        speed = done / max(seconds, 1e-9)
        steps = max(1, round(speed * effort.seconds))
        if spent >= effort.warm_up:
            return steps


def interleave(
    workers: Mapping[str, Asked], steps: Mapping[str, int], repetitions: int, take: Callable[[str, int], None]
) -> None:
    """Each in turn, again and again; `take(name, repetition)` measures."""
    for repetition in range(repetitions):
        for name in workers:
            if steps[name]:
                take(name, repetition)


def effort_for(case: Case, effort: Effort) -> Effort:
    """What a case needs of the effort."""
    most = effort.repetitions if case.repetitions is None else min(case.repetitions, effort.repetitions)
    return replace(effort, seconds=effort.seconds * case.part, repetitions=most)


def measure(case: Case, workers: Mapping[str, Asked], effort: Effort, results: Results, reference: str) -> None:
    """All repetitions of a case by those who can do it and give the reference's numbers."""
    effort = effort_for(case, effort)
    steps: dict[str, int] = {}
    first: dict[str, dict[str, Array]] = {}
    for name, worker in workers.items():
        try:
            first[name] = worker.ask("prepare", case.task)  # type: ignore[assignment]
            steps[name] = case.steps or calibrate(worker, effort)
            if case.steps:
                worker.repetition(case.steps)
        except (RefusalError, WorkerError) as problem:
            steps[name] = 0
            if isinstance(problem, WorkerError):
                results.remark(case.name, name, str(problem).strip().splitlines()[-1])
    agree(case, first, results, reference)

    def take(name: str, repetition: int) -> None:
        seconds, done, others = workers[name].repetition(steps[name])
        work = 1.0 if name == PEAK else case.work  # the peak counts millions of operations
        results.samples.append(Sample(case.name, name, repetition, seconds, done * work, others))

    interleave(workers, steps, effort.repetitions, take)
    for worker in workers.values():
        worker.ask("drop")


def agree(case: Case, first: Mapping[str, Mapping[str, Array]], results: Results, reference: str) -> None:
    """Remark who computed something else than the reference."""
    task = case.task
    start = task.network.parameters if isinstance(task, NetworkTask) and task.kind == "train" else {}
    wanted = first.get(reference, {})
    for name, found in first.items():
        if found and wanted:
            worst = difference(wanted, found, start)
            if not worst <= TOLERANCE:
                results.remark(case.name, name, f"wrong: differs from {reference} by {worst:.2g} of the largest change")


def difference(a: Mapping[str, Array], b: Mapping[str, Array], start: Mapping[str, Array]) -> float:
    """The largest difference of two sets of arrays, relative to how far the first went from `start`."""
    worst = 0.0
    for name in a.keys() & b.keys():
        reached, scale = np.abs(a[name] - b[name]).max(), np.abs(a[name] - start.get(name, 0)).max()
        relative = float(reached / scale) if scale else float(reached > 0)
        worst = max(worst, np.inf if np.isnan(relative) else relative)
    return worst


def best_rival(results: Results, case: str, ours: str, aside: Sequence[str] = ()) -> str | None:
    """The rival with the highest median rate, of those that computed the same."""
    apart = {ours, *aside, *results.wrong(case)}
    rivals = [name for name in results.contenders(case) if name not in apart]
    return max(rivals, key=lambda name: results.spread(case, name).median, default=None)
