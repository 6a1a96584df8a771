"""chainrule through its public names: `net.fit` shuffles and gathers its samples, a snapshot takes and gives arrays."""

from __future__ import annotations

from itertools import cycle

import numpy as np

import chainrule as cr
from benchmarks.networks import NETWORKS
from benchmarks.rivals import Contender, Job
from benchmarks.rivals.chainrule_kernels import kernel_job
from benchmarks.tasks import Array, KernelTask, NetworkTask


class Training:
    """Epochs over all batches of the task."""

    def __init__(self, task: NetworkTask) -> None:
        self.task = task
        self.net = NETWORKS[task.network.name]()
        self.x, self.targets = task.samples()
        self.loss = cr.CrossEntropyLoss() if task.network.loss == "cross_entropy" else cr.HalfSquaredErrorLoss()
        self.optimizer = cr.SGD(task.learning_rate, momentum=task.momentum)
        self.seed = 0

    def fit(self, samples: int, epochs: int, shuffle: bool) -> None:
        """Train on the first so many samples."""
        self.net.fit(
            self.x[:samples],
            self.targets[:samples],
            loss=self.loss,
            optimizer=self.optimizer,
            epochs=epochs,
            batch_size=self.task.batch,
            seed=self.seed,
            shuffle=shuffle,
            progress=False,
        )
        self.seed += 1

    def run(self, steps: int) -> int:
        epochs = max(1, round(steps / self.task.batches))
        self.fit(len(self.x), epochs, True)
        return epochs * self.task.batches

    def first(self) -> dict[str, Array]:
        self.fit(2 * self.task.batch, 1, False)
        return {name: np.array(value) for name, value in self.net.parameters.items()}


class Inference:
    """One call for one batch."""

    def __init__(self, task: NetworkTask) -> None:
        self.net = NETWORKS[task.network.name]().snapshot()
        self.batches = np.split(task.samples()[0], task.batches)
        self.around = cycle(self.batches)

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self.net(next(self.around))
        return steps

    def first(self) -> dict[str, Array]:
        return {"outputs": self.net(self.batches[0])}


class Chainrule(Contender):
    """Threads come from CHAINRULE_THREADS."""

    def version(self) -> str:
        return str(cr.__version__)

    def network(self, task: NetworkTask) -> Job:
        return Training(task) if task.kind == "train" else Inference(task)

    def kernel(self, task: KernelTask) -> Job:
        return kernel_job(task, self.threads)


def make(threads: int) -> Contender:
    return Chainrule(threads)
