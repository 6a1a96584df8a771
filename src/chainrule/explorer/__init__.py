"""The explorer: a network's forward and backward pass as a page to look at, to touch and to teach with.

`exploration` answers questions about one network at its samples, in plain dictionaries; hosts (a local server, a
notebook's widget, a file) carry questions and answers, and the page draws. The page computes nothing: every number on
it is one of `chainrule.explain` or of the trace.

This module is light: what it needs is imported when something is explored.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

_LAZY = {"Exploration": "exploration"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = ["Exploration"]
