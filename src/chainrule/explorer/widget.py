"""The explorer in notebooks: a widget whose page asks the kernel by messages."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from chainrule.errors import MissingExtraError
from chainrule.explorer.sessions import Answering, Session

PAGE = Path(__file__).parent / "page"


def widget_of(exploration: Answering) -> Any:
    """A widget that answers for an exploration. Raises MissingExtraError without anywidget."""
    return _widget_class()(Session(exploration))


@cache
def _widget_class() -> type:
    try:
        import anywidget
    except ImportError:
        raise MissingExtraError("showing the explorer in a notebook", "explorer") from None

    class ExplorerWidget(anywidget.AnyWidget):
        """Messages {"id", "question"} come in, {"id", "answer"} go out."""

        _esm = PAGE / "widget.js"

        def __init__(self, session: Session) -> None:
            super().__init__()
            self.on_msg(self._receive)
            self._session = session

        def _receive(self, _: Any, content: Any, buffers: Any) -> None:
            if not isinstance(content, dict) or "id" not in content:
                return  # messages of anywidget's own
            question = content.get("question")
            if not isinstance(question, dict) or not isinstance(question.get("ask"), str):
                question = {"ask": ""}
            self.send({"id": content["id"], "answer": json.loads(self._session.answer(question))})

    return ExplorerWidget
