"""Memory that a process holds does not grow with what it has done before.

The resident size is read from Linux; a warm-up comes first, in which interpreter, NumPy and allocator take theirs.
"""

from __future__ import annotations

import sys

import pytest

from tests.attacks.children import LONG, run

FITS = (1000, 10000) if LONG else (300, 1200)
NETWORKS = (200, 1000) if LONG else (60, 240)

COMMON = """
import gc, resource, sys
import numpy as np, chainrule as cr

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

few, many = int(sys.argv[1]), int(sys.argv[2])
x, labels = np.random.default_rng(0).random((16, 1, 8, 8), np.float32), np.arange(16) % 3
options = {"loss": cr.CrossEntropyLoss(), "engine": sys.argv[3]}
fit = options | {"optimizer": cr.SGD(0.01), "progress": False}
"""

SMALL_FITS = (
    COMMON
    + """
net = cr.parse("1x8x8 -> conv 4@3x3 -> relu -> maxpool 2 -> fc 3")
for count in range(1, many + 1):
    net.fit(x, labels, batch_size=8, **fit)
    if count in (few, many):
        print(resident())
"""
)

DIFFERENT_NETWORKS = (
    COMMON
    + """
for count in range(1, many + 1):
    net = cr.parse(f"1x8x8 -> conv {2 + count % 7}@3x3 -> relu -> fc {3 + count % 50}", seed=count)
    net.fit(x, labels, batch_size=1 + count % 16, **fit)
    net.gradients(x, labels, **options)
    net(x[:1 + count % 16], engine=sys.argv[3])
    cr.explain(net, x, labels, options["loss"], of="conv1.weight[0,0,1,1]") if count % 50 == 0 else None
    if count in (few, many):
        print(resident())
"""
)

ONE_NETWORK_MANY_WAYS = (
    COMMON
    + """
from chainrule.engines import engine_named
net = cr.parse("1x8x8 -> conv 4@3x3 -> batchnorm -> relu -> maxpool 2 -> fc 3")
big = np.random.default_rng(0).random((200, 1, 8, 8), np.float32)
for count in range(1, many + 1):
    net(big[: 1 + count % 200], engine=sys.argv[3])
    net.freeze("conv1.weight") if count % 2 else net.unfreeze("conv1.weight")
    loss = cr.MAPLoss(rubbish=float(count))
    net.fit(x, labels, **fit | {"loss": loss})
    if count in (few, many):
        print(resident())
"""
)


def growth(program: str, engine: str, counts: tuple[int, int]) -> tuple[int, int]:
    done = run(program, *map(str, counts), engine)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    print(f"{engine}: {before:,} bytes after {counts[0]:,}, {after:,} after {counts[1]:,}")
    return before, after


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as Linux shows it")
@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(
    ("program", "counts"), [("SMALL_FITS", FITS), ("DIFFERENT_NETWORKS", NETWORKS), ("ONE_NETWORK_MANY_WAYS", NETWORKS)]
)
def test_memory_stays(program: str, counts: tuple[int, int], engine: str) -> None:
    before, after = growth(globals()[program], engine, counts)
    assert after <= 1.05 * before
