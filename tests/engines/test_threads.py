"""The engine's own threads: how many there are, and that they outlive forks, changes and the end of the interpreter."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native.quota import processor_quota
from tests.engines.comparing import mixed_network
from tests.engines.test_same_bits import at_once, digest

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    cr.set_threads(None)


@pytest.fixture(scope="module")
def alone() -> str:
    """What one thread computes."""
    cr.set_threads(1)
    return digest()


def workers() -> list[str]:
    """The numbers of the engine's threads beside those that call it."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            if (task / "comm").read_text() == "chainrule\n":
                found.append(task.name)
    return found


def until(true: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds: threads end when the system lets them."""
    end = time.monotonic() + 30
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def forked(work: Callable[[], bool]) -> bool:
    """Whether the work succeeds in a forked child, in time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: that is the point
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(120)
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_the_same_bits_at_every_number(n: int, alone: str) -> None:
    cr.set_threads(n)
    assert cr.threads() == n
    assert digest() == alone


@linux
def test_there_are_as_many_threads_as_were_set_and_they_end_when_fewer_are() -> None:
    for n in (3, 8, 2, 1):
        cr.set_threads(n)
        digest()
        assert until(lambda n=n: len(workers()) == n - 1)  # type: ignore[misc]


@linux
def test_networks_come_and_go_and_threads_do_not_grow() -> None:
    cr.set_threads(3)
    x = np.ones((64, 2, 8, 7), np.float32)
    for _ in range(200):
        cr.Sequential(cr.Conv2d(2, 2, 3), cr.Flatten(), cr.Linear(60, 3), input_shape=(2, 8, 7))(x)
    assert until(lambda: len(workers()) == 2)


@linux
def test_signals_are_left_to_the_programs_threads() -> None:
    cr.set_threads(3)
    digest()
    for worker in workers():
        status = Path(f"/proc/self/task/{worker}/status").read_text()
        blocked = int(status.split("SigBlk:")[1].split()[0], 16)
        assert all(blocked >> number - 1 & 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM))
        assert not blocked >> signal.SIGSEGV - 1 & 1


def test_every_thread_counts_denormals_as_zero() -> None:
    """Whichever thread a sample belongs to."""
    net = cr.Sequential(cr.Linear(1, 1, bias=False))
    net.parameters["linear1.weight"] = np.array([[1.0]])
    tiny = np.full((512, 1), 1e-40, np.float32)
    for n in (1, 4):
        cr.set_threads(n)
        assert not net(tiny, dtype="float32").any()
    assert np.float32(1e-40) * np.float32(1) != 0


@pytest.mark.parametrize("n", [0, -1, 1025, 10_000, 2.5, "2", True, [1]])
def test_a_number_that_is_none_is_refused(n: object) -> None:
    before = cr.threads()
    with pytest.raises(cr.errors.ArgumentError, match=r"set_threads\(.*\) is not .* whole number from 1 to 1024"):
        cr.set_threads(n)  # type: ignore[arg-type]
    assert cr.threads() == before


def test_numbers_of_numpy_are_numbers() -> None:
    cr.set_threads(np.int64(2))  # type: ignore[arg-type]
    assert cr.threads() == 2


def test_the_variable_decides_until_a_number_is_set() -> None:
    program = "import chainrule as cr; print(cr.threads()); cr.set_threads(2); print(cr.threads())"
    assert run(program, CHAINRULE_THREADS="5").stdout == "5\n2\n"
    assert run(program, CHAINRULE_THREADS="1024").stdout == "1024\n2\n"
    cr.set_threads(None)
    assert run(program, CHAINRULE_THREADS="").stdout == f"{cr.threads()}\n2\n"


@pytest.mark.parametrize("value", ["abc", "0", "-1", "2.5", "10,000", "10000", " ", "1_0", "٣"])
def test_a_variable_that_is_no_number_gets_one_sentence(value: str) -> None:
    program = "from chainrule.cli import main; main()"
    commands = [["summary"], ["check", "--net", "two-two-two"], ["--version"]]
    for command in commands if value == "abc" else commands[:1]:
        done = run(program, *command, CHAINRULE_THREADS=value)
        if command == ["--version"]:
            assert (done.returncode, done.stderr) == (0, "")
            continue
        assert done.returncode == 2
        assert done.stderr.startswith(f"chainrule: CHAINRULE_THREADS={value!r} is not a number of threads; give a")
        assert done.stderr.count("\n") == 1


def test_importing_does_not_fail_but_every_use_does() -> None:
    program = "import chainrule as cr\nfor _ in range(2):\n  try: cr.parse('2 -> fc 2')([[1, 2], [3, 4]])\n"
    program += "  except cr.ChainruleError as error: print(error)"
    assert run(program, CHAINRULE_THREADS="abc").stdout.count("CHAINRULE_THREADS='abc' is not a number") == 2


@linux
def test_the_processors_of_the_calling_thread_are_taken_and_its_workers_stay_there() -> None:
    everywhere = sorted(os.sched_getaffinity(0))
    quota = processor_quota() or len(everywhere)
    cr.set_threads(None)
    assert cr.threads() == min(quota, len(everywhere))
    try:
        os.sched_setaffinity(0, everywhere[-1:])
        assert cr.threads() == 1
        here = digest()
        cr.set_threads(3)
        assert digest() == here
        assert len(workers()) == 2
        assert {tuple(os.sched_getaffinity(int(worker))) for worker in workers()} == {(everywhere[-1],)}
    finally:
        os.sched_setaffinity(0, everywhere)
    assert digest() == here
    assert {tuple(sorted(os.sched_getaffinity(int(worker)))) for worker in workers()} == {tuple(everywhere)}


@forking
def test_a_forked_child_has_threads_of_its_own(alone: str) -> None:
    cr.set_threads(3)
    digest()

    def work() -> bool:
        return digest() == alone and (sys.platform != "linux" or len(workers()) == 2)

    assert forked(work)
    assert forked(lambda: forked(work))
    assert digest() == alone


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method: str, alone: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    cr.set_threads(3)
    assert digest() == alone
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(digest, ["float32"] * 4) == [alone] * 4


@forking
def test_forking_while_another_thread_uses_the_same_network(alone: str) -> None:
    """The child inherits plans that are in use, by a thread that it does not have."""
    rng = np.random.default_rng(0)
    cr.set_threads(3)
    net, x, labels = mixed_network(), rng.normal(size=(200, 2, 8, 7)), rng.integers(0, 4, 200)
    expected = net.gradients(x, labels, loss=cr.CrossEntropyLoss())[1].flat.tobytes()
    done = threading.Event()

    def use() -> None:
        while not done.is_set():
            net.gradients(x, labels, loss=cr.CrossEntropyLoss())

    def train() -> None:
        while not done.is_set():
            digest()

    others = [threading.Thread(target=target) for target in (use, train)]
    for other in others:
        other.start()
    try:
        for _ in range(8):
            assert forked(lambda: net.gradients(x, labels, loss=cr.CrossEntropyLoss())[1].flat.tobytes() == expected)
        assert forked(lambda: digest() == alone)
    finally:
        done.set()
        for other in others:
            other.join()


def test_the_number_may_change_while_networks_train(alone: str) -> None:
    done = threading.Event()

    def change() -> None:
        n = 0
        while not done.wait(0.002):
            n += 1
            cr.set_threads(1 + n % 4)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        assert at_once([digest, digest]) == [alone, alone]
    finally:
        done.set()
        changing.join()


@linux
def test_networks_that_train_at_once_share_the_threads(alone: str) -> None:
    cr.set_threads(3)
    most = [0]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            most[0] = max(most[0], len(workers()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        assert at_once([digest] * 4) == [alone] * 4
    finally:
        done.set()
        looking.join()
    assert most[0] <= 2  # not two for each


@linux
def test_where_the_system_gives_no_threads_there_are_fewer(alone: str) -> None:
    """As root, whom the limit does not bind, the child becomes somebody else first."""
    program = (
        "import os, resource\n"
        "from tests.engines.test_same_bits import digest\n"
        "from tests.engines.test_threads import workers\n"
        "import chainrule as cr\n"
        "cr.set_threads(8)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\n"
        "if os.getuid() == 0: os.setuid(54321)\n"
        "print(digest(), len(workers()))"
    )
    assert run(program).stdout == f"{alone} 0\n"


TRAINING = """
import threading, time, numpy as np, chainrule as cr
net = cr.parse("1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> fc 10")
x, labels = np.random.default_rng(0).random((2000, 1, 28, 28)), np.arange(2000) % 10
cr.set_threads(3)
def train():
    net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01), epochs=1000000, progress=False)
"""


@pytest.mark.parametrize(
    "ending",
    [
        "net(x); print('end')",
        "net(x); sys.exit(3)",
        "threading.Thread(target=train, daemon=True).start(); time.sleep(0.5); print('end')",
        "for _ in range(3): threading.Thread(target=train, daemon=True).start()\ntime.sleep(0.5); print('end')",
        "threading.Thread(target=train, daemon=True).start(); time.sleep(0.5); sys.exit(3)",
    ],
)
def test_the_process_ends_while_workers_rest_or_daemons_train(ending: str) -> None:
    done = run(f"import sys\n{TRAINING}\n{ending}")
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == ((3, "") if "exit" in ending else (0, "end\n"))


def test_what_is_done_at_exit_may_use_networks() -> None:
    """Before and after the engine itself prepares for the end, while a daemon trains."""
    program = f"import atexit\natexit.register(lambda: print(net(x[:9]).shape))\n{TRAINING}\n"
    program += "atexit.register(lambda: print(net(x[:8]).shape))\n"
    program += "threading.Thread(target=train, daemon=True).start(); time.sleep(0.5)"
    done = run(program)
    assert (done.stdout, done.stderr, done.returncode) == ("(8, 10)\n(9, 10)\n", "", 0)


@forking
def test_a_forked_child_ends_while_its_parent_trains() -> None:
    """With all that Python does at an exit: it must not wait for the parent's threads."""
    program = f"import os, sys\n{TRAINING}\n"
    program += "threading.Thread(target=train, daemon=True).start(); time.sleep(0.5)\n"
    program += "child = os.fork()\nif child == 0: sys.exit(0)\nprint(os.waitpid(child, 0)[1])"
    assert run(program).stdout == "0\n"


@linux
def test_no_openmp_comes_along() -> None:
    program = (
        "import chainrule as cr\ncr.parse('4 -> fc 3')([[1, 2, 3, 4]] * 99)\nprint(open('/proc/self/maps').read())"
    )
    maps = run(program).stdout
    assert "_native" in maps
    assert "gomp" not in maps
    assert "libomp" not in maps
