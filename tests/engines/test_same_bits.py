"""The same bits at any number of threads, repeatedly, in other processes, after a fork, beside other trainings."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import chainrule as cr
from scripts import same_bits
from tests.engines import comparing
from tests.engines.comparing import mixed_network
from tests.helpers import Array

TIMES = 5 if comparing.LONG else 2


def digest(dtype: str = "float32", batch_size: int = 48) -> str:
    """Everything that training and inference leave: parameters, statistics, losses, counts, outputs, gradients."""
    rng = np.random.default_rng(0)
    x, labels = rng.integers(0, 256, (200, 2, 8, 7), dtype=np.uint8), rng.integers(0, 4, 200)
    net = mixed_network()
    history = net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.Adam(0.01), epochs=2, batch_size=batch_size,
                      progress=False, dtype=dtype, validation=(x[:50], labels[:50]))  # type: ignore[arg-type]  # fmt: skip
    loss, gradients, dx = net.gradients(x, labels, loss=cr.CrossEntropyLoss(), dtype=dtype)  # type: ignore[arg-type]
    arrays: list[Array] = [net.parameters.flat, net.buffers.flat, gradients.flat, dx, net(x, dtype=dtype)]  # type: ignore[arg-type]
    found = hashlib.sha256(repr((history["loss"], history["accuracy"], history["validation_loss"], loss)).encode())
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


PROGRAM = """
from tests.engines.test_same_bits import digest
print(digest("float32"), digest("float64", 7))
"""


def in_another_process(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_at_any_number_of_threads_in_other_processes_and_repeatedly() -> None:
    here = f"{digest('float32')} {digest('float64', 7)}\n"
    for _ in range(TIMES):
        assert f"{digest('float32')} {digest('float64', 7)}\n" == here
    for threads in (1, 2, 3, 8):
        assert in_another_process(CHAINRULE_THREADS=str(threads)) == here


@pytest.mark.parametrize("name", same_bits.NETWORKS)
def test_networks_of_the_zoo_train_to_the_same_bits(name: str) -> None:
    """Whole batches and a short one; `scripts/same_bits.py` says it for longer runs and other commits."""
    found = set()
    try:
        for threads in same_bits.THREADS:
            cr.set_threads(threads)
            found.add(same_bits.trained(name, samples=200))
    finally:
        cr.set_threads(None)
    assert len(found) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_in_a_forked_child() -> None:
    """Threads do not come along into the child, which must not wait for them."""
    here = digest()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: that is the point
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, digest().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        assert lines.read() == here
    os.waitpid(child, 0)


def at_once(functions: list[Callable[[], object]]) -> list[object]:
    """Each function in a thread of its own."""
    results: list[object] = [None] * len(functions)

    def run(index: int) -> None:
        results[index] = functions[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_networks_trained_at_once() -> None:
    alone = digest(), digest("float64", 7)
    for _ in range(TIMES):
        assert tuple(at_once([digest, lambda: digest("float64", 7)])) == alone


def test_gradients_of_one_network_in_two_threads() -> None:
    """A run and the gradient that it leaves belong together."""
    rng = np.random.default_rng(0)
    net = mixed_network()
    batches = [(rng.normal(size=(20, 2, 8, 7)), rng.integers(0, 4, 20)) for _ in range(2)]

    def gradient(which: int) -> bytes:
        x, labels = batches[which]
        return net.gradients(x, labels, loss=cr.CrossEntropyLoss())[1].flat.tobytes()

    alone = [gradient(0), gradient(1)]

    def often(which: int) -> bool:
        return all(gradient(which) == alone[which] for _ in range(100))

    assert all(at_once([lambda: often(0), lambda: often(1)]))


def test_inference_does_not_depend_on_who_shares_the_batch() -> None:
    """Nor on its place in the batch."""
    rng = np.random.default_rng(0)
    net, x = mixed_network(), rng.normal(size=(64, 2, 8, 7))
    together = net(x)
    order = rng.permutation(64)
    assert np.array_equal(net(x[order]), together[order])
