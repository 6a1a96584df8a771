"""What it costs to build the core: processor seconds of a cold build for each of the commits, and what an edit costs.

    python scripts/measure_build.py COMMIT [COMMIT ...]

Commits are checked out beside each other and built in turn, with one compiler at a time; the ratio is to the first.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


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


def measure(commit: str, folder: Path) -> tuple[float, float, int]:
    """(processor seconds of a cold build, of a build after the dearest kernel changed, bytes of the stripped core)."""
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
        size = core.stat().st_size
        edits = []
        for source in sorted((folder / "src" / "native").rglob("*.cpp")):
            if source.parent.name == "kernels" or source.name == "kernels.cpp":
                os.utime(source)
                edits.append(processor_seconds(tool("ninja"), "-j1", folder=build))
        return cold, max(edits), size
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def main() -> None:
    """One line for each commit."""
    first: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        for commit in sys.argv[1:] or ["HEAD"]:
            cold, edit, size = measure(commit, Path(folder) / commit.replace("/", "-"))
            first = first or cold
            print(
                f"{commit:<12} cold build {cold:6.1f} s (1/{first / cold:.1f}), dearest edit of a kernel {edit:5.1f} s "
                f"(1/{first / edit:.0f} of the first build), stripped {size / 1e6:.2f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
