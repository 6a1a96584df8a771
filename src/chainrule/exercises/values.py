"""What the grader and the process of a student's code tell each other: calls and results, as JSON and arrays.

It imports nothing of chainrule, since both sides load it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FORBIDDEN = (
    "chainrule", "torch", "jax", "jaxlib", "flax", "tensorflow", "keras", "autograd", "tinygrad", "minitorch",
    "micrograd", "mxnet", "paddle", "theano", "pytensor", "aesara", "thinc", "casadi",
)  # fmt: skip
"""Packages that know the derivative already."""
LARGEST = 2**28
"""Bytes of all results of one call."""


class BorrowedError(ImportError):
    """A package was asked for that knows the answer."""


def encode(value: Any, arrays: list[Any]) -> Any:
    """A value as JSON in which arrays are numbers of a list; what is neither is named by its type."""
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" or sum(a.nbytes for a in arrays) + array.nbytes > LARGEST:
            return {
                "other": f"array of {array.dtype}" if array.dtype.kind not in "biufc" else "array that is too large"
            }
        arrays.append(array)
        return {"array": len(arrays) - 1}
    if isinstance(value, tuple | list):
        return {type(value).__name__ if type(value) in (tuple, list) else "tuple": [encode(v, arrays) for v in value]}
    if isinstance(value, Callback):
        return {"callback": value.name, "given": [encode(v, arrays) for v in value.given]}
    return {"other": type(value).__name__}


def decode(value: Any, arrays: list[Any]) -> Any:
    """The inverse of `encode`; what was no value becomes an `Other`."""
    if not isinstance(value, dict):
        return value
    (kind, content), *more = value.items()
    if kind == "array":
        return arrays[content]
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(decode(v, arrays) for v in content)
    if kind == "callback":
        return Callback(content, tuple(decode(v, arrays) for v in more[0][1]))
    return Other(str(content))


class Other:
    """A result that is no number, array or list of them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Callback:
    """A function of one array that is given to a student's function; it is known by name on both sides."""

    def __init__(self, name: str, given: tuple[Any, ...]) -> None:
        self.name, self.given = name, given

    def __call__(self, x: Any) -> float:
        return float(CALLBACKS[self.name](np.asarray(x), *self.given))


CALLBACKS: dict[str, Callable[..., Any]] = {
    "waves": lambda x, a: (a * np.sin(x)).sum() + 0.5 * (x * x).sum() * a.mean(),
    "product": lambda x, a: np.exp((a * x).mean()) * (x - a).sum(),
}


def save(folder: Path, name: str, content: Any, arrays: list[Any]) -> None:
    """Write NAME.json and NAME.npz; the first appears last."""
    with (folder / f"{name}.npz").open("wb") as file:
        np.savez(file, *arrays)
    unfinished = folder / f"{name}.part"
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(folder / f"{name}.json")


def load(folder: Path, name: str) -> tuple[Any, list[Any]]:
    """What `save` wrote."""
    content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        return content, [file[f"arr_{i}"] for i in range(len(file.files))]
