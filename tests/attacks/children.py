"""What the attacks share: programs in processes of their own, which are killed, interrupted and starved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
"""A long run attacks a hundred times instead of a few."""


Answers = dict[str, tuple[str, str]]


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


JUDGE = """

import json, sys
from chainrule.errors import ChainruleError

for name, code in json.loads(sys.stdin.read()).items():
    try:
        eval(code)
        said = "done", ""
    except ChainruleError as error:
        said = type(error).__name__, str(error)
    except BaseException as error:
        said = "BARE " + type(error).__name__, str(error)
    print(json.dumps([name, said[0], said[1][:5000]]), flush=True)
"""


def answers(attacks: dict[str, str], *arguments: str, gibibytes: int, seconds: int, program: str = "") -> Answers:
    """Evaluate expressions one after another in a child with so much address space and time; `program` prepares it.

    (class of the error or "done", its message) of each that came to an end, and of the one that did not.
    """
    limit = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({gibibytes} << 30, {gibibytes} << 30))\n"
    try:
        done = run(limit + program + JUDGE, *arguments, input=json.dumps(attacks), timeout=seconds)
        out, note = done.stdout, done.stderr[-2000:]
    except subprocess.TimeoutExpired as late:
        out, note = (late.stdout or b"").decode(), "it ran out of time"
    lines = [json.loads(line) for line in out.splitlines()]
    if len(lines) < len(attacks):
        lines.append([list(attacks)[len(lines)], "never ended", note])
    return {name: (kind, message) for name, kind, message in lines}
