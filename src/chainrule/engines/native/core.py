"""The compiled core, under the one name by which the rest of the package knows it.

Where it is missing or does not load, `absent` says why, and no other name of this module exists: the package works on
the reference engine then. Who comes to the core by a way of its own calls `require` first.
"""

from chainrule.errors import EngineError

absent: ImportError | None = None
try:
    from chainrule._native import Plan, enumerations, isas, limits, schema, set_thread_count, thread_count
except ImportError as error:
    absent = error


def require() -> None:
    """Raise EngineError where there is no compiled core."""
    if absent is not None:
        raise EngineError(
            f"the native engine needs the compiled core of chainrule, which cannot be loaded ({absent}); install "
            f'chainrule again where a C++ compiler is at hand (pip install .), or pass engine="reference"'
        )


__all__ = ["Plan", "absent", "enumerations", "isas", "limits", "require", "schema", "set_thread_count", "thread_count"]
