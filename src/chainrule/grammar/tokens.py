"""A network text as tokens, each with its column, and a cursor that walks over them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from chainrule.errors import GrammarError

_TOKEN = re.compile(
    r"(?P<arrow>->|→)"
    r"|(?P<number>[+-]?\.?[0-9](?:[\w.])*(?:(?<=[eE])[+-][0-9]+)?)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<mark>[\[\]*×?@,])"
)


LONGEST = 1_000_000
"""Characters of a text; a network of the most layers that are allowed takes a tenth of them."""


def shortened(text: str) -> str:
    """A piece of a text as an error message shows it."""
    return text if len(text) <= 40 else f"{text[:37]}..."


@dataclass(frozen=True)
class Token:
    """A piece of the text. `kind` is "arrow", "number", "word", "end", or the mark itself."""

    kind: str
    text: str
    column: int

    @property
    def end(self) -> int:
        """The column after the token."""
        return self.column + len(self.text)

    def __str__(self) -> str:
        return "the end of the text" if self.kind == "end" else f'"{shortened(self.text)}"'


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`, and one "end". Raises GrammarError at a character that belongs to none."""
    found = []
    column = 0
    while column < len(text):
        if text[column].isspace():
            column += 1
            continue
        match = _TOKEN.match(text, column)
        if match is None:
            hint = ' (an arrow is written "->" or "→")' if text[column] in "-=>—–⇒" else ""
            raise GrammarError(f'unexpected character "{text[column]}"{hint}', text, column)
        kind = match.lastgroup
        found.append(Token(match.group() if kind == "mark" else str(kind), match.group(), column))
        column = match.end()
    return [*found, Token("end", "", len(text.rstrip()))]


class Cursor:
    """A place in the tokens of a text."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            message = f"the text has {len(text):,} characters; more than {LONGEST:,} are refused"
            raise GrammarError(message, text, LONGEST)
        self.text = re.sub(r"\s", " ", text)  # so that the caret of an error stands under its column
        self.tokens = tokens_of(self.text)
        self.place = 0

    @property
    def next(self) -> Token:
        """The token at the cursor."""
        return self.tokens[self.place]

    @property
    def last(self) -> Token:
        """The token before the cursor."""
        return self.tokens[max(self.place - 1, 0)]

    def take(self) -> Token:
        """The token at the cursor, which moves on."""
        token = self.next
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def accept(self, kinds: Iterable[str]) -> Token | None:
        """The next token if it is of one of `kinds`; otherwise the cursor stays."""
        return self.take() if self.next.kind in kinds else None

    def fail(self, message: str, column: int | None = None) -> NoReturn:
        """Raise GrammarError at `column`, by default at the next token."""
        raise GrammarError(message, self.text, self.next.column if column is None else column)
