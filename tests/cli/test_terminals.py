"""The program as a process: both ways to start it, pipes that close, and terminals without Unicode."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule import cli
from chainrule.cli import console

from .commands import SMALL, picture, program, small_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small data set and a network trained on it."""
    small_data(tmp_path / "small.npz")
    options = ("--data", "small.npz", "--net", SMALL, "--epochs", 3, "--no-plots", "--output", "out")
    result = program("train", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    return tmp_path


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("summary",), ("summary", "--net", "x"), ()])
def test_the_module_is_the_program(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    script = shutil.which("chainrule", path=str(Path(sys.executable).parent))
    assert script is not None
    by_name = subprocess.run([script, *arguments], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    by_module = program(*arguments, cwd=tmp_path)
    assert (by_name.returncode, by_name.stdout, by_name.stderr) == (
        by_module.returncode,
        by_module.stdout,
        by_module.stderr,
    )
    assert by_name.stdout or by_name.stderr


@pytest.mark.parametrize("command", ["summary", "examples", "explain 'conv1.weight[0,0,0,0]'", "--help"])
def test_a_reader_that_leaves_is_no_error(tmp_path: Path, command: str) -> None:
    shell = f"{sys.executable} -m chainrule {command} | head -c 1 >/dev/null"
    result = subprocess.run(["sh", "-c", shell], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert result.stderr == b""


def test_a_closed_output_is_no_error(folder: Path) -> None:
    for command in ("summary", "train --data small.npz --net '1x6x6 -> fc 3' --epochs 1 --no-plots"):
        shell = f"{sys.executable} -m chainrule {command} >&-"
        result = subprocess.run(["sh", "-c", shell], cwd=folder, capture_output=True, timeout=120, check=False)
        assert result.returncode == 0
        assert result.stderr == b""


def test_a_full_disk_behind_the_output_is_one_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    shell = f"{sys.executable} -m chainrule summary >/dev/full"
    result = subprocess.run(["sh", "-c", shell], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"chainrule: cannot write")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("columns", [80, 50, 24])
def test_tables_fit_the_terminal(folder: Path, columns: int) -> None:
    options = {**os.environ, "COLUMNS": str(columns)}
    result = program("evaluate", "out", "--data", "small.npz", "--no-plots", cwd=folder, env=options)
    table = result.stdout.decode().split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= columns
    assert ("true \\ predicted" in table) == (columns > 30)


def test_long_lines_are_broken_between_words_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "test accuracy 98.50 %, loss 0.0544, on 1,000 images never trained on\x1b[2J"
    console.say(line)
    assert capsys.readouterr().out == line.replace("\x1b", r"\x1b") + "\n"
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console.say("short", line)
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["short", "test accuracy 98.50 %, loss 0.0544, on 1,000", r"  images never trained on\x1b[2J"]


ASCII_ALONE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii"}


def test_a_terminal_without_unicode(folder: Path) -> None:
    pytest.importorskip("PIL")
    environment = {**os.environ, **ASCII_ALONE}
    picture(folder / "a.png")
    for arguments in (
        ("predict", "out", "a.png"),
        ("evaluate", "out", "--data", "small.npz", "--no-plots"),
        ("summary", "out"),
        ("explain", "conv1.bias[0]", "--model", "out", "--data", "small.npz"),
        ("examples", "--lang", "zh"),
    ):
        result = program(*arguments, cwd=folder, env=environment)
        assert result.returncode == 0, result.stderr
        assert result.stdout.isascii()
        assert result.stderr == b""
    bars = program("predict", "out", "a.png", cwd=folder, env=environment).stdout
    assert b"\\u" not in bars
    assert b"#" in bars


def test_commands_write_to_the_terminal_in_one_place_only() -> None:
    commands = Path(cli.__file__).parent
    for path in commands.glob("*.py"):
        if path.name != "console.py":
            found = re.findall(r"\bprint\(|\becho\(|sys\.std|Console\(", path.read_text(encoding="utf-8"))
            assert not found, f"{path.name} writes to the terminal itself: {found}"
