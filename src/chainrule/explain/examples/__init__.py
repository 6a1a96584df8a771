"""The worked examples of the sources as stories: `story("mazur")`, listed by `chainrule examples`."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.errors import NameLookupError
from chainrule.explain.blocks import Block
from chainrule.explain.derivation import Derivation
from chainrule.explain.examples import convolutions, ideas, lenet, mazur
from chainrule.explain.examples.story import Story
from chainrule.explain.messages import check_language, say
from chainrule.explain.words import words

STORIES: dict[str, tuple[Callable[[], list[Block | Derivation]], int]] = {
    "mazur": (mazur.parts, 9),
    "s1": (convolutions.s1, 6),
    "s2": (convolutions.s2, 6),
    "s3": (convolutions.s3, 6),
    "s4": (convolutions.s4, 6),
    "lenet5": (lenet.parts, 6),
    "detector": (convolutions.detector, 6),
    "rotate": (ideas.rotate, 6),
    "winner": (ideas.winner, 6),
    "dead": (ideas.dead, 6),
    "norm": (ideas.norm, 6),
    "shortcut": (ideas.shortcut, 6),
}
"""name -> (what it tells, significant digits)."""

OWN = ("rotate", "winner", "dead", "norm", "shortcut")
"""Stories that retell no text, and so cite none unless asked to."""


def story(name: str, *, lang: str = "en", sources: bool | None = None) -> Story:
    """A worked example by name, citing what it retells unless `sources` says otherwise.

    Raises NameLookupError for an unknown name.
    """
    language = check_language(lang)
    if name not in STORIES:
        raise NameLookupError("worked example", name, STORIES)
    parts, digits = STORIES[name]
    return Story(
        name, say(f"{name}_title"), tuple(parts()), language, digits, name not in OWN if sources is None else sources
    )


def listing(lang: str = "en") -> list[tuple[str, str]]:
    """(name, what it is about) of every worked example."""
    language = check_language(lang)
    titles = {name: words(say(f"{name}_title"), language, 6) for name in STORIES}
    return [(name, title[len(name) + 1 :].strip()) for name, title in titles.items()]


__all__ = ["STORIES", "Story", "listing", "story"]
