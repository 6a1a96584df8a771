"""The exceptions of chainrule: one small tree, so that one `except` clause can catch them all.

ChainruleError
├── ShapeError          arrays or layers whose sizes do not fit together
├── ArgumentError       a hyperparameter or option outside its range
├── DtypeError          an array of a kind that cannot be computed with
├── NameLookupError     a parameter, node, layer or data set that does not exist
├── GrammarError        a network text that cannot be read; points at the column
├── DataError           samples or labels that cannot be used
├── FileFormatError     a file that is truncated, corrupt or of another kind
├── StorageError        a file that cannot be read or written (missing, disk full, read-only)
├── NonFiniteError      NaN or infinity appeared during a computation
├── EngineError         an engine cannot do what was asked
└── MissingExtraError   an optional dependency is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ChainruleError(Exception):
    """Base class of every error that chainrule raises on purpose."""


class ShapeError(ChainruleError, ValueError):
    """Sizes do not fit: the message names the layer, the expected and the given shape."""


class ArgumentError(ChainruleError, ValueError):
    """A hyperparameter or option is outside its range."""


class DtypeError(ChainruleError, TypeError):
    """An array holds something that cannot be computed with (objects, strings, complex numbers)."""


class NameLookupError(ChainruleError, KeyError):
    """A name does not exist; the message suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        if near:
            hint = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        else:
            shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            hint = f"known: {shown}" if known else "there are none"
        super().__init__(f"no {kind} is named {name!r}; {hint}")

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0])


class GrammarError(ChainruleError, ValueError):
    """A network text has a mistake; `column` (from 0) says where, the message draws a caret under it."""

    def __init__(self, message: str, text: str, column: int) -> None:
        self.text = text
        self.column = column
        super().__init__(f"{message} (column {column + 1})\n  {text}\n  {' ' * column}^")


class DataError(ChainruleError, ValueError):
    """Samples or targets cannot be used: empty, NaN, labels out of range, lengths that differ."""


class FileFormatError(ChainruleError, ValueError):
    """A file is truncated, corrupt or not of the kind that was asked for."""


class StorageError(ChainruleError, OSError):
    """A file cannot be read or written: missing, no permission, disk full."""


class NonFiniteError(ChainruleError, ArithmeticError):
    """NaN or infinity appeared; the message names the first layer and tensor."""


class EngineError(ChainruleError, RuntimeError):
    """An engine cannot do what was asked of it."""


class MissingExtraError(ChainruleError, ImportError):
    """An optional dependency is missing; the message holds the install command."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional package; install it with: pip install 'chainrule[{extra}]'")
