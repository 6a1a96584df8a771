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
│   └── DownloadError   no source delivered a file
├── WeightsError        weights of another program that do not fit a network; the message ends in a table
├── NonFiniteError      NaN or infinity appeared during a computation
├── EngineError         an engine cannot do what was asked
└── MissingExtraError   an optional dependency is not installed

These messages may quote file names, files, servers and arguments. An error is therefore always shown escaped, in one
line (GrammarError, DownloadError and WeightsError in the few that they lay out themselves); its `args` keep the text as
it was.
"""

from __future__ import annotations

import difflib
import sys
import unicodedata
import warnings
from collections.abc import Iterable
from types import FrameType
from typing import Any

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode's categories of what steers instead of being seen: control and format characters (directions of writing,
characters without width), halves of surrogate pairs (bytes of a file name that are not UTF-8), separators of lines."""


def shown(value: object, most: int | None = None) -> str:
    """`value` as one line of text that a terminal shows and does not obey; cut to `most` characters.

    A terminal title "\\x1b]0;...", a line break, a change of the direction of writing become escapes such as \\x1b.
    """
    text = str(value)
    if not text.isprintable():
        text = "".join(_escaped(ch) if unicodedata.category(ch) in _HIDDEN else ch for ch in text)
    return text if most is None or len(text) <= most else text[: most - 3] + "..."


def _escaped(ch: str) -> str:
    return ch.encode("unicode_escape").decode("ascii")


class ChainruleError(Exception):
    """Base class of every error that chainrule raises on purpose. Shown in one line, escaped."""

    def __str__(self) -> str:
        return shown(self.args[0]) if len(self.args) == 1 else shown(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are usually pickled as a call of their class, which fails where the constructor takes other
        # arguments than the finished message.
        reduced = super().__reduce__()
        assert isinstance(reduced, tuple)
        return _again, reduced[:2], *reduced[2:]


def _again(kind: type[ChainruleError], arguments: tuple[Any, ...]) -> ChainruleError:
    """An error of this kind with finished arguments: made by the built-in exception that it is, not by its own
    constructor."""
    error = kind.__new__(kind, *arguments)
    built_in: Any = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    built_in.__init__(error, *arguments)
    return error


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


class GrammarError(ChainruleError, ValueError):
    """A network text has a mistake; `column` (from 0) says where, the message draws a caret under it."""

    def __init__(self, message: str, text: str, column: int) -> None:
        self.text = text
        self.column = column
        begin = max(column - 80, 0) if len(text) > 200 else 0  # of a long text only what stands around the column
        before, after = "… " if begin else "", " …" if begin + 200 < len(text) else ""
        line = before + shown(text[begin : begin + 200]) + after
        caret = " " * len(before + shown(text[begin:column])) + "^"
        super().__init__(f"{shown(message)} (column {column + 1})\n  {line}\n  {caret}")

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(ChainruleError, ValueError):
    """Samples or targets cannot be used: empty, NaN, labels out of range, lengths that differ."""


class FileFormatError(ChainruleError, ValueError):
    """A file is truncated, corrupt or not of the kind that was asked for."""


class StorageError(ChainruleError, OSError):
    """A file cannot be read or written: missing, no permission, disk full."""


class DownloadError(StorageError):
    """No source delivered a file; the message is a sentence, a line for each source, and a way out."""

    def __str__(self) -> str:
        return "\n".join(shown(line) for line in str(self.args[0]).split("\n"))


class WeightsError(ChainruleError, ValueError):
    """Weights do not fit a network; the message is a sentence and a table of what fits and what does not."""

    def __str__(self) -> str:
        return "\n".join(shown(line) for line in str(self.args[0]).split("\n"))


class NonFiniteError(ChainruleError, ArithmeticError):
    """NaN or infinity appeared; the message names the first layer and tensor."""


class EngineError(ChainruleError, RuntimeError):
    """An engine cannot do what was asked of it."""


class MissingExtraError(ChainruleError, ImportError):
    """An optional dependency is missing; the message holds the install command."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional package; install it with: pip install 'chainrule[{extra}]'")


def warn(message: str) -> None:
    """A warning that points at the line outside the package that led to it."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "chainrule":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
