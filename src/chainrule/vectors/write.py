"""Writes the set: one safetensors file for each case, and a manifest in JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.atomic import write_atomically
from chainrule.errors import StorageError
from chainrule.layers.base import Layer
from chainrule.vectors.build import Tensors, all_cases, tensors_of
from chainrule.vectors.cases import CONTEXT, LayerCase, LossCase

FORMAT = "chainrule gradient vectors"
VERSION = 2
"""Changes with the meaning of the files, or with any number in them."""
TOLERANCE = 1e-12
"""Agreement to expect where a case is not exact: this share of each tensor's largest number."""


def write_vectors(folder: str | Path) -> dict[str, Any]:
    """Write manifest.json and cases/*.safetensors into `folder`; return the manifest.

    The same version makes the same bytes wherever the platform's exp and pow round alike; exact cases always.
    Raises StorageError if a file cannot be written.
    """
    folder = Path(folder)
    try:
        (folder / "cases").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create {folder}: {error.strerror or error}") from None
    entries = []
    for case in all_cases():
        tensors = tensors_of(case)
        data = _bytes(tensors)
        path = f"cases/{case.name}.safetensors"
        write_atomically(folder / path, data)
        entries.append({**_entry(case, tensors), "file": path, "sha256": hashlib.sha256(data).hexdigest()})
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "dtype": "float64",
        "objective": "L = sum(dy * y), so that dy = dL/dy; for losses L is the loss",
        "tolerance": TOLERANCE,
        "cases": entries,
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / "manifest.json", text.encode())
    return manifest


def _bytes(tensors: Tensors) -> bytes:
    from safetensors.numpy import save

    return save(tensors)  # sorted by the library; without metadata nothing is left to chance


def _entry(case: LayerCase | LossCase, tensors: Tensors) -> dict[str, Any]:
    thing: Any = case.layer if isinstance(case, LayerCase) else case.loss
    entry: dict[str, Any] = {
        "name": case.name,
        "kind": "layer" if isinstance(case, LayerCase) else "loss",
        "class": type(thing).__name__,
        "description": case.description,
        "hyperparameters": {name: _json(value) for name, value in thing.hyperparameters().items()},
        "equation": _equation(thing),
        "sources": list(case.sources),
        "exact": case.exact,
        "tensors": {name: {"shape": list(a.shape), "dtype": a.dtype.name} for name, a in sorted(tensors.items())},
    }
    if isinstance(case, LayerCase):
        entry["training"] = case.training
        if case.training and type(thing).__name__ == "Dropout":
            entry["random_key"] = dict(CONTEXT)
    return entry


def _json(value: Any) -> Any:
    """Tuples as lists, arrays as the name of their tensor."""
    if isinstance(value, np.ndarray):
        return {"tensor": "connections"}
    return list(value) if isinstance(value, tuple) else value


def _equation(thing: Any) -> str:
    """The first sentence of the class's docstring: its equation."""
    for kind in type(thing).__mro__:
        text = kind.__doc__ if kind is not Layer else None
        if text:
            return " ".join(text.split("\n\n")[0].split())
    return ""
