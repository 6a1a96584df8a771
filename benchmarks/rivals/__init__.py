"""The contenders, each in a file of its own with the same face: chainrule and those it is compared with."""

from __future__ import annotations

import importlib
import importlib.util
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from benchmarks.tasks import Array, KernelTask, NetworkTask, Task


class Job(Protocol):
    """A task that is ready to run."""

    def first(self) -> dict[str, Array]:
        """What the first two steps of training make of the parameters, or the outputs of the first batch.

        Called once, before anything is run: all contenders must give the same numbers.
        """

    def run(self, steps: int) -> int:
        """Do about so many steps and wait until they are done; how many there were."""


class Contender(ABC):
    """A framework, set up for a number of threads. Made in a process of its own."""

    module: ClassVar[str]
    """What has to be importable."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @abstractmethod
    def version(self) -> str:
        """Version of the framework."""

    @abstractmethod
    def network(self, task: NetworkTask) -> Job:
        """Make a network ready. Raises NotImplementedError for what the framework cannot do."""

    def kernel(self, task: KernelTask) -> Job:
        """Make a single kernel ready. Raises NotImplementedError for what the framework does not offer."""
        raise NotImplementedError(f"{type(self).__name__} offers no single kernels")

    def prepare(self, task: Task) -> Job:
        """Make a task ready."""
        return self.kernel(task) if isinstance(task, KernelTask) else self.network(task)


OURS = "chainrule"
PEAK = "multiply-add peak"
CONTENDERS: dict[str, tuple[str, str]] = {
    OURS: ("benchmarks.rivals.chainrule_fit", "chainrule"),
    "PyTorch eager": ("benchmarks.rivals.torch_eager", "torch"),
    "PyTorch compile": ("benchmarks.rivals.torch_compile", "torch"),
    "JAX jit": ("benchmarks.rivals.jax_jit", "jax"),
    "TensorFlow function": ("benchmarks.rivals.tensorflow_function", "tensorflow"),
    "ONNX Runtime": ("benchmarks.rivals.onnxruntime", "onnxruntime"),
    PEAK: ("benchmarks.rivals.peak", "chainrule"),
}
"""Name: (module of the adapter, which defines `make`; package that it needs)."""


def installed(name: str) -> bool:
    """Whether a contender can be asked here."""
    return importlib.util.find_spec(CONTENDERS[name][1]) is not None


def make(name: str, threads: int) -> Contender:
    """The contender, its framework imported and set up."""
    contender: Contender = importlib.import_module(CONTENDERS[name][0]).make(threads)
    return contender
