"""Asking an exploration as a page would: through JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.explorer import Exploration
from tests.explorer.cases import Case
from tests.helpers import Array


def explore(case: Case) -> Exploration:
    """An exploration of a case."""
    return Exploration(case.net, case.x, case.targets, loss=case.loss, training=case.training, together=case.together)


def ask(exploration: Exploration, ask: str, **question: Any) -> Any:
    """An answer that went through JSON both ways."""
    given = json.loads(json.dumps({"ask": ask, **question}))
    return json.loads(json.dumps(exploration.answer(given), allow_nan=False))


def told(exploration: Exploration, ask_: str, **question: Any) -> Any:
    """An answer that must be there."""
    found = ask(exploration, ask_, **question)
    assert found["ok"], found
    return found


def refused(exploration: Exploration, ask_: str, **question: Any) -> str:
    """The kind of error, which comes with a sentence in both languages."""
    found = ask(exploration, ask_, **question)
    assert not found["ok"], found
    text = found["error"]["text"]
    assert text["en"] != text["zh"]
    for sentence in text.values():
        assert sentence.rstrip("”）)")[-1] in ".。：:;；"[:2], sentence
        assert not any(slip in sentence for slip in ("Traceback", "{", "}"))
    return str(found["error"]["kind"])


def packed(array: Array) -> dict[str, Any]:
    """An array as a page sends it."""
    values = np.ascontiguousarray(array, "<f8")
    return {"shape": list(values.shape), "data": base64.b64encode(values.tobytes()).decode("ascii")}


def unpacked(array: Any) -> Array:
    """An array that travelled."""
    return np.frombuffer(base64.b64decode(array["data"]), "<f8").reshape(array["shape"])


def some_places(case: Case, sample: int, count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Some numbers of every node, forward and backward, and of every parameter; the last number among them."""
    rng, net = np.random.default_rng(seed), case.net
    for name in net.names:
        for index in _indices(net.shapes[net.index_of(name)], count, rng):
            for quantity in ("gradient",) if name == "input" else ("value", "gradient"):
                yield {"quantity": quantity, "name": name, "index": [sample, *index]}
    for name, array in net.parameters.items():
        for index in _indices(array.shape, count, rng):
            yield {"quantity": "parameter", "name": name, "index": index}


def _indices(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[list[int]]:
    size = int(np.prod(shape))
    flat = {size - 1, *(int(k) for k in rng.integers(0, size, count - 1))}
    return [[int(i) for i in np.unravel_index(k, shape)] for k in sorted(flat)]
