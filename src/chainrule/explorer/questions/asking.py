"""A question read from a dictionary that anybody may have written: every part is checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chainrule.errors import shown
from chainrule.explain.messages import LANGUAGES, Language
from chainrule.explorer.questions.refusals import QuestionError, refused_form

LONGEST_NAME = 200
MOST_AXES = 8
LARGEST = 2**53
"""The largest whole number that every JSON reader knows exactly."""


class Question:
    """One question: {"ask": name, ...}. What it lacks has a default where one is given."""

    def __init__(self, given: object) -> None:
        if not isinstance(given, dict):
            raise refused_form("a question", "an object with “ask”", "带有“ask”的对象")
        self._given = given
        self.name = self.text("ask")

    @property
    def lang(self) -> Language:
        """The language of texts, English unless said otherwise."""
        found = self._given.get("lang", "en")
        for known in LANGUAGES:
            if found == known:
                return known
        raise refused_form("“lang”", "“en” or “zh”", "“en”或“zh”")

    def has(self, key: str) -> bool:
        """Whether a part is there and not null."""
        return self._given.get(key) is not None

    def get(self, key: str) -> Any:
        """A part as it was given."""
        return self._given.get(key)

    def text(self, key: str) -> str:
        """A name."""
        found = self._given.get(key)
        if not isinstance(found, str) or not found or len(found) > LONGEST_NAME:
            raise refused_form(
                f"“{key}”", f"a text of at most {LONGEST_NAME} characters", f"不超过 {LONGEST_NAME} 个字符的文字"
            )
        return found

    def choice(self, key: str, known: Sequence[str]) -> str:
        """One of a few words."""
        return one_of(f"“{key}”", self._given.get(key), known)

    def flag(self, key: str) -> bool:
        """true or false; false unless given."""
        found = self._given.get(key)
        if found is None:
            return False
        if not isinstance(found, bool):
            raise refused_form(f"“{key}”", "true or false", "true 或 false")
        return found

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number."""
        found = self._given.get(key)
        if found is None and default is not None:
            return default
        return whole_number(f"“{key}”", found, least, most)

    def number(self, key: str, least: float = -math.inf, most: float = math.inf, default: float | None = None) -> float:
        """A finite number."""
        found = self._given.get(key)
        if found is None and default is not None:
            return default
        return finite_number(f"“{key}”", found, least, most)

    def span(self, key: str, extent: int) -> range:
        """[from, to), all of it unless given."""
        found = self._given.get(key)
        if found is None:
            return range(extent)
        if isinstance(found, list) and len(found) == 2:
            first = whole_number(f"“{key}”", found[0], 0, extent)
            return range(first, whole_number(f"“{key}”", found[1], min(first + 1, extent), extent))
        raise refused_form(f"“{key}”", "[from, to)", "[起, 止)")

    def items(self, key: str, most: int) -> list[Any]:
        """A list."""
        found = self._given.get(key)
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            raise refused_form(f"“{key}”", f"a list of 1 to {most} items", f"含 1 到 {most} 项的列表")
        return found


def one_of(what: str, found: object, known: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(found, str) or found not in known:
        listed = "”, “".join(known)
        raise refused_form(what, f"one of “{listed}”", f"以下之一：“{'”“'.join(known)}”")
    return found


def whole_number(what: str, found: object, least: int, most: int) -> int:
    """A whole number; 3.0 is one, too, as JSON of other languages writes it."""
    if isinstance(found, float) and found.is_integer() and abs(found) <= LARGEST:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
        raise refused_form(what, f"a whole number from {least} to {most}", f"{least} 到 {most} 的整数")
    return found


def finite_number(what: str, found: object, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number within bounds."""
    if isinstance(found, bool) or not isinstance(found, int | float) or abs(found) > 1e300 or not math.isfinite(found):
        raise refused_form(what, "a finite number", "有限的数")
    if not least <= found <= most:
        raise refused_form(what, f"a number from {least:g} to {most:g}", f"{least:g} 到 {most:g} 的数")
    return float(found)


def index_of(found: object) -> tuple[int, ...]:
    """An index: a short list of whole numbers, none below 0."""
    expected = f"a list of at most {MOST_AXES} whole numbers, none below 0"
    refused = refused_form("an index", expected, f"不超过 {MOST_AXES} 个非负整数的列表")
    if not isinstance(found, list) or len(found) > MOST_AXES:
        raise refused
    try:
        return tuple(whole_number("an index", part, 0, LARGEST) for part in found)
    except QuestionError:
        raise refused from None


def unknown_name(name: str) -> QuestionError:
    """A name that the network does not have."""
    return QuestionError("name", name=quoted(name))


def quoted(given: object) -> str:
    """What was given, as one short line of a sentence."""
    if given is None:
        return "null"
    small = isinstance(given, str | float | bool) or (isinstance(given, int) and abs(given) <= LARGEST)
    return shown(given, 60) if small else f"({type(given).__name__})"
