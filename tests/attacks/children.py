"""What the attacks share: programs in processes of their own, which are killed, interrupted and starved."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
"""A long run attacks a hundred times instead of a few."""


def command(program: str, *arguments: str) -> list[str]:
    """How to run a Python program given as text."""
    return [sys.executable, "-c", program, *arguments]


def run(program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run it to its end; a program that hangs is ended after five minutes."""
    options = {"capture_output": True, "text": True, "timeout": 300, "check": False} | options
    return subprocess.run(command(program, *arguments), **options)


def start(program: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Begin it, and wait until it has said "ready"."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen(command(program, *arguments), **pipes | options)
    assert child.stdout is not None
    line = child.stdout.readline()
    if line != "ready\n":
        child.kill()
        raise AssertionError(f"the program said {line!r} and {child.communicate()[1][-2000:]!r}")
    return child
