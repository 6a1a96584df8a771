"""Every text of the explainer, English and Chinese side by side. A message is a key with arguments, put into words
last of all: so one derivation prints in either language."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any, Literal

from chainrule.errors import ArgumentError
from chainrule.explain.messages.labels import LABELS
from chainrule.explain.messages.notes import NOTES
from chainrule.explain.messages.stories import STORIES
from chainrule.explain.messages.tables import TABLES

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
COMMA: dict[Language, str] = {"en": ", ", "zh": "，"}
COLON: dict[Language, str] = {"en": ": ", "zh": "："}

MESSAGES: dict[str, tuple[str, str]] = {**LABELS, **NOTES, **TABLES, **STORIES}
"""key -> (English, Chinese); both name the same placeholders. {count:term|terms} is the word for one or for many."""


@dataclass(frozen=True)
class Message:
    """One text: its key in `MESSAGES`, and what stands in its placeholders: texts, numbers, expressions, messages."""

    key: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def template(self, language: Language) -> str:
        """The text with its placeholders."""
        return MESSAGES[self.key][LANGUAGES.index(language)]

    def pieces(self, language: Language) -> list[Any]:
        """The text cut at its placeholders: strings, and the arguments in their places."""
        given = dict(self.arguments)
        found: list[Any] = []
        for literal, name, forms, _ in string.Formatter().parse(self.template(language)):
            found += [literal] if literal else []
            if forms:
                one, many = forms.split("|")
                found += [one if given[str(name)] == 1 else many]
            elif name is not None:
                found += [given[name]]
        return found


def say(key: str, **arguments: Any) -> Message:
    """A message; its key must exist, so that a slip is found where it is made."""
    if key not in MESSAGES:
        raise KeyError(key)
    return Message(key, tuple(arguments.items()))


def check_language(language: object) -> Language:
    """ "en" or "zh"."""
    for known in LANGUAGES:
        if language == known:
            return known
    raise ArgumentError(f'lang must be "en" or "zh", not {language!r}')


__all__ = ["COLON", "COMMA", "LANGUAGES", "MESSAGES", "Language", "Message", "check_language", "say"]
