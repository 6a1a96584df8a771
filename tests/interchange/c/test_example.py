"""The example that learns on a device, run on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interchange.c.compiled import needs_compiler

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "c"


@needs_compiler
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_device_learns_to_read_turned_digits(tmp_path: Path) -> None:
    for name in ("Makefile", "export.py", "main.c"):
        shutil.copy(EXAMPLE / name, tmp_path)
    command = ["make", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    before, after = (int(found) for found in re.findall(r"(\d+) of 200 right", done.stdout))
    assert before < 60
    assert after > 140
