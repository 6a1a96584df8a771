"""The engines: implementations of one contract, chosen by name."""

from __future__ import annotations

from chainrule.engines.base import Engine, EpochTotals, GradientResult, Recipe, Trace, Traced, Trainer
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import NameLookupError

ENGINES: dict[str, Engine] = {"reference": ReferenceEngine(), "native": NativeEngine()}
"""In the order of preference: the first is the default."""


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
]
