"""The compiled core, under the one name by which the rest of the package knows it.

GNU OpenMP reads its settings when it is loaded, here. Left to itself a thread that has nothing to do spins for
milliseconds, and on a busy machine takes the processor from the thread it waits for; ten thousand turns are enough to
catch the next call. Who sets OMP_WAIT_POLICY or GOMP_SPINCOUNT decides otherwise.
"""

import os

_chosen = "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
if not _chosen:
    os.environ["GOMP_SPINCOUNT"] = "10000"
try:
    from chainrule._native import Plan, isas, thread_count
finally:
    if not _chosen:
        del os.environ["GOMP_SPINCOUNT"]

__all__ = ["Plan", "isas", "thread_count"]
