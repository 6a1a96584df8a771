"""What the tests of the explorer's server share: a browser's bare requests, and an exploration that only echoes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import chainrule as cr


class Echo:
    """Answers every question with itself."""

    def __init__(self) -> None:
        self.net = cr.parse("2 -> fc 2", seed=1)
        self.count = self.state = 0

    def answer(self, question: Any) -> dict[str, Any]:
        self.count += 1
        if question["ask"] == "fail":
            raise RuntimeError("the secret of the traceback")
        if question["ask"] == "nan":
            return {"ok": True, "state": 0, "value": float("nan")}
        return {"ok": True, "state": 0, "echo": question, "count": self.count}


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The kind of the refusal; both languages must have a sentence."""
        error = self.json["error"]
        assert self.json["ok"] is False
        assert error["text"]["en"].endswith((".", "`.")), error
        assert error["text"]["zh"].endswith("。"), error
        return str(error["kind"])


@dataclass
class Client:
    """A browser's requests, each part of which a test can change."""

    url: str
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def request(self, method: str, path: str, body: bytes | None = None, **changed: Any) -> Reply:
        """Send it; `changed` headers replace the usual ones, None leaves one out (underscores are hyphens)."""
        usual: Mapping[str, str | None] = {"host": f"127.0.0.1:{self.port}", "cookie": self.cookie or None}
        if method == "POST":
            usual = {**usual, "origin": f"http://127.0.0.1:{self.port}", "content-type": "application/json"}
        headers = {**usual, **{name.replace("_", "-"): value for name, value in changed.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None and "content-length" not in headers:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def enter(self) -> Reply:
        """Open the first address and keep the cookie."""
        parts = urlsplit(self.url)
        reply = self.request("GET", f"{parts.path}?{parts.query}")
        self.cookie = reply.headers.get("set-cookie", "").partition(";")[0]
        return reply

    def post(self, path: str, sent: Any, **changed: Any) -> Reply:
        """Send an object as JSON."""
        return self.request("POST", path, json.dumps(sent).encode(), **changed)

    def new(self) -> str:
        """The name of a new session."""
        return str(self.post("/api/new", {}).json["session"])
