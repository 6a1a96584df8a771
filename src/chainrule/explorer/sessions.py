"""One exploration for each tab: opened, asked, one question at a time, and ended when too many others are open."""

from __future__ import annotations

import json
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from chainrule.errors import ChainruleError
from chainrule.explorer.refusals import MOST_TABS, refusal

if TYPE_CHECKING:
    from chainrule.network import Network

log = logging.getLogger(__name__)

Answer = dict[str, Any]


class Answering(Protocol):
    """What a host needs of an exploration."""

    net: Network
    """The network as it is now."""
    state: int
    """Counts its changes."""

    def answer(self, question: object) -> Answer:
        """The answer to a question of the protocol; mistakes in it are answers, too."""


def encoded(answer: Answer) -> bytes:
    """An answer as JSON. Raises ValueError for NaN and infinity, which JSON does not have."""
    return json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class Session:
    """An exploration and what keeps its questions in a row."""

    def __init__(self, exploration: Answering, save: Path | None = None) -> None:
        self.exploration, self.save = exploration, save
        self._turn = Lock()

    def answer(self, question: dict[str, Any]) -> bytes:
        """The answer, encoded. What an exploration should not have raised becomes a sentence, and a line in the log."""
        try:
            with self._turn:
                answer = self._saved() if question["ask"] == "save" else self.exploration.answer(question)
            return encoded(answer)
        except Exception as error:
            log.error("%r could not be answered: %r", question["ask"], error, exc_info=error)
            return encoded(refusal("internal"))

    def _saved(self) -> Answer:
        """`save` is the host's own question: explorations know no files."""
        if self.save is None:
            return refusal("read_only")
        try:
            self.exploration.net.save(self.save)
        except ChainruleError as error:
            return refusal("storage", (f"The network was not saved: {error}.", f"网络没有保存：{error}。"))
        return {"ok": True, "state": self.exploration.state, "path": str(self.save)}


class Sessions:
    """At most `MOST_TABS` sessions by their secret names; a new one makes the one go that has rested longest."""

    def __init__(self, make: Callable[[], Answering], save: Path | None = None) -> None:
        self._make, self._save = make, save
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def open(self) -> Answer:
        """A new session's name."""
        try:
            session = Session(self._make(), self._save)
        except Exception as error:
            log.error("no session could be opened: %r", error, exc_info=error)
            return refusal("internal")
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._open[name] = session
            while len(self._open) > MOST_TABS:
                self._open.popitem(last=False)
        return {"ok": True, "session": name}

    def answer(self, name: str, question: dict[str, Any]) -> bytes:
        """The encoded answer of the session of this name; a refusal where it has ended."""
        with self._lock:
            session = self._open.get(name)
            if session is None:
                return encoded(refusal("session_gone"))
            self._open.move_to_end(name)
        return session.answer(question)
