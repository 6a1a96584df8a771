"""Numbers at the edge of what floats hold: both engines compute the same, with every instruction set and any number of
threads, and what overflows is infinite or NaN in both."""

from __future__ import annotations

import json
import os

import pytest

from chainrule.engines.native import core
from tests.attacks.children import run

PROGRAM = """
import json, sys
import numpy as np, chainrule as cr

TEXTS = [
    "2x9x7 -> conv 5@3x3 pad 1 -> relu -> maxpool 2 -> fc 3",
    "2x9x7 -> avgpool 2 -> tanh -> conv 3@2x2 stride 2 -> leakyrelu 0.1 -> fc 3",
    "2x9x7 -> maxpool 3 stride 2 -> sigmoid -> fc 4 -> relu -> fc 3",
]
rng, found = np.random.default_rng(0), []
for text in TEXTS:
    net = cr.parse(text, seed=3)
    for samples in (1, 5, 40):
        plain = rng.normal(size=(samples, 2, 9, 7))
        for name, x in {
            "large": plain * 1e30, "small": plain * 1e-30, "ties": np.ones_like(plain), "zeros": np.zeros_like(plain),
            "signs": np.sign(plain), "mixed": np.where(plain > 0, plain * 1e30, plain * 1e-30),
        }.items():
            for compute in (lambda e: net(x, engine=e), lambda e: net.gradients(
                    x, np.arange(samples) % 3, loss=cr.CrossEntropyLoss(), engine=e)[1].flat):
                with np.errstate(all="ignore"):
                    ours, theirs = compute("native"), compute("reference")
                same = all(np.array_equal(kind(ours), kind(theirs)) for kind in (np.isnan, np.isinf))
                finite = np.isfinite(theirs)
                scale = np.abs(theirs[finite]).max(initial=1e-300)
                off = np.abs(ours[finite] - theirs[finite]).max(initial=0) / scale
                if not same or off > 1e-11:
                    found.append([text, samples, name, float(off), bool(same)])
print(json.dumps(found))
"""

ISAS = [name for name, *_ in core.isas()]


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("isa", ISAS)
def test_numbers_at_the_edge(isa: str, threads: int) -> None:
    count = {"CHAINRULE_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    done = run(PROGRAM, env={**os.environ, "CHAINRULE_ISA": isa, **count})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
