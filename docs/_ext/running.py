"""Run the code cells of a page in a process of its own, once for each language, and keep what came out.

MyST-NB starts a Jupyter kernel for every page and language, and cannot evaluate expressions inside translated
paragraphs. Here a page costs a fork. What is kept lies in a folder, under the hash of all that could change it.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import linecache
import multiprocessing
import os
import pickle
import re
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent
SOURCE = DOCS.parent / "src" / "chainrule"
SECONDS = 300
"""What a page may take."""

CELL = re.compile(r"^(?P<fence>`{3,})\{code-cell\}[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.DOTALL | re.MULTILINE)
EVAL = re.compile(r"\{eval\}`(?P<expression>[^`\n]+)`")
INSERT = re.compile(r"<<(?P<expression>.+?)>>")
PARTS = re.compile(
    f"{CELL.pattern}|{EVAL.pattern}|{INSERT.pattern.replace('expression', 'inserted')}", re.DOTALL | re.M
)


class CellError(Exception):
    """A cell that failed, told with its page and line."""


@dataclass
class Output:
    """What one cell printed and showed."""

    text: str = ""
    html: str = ""
    shown: str = ""


@dataclass
class Results:
    """What the cells of a page gave: outputs in order, the value of each expression, files to be published."""

    outputs: list[Output] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def body_of(cell: str) -> str:
    """The code of a cell without its options, in as many lines."""
    return re.sub(r"\A(?::[\w-]+:[^\n]*\n)+", lambda options: "\n" * options[0].count("\n"), cell)


@cache
def hash_of_the_package() -> str:
    """Everything outside a page on which its numbers depend."""
    digest = hashlib.sha256(sys.version.encode())
    paths = [
        *SOURCE.rglob("*.py"),
        *SOURCE.rglob("*.toml"),
        *SOURCE.glob("explorer/page/*"),
        *Path(__file__).parent.glob("*.py"),
    ]
    for path in sorted([*paths, *(DOCS / "book").glob("*.py"), *(DOCS.parent / "src" / "native").rglob("*.?pp")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def key_of(text: str, language: str) -> str:
    """The hash of what a page runs."""
    parts = [found[0] for found in PARTS.finditer(text)]
    return hashlib.sha256("\0".join([hash_of_the_package(), language, *parts]).encode()).hexdigest()[:32]


def results_of(text: str, path: Path, name: str, language: str, kept: Path) -> Results:
    """Run a page, unless it ran before."""
    if not PARTS.search(text):
        return Results()
    place = kept / f"{key_of(text, language)}.pickle"
    if place.exists():
        return pickle.loads(place.read_bytes())
    kept.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_child, args=(text, path, name, language, Path(folder)))
        process.start()
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            raise CellError(f"{path}: its cells took more than {SECONDS} s")
        result = Path(folder) / "results"
        if not result.exists():
            raise CellError(f"{path}: the process of its cells ended with {process.exitcode}")
        found = pickle.loads(result.read_bytes())
        if isinstance(found, str):
            raise CellError(found)
        part = place.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(pickle.dumps(found))
        part.replace(place)
    return found


def _child(text: str, path: Path, name: str, language: str, folder: Path) -> None:
    work = folder / "work"
    (folder / "files").mkdir()
    work.mkdir()
    os.chdir(work)
    try:
        found: Results | str = _run(text, path, name, language, folder / "files")
    except CellError as error:
        found = str(error)
    (folder / "results").write_bytes(pickle.dumps(found))


def _run(text: str, path: Path, name: str, language: str, files: Path) -> Results:
    sys.path.insert(0, str(DOCS / "book"))
    import figures

    figures.page = figures.Page(language, files, "../" * name.count("/") + f"_files/{name}/")
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "Glyph .* missing from font")  # text in SVG is drawn with the reader's fonts
    results, names = Results(), {"__name__": "__main__", "lang": language}
    later = []
    for found in PARTS.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["body"] is not None:
            results.outputs.append(_cell(body_of(found["body"]), names, path, line))
            continue
        expression = found["expression"] or found["inserted"]
        value = _value(expression, names, path, line)
        if value is None:
            later.append((expression, line))
        elif results.values.setdefault(expression, value) != value:
            raise CellError(f"{path}:{line}: {expression} has two values on this page: give them two names")
    for expression, line in later:
        value = _value(expression, names, path, line, last=True)
        if results.values.setdefault(expression, str(value)) != value:
            raise CellError(f"{path}:{line}: {expression} has two values on this page: give them two names")
    results.files = {file.name: file.read_bytes() for file in sorted(files.iterdir())}
    return results


def _cell(code: str, names: dict[str, Any], path: Path, line: int) -> Output:
    output, printed = Output(), io.StringIO()
    where = f"{path}:{line}"
    linecache.cache[where] = (len(code), None, code.splitlines(keepends=True), where)
    try:
        tree = ast.parse(code, where)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, where, "exec"), names)
            value = None if last is None else eval(compile(ast.Expression(last.value), where, "eval"), names)
    except BaseException as error:
        raise _told(error, where) from error
    output.text = printed.getvalue()
    if hasattr(value, "_repr_html_"):
        output.html = value._repr_html_()
    elif value is not None:
        output.shown = repr(value)
    return output


def _value(expression: str, names: dict[str, Any], path: Path, line: int, last: bool = False) -> str | None:
    """An expression as text; None where a name of it is not known yet."""
    from figures import number

    try:
        tree = ast.parse(f"f'''{{{expression}}}'''", mode="eval").body
        assert isinstance(tree, ast.JoinedStr)
        (replaced,) = tree.values
        assert isinstance(replaced, ast.FormattedValue)
        if replaced.format_spec is not None or replaced.conversion != -1:
            return str(eval(compile(ast.Expression(tree), str(path), "eval"), names)).replace("-", "−")
        value = eval(compile(ast.Expression(replaced.value), str(path), "eval"), names)
        return value if isinstance(value, str) else number(value)
    except Exception as error:
        if isinstance(error, NameError) and not last:
            return None
        raise _told(error, f"{path}:{line}: {expression}") from error


def _told(error: BaseException, where: str) -> CellError:
    lines = traceback.extract_tb(error.__traceback__)
    inside = [f"line {entry.lineno} of the cell: {entry.line}" for entry in lines if entry.filename == where]
    return CellError("\n".join([f"{where}: {type(error).__name__}: {error}", *inside]))
