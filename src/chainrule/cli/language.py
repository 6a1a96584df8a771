"""The language of the command line: --lang, else CHAINRULE_LANG, LC_ALL, LC_MESSAGES or LANG; English otherwise.

Commands speak English; what they say is put into Chinese where it is written (`console`, `helping`), by the catalogue
in `chinese`. A sentence that has no twin there stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache

from rich.cells import cell_len

from chainrule.cli.chinese import CELLS, SENTENCES
from chainrule.errors import ArgumentError
from chainrule.explain.messages import LANGUAGES, Language

VARIABLES = ("CHAINRULE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_PLACEHOLDER = re.compile(r"\{(\w+)(:t)?\}")
_current: Language = "en"


def current() -> Language:
    """The language that is spoken."""
    return _current


def choose(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Language:
    """Decide it from what the program was called with. A --lang that is no language is refused by its command."""
    global _current
    given = asked(arguments)
    place = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    spoken: Language = "zh" if place.lower().startswith("zh") else "en"
    _current = next((known for known in LANGUAGES if known == given), spoken)
    return _current


def asked(arguments: Sequence[str]) -> str | None:
    """What stands behind the last --lang."""
    found = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--lang" and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif argument.startswith("--lang="):
            found = argument.partition("=")[2]
    return found


def check_asked(arguments: Sequence[str]) -> None:
    """Raise ArgumentError for a --lang that is no language."""
    given = asked(arguments)
    if given is not None and given not in LANGUAGES:
        raise ArgumentError(f'lang must be "en" or "zh", not {given!r}')


def spoken(text: str) -> str:
    """A sentence or a line of a table in the language of the command line."""
    if _current == "en":
        return text
    inner = text.strip()
    if not inner:
        return text
    start = text[: len(text) - len(text.lstrip())]
    return start + (_sentence(inner) or _cells(text)[len(start) :])


def _sentence(text: str) -> str | None:
    exact, patterns = _catalogue()
    if text in exact:
        return exact[text]
    for english, pattern in patterns:
        found = pattern.fullmatch(text)
        if found is not None:
            values = {m[1]: _value(found[m[1]], m[2]) for m in _PLACEHOLDER.finditer(english)}
            return SENTENCES[english].format(**values)
    return None


def _value(text: str, translated: str | None) -> str:
    """What stands in a placeholder; a list is translated part by part."""
    if not translated:
        return text
    parts = [_sentence(part) for part in text.split(", ")]
    return _sentence(text) or (text if None in parts else "、".join(part or "" for part in parts))


@cache
def _catalogue() -> tuple[dict[str, str], list[tuple[str, re.Pattern[str]]]]:
    """(sentences as they are, those with placeholders and their patterns, the most specific first)."""
    exact = {english: chinese for english, chinese in SENTENCES.items() if not _PLACEHOLDER.search(english)}
    open_ones = [english for english in SENTENCES if english not in exact]
    open_ones.sort(key=lambda english: -len(_PLACEHOLDER.sub("", english)))
    return exact, [(english, _pattern(english)) for english in open_ones]


def _pattern(english: str) -> re.Pattern[str]:
    parts, names = [], set()
    end = 0
    for match in _PLACEHOLDER.finditer(english):
        parts.append(re.escape(english[end : match.start()]))
        parts.append(f"(?P={match[1]})" if match[1] in names else f"(?P<{match[1]}>.+?)")
        names.add(match[1])
        end = match.end()
    return re.compile("".join(parts) + re.escape(english[end:]), re.DOTALL)


def _cells(line: str) -> str:
    """A line of a table: words that are headings, each in the columns that it had."""
    pieces = re.split(r"( {2,})", line)
    if not any(piece.strip() in CELLS for piece in pieces):
        return _cells_by_one_space(line)
    for position, piece in enumerate(pieces):
        if piece.strip() in CELLS:
            left = (position == 0 and not piece.startswith(" ")) or piece == "arguments"
            pieces[position] = _fitted(CELLS[piece.strip()], cell_len(piece), left)
            over = cell_len(pieces[position]) - cell_len(piece)
            if over and position:
                pieces[position - 1] = pieces[position - 1][: max(1, len(pieces[position - 1]) - over)]
    return "".join(pieces).rstrip()


def _fitted(word: str, room: int, left: bool) -> str:
    """A word in at least so many columns."""
    lack = " " * max(0, room - cell_len(word))
    return word + lack if left else lack + word


def _cells_by_one_space(line: str) -> str:
    """Where a number stands one space from its heading: the heading alone, if it begins the line."""
    first, _, rest = line.partition(" ")
    return f"{_fitted(CELLS[first], cell_len(first), True)} {rest}" if first in CELLS and rest else line
