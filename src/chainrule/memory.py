"""How much memory a computation may take. What would take more is refused by its size, before any work.

Sizes come from users and files: hyperparameters, shapes, batches, network texts, class numbers. Each is checked against
one budget before memory of that size is asked for: what the machine, the control group and the limit of address space
(RLIMIT_AS) allow, or what the environment variable CHAINRULE_MEMORY says ("8 GiB", "500 MB", or a number of bytes).
Where memory runs out all the same, `MemoryErrorsNamed` gives the error the same form.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import ContextDecorator, suppress
from functools import cache
from pathlib import Path
from types import TracebackType

from chainrule.errors import ArgumentError, ChainruleError, EngineError

VARIABLE = "CHAINRULE_MEMORY"
NEVER_REFUSED = 64 * 2**20
"""So many bytes are asked for without looking at the budget: every call does that."""
UNITS = {"": 1, "b": 1} | {
    prefix + ending: base ** (power + 1)
    for power, prefix in enumerate("kmgt")
    for ending, base in (("b", 1000), ("ib", 1024), ("", 1024))
}


def memory_budget() -> int:
    """Bytes that a computation may take."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return _bytes_from(given)
    return min(_machine(), _address_space())


def _bytes_from(text: str) -> int:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([kmgt]?i?b?)", text.lower())
    if match is None or match[2] not in UNITS:
        raise ArgumentError(f'{VARIABLE} must be a number of bytes such as "8 GiB" or "500 MB", not {text!r}')
    return int(float(match[1]) * UNITS[match[2]])


@cache
def _machine() -> int:
    """The least of physical memory and the limits of the control groups that this process is in."""
    limits = [sys.maxsize, *_group_limits()]
    with suppress(AttributeError, OSError, ValueError):  # Windows, or a system that does not tell
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limit for limit in limits if limit > 0)


def _group_limits(groups: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Limits of this process's control groups and of those around them, of either version."""
    found = []
    for line in _text(groups).splitlines():
        _, controllers, path = (line + "::").split(":")[:3]
        if controllers == "":
            root, name = mounts, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = mounts / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = root / path.strip("/")
        for folder in (inner, *inner.parents):
            text = _text(folder / name).strip()
            if text.isdecimal():
                found.append(int(text))
            if folder == root:
                break
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def _address_space() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return sys.maxsize if soft < 0 or soft == resource.RLIM_INFINITY else soft


def bytes_text(size: int) -> str:
    """12,800,000,000 bytes (11.9 GiB)."""
    if size < 1024:
        return f"{size} bytes"
    if size >= 2**63:
        return f"more than {2**63 - 1:,} bytes (8 EiB)"
    power = (size.bit_length() - 1) // 10
    return f"{size:,} bytes ({size / 2 ** (10 * power):.1f} {'KMGTPE'[power - 1]}iB)"


def require_memory(
    size: int, what: str | Callable[[], str], advice: str, error: type[ChainruleError] = EngineError
) -> None:
    """Raise `error` if `size` bytes are more than the budget; `what` needs them, `advice` says how to need fewer."""
    if size <= NEVER_REFUSED:
        return
    budget = memory_budget()
    if size > budget:
        subject = what if isinstance(what, str) else what()
        raise error(
            f"{subject} would take {bytes_text(size)} of memory, but this process may take {bytes_text(budget)}; "
            f"{advice}, or set {VARIABLE} to allow more"
        )


class MemoryErrorsNamed(ContextDecorator):
    """Where memory runs out in spite of the budget, an EngineError says so, with the bytes: `with` or a decorator."""

    def __init__(self, what: str, advice: str) -> None:
        self.what = what
        self.advice = advice

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, MemoryError):
            raise EngineError(f"{self.what} ran out of memory{_asked_for(error)}; {self.advice}") from None


def _asked_for(error: MemoryError) -> str:
    """What NumPy says that it wanted."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
    if shape is None or dtype is None:
        return f", of which this process may take {bytes_text(memory_budget())}"
    size = dtype.itemsize
    for extent in shape:
        size *= extent
    return f": {bytes_text(size)} more could not be had"
