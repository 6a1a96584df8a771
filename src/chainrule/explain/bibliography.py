"""Citations: taken out where nobody asked for them, and explained where somebody did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.explain.blocks import Block, Equations, Heading, Listing, Reason, Text
from chainrule.explain.messages import LANGUAGES, Message, say

_ID = re.compile(r"\b(S\d|ER|W)[\dX]*-?[A-Z]?\d+")
MARKS = ("S0", "S1", "S2", "S3", "S4", "ER", "W")


def without_sources(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without citations."""
    return [_uncited(block) for block in blocks]


def _uncited(block: Block) -> Block:
    match block:
        case Heading() | Text() | Reason():
            return replace(block, text=block.text.uncited())
        case Equations():
            return replace(block, sources=())
    return block


def bibliography(blocks: Sequence[Block]) -> list[Block]:
    """What the citations of some blocks stand for, and where it can be read; nothing where nothing is cited."""
    cited = {found for block in blocks for text in _texts(block) for found in _ID.findall(text)}
    listed: list[Block] = [Text(say(f"source_{mark}"), "note") for mark in MARKS if mark in cited]
    return [Heading(say("sources_title"), 2), *listed] if listed else []


def _texts(block: Block) -> list[str]:
    """What a block may cite in."""
    match block:
        case Heading(text=message) | Text(text=message) | Reason(text=message):
            return _of(message)
        case Equations(sources=sources):
            return list(sources)
        case Listing(rows=rows):
            cells = [cell for row in rows for cell in row]
            return [text for cell in cells for text in (_of(cell) if isinstance(cell, Message) else [str(cell)])]
    return []


def _of(message: Message) -> list[str]:
    inner = [text for _, value in message.arguments if isinstance(value, Message) for text in _of(value)]
    return [*(message.template(language) for language in LANGUAGES), *inner]
