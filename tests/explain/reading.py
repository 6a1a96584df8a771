"""Reads what the explainer printed, as a reader with a calculator would: numbers, equations, columns of terms."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise

_UP = {ord(up): down for up, down in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True)}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|e-?\d+)?")
_FUNCTIONS = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
}  # fmt: skip


def numbers_in(text: str) -> set[str]:
    """Every number that is printed, as printed."""
    return set(NUMBER.findall(text))


def value_of(side: str) -> float | None:
    """One side of an equation by calculator, if it holds nothing but numbers."""
    side = re.sub(r"^\{(\S+): .*\}$", r"\1", side.strip())
    side = re.sub(r"(\d)·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"{m[1]}e{m[2].translate(_UP)}", side)
    side = re.sub(r"(?<=[\d)])([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"**({m[1].translate(_UP)})", side)
    side = side.replace("−", "-").replace("·", "*").replace("^", "**").replace("√", "sqrt").replace("σ", "sigmoid")
    if re.sub(r"(sqrt|exp|log|tanh|max|sigmoid)(?=\()|[\de.,+*/()\s-]", "", side) or not re.search(r"\d", side):
        return None
    try:
        return float(eval(side, {"__builtins__": {}}, _FUNCTIONS))
    except (SyntaxError, ZeroDivisionError, OverflowError):
        return None


def equations_in(text: str) -> Iterator[tuple[str, float, float]]:
    """(line, one side, the next side) for all neighbouring sides that hold nothing but numbers; `text` is not
    wrapped."""
    for line in text.splitlines():
        plain = re.sub(r"\s+(\[[^\]]*\]|[(（](step|第) ?\d+.*[)）])$", "", line)
        plain = re.sub(r"^(numbers|local|together|数值|局部|合计)\s", "", plain.strip())
        found = [value_of(side) for side in plain.split(" = ")]
        for a, b in pairwise(found):
            if a is not None and b is not None:
                yield line, a, b


def sums_in(text: str) -> Iterator[tuple[str, list[float], float]]:
    """(the lines, the printed values, the printed total) of every column of terms; `text` is not wrapped."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if not line.startswith(("numbers ", "数值 ")):
            continue
        values = [_last_number(line)]
        for following in lines[start + 1 :]:
            values.append(_last_number(following) if following.startswith("  ") else None)
            if values[-1] is None:
                break
        found = [value for value in values if value is not None]
        if len(found) > 1:
            yield "\n".join(lines[start : start + len(found)]), found[:-1], found[-1]


def _last_number(line: str) -> float | None:
    """The number that a line ends with, behind which a step may be named."""
    side = re.sub(r"\s*[(\[（](from )?(step|见?第) ?\d+[^)\]]*[)\]）]$", "", line).rpartition(" = ")[2]
    return value_of(re.sub(r"^(numbers|数值)", "", side))
