"""Words and numbers of drawings."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.explain.messages import Language, Message
from chainrule.explain.terms import Table
from chainrule.explain.words import short, words

DIGITS = 4


def plain(value: float, digits: int = DIGITS) -> str:
    """A number as drawings show it."""
    return short(value, digits)


def matrix(table: Table) -> str:
    """The numbers of a table as nested lists, for those who hear a drawing."""
    return "[" + ", ".join("[" + ", ".join(short(cell, DIGITS) for cell in row) + "]" for row in table.cells) + "]"


@dataclass(frozen=True)
class Speaker:
    """Says messages in one language."""

    lang: Language
    digits: int = DIGITS

    def __call__(self, message: Message) -> str:
        return words(message.uncited(), self.lang, self.digits)
