"""What is fuzzed: one function of bytes for each reader. It may raise ChainruleError, in one short message; all else is
a find."""

from __future__ import annotations

import atexit
import json
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import chainrule as cr
from chainrule import data
from chainrule.errors import ChainruleError
from chainrule.files.architecture import nodes_from_json
from chainrule.layers import LAYERS

CORPUS = Path(__file__).with_name("corpus")
FOLDER = Path(tempfile.mkdtemp(prefix="chainrule-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
LONGEST = 5000
"""Characters of an error message."""

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 3, 7, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "conv1", "Conv2d", "same", [], [0, 0], [1, -1], {}, {"tuple": [1, 2]},
    {"array": [1], "dtype": "bool"},
)  # fmt: skip


def edited(tree: Any, bits: bytes) -> Any:
    """A copy of a JSON tree with some of its values replaced, dropped, doubled or exchanged: a function of the bits."""
    rng, tree = random.Random(bits), json.loads(json.dumps(tree))
    for _ in range(rng.randint(1, 4)):
        holder, place = None, None
        inner = tree
        while isinstance(inner, dict | list) and inner and (holder is None or rng.random() < 0.85):
            holder, place = inner, rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            inner = holder[place]
        if holder is None:
            return tree
        action = rng.randrange(6)
        if action == 0:
            del holder[place]
        elif action == 1 and isinstance(holder, list):
            holder.insert(place, holder[place])
        elif action == 2 and isinstance(inner, int):
            holder[place] = inner + rng.choice((-1, 1, 8, -inner, inner))
        elif action == 3:
            other = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            holder[place], holder[other] = holder[other], holder[place]
        else:
            holder[place] = rng.choice(ODD)
    return tree


def _written(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


def model(content: bytes) -> None:
    net = cr.load(_written("net.safetensors", content))
    str(net.summary()), str(net)


def architecture(content: bytes) -> None:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        tree = edited(json.loads((CORPUS / "architecture" / "small.json").read_text()), content)
    try:
        nodes_from_json(tree, LAYERS)
    except RecursionError:
        raise ChainruleError("nested too deeply") from None  # as the reader of the whole file says


def idx(content: bytes) -> None:
    data.read_idx(_written("images-idx3-ubyte", content))


def npz(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy and zipfile: names twice, old headers
        data.load_npz(_written("set.npz", content))


def picture(content: bytes) -> None:
    pixels = data.read_picture(_written("digit.png", content))
    assert np.isfinite(pixels).all()


def grammar(content: bytes) -> None:
    cr.parse(content.decode("utf-8", "replace"), N=2)


def plan(content: bytes) -> None:
    """Records of a plan that are malformed are refused where the plan is made."""
    from types import SimpleNamespace

    from chainrule.engines.native import core

    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        tree = edited(json.loads((CORPUS / "plan" / "small.json").read_text()), content)
    if isinstance(tree, dict) and isinstance(tree.get("sizes"), dict):  # memory of any size may be asked for: not here
        sizes = tree["sizes"]
        tree["sizes"] = {k: v % 2**20 if type(v) is int and v > 0 else v for k, v in sizes.items()}
    try:
        core.Plan(SimpleNamespace(**_with_tuples(tree)))
    except (ValueError, TypeError, RuntimeError, MemoryError, OverflowError, AttributeError) as error:
        raise ChainruleError(str(error)) from None


def _with_tuples(tree: Any) -> Any:
    """Lists of pairs as the lowering writes them."""
    tree = dict(tree)
    if isinstance(tree.get("stages"), list):
        tree["stages"] = [_stage(stage) for stage in tree["stages"]]
    return tree


def _stage(stage: Any) -> Any:
    if not isinstance(stage, list):
        return stage
    return tuple([_tuple(named) for named in part] if isinstance(part, list) else part for part in stage)


def _tuple(named: Any) -> Any:
    return tuple(named) if isinstance(named, list) else named


def onnx(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # axes in another order
        str(cr.from_onnx(_written("net.onnx", content)))


def graph(content: bytes) -> None:
    """The same, edited as a graph: most bytes are no model at all."""
    from tests.fuzz.graphs import edited_graph

    onnx(edited_graph((CORPUS / "onnx" / "many").read_bytes(), content))


def keras(content: bytes) -> None:
    cr.load_keras(cr.parse("1x6x6 -> conv 2@3x3 -> batchnorm -> fc 3"), _written("net.weights.h5", content))


def torch(content: bytes) -> None:
    cr.load_torch(cr.parse("1x6x6 -> conv 2@3x3 -> batchnorm -> fc 3"), _written("weights.safetensors", content))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (model, architecture, idx, npz, picture, grammar, plan, onnx, graph, keras, torch)
}


def attack(name: str, content: bytes) -> None:
    """Give `content` to a reader; what it raises on purpose is a good answer."""
    try:
        with patch.dict(os.environ, CHAINRULE_MEMORY="256 MiB"):
            TARGETS[name](content)
        return
    except ChainruleError as error:
        said = str(error)
    assert 0 < len(said) <= LONGEST, f"a message of {len(said)} characters"
