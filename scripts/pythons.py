"""The Pythons of this machine, found with nothing but the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess


def pythons() -> dict[int, str]:
    """The CPython 3.x at hand, by x: those that PYTHONS names, else python3.11 and later on the PATH."""
    names = os.environ.get("PYTHONS", " ".join(f"python3.{minor}" for minor in range(11, 20))).split()
    found: dict[int, str] = {}
    for name in names:
        ask = ["-c", "import sys; print(sys.version_info[1], sys.executable)"]
        if program := shutil.which(name):
            done = subprocess.run([program, *ask], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                minor, path = done.stdout.split(maxsplit=1)
                found.setdefault(int(minor), path.strip())
    return found
