"""The explorer over HTTP, for one reader on this machine: a page, its files, and one address that answers questions.

It listens on 127.0.0.1 alone. The first address carries a random token, which becomes a cookie that no script and no
other site can use; the names in the headers Host and Origin are checked, so that no foreign page and no foreign name
for this machine reaches it. Nothing that is sent is run, and nothing is written unless a file was named at the start.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError, MissingExtraError, StorageError
from chainrule.explorer.sessions import Answering, Sessions
from chainrule.shapes import integer

if TYPE_CHECKING:
    from uvicorn import Server

ADDRESS = "127.0.0.1"


@dataclass
class Serving:
    """A running server: its address for the browser, and how it ends."""

    url: str
    _server: Server
    _thread: threading.Thread

    def stop(self) -> None:
        """End it; tabs that are open say so when they are used."""
        self._server.should_exit = True
        self._thread.join(10)

    def wait(self) -> None:
        """Until it ends, or somebody interrupts (Ctrl+C), which ends it."""
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            self.stop()

    def __repr__(self) -> str:
        state = "runs" if self._thread.is_alive() else "has ended"
        return f"the explorer at {self.url} {state}"


def serve(make: Callable[[], Answering], port: int = 0, save: Path | None = None) -> Serving:
    """Start a server in a thread of its own; `port` 0 takes any that is free.

    Raises MissingExtraError without starlette and uvicorn, ArgumentError for a port that is none or not free.
    """
    try:
        import uvicorn

        from chainrule.explorer.pages import application
    except ImportError:
        raise MissingExtraError("the explorer's server", "explorer") from None
    listening = _listen(port)
    token = secrets.token_urlsafe(32)
    number = listening.getsockname()[1]
    app = application(Sessions(make, save), token, number)
    # Neither proxies nor websockets nor a log of accesses: there is one reader, on this machine.
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", access_log=False, lifespan="off", ws="none", proxy_headers=False,
        server_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="chainrule explorer", daemon=True
    )
    thread.start()
    return Serving(f"http://{ADDRESS}:{number}/?token={token}", server, thread)


def _listen(port: int) -> socket.socket:
    """A socket that listens before anybody is told the address, so that the first request already waits in line."""
    integer("port", port, 0, 65535)
    # Named as TCP: only then does asyncio send at once, instead of up to 40 ms later (Nagle's algorithm).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ArgumentError(
                f"port {port} of {ADDRESS} is in use; choose another one, or 0 for any that is free"
            ) from None
        raise StorageError(f"cannot listen on port {port} of {ADDRESS}: {error.strerror or error}") from None
    return listening
