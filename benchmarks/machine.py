"""The machine that a run was made on, and how busy others keep it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import _native
from chainrule.engines.native.compiled import instruction_set


def cpu_model() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def describe(threads: int) -> dict[str, Any]:
    """The line of facts at the top of the results."""
    isa = instruction_set().name
    return {
        "cpu": cpu_model(),
        "cores": len(cores()),
        "threads": threads,
        "isa": isa,
        "peak": max(_native.multiply_add_peak(isa, 4, threads, 0.2) for _ in range(3)),
        "load_before": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": _native.build_info()["compiler"],
        "date": time.strftime("%Y-%m-%d"),
    }


def busy_seconds() -> float | None:
    """Processor time that everything on this machine has used since it started; None where nobody says."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    numbers = [int(text) for text in stat.read_text(encoding="utf-8").partition("\n")[0].split()[1:]]
    idle = numbers[3] + numbers[4]
    return (sum(numbers[:8]) - idle) / os.sysconf("SC_CLK_TCK")


class Neighbours:
    """How much of the machine others used between two moments: `with Neighbours() as n: ...; n.share(own, wall)`."""

    def __init__(self) -> None:
        self.begin = busy_seconds()

    def share(self, own_seconds: float, wall_seconds: float) -> float | None:
        """Part of all cores, 0 to 1, beyond what `own_seconds` of processor time explain."""
        end = busy_seconds()
        if self.begin is None or end is None:
            return None
        spare = (end - self.begin) - own_seconds
        return min(1.0, max(0.0, spare / (wall_seconds * (os.cpu_count() or 1))))
