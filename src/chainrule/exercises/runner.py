"""Runs a student's functions in a process of their own, within limits, and writes down what came out.

It knows no right answer, and reads and writes only the folder that it is given. Every end is written down: a result, an
exception with the student's line, time or memory that ran out.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import os
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.exercises.values import BorrowedError, decode, encode, load, save

WALL = 6
"""Seconds of the clock for each second of the processor: a busy machine is nobody's mistake."""


class Places:
    """Tells the student's own lines from all others."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        """file name -> what to call it: "" for the only file, "cell 3" for a cell."""

    def of(self, frames: list[tuple[str, int]]) -> dict[str, Any]:
        """The innermost of the student's lines in a stack."""
        for file, line in reversed(frames):
            if file in self.files:
                text = linecache.getline(file, line).strip()
                return {"label": self.files[file], "line": line, "text": text[:120]}
        return {}

    def of_error(self, error: BaseException) -> dict[str, Any]:
        """Where an exception was raised."""
        if isinstance(error, SyntaxError) and error.filename in self.files:
            return {"label": self.files[error.filename], "line": error.lineno, "text": (error.text or "").strip()[:120]}
        return self.of([(f.f_code.co_filename, line) for f, line in traceback.walk_tb(error.__traceback__)])

    def of_thread(self, thread: int) -> dict[str, Any]:
        """Where a thread is now."""
        frame = sys._current_frames().get(thread)
        stack = [] if frame is None else list(traceback.walk_stack(frame))
        return self.of([(f.f_code.co_filename, line) for f, line in reversed(stack)])

    def described(self, error: BaseException) -> dict[str, Any]:
        """An exception in words."""
        kind = "raised"
        if isinstance(error, BorrowedError):
            kind = "borrowed"
        elif isinstance(error, MemoryError):
            kind = "memory"
        elif isinstance(error, SystemExit):
            kind = "exit"
        elif isinstance(error, NotImplementedError):
            kind = "unwritten"
        try:
            message = str(error)
        except Exception:  # its own __str__ may fail
            message = ""
        return {"kind": kind, "type": type(error).__name__, "message": message[:300], **self.of_error(error)}


class Sink(io.TextIOBase):
    """Counts what is printed, and keeps none of it."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)

    def writable(self) -> bool:
        return True


class Run:
    """One run of somebody's code: what has come out so far, and the one way to end."""

    def __init__(self, folder: Path, places: Places, seconds: float, memory: int) -> None:
        self.folder, self.places, self.seconds, self.memory = folder, places, seconds, memory
        self.outcome: dict[str, Any] = {
            "ended": "",
            "error": None,
            "skipped": [],
            "calls": [],
            "again": [],
            "printed": 0,
        }
        self.arrays: list[Any] = []
        self.sink = Sink()
        self.lock = threading.Lock()
        self.main = threading.get_ident()
        self.loading = False

    def end(self, ended: str, error: dict[str, Any] | None = None) -> None:
        """Write down the outcome and leave, whoever calls first; nothing of the student's runs after it."""
        with self.lock:
            self.outcome |= {"ended": ended, "error": error, "printed": self.sink.count}
            save(self.folder, "outcome", self.outcome, list(self.arrays))
            os._exit(0)

    def limit(self) -> None:
        """Set the limits of the system where it has any, and watch the clock."""
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + self.memory, used + self.memory))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        processor, clock = time.process_time(), time.monotonic()
        while True:
            time.sleep(0.02)
            if time.process_time() - processor > self.seconds or time.monotonic() - clock > WALL * self.seconds:
                self.end("load" if self.loading else "time", {"kind": "time", **self.places.of_thread(self.main)})

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """What is printed is counted; what is read is at its end; nobody is warned."""
        streams = sys.stdout, sys.stderr, sys.stdin
        sys.stdout = sys.stderr = self.sink
        sys.stdin = io.StringIO()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            sys.stdout, sys.stderr, sys.stdin = streams

    def call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a function with copies of the arguments; say what it returned or raised, and which copies it changed."""
        given = {name: _copied(value) for name, value in arguments.items()}
        try:
            value = function(*given.values())
            encoded = encode(value, self.arrays)
        except BaseException as error:  # sys.exit, too
            return {"error": self.places.described(error)}
        changed = [name for name, value in arguments.items() if not _same(value, given[name])]
        return {"value": encoded, "changed": changed}

    def calls(self, function: Callable[..., Any], calls: list[dict[str, Any]], into: str = "calls") -> None:
        """All calls; the first is repeated at the end, for a function that remembers. One that raises is enough."""
        found = self.outcome[into]
        for arguments in [*calls, calls[0]] if into == "calls" else calls:
            found.append(self.call(function, arguments))
            if "error" in found[-1]:
                return


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, list):
        return len(a) == len(b) and all(_same(v, w) for v, w in zip(a, b, strict=True))
    return a is b or bool(a == b)


def execute(run: Run, cells: list[dict[str, str]], notebook: bool) -> dict[str, Any]:
    """The names that a program defines. A cell of a notebook that fails is left out; a file that fails is the end."""
    module = types.ModuleType("submission")
    sys.modules["submission"] = module
    for cell in cells:
        linecache.cache[cell["file"]] = (len(cell["source"]), None, cell["source"].splitlines(True), cell["file"])
        try:
            exec(compile(cell["source"], cell["file"], "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            described = run.places.described(error)
            if not notebook:
                run.end("load", described)
            run.outcome["skipped"].append(described)
    return module.__dict__


def main(folder: Path) -> None:
    """Run the request in a folder."""
    request, arrays = load(folder, "request")
    calls = [{name: decode(value, arrays) for name, value in call.items()} for call in request["calls"]]
    run = Run(folder, Places({c["file"]: c["label"] for c in request["cells"]}), request["seconds"], request["memory"])
    sys.path.append(request["beside"])
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # notebooks call them without importing sys
    run.limit()
    with run.quiet():
        run.loading = True
        names = execute(run, request["cells"], request["notebook"])
        run.loading = False
        function = names.get(request["function"])
        if not callable(function):
            run.end("missing")
        assert callable(function)
        run.calls(function, calls)
        if request["stub"]:
            original = execute(run, [{"file": "<stub>", "source": request["stub"]}], notebook=True)
            run.calls(original[request["function"]], calls, "again")
    run.end("done")


def serve(folder: Path, function: Callable[..., Any], calls: list[dict[str, Any]], seconds: float, memory: int) -> None:
    """The same for a function that is already there, in a process that was forked for it."""
    run = Run(folder, Places({function.__code__.co_filename: ""}), seconds, memory)
    run.limit()
    with run.quiet():
        run.calls(function, calls)
    run.end("done")
