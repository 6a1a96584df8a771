"""SHA-256 of all that training leaves in three networks, on 1, 2, 3 and 8 threads: the same bits, or exit code 1.

    python scripts/same_bits.py [CHECKOUT [CORE]] [--samples 2000]

With another CHECKOUT and its compiled CORE (_native.abi3.so) it trains there as well, and says which networks end with
the same bits as here. Two epochs in float32, batches of 64, of random images: their numbers, not their sense,
go through every sum. A checkout from before the engine had threads of its own gets them by OMP_NUM_THREADS.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("LeNet-5", "ResNet-like", "MLP")
THREADS = (1, 2, 3, 8)


def network(name: str) -> object:
    """One of the three, with parameters from seed 0."""
    from chainrule import zoo

    if name == "LeNet-5":
        return zoo.lenet5(seed=0)
    if name == "ResNet-like":
        return zoo.resnet_like(input_shape=(3, 16, 16), seed=0)
    return zoo.mlp(seed=0)


def trained(name: str, samples: int) -> str:
    """SHA-256 of parameters, statistics and losses after two epochs."""
    import numpy as np

    import chainrule as cr

    net = network(name)
    rng = np.random.default_rng(0)
    samples = samples // 5 if name == "ResNet-like" else samples  # many times the work
    images = rng.integers(0, 256, (samples, *net.input_shape), dtype=np.uint8)  # type: ignore[attr-defined]
    labels = rng.integers(0, 10, samples)
    history = net.fit(  # type: ignore[attr-defined]
        images, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01, momentum=0.9), epochs=2, batch_size=64,
        dtype="float32", progress=False,
    )  # fmt: skip
    found = hashlib.sha256(repr(history["loss"]).encode())
    for array in (net.parameters.flat, net.buffers.flat):  # type: ignore[attr-defined]
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


PROGRAM = """
import importlib.util, sys
name, samples, package, core = sys.argv[1:]
if core:  # not what is installed in this environment
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
    spec = importlib.util.spec_from_file_location("chainrule._native", core)
    sys.modules["chainrule._native"] = native = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(native)
import chainrule
assert chainrule.__file__.startswith(package), chainrule.__file__
from same_bits import trained
print(trained(name, int(samples)))
"""


def digest(checkout: Path, core: str, name: str, threads: int, samples: int) -> str:
    """`trained` in a process of its own, with the package of a checkout."""
    own = {"PYTHONPATH": os.pathsep.join([str(checkout / "src"), str(ROOT / "scripts")])}
    own |= {"CHAINRULE_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(samples), str(checkout), core],
        env=os.environ | own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{name} on {threads} threads in {checkout} failed:\n{done.stderr}")
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?")
    parser.add_argument("core", type=Path, nargs="?")
    parser.add_argument("--samples", type=int, default=2000)
    given = parser.parse_args(arguments)
    checkouts = {ROOT: ""}
    if given.checkout:
        if not given.core or not given.core.is_file():
            parser.error("CORE must be the compiled core of CHECKOUT, _native.abi3.so")
        checkouts[given.checkout.resolve()] = str(given.core.resolve())
    same = True
    print("| network | threads | " + " | ".join(f"`{checkout.name}`" for checkout in checkouts) + " |")
    print("|---|---:|" + "---|" * len(checkouts))
    for name in NETWORKS:
        found: list[set[str]] = [set() for _ in checkouts]
        for threads in THREADS:
            row = [digest(*each, name, threads, given.samples) for each in checkouts.items()]
            for seen, one in zip(found, row, strict=True):
                seen.add(one)
            print(f"| {name} | {threads} | " + " | ".join(f"`{one[:16]}`" for one in row) + " |", flush=True)
        same &= all(len(seen) == 1 for seen in found)
        if len(checkouts) > 1:
            print(f"| {name} | | " + ("the same" if found[0] == found[1] else "other bits") + " | |")
    print("\nthe same bits at any number of threads" if same else "\nOTHER BITS at other numbers of threads")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
