"""What a framework costs before it computes: seconds to import it, bytes on disk, and memory while it trains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import metadata, util
from pathlib import Path

from benchmarks import rivals
from benchmarks.records import Results, Sample
from benchmarks.tasks import NetworkTask
from benchmarks.worker import RefusalError, Worker, WorkerError, environment

IMPORT, SIZE, MEMORY = "import time", "installed size", "peak memory"
PYTHON = "Python alone"
PACKAGES = {
    PYTHON: "",
    "NumPy": "numpy",
    rivals.OURS: "chainrule",
    "PyTorch": "torch",
    "JAX": "jax",
    "TensorFlow": "tensorflow",
    "ONNX Runtime": "onnxruntime",
}


def present() -> dict[str, str]:
    """Those packages that are installed."""
    return {name: package for name, package in PACKAGES.items() if not package or util.find_spec(package)}


def import_times(results: Results, repetitions: int, threads: int) -> None:
    """Fresh processes that import one package and end, in turn. The first round warms the disk's cache."""
    packages = present()
    for repetition in range(-1, repetitions):
        for name, package in packages.items():
            begin = time.perf_counter()
            command = [sys.executable, "-c", f"import {package}" if package else "pass"]
            done = subprocess.run(command, check=False, capture_output=True, env=_environment(threads))
            seconds = time.perf_counter() - begin
            if repetition >= 0 and done.returncode == 0:
                results.samples.append(Sample(IMPORT, name, repetition, seconds, 1))


def _environment(threads: int) -> dict[str, str]:
    return dict(os.environ) | environment(threads)


def installed_sizes(results: Results) -> None:
    """Bytes of each package with all packages that it requires."""
    for name, package in present().items():
        if package:
            results.samples.append(Sample(SIZE, name, 0, float(sum(map(size_of, closure(package)))), 1))


def closure(package: str) -> set[str]:
    """The distribution and, without extras, all that it requires and that is installed."""
    found: set[str] = set()
    waiting = [package]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            requirements: Iterable[str] = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        if name in found:
            continue
        found.add(name)
        for requirement in requirements:
            text, _, condition = requirement.partition(";")
            match = re.match(r"[\w.-]+", text.strip())
            if match and "extra" not in condition:
                waiting.append(match.group())
    return found


def size_of(distribution: str) -> int:
    """Bytes of a distribution's files; of an editable one the files of its package."""
    files = [Path(str(file.locate())) for file in metadata.files(distribution) or []]
    if any("_editable_" in file.name or file.name.startswith("__editable__") for file in files):
        spec = util.find_spec(distribution)
        folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
        files = [file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts]
    return sum(file.stat().st_size for file in set(files) if file.is_file() and file.suffix != ".pyc")


def peak_memory(results: Results, tasks: dict[str, NetworkTask], names: Iterable[str], threads: int, log: Path) -> None:
    """A fresh process for each contender and task: the most memory that it held while it trained."""
    for label, task in tasks.items():
        case = f"{MEMORY}, {label}"
        for name in names:
            worker = None
            try:
                worker = Worker(name, threads, log)
                worker.ask("prepare", task)
                worker.ask("run", 10)
                results.samples.append(Sample(case, name, 0, float(worker.ask("peak_memory")), 1))
            except WorkerError as failure:
                results.remark(case, name, str(failure).strip().splitlines()[-1])
            except RefusalError:
                pass
            finally:
                if worker is not None:
                    worker.close()
