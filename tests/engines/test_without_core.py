"""Without its compiled core the package works on the reference engine, and says so once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import zoo

HIDDEN = """
import sys, warnings
sys.modules["chainrule._native"] = None   # as if it were not installed
"""
LIBRARY = """
import numpy as np
with warnings.catch_warnings():
    warnings.simplefilter("error")
    import chainrule as cr
x, t = np.random.default_rng(0).normal(size=(8, 1, 6, 6)), np.arange(8) % 3
net = cr.parse("1x6x6 -> conv 4@3x3 -> relu -> maxpool 2 -> fc 3", seed=1)
loss = cr.CrossEntropyLoss()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    net.fit(x, t, loss=loss, optimizer=cr.SGD(0.1), epochs=2, progress=False)
    other = cr.parse("1x6x6 -> fc 3")
    other(x), net.gradients(x, t, loss=loss), net.trace(x, t, loss=loss), net.evaluate(x, t), net.snapshot()(x)
    assert cr.check_gradients(net, x, t, loss, sample=3).ok
    cr.explain(net, x[:1], t[:1], loss, of="conv1.weight[0,0,1,2]")
    net.summary(), net.save("net.crn"), cr.load("net.crn")(x)
print(len(caught), caught[0].message)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    net(x, engine="reference")
for ask in (lambda: net(x, engine="native"), lambda: net.plan()):
    try:
        ask()
    except cr.errors.EngineError as error:
        print(error)
np.savetxt("trained.txt", net.parameters.flat)
"""
COMMAND = """
from chainrule.cli import main
sys.argv[1:] = {arguments}
main()
"""


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program for which the core does not exist."""
    return subprocess.run(
        [sys.executable, "-c", HIDDEN + program], cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_the_library_works_on_the_reference_engine(tmp_path: Path) -> None:
    done = run(LIBRARY, tmp_path)
    assert done.returncode == 0, done.stderr
    warning, *refused = done.stdout.splitlines()
    assert warning.startswith("1 chainrule runs without its compiled core (")
    assert "pip install" in warning
    assert 'engine="reference"' in warning
    assert len(refused) == 2
    for line in refused:
        assert line.startswith("the native engine needs the compiled core of chainrule, which cannot be loaded (")
        assert "chainrule._native" in line
        assert 'engine="reference"' in line


def test_it_computes_what_the_reference_engine_computes(tmp_path: Path) -> None:
    assert run(LIBRARY, tmp_path).returncode == 0
    x, t = np.random.default_rng(0).normal(size=(8, 1, 6, 6)), np.arange(8) % 3
    net = cr.parse("1x6x6 -> conv 4@3x3 -> relu -> maxpool 2 -> fc 3", seed=1)
    options = {"optimizer": cr.SGD(0.1), "epochs": 2, "progress": False}
    net.fit(x, t, loss=cr.CrossEntropyLoss(), engine="reference", **options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "trained.txt"), net.parameters.flat)


def test_a_core_that_does_not_load_says_why(tmp_path: Path) -> None:
    program = """
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "chainrule._native":
            raise ImportError("libstdc++.so.6: version GLIBCXX_9 not found")
del sys.modules["chainrule._native"]
sys.meta_path.insert(0, Finder())
import chainrule as cr
try:
    cr.parse("1x6x6 -> fc 3").plan()
except cr.errors.EngineError as error:
    print(error)
"""
    done = run(program, tmp_path)
    assert "GLIBCXX_9 not found" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--version"], 0, "chainrule "),
        (["summary", "lenet5.crn"], 0, "61,706"),
        (["evaluate", "lenet5.crn"], 0, "accuracy"),
        (
            ["train", "--net", "1x28x28 -> maxpool 4 -> fc 10", "--shifts", "0", "--epochs", "1", "--no-plots"],
            0,
            "engine reference",
        ),
        (["train", "--engine", "native", "--epochs", "1", "--no-plots"], 2, "cannot be loaded"),
    ],
)
def test_the_commands_work_too(arguments: list[str], code: int, part: str, tmp_path: Path) -> None:
    zoo.lenet5().save(tmp_path / "lenet5.crn")
    done = run(COMMAND.format(arguments=arguments), tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert part in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr  # a sentence, without a line of somebody else's program
    assert done.stderr.count("runs without its compiled core") == (arguments[0] in ("train", "evaluate") and not code)
