"""A contender in a process of its own, so that no framework's threads disturb another's; asked in turn.

Threads that have nothing to do must not take cores away from the contender whose turn it is. Every runtime keeps
its own way to wait inside a step; but a pause before each repetition is longer than any of them waits actively.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks import rivals
from benchmarks.machine import Neighbours, cores
from benchmarks.tasks import Array, Task

PAUSE = 0.03
"""Seconds between repetitions: longer than threads of GNU OpenMP, Eigen and ONNX Runtime spin before they sleep."""

THREAD_VARIABLES = (
    "CHAINRULE_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip


def environment(threads: int) -> dict[str, str]:
    """The same for all contenders. Intel's OpenMP would spin for 200 ms; GNU's (PyTorch) spins for less."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"KMP_BLOCKTIME": "10", "TF_CPP_MIN_LOG_LEVEL": "3"}


class WorkerError(Exception):
    """What went wrong in a worker, with its traceback."""


class RefusalError(Exception):
    """The contender does not offer this."""


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                del os.environ[name]
            else:
                os.environ[name] = old


class Worker:
    """The near side: starts the process and asks it."""

    def __init__(self, name: str, threads: int, log: Path | None = None) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=serve, args=(far, name, threads, log), daemon=True)
        with variables(environment(threads)):
            self.process.start()
        far.close()
        self.version = str(self._answer())

    def ask(self, question: str, *arguments: Any) -> Any:
        """Call a method of `Server` in the process. Raises WorkerError or RefusalError."""
        self.pipe.send((question, arguments))
        return self._answer()

    def _answer(self) -> Any:
        try:
            kind, content = self.pipe.recv()
        except EOFError:
            self.process.join(5)
            raise WorkerError(f"{self.name} ended with exit code {self.process.exitcode}") from None
        if kind == "answer":
            return content
        raise (RefusalError if kind == "refusal" else WorkerError)(content)

    def repetition(self, steps: int) -> tuple[float, int, float | None]:
        """(seconds, steps done, share of the machine that others took)."""
        time.sleep(PAUSE)
        neighbours = Neighbours()
        seconds, own, done = self.ask("run", steps)
        return seconds, done, neighbours.share(own, seconds)

    def close(self) -> None:
        """End the process."""
        if self.process.is_alive():
            self.pipe.close()
            self.process.join(5)
            self.process.terminate()


class Server:
    """The far side: holds the contender and its present job."""

    def __init__(self, name: str, threads: int) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cores()[:threads])  # some frameworks take as many threads as they see cores
        self.contender = rivals.make(name, threads)
        self.job: rivals.Job | None = None

    def prepare(self, task: Task) -> dict[str, Array]:
        """Make a task ready; what its first steps give."""
        self.job = None
        self.job = self.contender.prepare(task)
        return self.job.first()

    def run(self, steps: int) -> tuple[float, float, int]:
        """(seconds, processor seconds, steps done)."""
        assert self.job is not None
        own, begin = time.process_time(), time.perf_counter()
        done = self.job.run(steps)
        return time.perf_counter() - begin, time.process_time() - own, done

    def drop(self) -> None:
        """Forget the job."""
        self.job = None

    def peak_memory(self) -> int:
        """The most bytes that this process ever held in memory."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
        assert found is not None
        return 1024 * int(found.group(1))


def serve(pipe: Connection, name: str, threads: int, log: Path | None) -> None:
    """Answer until the pipe closes. What the framework has to say goes to the log, errors come back as failures."""
    if log is not None:
        for stream in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    try:
        server = Server(name, threads)
        pipe.send(("answer", server.contender.version()))
    except Exception:
        pipe.send(("failure", traceback.format_exc()))
        return
    while True:
        try:
            question, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(("answer", getattr(server, question)(*arguments)))
        except NotImplementedError as refusal:
            pipe.send(("refusal", str(refusal)))
        except Exception:
            pipe.send(("failure", traceback.format_exc()))
