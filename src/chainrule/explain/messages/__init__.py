"""Every text of the explainer, English and Chinese side by side. A message is a key with arguments, put into words
last of all: so one derivation prints in either language."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, replace
from typing import Any, Literal

from chainrule.errors import ArgumentError
from chainrule.explain.messages.drawings import DRAWINGS
from chainrule.explain.messages.ideas import IDEAS
from chainrule.explain.messages.labels import LABELS
from chainrule.explain.messages.notes import NOTES
from chainrule.explain.messages.reasons import REASONS
from chainrule.explain.messages.stories import STORIES
from chainrule.explain.messages.tables import TABLES

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
COMMA: dict[Language, str] = {"en": ", ", "zh": "，"}
COLON: dict[Language, str] = {"en": ": ", "zh": "："}

BRACKETS: dict[Language, str] = {"en": "({})", "zh": "（{}）"}

MESSAGES: dict[str, tuple[str, str]] = {**LABELS, **NOTES, **REASONS, **TABLES, **STORIES, **IDEAS, **DRAWINGS}
"""key -> (English, Chinese); both name the same placeholders. {count:term|terms} is the word for one or for many.
⟦S0-E31⟧ cites a source; it is printed for those who ask for sources."""

_CITATION = re.compile(r" *⟦([^⟧]*)⟧")


@dataclass(frozen=True)
class Message:
    """One text: its key in `MESSAGES`, and what stands in its placeholders: texts, numbers, expressions, messages."""

    key: str
    arguments: tuple[tuple[str, Any], ...] = ()
    citing: bool = True

    def template(self, language: Language) -> str:
        """The text with its placeholders, and with its sources in brackets if it cites."""
        text = MESSAGES[self.key][LANGUAGES.index(language)]
        space = " " if language == "en" else ""
        return _CITATION.sub(lambda m: space + BRACKETS[language].format(m[1]) if self.citing else "", text)

    def uncited(self) -> Message:
        """The same without sources."""
        return replace(self, citing=False)

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


__all__ = ["BRACKETS", "COLON", "COMMA", "LANGUAGES", "MESSAGES", "Language", "Message", "check_language", "say"]
