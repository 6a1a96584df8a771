"""The engines: implementations of one contract, chosen by name."""

from __future__ import annotations

from functools import cache

import numpy as np

from chainrule.arrays import compute_dtype
from chainrule.engines.base import Engine, EpochTotals, GradientResult, Recipe, Samples, Trace, Traced, Trainer
from chainrule.engines.native import NativeEngine, core
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import ArgumentError, NameLookupError, warn
from chainrule.graph import Graph
from chainrule.losses import Loss
from chainrule.shapes import integer

ENGINES: dict[str, Engine] = {"native": NativeEngine(), "reference": ReferenceEngine()}
"""In the order of preference: the first is the default."""


def native_plan(graph: Graph, batch_size: int, loss: Loss | None, dtype: str) -> str:
    """The native engine's plan for training with `loss`, or for inference, as text.

    Raises EngineError where the native engine does not compute the network or the loss.
    """
    if loss is not None and not isinstance(loss, Loss):
        raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
    core.require()
    native = NativeEngine()
    native.refuse_foreign(graph, loss)
    mode = "inference" if loss is None else "train"
    precision = compute_dtype(np.empty(0), dtype)
    compiled = native.compiled(
        graph, mode, integer("batch_size", batch_size, 1), precision, training=loss is not None, loss=loss
    )
    return compiled.describe()


def engine_named(name: str | None) -> Engine:
    """An engine by name; for None the first of `ENGINES` that can compute here.

    Raises EngineError for the native engine where its compiled core is missing.
    """
    if name is None:
        return _without_core() if core.absent else next(iter(ENGINES.values()))
    try:
        engine = ENGINES[name]
    except (KeyError, TypeError):
        raise NameLookupError("engine", str(name), ENGINES) from None
    if engine.name == "native":
        core.require()
    return engine


@cache
def _without_core() -> Engine:
    """The reference engine, which is said once."""
    warn(
        f"chainrule runs without its compiled core ({core.absent}), so everything is computed by the reference engine, "
        f"which is far slower; install chainrule again where a C++ compiler is at hand (pip install .), or pass "
        f'engine="reference" to choose that without this note'
    )
    return ENGINES["reference"]


__all__ = [
    "ENGINES",
    "Engine",
    "EpochTotals",
    "GradientResult",
    "Recipe",
    "Samples",
    "Trace",
    "Traced",
    "Trainer",
    "engine_named",
    "native_plan",
]
