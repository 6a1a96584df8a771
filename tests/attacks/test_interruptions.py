"""A process that is killed or interrupted at any moment leaves whole files, and ends by its own rules."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.attacks.children import LONG, start

KILLS, INTERRUPTS = (100, 50) if LONG else (4, 4)

SAVING = """
import sys, chainrule as cr
path = sys.argv[1]
nets = [cr.Sequential(cr.Linear(400, 300), seed=seed) for seed in (0, 1)]
nets[0].save(path)
print("ready", flush=True)
while True:
    for net in nets:
        net.save(path)
"""

TRAINING = """
import sys, numpy as np, chainrule as cr
path = sys.argv[1]
net = cr.parse("1x28x28 -> conv 6@5x5 -> batchnorm -> relu -> maxpool 2 -> dropout 0.2 -> fc 10")
x, labels = np.random.default_rng(0).random((256, 1, 28, 28), np.float32), np.arange(256) % 10
net.save(path)
print("ready", flush=True)
while True:
    net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.Adam(1e-3), epochs=2, progress=False,
            on_epoch=lambda row: net.save(path))
"""

ENDLESS = """
import signal, sys, numpy as np, chainrule as cr
path, engine = sys.argv[1:]
net = cr.parse("1x12x12 -> conv 4@3x3 -> batchnorm -> relu -> maxpool 2 -> fc 3")
x, labels = np.random.default_rng(0).random((64, 1, 12, 12)), np.arange(64) % 3
options = {"loss": cr.CrossEntropyLoss(), "engine": engine}
print("ready", flush=True)
try:
    while True:
        history = net.fit(x, labels, optimizer=cr.Adam(1e-3), epochs=30, progress=False, **options)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        net.evaluate(x, labels, **options)
        net.gradients(x, labels, **options)
        net.save(path)
        cr.load(path)(x, engine=engine)
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
net.fit(x, labels, optimizer=cr.SGD(1e-3), progress=False, **options)
print("usable", np.isfinite(net.parameters.flat).all(), net(x).shape, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("program", ["SAVING", "TRAINING"])
def test_a_process_that_is_killed_leaves_a_whole_file(program: str, tmp_path: Path) -> None:
    """The old network or the new one, never a torn one; at most one temporary file for each process that was killed."""
    rng, path = random.Random(program), tmp_path / "net.safetensors"
    wanted = [cr.Sequential(cr.Linear(400, 300), seed=seed).parameters.flat.astype(np.float32) for seed in (0, 1)]
    for kill in range(1, KILLS + 1):
        child = start(globals()[program], str(path))
        time.sleep(rng.uniform(0, 0.2))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        net = cr.load(path)
        assert np.isfinite(net.parameters.flat).all()
        if program == "SAVING":
            assert any(np.array_equal(net.parameters.flat.astype(np.float32), flat) for flat in wanted)
        left = [file for file in tmp_path.iterdir() if file != path]
        assert len(left) <= kill
        assert all(file.name.endswith(".tmp") for file in left)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_ctrl_c_at_any_moment(engine: str, tmp_path: Path) -> None:
    """In training, evaluation, gradients, saving or loading: the network and its file are as good as before."""
    rng, path = random.Random(engine), tmp_path / "net.safetensors"
    for _ in range(INTERRUPTS):
        child = start(ENDLESS, str(path), engine)
        time.sleep(rng.uniform(0, 0.5))
        child.send_signal(signal.SIGINT)
        try:
            out, err = child.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        assert (child.returncode, out, err) == (0, "usable True (64, 3)\n", "")
        if path.exists():
            cr.load(path)
        assert not [file for file in tmp_path.iterdir() if file != path]
