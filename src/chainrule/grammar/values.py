"""How the values of arguments are read from a text and written into one: numbers, sizes and paddings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.grammar.tokens import Cursor, Token

DIGITS = 10
"""Longer integers are slips; nothing is that large."""


@dataclass(frozen=True)
class Kind:
    """A kind of value. `read(cursor, what)` takes it from the text; `write(value)` is its inverse."""

    read: Callable[[Cursor, str], Any]
    write: Callable[[Any], str]


def _number_token(cursor: Cursor, what: str) -> Token:
    if cursor.next.kind != "number":
        cursor.fail(f"{what} is missing: expected a number, not {cursor.next}")
    return cursor.take()


def integers(cursor: Cursor, token: Token, pattern: str, wanted: str) -> tuple[int, ...]:
    """The integers of "5", "5x3" or "1x28x28", if the token matches `pattern`."""
    if not re.fullmatch(pattern, token.text, re.IGNORECASE):
        cursor.fail(f"expected {wanted}, not {token}", token.column)
    parts = token.text.lower().split("x")
    if any(len(part) > DIGITS for part in parts):
        cursor.fail(f"{token} is too large", token.column)
    return tuple(int(part) for part in parts)


def _read_count(cursor: Cursor, what: str) -> int:
    return integers(cursor, _number_token(cursor, what), "[0-9]+", f"{what} as an integer")[0]


def _read_size(cursor: Cursor, what: str) -> int | tuple[int, ...]:
    token = _number_token(cursor, what)
    size = integers(cursor, token, "[0-9]+(x[0-9]+)?", f"{what} such as 5 or 5x3 (rows x columns)")
    times = cursor.next
    if times.text == "×" and times.column == token.end:
        factor = cursor.tokens[cursor.place + 1]
        if factor.kind == "number" and factor.column == times.end:
            cursor.fail(
                f'"{token.text}×{factor.text}" may be a size or a repetition: write '
                f"{token.text}x{factor.text} or {token.text} *{factor.text}",
                token.column,
            )
    return size[0] if len(size) == 1 else size


def _read_number(cursor: Cursor, what: str) -> float:
    token = _number_token(cursor, what)
    try:
        return float(token.text)
    except ValueError:
        cursor.fail(f"expected {what} as a number, not {token}", token.column)


def _read_padding(cursor: Cursor, what: str) -> str | int | tuple[int, ...]:
    if cursor.next.kind == "word" and cursor.next.text.lower() in ("same", "valid"):
        return cursor.take().text.lower()
    first = cursor.next.column
    sides = [_read_count(cursor, what)]
    while cursor.accept([","]):
        sides.append(_read_count(cursor, what))
    if len(sides) not in (1, 2, 4):
        cursor.fail(f"{what} has 1, 2 (rows, columns) or 4 (top, bottom, left, right) numbers, not {len(sides)}", first)
    return sides[0] if len(sides) == 1 else tuple(sides)


def _write_kernel(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _write_size(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else _write_kernel(size)


def _write_number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e6 else repr(value)


def _write_padding(sides: str | tuple[int, int, int, int]) -> str:
    if isinstance(sides, str):
        return sides
    top, bottom, left, right = sides
    if top == bottom == left == right:
        return str(top)
    if top == bottom and left == right:
        return f"{top},{left}"
    return f"{top},{bottom},{left},{right}"


COUNT = Kind(_read_count, str)
KERNEL = Kind(_read_size, _write_kernel)
SIZE = Kind(_read_size, _write_size)
NUMBER = Kind(_read_number, _write_number)
PADDING = Kind(_read_padding, _write_padding)
