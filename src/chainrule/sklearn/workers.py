"""Threads of one estimator among others: a search that runs in many workers must not start threads for each processor
in every one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from joblib.parallel import get_active_backend

from chainrule.engines.native.threads import at_most, threads
from chainrule.shapes import integer

PROMISED = "OMP_NUM_THREADS"
"""What joblib sets in its worker processes: the processors of the machine divided by the number of workers."""


@contextmanager
def threads_of(n_jobs: int | None) -> Iterator[None]:
    """Let this thread's calls use so many threads: one for None, as in scikit-learn; for -1 all, or inside of joblib
    one worker's share."""
    if n_jobs is None:
        most = 1
    elif n_jobs == -1:
        most = _share()
    else:
        most = integer("n_jobs", n_jobs, 1)
    with at_most(most):
        yield


def _share() -> int:
    backend, _ = get_active_backend()
    if not backend.nesting_level:
        return threads()
    promised = os.environ.get(PROMISED, "")
    return int(promised) if promised.isdigit() and int(promised) else 1
