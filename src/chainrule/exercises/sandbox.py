"""Starts the process in which a student's functions run, and reads what it wrote down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chainrule.exercises import child, runner, values
from chainrule.exercises.submission import Submission

SECONDS = 10.0
MEMORY = 2**30
GRACE = 5.0
"""Seconds that the process gets to write down how it ended."""
FORKS = hasattr(os, "fork")
"""Whether a function can be called in a copy of this process; Windows has none."""
Calls = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `ended`: done, load (the file failed), missing, time, or died (without a word)."""

    ended: str
    error: dict[str, Any] | None = None
    calls: tuple[dict[str, Any], ...] = ()
    again: tuple[dict[str, Any], ...] = ()
    skipped: tuple[dict[str, Any], ...] = ()
    printed: int = 0
    arrays: list[Any] = field(default_factory=list)

    def value(self, call: dict[str, Any]) -> Any:
        """The result of a call."""
        return values.decode(call["value"], self.arrays)


def run_file(
    submission: Submission, function: str, calls: Calls, stub: str = "", seconds: float = SECONDS, memory: int = MEMORY
) -> Outcome:
    """Load the file and call one of its functions; with `stub`, also that of the file as it was handed out."""
    arrays: list[Any] = []
    request = {
        "cells": [vars(cell) for cell in submission.cells],
        "notebook": submission.notebook,
        "function": function,
        "beside": str(submission.path.resolve().parent),
        "stub": stub,
        "seconds": seconds,
        "memory": memory,
        "calls": [{name: values.encode(value, arrays) for name, value in call.items()} for call in calls],
    }
    with tempfile.TemporaryDirectory(prefix="chainrule-grade-") as name:
        folder = Path(name)
        values.save(folder, "request", request, arrays)
        process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", child.__file__, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(runner.WALL * seconds + GRACE)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill(process)
        return _outcome(folder, code)


_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process, and those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # Windows has no groups; or all have ended
        process.kill()
    process.wait()


def run_function(function: Callable[..., Any], calls: Calls, seconds: float = SECONDS, memory: int = MEMORY) -> Outcome:
    """Call a function of this program in a fork of it; where a system cannot fork, here, without limits."""
    with tempfile.TemporaryDirectory(prefix="chainrule-grade-") as name:
        folder = Path(name)
        if not FORKS:
            return _run_here(folder, function, calls)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # threads of a notebook's kernel do not come along, and need not
            process = os.fork()
        if process == 0:
            try:
                runner.serve(folder, function, list(calls), seconds, memory)
            finally:
                os._exit(1)
        return _outcome(folder, _wait(process, runner.WALL * seconds + GRACE))


def _run_here(folder: Path, function: Callable[..., Any], calls: Calls) -> Outcome:
    run = runner.Run(folder, runner.Places({function.__code__.co_filename: ""}), SECONDS, MEMORY)
    with run.quiet():
        run.calls(function, list(calls))
    return Outcome("done", calls=tuple(run.outcome["calls"]), printed=run.sink.count, arrays=run.arrays)


def _wait(process: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def _outcome(folder: Path, code: int | None) -> Outcome:
    try:
        content, arrays = values.load(folder, "outcome")
        lists = {name: tuple(content[name]) for name in ("calls", "again", "skipped")}
        return Outcome(content["ended"], content["error"], **lists, printed=int(content["printed"]), arrays=arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        kind = "time" if code is None else "died"
        return Outcome(kind, {"kind": kind, "code": code})


def borrowed(function: types.FunctionType) -> str | None:
    """The package that knows the answer and that a function, or one of its helpers, uses; None if there is none."""
    seen: set[types.CodeType] = set()
    waiting: list[tuple[types.CodeType, dict[str, Any]]] = [(function.__code__, function.__globals__)]
    while waiting:
        code, names = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        waiting += [(constant, names) for constant in code.co_consts if isinstance(constant, types.CodeType)]
        for name in code.co_names:
            root = name if name not in names else _root(names[name])
            if root in values.FORBIDDEN:
                return root
            if isinstance(names.get(name), types.FunctionType):
                waiting.append((names[name].__code__, names[name].__globals__))
    return None


def _root(thing: Any) -> str:
    home = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", None)
    if not isinstance(home, str):
        home = type(thing).__module__
    return home.partition(".")[0]
