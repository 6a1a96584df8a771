"""The engines: implementations of one contract, chosen by name."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import compute_dtype
from chainrule.engines.base import Engine, EpochTotals, GradientResult, Recipe, Trace, Traced, Trainer
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import NameLookupError
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.shapes import integer

ENGINES: dict[str, Engine] = {"native": NativeEngine(), "reference": ReferenceEngine()}
"""In the order of preference: the first is the default."""


def native_plan(graph: Graph, batch_size: int, loss: Loss | None, dtype: str) -> str:
    """The native engine's plan for training with `loss`, or for inference, as text."""
    native = NativeEngine()
    mode = "inference" if loss is None else "train"
    precision = compute_dtype(np.empty(0), dtype)
    compiled = native.compiled(
        graph, mode, integer("batch_size", batch_size, 1), precision, training=loss is not None, loss=loss
    )
    return compiled.describe()


def engine_named(name: str | None) -> Engine:
    """An engine by name; the first of `ENGINES` for None."""
    if name is None:
        return next(iter(ENGINES.values()))
    try:
        return ENGINES[name]
    except (KeyError, TypeError):
        raise NameLookupError("engine", str(name), ENGINES) from None


__all__ = [
    "ENGINES",
    "Engine",
    "EpochTotals",
    "GradientResult",
    "Recipe",
    "Trace",
    "Traced",
    "Trainer",
    "engine_named",
    "native_plan",
]
