"""Hyperparameters as JSON and back: numbers, texts, tuples, lists, and NumPy arrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from chainrule.errors import ArgumentError, FileFormatError

DTYPES = r"bool|u?int(8|16|32|64)|float(16|32|64)"


def encode(value: Any, what: str) -> Any:
    """`value` as something JSON can hold; ArgumentError if it cannot be stored."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and re.fullmatch(DTYPES, value.dtype.name):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    if isinstance(value, tuple):
        return {"tuple": [encode(item, what) for item in value]}
    if isinstance(value, list):
        return [encode(item, what) for item in value]
    raise ArgumentError(
        f"{what} is a {type(value).__name__} and cannot be saved; hyperparameters are numbers, texts, tuples, lists "
        f"and arrays"
    )


def decode(value: Any) -> Any:
    """The inverse of `encode`; FileFormatError for what `encode` never writes."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"tuple"} and isinstance(value["tuple"], list):
        return tuple(decode(item) for item in value["tuple"])
    if set(value) == {"array", "dtype"} and re.fullmatch(DTYPES, str(value["dtype"])):
        try:
            return np.array(value["array"], str(value["dtype"]))
        except (TypeError, ValueError, OverflowError):
            pass
    raise FileFormatError(f"a hyperparameter of unknown form: {str(value)[:80]}")


def encode_all(values: dict[str, Any], owner: str) -> dict[str, Any]:
    """Constructor arguments by name."""
    return {name: encode(value, f"{name} of {owner}") for name, value in values.items()}
