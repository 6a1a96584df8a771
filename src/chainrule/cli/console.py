"""The only place where commands write to the terminal: lines are escaped and put into the language of the command line
here, so that no command need think of it.

Names of files and what stands in them are foreign. In a line given to `say` or `complain` nothing steers the terminal
and nothing begins a new line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import textwrap
import unicodedata
from typing import TextIO

from rich.cells import cell_len

from chainrule.arrays import Array
from chainrule.cli.language import current, spoken
from chainrule.errors import ChainruleError, StorageError, shown
from chainrule.explain.messages import COLON
from chainrule.explain.wrapping import wrap

USER_ERROR = 2
LEFT = 1
"""Exit code where the reader of a pipe, such as `head`, has left."""


def say(*lines: str) -> None:
    """Each line on standard output, escaped; a terminal that is narrower gets it in several, broken between words."""
    _write("".join(f"{part}\n" for line in lines for part in _broken(shown(spoken(line)))))


def _broken(line: str) -> list[str]:
    if not (sys.stdout and sys.stdout.isatty()) or cell_len(line) <= width():
        return [line]
    if current() == "zh":
        first, *more = wrap(line, width())
        return [first, *(f"  {part}" for rest in more for part in wrap(rest, width() - 2))]
    return textwrap.wrap(line, width(), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def say_block(text: str) -> None:
    """A text of several lines that chainrule laid out itself, such as a table."""
    _write("".join(f"{shown(spoken(line))}\n" for line in text.split("\n")))


def say_document(text: str) -> None:
    """A whole document as it is, but for control characters; invisible signs of mathematics belong to it."""
    _write("".join(shown(ch) if unicodedata.category(ch) == "Cc" and ch not in "\n\t" else ch for ch in text))


def complain(error: ChainruleError | str) -> None:
    """One complaint on standard error; an error has laid out and escaped its message itself."""
    text = spoken(str(error)) if isinstance(error, ChainruleError) else shown(spoken(error))
    with contextlib.suppress(OSError):
        print(f"chainrule{COLON[current()]}{text}", file=sys.stderr, flush=True)


def complain_of_usage(*lines: str) -> None:
    """Lines on standard error, as they are: what is wrong with the arguments of a command."""
    with contextlib.suppress(OSError):
        print(*lines, sep="\n", file=sys.stderr, flush=True)


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size().columns


def say_picture(picture: Array) -> None:
    """A picture (rows, columns, 3) in 0..1: in colour on a terminal that has it, else in shades of characters."""
    from rich.console import Console
    from rich.padding import Padding

    from chainrule.cli.drawing import ASCII_SHADES, SHADES, in_colours, in_shades

    console = Console(highlight=False, markup=False, emoji=False)
    room = max(width() - 4, 8)
    if console.is_terminal and console.color_system in ("256", "truecolor") and not console.no_color and can_show("▀"):
        with console.capture() as captured:
            console.print(Padding(in_colours(picture, room), (0, 0, 0, 2)))
        _write(captured.get())
        return
    lines = in_shades(picture, room, SHADES if can_show(SHADES) else ASCII_SHADES)
    say_block("\n".join(f"  {line}".rstrip() for line in lines))


def can_show(text: str) -> bool:
    """Whether standard output has the characters of `text`."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write(text: str) -> None:
    try:
        print(text, end="", flush=True)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise StorageError(f"cannot write the output: {error.strerror or error}") from None


def prepare_streams() -> None:
    """Characters that a terminal lacks are written as escapes, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def finish(code: int) -> int:
    """Write out what is still buffered; the exit code, 1 where the reader has left."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as error:
            _abandon(stream)
            if error.errno != errno.EPIPE and not code:
                complain(f"cannot write the output: {error.strerror or error}")
                code = USER_ERROR
            code = code or LEFT
    return code


def _abandon(stream: TextIO) -> None:
    """Let what remains go nowhere: Python would complain about it at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
