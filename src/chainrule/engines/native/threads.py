"""How many threads the native engine computes on. The bits of its results do not depend on it."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chainrule.engines.native import core
from chainrule.engines.native.quota import processor_quota
from chainrule.errors import ArgumentError, shown

VARIABLE = "CHAINRULE_THREADS"
MOST = 1024
"""More are taken for a mistake."""
SHOWN = 60
"""Characters of a mistake that are quoted."""

_decided = False
_most: ContextVar[int] = ContextVar("most threads", default=MOST)


@contextmanager
def at_most(n: int) -> Iterator[None]:
    """Within it, calls of this thread (or task) use at most `n` threads; others are not concerned."""
    token = _most.set(n)
    try:
        yield
    finally:
        _most.reset(token)


def threads() -> int:
    """How many threads the native engine may use at a time, for this thread's calls.

    What `set_threads` or CHAINRULE_THREADS says, else the processors that this thread may run on, but no more than the
    container's quota allows. Without the compiled core: 1.

    Raises:
        ArgumentError: CHAINRULE_THREADS is not a whole number from 1 to 1024.
    """
    if not _decided:
        _decide()
    return 1 if core.absent else min(core.thread_count(), _most.get())


def set_threads(n: int | None) -> None:
    """Let the native engine use at most `n` threads, from its next call on; None: as many as the machine offers.

    Calls that run at the same time share them. Training under way follows within a twentieth of a second. Processes
    that are forked keep the number; others begin with CHAINRULE_THREADS, or with what the machine offers.

    Raises:
        ArgumentError: n is not a whole number from 1 to 1024.
    """
    global _decided
    if n is not None:
        n = _checked(n, f"set_threads({shown(repr(n), SHOWN)})")
    if not core.absent:
        core.set_thread_count(n or 0, processor_quota() or 0)
    _decided = True


def _decide() -> None:
    """At the first use, not on import: a mistake in the variable should be reported where errors are expected."""
    text = os.environ.get(VARIABLE)
    if not text:
        return set_threads(None)
    name = f"{VARIABLE}={shown(repr(text), SHOWN)}"
    if not re.fullmatch("[0-9]{1,9}", text.strip()):
        raise _refusal(name)
    return set_threads(_checked(int(text), name))


def _checked(n: object, given: str) -> int:
    try:
        number = operator.index(n)  # type: ignore[arg-type]
    except TypeError:
        raise _refusal(given) from None
    if isinstance(n, bool) or not 1 <= number <= MOST:
        raise _refusal(given)
    return number


def _refusal(given: str) -> ArgumentError:
    return ArgumentError(
        f"{given} is not a number of threads; give a whole number from 1 to {MOST}, or nothing for as many as the "
        f"machine offers"
    )
