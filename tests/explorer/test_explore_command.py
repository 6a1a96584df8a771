"""`chainrule explore`: what it says before a page opens, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.cli.commands import SMALL, program, small_data
from tests.explorer.asking import Client

pytest.importorskip("starlette", reason="the server needs the extra explorer")
pytest.importorskip("uvicorn", reason="the server needs the extra explorer")


def refused(*arguments: Any, cwd: Path) -> str:
    """What the command says on its way out; it must be one sentence, and nothing may be written."""
    before = sorted(cwd.rglob("*"))
    done = program("explore", "--no-browser", *arguments, cwd=cwd)
    said = done.stderr.decode()
    assert done.returncode == 2, said
    assert said.startswith("chainrule: ")
    assert "Traceback" not in said
    assert said.count("\n") == 1, said
    assert sorted(cwd.rglob("*")) == before
    return said


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    small_data(tmp_path / "data.npz")
    command = [sys.executable, "-m", "chainrule", "explore", "--net", SMALL, "--data", "data.npz", "--no-browser"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", line)
            assert found, line
            client = Client(found[0])
            client.enter()
            overview = client.post(f"/api/{client.new()}", {"ask": "overview", "lang": "en"}).json
            assert (overview["sample"], overview["samples"], overview["target"]) == (0, 15, "0")
            assert [node["name"] for node in overview["nodes"]][:2] == ["input", "conv1"]
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
            assert (process.returncode, err) == (0, "")
        finally:
            process.kill()


def test_networks_that_cannot_be_shown_are_a_sentence(tmp_path: Path) -> None:
    small_data(tmp_path / "data.npz")
    broken = cr.parse(SMALL)
    for name in ("conv1.weight", "linear1.weight"):
        broken.parameters[name] = np.full_like(broken.parameters[name], 1e300)
    broken.save(tmp_path / "overflow.safetensors")
    large = "1x6x6 -> fc 20000 -> relu -> fc 50 -> fc 3"
    assert "NaN or infinity" in refused("overflow.safetensors", "--data", "data.npz", cwd=tmp_path)
    assert "1,000,000" in refused("--net", large, "--data", "data.npz", cwd=tmp_path)


def test_samples_that_do_not_exist_or_fit_are_a_sentence(tmp_path: Path) -> None:
    small_data(tmp_path / "data.npz")
    usual = ("--net", SMALL, "--data", "data.npz")
    assert "between 0 and 14, not 15" in refused(*usual, "--image", 15, cwd=tmp_path)
    assert "between 0 and 14, not -1" in refused(*usual, "--image", -1, cwd=tmp_path)
    assert "one of --image" in refused(*usual, "--image", 1, "--worst", cwd=tmp_path)
    assert "the network takes images of 1x5x5" in refused("--net", "1x5x5 -> fc 3", "--data", "data.npz", cwd=tmp_path)
    assert "no such" in refused("missing.safetensors", cwd=tmp_path).lower()


def test_folders_and_ports_that_are_not_there_are_a_sentence(tmp_path: Path) -> None:
    small_data(tmp_path / "data.npz")
    usual = ("--net", SMALL, "--data", "data.npz")
    assert "there is no folder missing" in refused(*usual, "--static", "missing/page.html", cwd=tmp_path)
    assert "there is no folder missing" in refused(*usual, "--save", "missing/net.safetensors", cwd=tmp_path)
    assert "either --static or --save" in refused(*usual, "--static", "a.html", "--save", "b", cwd=tmp_path)
    assert "port must lie between 0 and 65535" in refused(*usual, "--port", 70000, cwd=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in refused(*usual, "--port", port, cwd=tmp_path)


def test_without_the_extra_the_sentence_names_it(tmp_path: Path) -> None:
    small_data(tmp_path / "data.npz")
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "uvicorn.py").write_text("raise ImportError")
    done = program(
        "explore", "--no-browser", "--net", SMALL, "--data", "data.npz", cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "blocked")},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.decode().endswith("install it with: pip install 'chainrule[explorer]'\n")
