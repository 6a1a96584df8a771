"""What it costs to build the core: processor seconds of a cold build for each of the commits, and what an edit costs.

    python scripts/measure_build.py [NAME=]COMMIT ...

Commits are checked out beside each other and built in turn, with one compiler at a time; the ratio is to the first.
What an edit of a kernel costs is asked of the last alone. The numbers go to benchmarks/build.json, from where reports
take them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from check_size import functions

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "build.json"


def processor_seconds(*command: str, folder: Path) -> float:
    """User and system time of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tool(name: str) -> str:
    """A program of this environment, or of the machine."""
    here = Path(sys.executable).with_name(name)
    found = str(here) if here.exists() else shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed: python -m pip install {name}")
    return found


@dataclass(frozen=True)
class Cost:
    """Processor seconds of a cold build and of one after the dearest kernel changed, bytes of the stripped core, and
    functions that kernels were made into."""

    cold: float
    edit: float | None
    size: int
    functions: int


def measure(commit: str, folder: Path, edits: bool) -> Cost:
    """What a commit costs."""
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, commit], cwd=ROOT, check=True)
    try:
        build = folder / "build" / "measured"
        build.mkdir(parents=True)
        settings = ["-DCMAKE_BUILD_TYPE=Release", f"-DPython_EXECUTABLE={sys.executable}"]
        made = [f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DSKBUILD_SABI_COMPONENT=", *settings]
        cold = processor_seconds(tool("cmake"), "-G", "Ninja", *made, str(folder), folder=build)
        cold += processor_seconds(tool("ninja"), "-j1", folder=build)
        core = next(build.glob("_native*"))
        subprocess.run(["strip", core], check=True)
        size, made_into = core.stat().st_size, functions(build)
        return Cost(cold, dearest_edit(folder / "src" / "native", build) if edits else None, size, made_into)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def dearest_edit(sources: Path, build: Path) -> float:
    """Processor seconds of the dearest rebuild after one kernel changed; what is compiled together counts once."""
    seen: set[str] = set()
    most = 0.0
    for source in sorted(sources.rglob("*.cpp")):
        if source.parent.name != "kernels" and source.name != "kernels.cpp":
            continue
        before = source.stat()
        os.utime(source)
        plan = subprocess.run([tool("ninja"), "-n"], cwd=build, check=True, capture_output=True, text=True).stdout
        if plan in seen:
            os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
        else:
            seen.add(plan)
            most = max(most, processor_seconds(tool("ninja"), "-j1", folder=build))
    return most


def main() -> None:
    """One line for each commit."""
    costs: dict[str, Cost] = {}
    asked = [given.rpartition("=")[::2] for given in sys.argv[1:] or ["HEAD"]]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, commit) in enumerate(asked, 1):
            cost = measure(commit, Path(folder) / str(number), edits=number == len(asked))
            costs[name or commit] = cost
            first = next(iter(costs.values())).cold
            edit = f"dearest edit of a kernel {cost.edit:.1f} s (1/{first / cost.edit:.0f}), " if cost.edit else ""
            print(
                f"{name or commit}: cold build {cost.cold:.1f} s (1/{first / cost.cold:.1f} of the first), {edit}"
                f"stripped {cost.size / 1e6:.2f} MB, {cost.functions:,} functions of kernels",
                flush=True,
            )
    RESULT.write_text(json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
