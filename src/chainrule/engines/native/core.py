"""The compiled core, under the one name by which the rest of the package knows it."""

from chainrule._native import Plan, isas, thread_count

__all__ = ["Plan", "isas", "thread_count"]
