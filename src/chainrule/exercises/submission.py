"""A student's file: a program or a notebook, cut into cells, and the functions that it defines."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import FileFormatError, StorageError

LARGEST = 20 * 2**20
"""Bytes of a file; pictures in a notebook's outputs make it large."""
_MAGIC = re.compile(r"^\s*(%(?!%)|!|\?)|^[\w.]+\?{1,2}\s*$")
_OTHER_LANGUAGE = re.compile(r"^\s*%%(?!time\b|timeit\b|capture\b)")


@dataclass(frozen=True)
class Cell:
    """A piece of a program; `label` is "" for the whole of a file, else such as "cell 3"."""

    file: str
    label: str
    source: str


@dataclass(frozen=True)
class Submission:
    """A file as it is graded."""

    path: Path
    cells: tuple[Cell, ...]
    notebook: bool
    functions: tuple[str, ...]
    """Names that the file defines at its top level."""


def read(path: Path) -> Submission:
    """Read a .py file or an .ipynb file; raises StorageError or FileFormatError with the line that cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise FileFormatError(f"{path} is larger than {LARGEST // 2**20} MiB; a solution is a text of a few lines")
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileFormatError(f"{path} is not a text in UTF-8; give a .py file or a notebook (.ipynb)") from None
    notebook = path.suffix.lower() == ".ipynb"
    cells = tuple(_cells(path, text)) if notebook else (Cell(str(path), "", text),)
    names: list[str] = []
    for cell in cells:
        names += _defined(path, cell, notebook)
    return Submission(path, cells, notebook, tuple(dict.fromkeys(names)))


def _cells(path: Path, text: str) -> Iterator[Cell]:
    """The code cells of a notebook; outputs are ignored."""
    try:
        cells = json.loads(text)["cells"]
        sources = [c["source"] for c in cells if c["cell_type"] == "code"]
        joined = [s if isinstance(s, str) else "".join(s) for s in sources]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise FileFormatError(f"{path} is not a notebook of format 4; save it anew as .ipynb") from None
    for number, source in enumerate(joined, 1):
        yield Cell(f"<cell {number}>", f"cell {number}", _without_magics(source))


def _without_magics(source: str) -> str:
    """A cell as plain Python, line for line: magics and shell commands are commented out."""
    if _OTHER_LANGUAGE.match(source):
        return ""
    lines = source.split("\n")
    plain = ["pass  # " + line if _MAGIC.match(line) else line for line in lines]
    if lines[0].lstrip().startswith("%%"):
        plain[0] = "# " + lines[0]
    return "\n".join(plain) + "\n"


def _defined(path: Path, cell: Cell, notebook: bool) -> list[str]:
    """Names of a cell's functions and assignments; a cell of a notebook that is no Python has none."""
    try:
        body = ast.parse(cell.source).body
    except SyntaxError as error:
        if notebook:
            return re.findall(r"^def (\w+)", cell.source, re.MULTILINE)
        raise FileFormatError(f"line {error.lineno} of {path} is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileFormatError(f"{path} cannot be read as Python: {error}") from None
    return [name for node in body for name in _names(node)]


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    for target in getattr(node, "targets", []):
        if isinstance(target, ast.Name):
            yield target.id
    if isinstance(node, ast.ImportFrom | ast.Import):
        yield from (alias.asname or alias.name for alias in node.names)
    if isinstance(node, ast.If | ast.Try | ast.With):
        for child in node.body:
            yield from _names(child)


def body_of(source: str, function: str) -> str | None:
    """A function without its docstring, as a text in which blanks and comments play no part."""
    try:
        nodes = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == function]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not nodes:
        return None
    body = nodes[-1].body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body = body[1:]
    return "\n".join(ast.dump(node) for node in body)
