"""The compiled core, under the one name by which the rest of the package knows it.

Where it is missing or does not load, `absent` says why, and no other name of this module exists: the package works on
the reference engine then. Who comes to the core by a way of its own calls `require` first.

GNU OpenMP reads its settings when it is loaded, here. Left to itself a thread that has nothing to do spins for
milliseconds, and on a busy machine takes the processor from the thread it waits for; ten thousand turns are enough to
catch the next call. Who sets OMP_WAIT_POLICY or GOMP_SPINCOUNT decides otherwise.
"""

import os

from chainrule.errors import EngineError

absent: ImportError | None = None
_chosen = "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
if not _chosen:
    os.environ["GOMP_SPINCOUNT"] = "10000"
try:
    from chainrule._native import Plan, enumerations, isas, limits, schema, thread_count
except ImportError as error:
    absent = error
finally:
    if not _chosen:
        del os.environ["GOMP_SPINCOUNT"]


def require() -> None:
    """Raise EngineError where there is no compiled core."""
    if absent is not None:
        raise EngineError(
            f"the native engine needs the compiled core of chainrule, which cannot be loaded ({absent}); install "
            f'chainrule again where a C++ compiler is at hand (pip install .), or pass engine="reference"'
        )


__all__ = ["Plan", "absent", "enumerations", "isas", "limits", "require", "schema", "thread_count"]
