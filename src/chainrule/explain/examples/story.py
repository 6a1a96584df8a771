"""A story: a worked example of the sources, told with comparisons and derivations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.explain.bibliography import bibliography, without_sources
from chainrule.explain.blocks import Block, Heading, Listing, Reason, Text
from chainrule.explain.data import derivation_dict
from chainrule.explain.derivation import Derivation
from chainrule.explain.document import Document
from chainrule.explain.messages import Language, Message, say
from chainrule.explain.words import inline, words


@dataclass(frozen=True, repr=False)
class Story(Document):
    """Title, texts, comparisons and derivations. Printed and written as a `Derivation` is."""

    name: str
    title: Message
    parts: tuple[Block | Derivation, ...]
    lang: Language = "en"
    digits: int = 9
    sources: bool = True

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """The derivations it tells."""
        return tuple(part for part in self.parts if isinstance(part, Derivation))

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Its comparisons."""
        return tuple(part for part in self.parts if isinstance(part, Listing))

    def blocks(self) -> list[Block]:
        """Everything as blocks."""
        found: list[Block] = [Heading(self.title, 1)]
        said: set[Message | str] = set()
        for part in self.parts:
            found += _news(part.steps_blocks(), said) if isinstance(part, Derivation) else [part]
        return [*found, *bibliography(found)] if self.sources else without_sources(found)

    def __repr__(self) -> str:
        return f"<Story {self.name}: {len(self.listings)} comparisons, {len(self.derivations)} derivations>"

    def to_dict(self, *, lang: Language | None = None) -> dict[str, Any]:
        """As dictionaries, lists, strings and numbers."""
        language = lang or self.lang
        return {
            "format": "chainrule.story",
            "version": 1,
            "name": self.name,
            "title": words(self.title, language, self.digits),
            "texts": [words(part.text, language, self.digits) for part in self.parts if isinstance(part, Text)],
            "comparisons": [self._listing(part, language) for part in self.listings],
            "derivations": [derivation_dict(part, language) for part in self.derivations],
        }

    def _listing(self, listing: Listing, lang: Language) -> dict[str, Any]:
        def cell(piece: Any) -> Any:
            return piece if isinstance(piece, float | int) else inline(piece, lang, self.digits)

        return {
            "title": words(listing.title, lang, self.digits),
            "columns": [words(column, lang, self.digits) for column in listing.columns],
            "rows": [[cell(piece) for piece in row] for row in listing.rows],
        }


def _news(blocks: Sequence[Block], said: set[Message | str]) -> list[Block]:
    """What a story has not said yet: its networks, its notation and its reasons are told where they come first."""
    found = []
    for block in blocks:
        match block:
            case Text(text, "note"):
                mark: Message | str | None = text.key if text.key.startswith("notation") else text
            case Reason(text=text):
                mark = text.key
            case _:
                mark = None
        if mark is None or mark not in said:
            found.append(block)
        if mark is not None:
            said.add(mark)
    return found


def matrix_text(array: ArrayLike) -> str:
    """An array of whole (or short) numbers as nested lists: [[1,2],[3,4]]."""
    values = np.asarray(array)
    if values.ndim == 0:
        return f"{float(values):g}".replace("-", "−")
    return "[" + (", " if values.ndim > 1 else ",").join(matrix_text(row) for row in values) + "]"


def by_hand(rows: Sequence[tuple[str, str, Any, Any]]) -> Listing:
    """Numbers by hand beside the engine's, with a remark where they differ (they never should)."""
    columns = tuple(say(key) for key in ("col_id", "col_quantity", "col_expected", "col_ours"))
    shown = tuple((name, what, matrix_text(hand), matrix_text(np.round(ours, 10))) for name, what, hand, ours in rows)
    return Listing(say("by_hand_beside_ours"), columns, shown)


def wrong_forms(rows: Sequence[tuple[str, str, str, str]]) -> Listing:
    """What a misprinted formula gives, beside the corrected one."""
    columns = tuple(say(key) for key in ("col_erratum", "col_formula", "col_wrong", "col_right"))
    return Listing(say("wrong_beside_right"), columns, tuple(rows))
