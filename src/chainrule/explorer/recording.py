"""Answers to questions that were asked in advance, as a static file carries them.

They are deflated in blocks, so that a reader's machine inflates only what is looked at; the index says in which block
the answer to a question lies. In a block, long texts stand apart, those of one kind side by side, and answers name them
by number: formulas of the same layer differ in a few digits, which deflates to a third. The page reads all this in
web/src/hosts/recorded.ts.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chainrule.explorer.refusals import NOT_RECORDED

Question = dict[str, Any]
Answer = dict[str, Any]

BLOCK = 1 << 20
"""Bytes of JSON that are deflated together."""
LONG = 24
"""Texts of so many characters stand apart."""


def key_of(question: Question) -> str:
    """The one text of a question: sorted names, no spaces, nothing that is null. The page writes the same."""
    return json.dumps(_bare(question), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(member) for name, member in value.items() if member is not None}
    return [_bare(member) for member in value] if isinstance(value, list | tuple) else value


@dataclass
class Recording:
    """Answers by question, at most about `budget` bytes of them in the file."""

    budget: int
    sample: int = 0
    """The sample that is shown first."""
    _index: dict[str, int] = field(default_factory=dict)
    _blocks: list[str] = field(default_factory=list)
    _spent: int = 0
    _open: dict[str, Answer] = field(default_factory=dict)
    _open_bytes: int = 0
    _ratio: float = 0.05
    """Of bytes in the file to bytes of JSON; measured on each block for the next."""

    def add(self, question: Question, answer: Answer) -> None:
        """Keep an answer; its state is the only one that the file knows."""
        key = key_of(question)
        self._index[key] = len(self._blocks)
        self._open[key] = {**answer, "state": 0}
        self._open_bytes += len(_json(answer))
        if self._open_bytes >= BLOCK:
            self._close()

    def __contains__(self, question: Question) -> bool:
        return key_of(question) in self._index

    @property
    def spent(self) -> int:
        """Bytes in the file; of what is not deflated yet a guess."""
        return self._spent + int(self._open_bytes * self._ratio)

    def has_room(self, share: float = 1.0) -> bool:
        """Whether less than this share of the budget is spent."""
        return self.spent < share * self.budget

    def to_dict(self) -> dict[str, Any]:
        """What the page reads."""
        self._close()
        return {
            "format": "chainrule.recording",
            "version": 1,
            "encoding": "deflate+base64",
            "sample": self.sample,
            "index": _deflated(self._index),
            "blocks": self._blocks,
            "missing": {"en": NOT_RECORDED[0], "zh": NOT_RECORDED[1]},
        }

    def _close(self) -> None:
        if self._open:
            block = _deflated(_with_texts_apart(self._open))
            self._blocks.append(block)
            self._spent += len(block)
            self._ratio = len(block) / self._open_bytes
            self._open, self._open_bytes = {}, 0


def _with_texts_apart(answers: dict[str, Answer]) -> dict[str, Any]:
    """{"texts": [...], "answers": {...}}: in answers {"$": 7} stands for text number 7."""
    kinds: dict[tuple[str, ...], dict[str, None]] = {}
    for key, answer in answers.items():
        question = json.loads(key)
        kind = (question["ask"], question.get("lang", ""), question.get("place", {}).get("name", ""))
        for path, text in _texts(answer):
            kinds.setdefault((*kind, *path), {})[text] = None
    texts = list(dict.fromkeys(text for kind in kinds.values() for text in kind))
    numbers = {text: number for number, text in enumerate(texts)}
    return {"texts": texts, "answers": {key: _named(answer, numbers) for key, answer in answers.items()}}


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every long text with the names that lead to it."""
    if isinstance(value, str):
        if len(value) >= LONG:
            yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _texts(member, (*path, name))
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, path)


def _named(value: Any, numbers: dict[str, int]) -> Any:
    """The value with its long texts as their numbers."""
    if isinstance(value, str):
        return {"$": numbers[value]} if len(value) >= LONG else value
    if isinstance(value, dict):
        return {name: _named(member, numbers) for name, member in value.items()}
    return [_named(member, numbers) for member in value] if isinstance(value, list) else value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _deflated(value: Any) -> str:
    return base64.b64encode(zlib.compress(_json(value), 9)).decode()
