"""Messages and numbers in plain words."""

from __future__ import annotations

from typing import Any

from chainrule.explain.messages import Language, Message
from chainrule.explain.notations import to_text
from chainrule.explain.writing import number_parts
from chainrule.expressions import number


def words(message: Message, lang: Language, digits: int) -> str:
    """A message in plain words."""
    return "".join(inline(piece, lang, digits) for piece in message.pieces(lang))


def inline(piece: Any, lang: Language, digits: int) -> str:
    """A piece of a message or a cell of a list."""
    if isinstance(piece, Message):
        return words(piece, lang, digits)
    if isinstance(piece, float):
        return to_text(number(piece), digits)
    return str(piece) if isinstance(piece, str | int) else to_text(piece, digits)


def short(value: float | None, digits: int = 4) -> str:
    """A number for a narrow cell."""
    if value is None:
        return ""
    negative, text, power = number_parts(value, digits)
    return ("−" if negative else "") + text + ("" if power is None else f"e{power}")
