"""Fails if the compiled core has grown past its limits: bytes of the file, and functions that kernels are made into.

Both count what was instantiated, which is what a build costs; seconds would count the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 1_620_000
"""Of the stripped core: 1.55 MB with gcc 12 for x86-64."""
MOST_FUNCTIONS = 1_740
"""That stand in the objects of all kernels: 1,659 there."""


def functions(build: Path) -> int:
    """Functions in the objects of the kernels of a build: what older sources left is not counted."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    objects = [command["output"] for command in commands if "-DCHAINRULE_ISA_NAMESPACE=" in command["command"]]
    if not objects:
        sys.exit(f"no objects of kernels in {build}")
    symbols = subprocess.run(["nm", "--defined-only", *objects], check=True, capture_output=True, text=True).stdout
    return sum(line.split()[1] in "tTwW" for line in symbols.splitlines() if len(line.split()) == 3)


def main() -> int:
    """The exit code."""
    from chainrule import _native

    core = Path(_native.__file__)
    size = core.stat().st_size
    newest = max((ROOT / "build").glob("cp*-*"), key=lambda folder: folder.stat().st_mtime)
    made = functions(newest)
    print(
        f"the core: {size:,} bytes of at most {MOST_BYTES:,}, {made:,} kernel functions of at most {MOST_FUNCTIONS:,}"
    )
    return int(size > MOST_BYTES or made > MOST_FUNCTIONS)


if __name__ == "__main__":
    sys.exit(main())
