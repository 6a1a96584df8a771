"""How much of the machine a container may use: the processor quota of its control groups on Linux, version 1 or 2."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def processor_quota(root: Path = Path("/")) -> int | None:
    """Processors that this process may keep busy, rounded up; None where nothing limits them.

    A group is bound by its own quota and by those of the groups above it, as far as they can be seen.
    """
    try:
        quotas = [_quota(folder) for folder in _groups(root)]
    except (OSError, ValueError, ArithmeticError):  # no Linux, or not as its manual says
        return None
    limits = [quota for quota in quotas if quota is not None]
    return max(1, math.ceil(min(limits))) if limits else None


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the process's groups that may hold a quota, each followed by those above it."""
    own = _own_groups(root)
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        shown, mounted = (PurePosixPath(_unescaped(word)) for word in before.split()[3:5])
        kind, _, options = after.split(" ", 2)
        version = {"cgroup": 1, "cgroup2": 2}.get(kind)
        if version not in own or (version == 1 and "cpu" not in options.split(",")):
            continue
        # A container may see its own group as the topmost one, and be told a path that starts further above.
        inner = own[version].relative_to(shown) if own[version].is_relative_to(shown) else PurePosixPath()
        folder = root / mounted.relative_to("/")
        yield from (folder / inner, *(folder / above for above in inner.parents))


def _own_groups(root: Path) -> dict[int, PurePosixPath]:
    """The paths of the process's groups, by version."""
    own = {}
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            own[1] = PurePosixPath(path)
        elif number == "0" and not controllers:
            own[2] = PurePosixPath(path)
    return own


def _quota(folder: Path) -> float | None:
    """Time per period: of version 2 in cpu.max, of version 1 in two files, where -1 means no limit."""
    if (folder / "cpu.max").exists():
        quota, period = (folder / "cpu.max").read_text().split()
    elif (folder / "cpu.cfs_quota_us").exists():
        quota, period = ((folder / f"cpu.cfs_{what}_us").read_text().strip() for what in ("quota", "period"))
    else:
        return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _unescaped(word: str) -> str:
    r"""A path of mountinfo, where \040 stands for a space."""
    return re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), word)
