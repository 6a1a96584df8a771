"""Hostile surroundings: no space, no home, no terminal, no encoding. What cannot be done is said in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.children import run

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="surroundings as Linux has them")

SAVING = """
import sys, numpy as np, chainrule as cr
from chainrule.errors import StorageError
path = sys.argv[1]
small, large = cr.Sequential(cr.Linear(2, 2)), cr.Sequential(cr.Linear(1000, 1000))
small.save(path)
if sys.argv[2] == "limit":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for _ in range(3):
    try:
        large.save(path)
        print("saved")
    except StorageError as error:
        print(str(error).split("; ")[-1])
print(cr.load(path).parameter_count)
"""


@linux
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    done = run(SAVING, str(tmp_path / "net.safetensors"), "limit")
    unchanged = "an earlier file of that name is unchanged\n"
    assert (done.returncode, done.stdout) == (0, 3 * unchanged + "6\n"), done.stderr
    assert len(list(tmp_path.iterdir())) == 1


@linux
def test_a_full_disk(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        done = run(SAVING, str(tmp_path / "net.safetensors"), "disk")
        left = [file.name for file in tmp_path.iterdir()]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    unchanged = "an earlier file of that name is unchanged\n"
    assert (done.returncode, done.stdout, left) == (0, 3 * unchanged + "6\n", ["net.safetensors"]), done.stderr


def chainrule(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from chainrule.cli import main; main()", *arguments]
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 300, "check": False}
    return subprocess.run(command, **defaults | options)  # type: ignore[call-overload, no-any-return]


COMMANDS = {
    "summary": ("summary", "--net", "1x8x8 -> conv 2@3x3 -> fc 3"),
    "check": ("check", "--net", "1x8x8 -> conv 2@3x3 -> fc 3", "--samples", "2"),
    "examples": ("examples",),
    "help": ("--help",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_listens(command: str) -> None:
    """stdout is closed, or a pipe whose reader has left: the command ends without a traceback."""
    if sys.platform == "win32":
        pytest.skip("descriptors as POSIX has them")
    shell = '"$0" -c "from chainrule.cli import main; main()" "$@" '
    for ending in (">&-", "| true", "2>&- >&-", "> /dev/full"):
        if ending == "> /dev/full" and not Path("/dev/full").exists():
            continue
        done = subprocess.run(
            ["bash", "-c", shell + ending, sys.executable, *COMMANDS[command]],
            capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, (ending, done.stderr[-2000:])
        assert b"Exception ignored" not in done.stderr, (ending, done.stderr[-2000:])
        assert done.returncode >= 0


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("locale", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}])
def test_a_terminal_without_greek(locale: dict[str, str], language: str) -> None:
    done = chainrule("examples", "--lang", language, env={**os.environ, **locale})
    assert b"Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode == 0


@pytest.mark.parametrize("command", ["summary", "check"])
def test_nobody_is_at_home(command: str, tmp_path: Path) -> None:
    """No HOME, no PATH, no TERM, a working folder that is read-only."""
    keep = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    done = chainrule(*COMMANDS[command], env=keep, cwd="/")
    assert (done.returncode, done.stderr) == (0, b"")
    done = chainrule(*COMMANDS[command], env={**keep, "HOME": str(tmp_path / "none"), "TERM": "nonsense"})
    assert (done.returncode, done.stderr) == (0, b"")
