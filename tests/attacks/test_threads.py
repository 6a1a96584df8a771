"""Threads and processes side by side: the same bits as alone, and no crash, deadlock or torn network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.children import LONG, run

ROUNDS = "200" if LONG else "20"

THREADS = """
import sys, threading
import numpy as np, chainrule as cr

rounds, engine, shared = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "one network"
x, labels = np.random.default_rng(0).random((24, 1, 10, 10), np.float32), np.arange(24) % 3
loss = cr.CrossEntropyLoss()

def network():
    return cr.parse("1x10x10 -> conv 4@3x3 -> batchnorm -> relu -> maxpool 2 -> fc 3")

net = network()
expected = net(x, engine=engine), net.gradients(x, labels, loss=loss, engine=engine)
wrong = []

def work(mine):
    for round in range(rounds):
        size = 1 + round % 24
        y = mine(x[:size], engine=engine)
        value, gradients, dx = mine.gradients(x, labels, loss=loss, engine=engine)
        trace = mine.trace(x, labels, loss=loss, engine=engine)
        same = np.array_equal(gradients.flat, expected[1][1].flat) and np.array_equal(dx, expected[1][2])
        if not (np.allclose(y, expected[0][:size], atol=1e-6) and same and value == expected[1][0]):
            wrong.append(round)
        if trace.loss != trace.loss:
            wrong.append(round)

threads = [threading.Thread(target=work, args=(net if shared else network(),)) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("wrong", wrong)
"""

TRAINING = """
import sys, threading
import numpy as np, chainrule as cr

rounds, engine, shared = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "one network"
x, labels = np.random.default_rng(0).random((24, 1, 10, 10), np.float32), np.arange(24) % 3

def network():
    return cr.parse("1x10x10 -> conv 4@3x3 -> batchnorm -> relu -> maxpool 2 -> fc 3")

def fit(net):
    net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.Adam(1e-3), epochs=rounds, batch_size=8,
            progress=False, engine=engine)

alone, net = network(), network()
fit(alone)
nets = [net if shared else network() for _ in range(3)]
threads = [threading.Thread(target=fit, args=(each,)) for each in nets]
threads.append(threading.Thread(target=lambda: [net(x, engine=engine) for _ in range(rounds)]))
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("finite", all(np.isfinite(each.parameters.flat).all() for each in nets))
print("as alone", shared or all(np.array_equal(each.parameters.flat, alone.parameters.flat) for each in nets))
"""

CHILDREN = """
import multiprocessing, sys
import numpy as np, chainrule as cr

x, labels = np.random.default_rng(0).random((24, 1, 10, 10), np.float32), np.arange(24) % 3

def fitted(net):
    net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01), epochs=2, batch_size=8, progress=False)
    return net.parameters.flat, net(x)

if __name__ == "__main__":
    net = cr.parse("1x10x10 -> conv 4@3x3 -> batchnorm -> relu -> maxpool 2 -> fc 3")
    net.gradients(x, labels, loss=cr.CrossEntropyLoss())
    import copy
    expected = fitted(copy.deepcopy(net))
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        for flat, y in pool.map(fitted, [net] * int(sys.argv[2])):
            assert np.array_equal(flat, expected[0]) and np.array_equal(y, expected[1])
    assert np.array_equal(fitted(net)[0], expected[0])
    print("same bits")
"""


@pytest.mark.parametrize("which", ["one network", "two networks"])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_threads_compute_as_one_alone(engine: str, which: str) -> None:
    done = run(THREADS, ROUNDS, engine, which)
    assert (done.returncode, done.stdout) == (0, "wrong []\n"), done.stderr


@pytest.mark.parametrize("which", ["one network", "two networks"])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_threads_train(engine: str, which: str) -> None:
    """Each its own network: as alone. All the same one: what wins is open, but it is finite and whole."""
    done = run(TRAINING, ROUNDS, engine, which)
    assert (done.returncode, done.stdout) == (0, "finite True\nas alone True\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="fork as POSIX has it")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_after_use(method: str, tmp_path: Path) -> None:
    """A process that has computed begets others, which compute the same bits, and goes on itself."""
    program = tmp_path / "program.py"
    program.write_text(CHILDREN)
    done = subprocess.run(
        [sys.executable, str(program), method, "8" if LONG else "2"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "same bits\n"), done.stderr
