"""The gradient vectors, read from their files as anyone would, against PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from safetensors.numpy import load_file

import chainrule as cr
from chainrule.vectors import write_vectors
from chainrule.vectors.build import all_cases
from chainrule.vectors.cases import CONTEXT
from tests.oracle import adapter
from tests.oracle.adapter import near, tensor
from tests.vectors.test_vectors import rebuilt

NAMES = [case.name for case in all_cases()]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    folder: Path = tmp_path_factory.mktemp("vectors")
    write_vectors(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {entry["name"]: (entry, load_file(folder / entry["file"])) for entry in manifest["cases"]}


def same(name: str, ours: Any, theirs: Any, exact: bool) -> None:
    """To the bit where the case is exact, else to 1e-12 of the largest number."""
    if exact:
        wanted = np.zeros_like(ours) if theirs is None else theirs.detach().numpy()
        assert np.array_equal(ours, wanted), name
    else:
        near(name, ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_torch_computes_the_same(name: str, cases: Any) -> None:
    entry, arrays = cases[name]
    thing = rebuilt(entry, arrays)
    if entry["kind"] == "loss":
        outputs = tensor(arrays["outputs"], True)
        value = adapter.LOSSES[entry["class"]](thing, outputs, tensor(arrays["targets"]))
        value.backward()
        near("loss", arrays["loss"][0], value)
        near("doutputs", arrays["doutputs"], outputs.grad)
        return
    inputs = [tensor(arrays[n], True) for n in ("x", "x0", "x1", "x2") if n in arrays]
    values = {
        n.partition(".")[2]: tensor(a, n.startswith("parameter."))
        for n, a in arrays.items()
        if n.startswith(("parameter.", "buffer."))
    }
    y = adapter.layer_forward(thing, values, inputs, cr.Context(entry["training"], **CONTEXT))
    y.backward(tensor(arrays["dy"]))
    exact = entry["exact"] and entry["class"] not in ("LPPool2d", "Softmax")  # torch may round on its way there
    same("y", arrays["y"], y, exact)
    for n, x in zip((n for n in ("dx", "dx0", "dx1", "dx2") if n in arrays), inputs, strict=True):
        same(n, arrays[n], x.grad, exact)
    for n, a in arrays.items():
        kind, _, own = n.partition(".")
        if kind == "gradient":
            same(n, a, values[own].grad, exact)
        elif kind == "updated":
            near(n, a, values[own])
