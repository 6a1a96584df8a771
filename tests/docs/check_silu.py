"""What SiLU must do in a copy of the package that the walk-through of CONTRIBUTING.md has changed.

python tests/docs/check_silu.py [native]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import equations
from chainrule.vectors import write_vectors

X, T = np.random.default_rng(0).normal(size=(5, 4)) * 2, np.array([0, 1, 1, 0, 1])
LOSS = cr.CrossEntropyLoss()


def equation() -> None:
    x = np.linspace(-30, 30, 601)
    differences = (equations.silu(x + 1e-5) - equations.silu(x - 1e-5)) / 2e-5  # type: ignore[attr-defined]
    np.testing.assert_allclose(equations.silu_derivative(x), differences, rtol=0, atol=1e-8)  # type: ignore[attr-defined]
    np.testing.assert_allclose(cr.SiLU().forward({}, x, context=cr.Context())[0], x / (1 + np.exp(-x)), rtol=1e-14)  # type: ignore[attr-defined]


def network() -> cr.Network:
    net = cr.parse("4 -> fc 6 -> silu -> fc 2", seed=3)
    assert [type(layer).__name__ for layer in net.layers.values()] == ["Linear", "SiLU", "Linear"]
    return net


def explanation(net: cr.Network) -> None:
    gradients = net.gradients(X, T, loss=LOSS, engine="reference")[1]
    told = cr.explain(net, X, T, LOSS, of="linear1.weight[2,1]")
    assert abs(told.value - gradients["linear1.weight"][2, 1]) < 1e-14
    assert "silu1" in str(told)


def vectors() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_vectors(folder)
        assert len(list(Path(folder).glob("cases/silu_*.safetensors"))) == 3


def engines_agree(net: cr.Network) -> None:
    """In both types, and at as many samples as fill vectors, leave some over, and are fewer."""
    from chainrule.engines.native import core

    assert core.schema()["silu_backward"] == {"x": "place", "dx": "place", "dy": "place", "elements": "whole"}
    rng = np.random.default_rng(1)
    for dtype, near in (("float64", 1e-12), ("float32", 2e-6)):
        for samples in (1, 3, 8, 37):
            x, t = rng.normal(size=(samples, 4)) * 3, rng.integers(0, 2, samples)
            own, other = (
                net.gradients(x, t, loss=LOSS, dtype=dtype if engine == "native" else "float64", engine=engine)
                for engine in ("native", "reference")
            )
            np.testing.assert_allclose(own[1].flat, other[1].flat, rtol=0, atol=near)
            np.testing.assert_allclose(own[2], other[2], rtol=0, atol=near)


if __name__ == "__main__":
    equation()
    made = network()
    assert cr.check_gradients(made, X, T, LOSS, engine="reference").ok
    explanation(made)
    vectors()
    if "native" in sys.argv:
        assert cr.check_gradients(made, X, T, LOSS, engine="native").ok
        engines_agree(made)
    print("SiLU works, from", cr.__file__)
