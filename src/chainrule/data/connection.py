"""Connections that end: how long, how slow and how large an answer may be, in its header and in its body.

A socket's own timeout starts anew with every byte, so that a server can drip for ever. Here each read asks first how
long it may still wait, and each byte is counted, from the status line to the last trailer.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from chainrule.data.limits import Limits, SourceError

HEADER_BYTES: Final = 1 << 18
"""Most bytes before the body begins: of all headers, and of the pages of redirections."""


class Pace:
    """Watches over one source: how long it may take, how much it may send."""

    def __init__(self, limits: Limits, overall_end: float) -> None:
        now = time.monotonic()
        self.limits, self.overall_end = limits, overall_end
        self.source_end = now + limits.source
        self._last = self._window_begin = now
        self._window_bytes = 0
        self._allowance = 0

    def allow(self, count: int) -> None:
        """So many bytes may come from now on."""
        self._allowance = count

    def patience(self) -> float:
        """Seconds until something would be wrong; raises SourceError where it is already."""
        limits, now = self.limits, time.monotonic()
        if now >= self.overall_end:
            raise SourceError(f"the downloads took longer than {limits.overall:g} s in all")
        if now >= self.source_end:
            raise SourceError(f"it took longer than {limits.source:g} s")
        if now - self._last >= limits.silence:
            raise SourceError(f"it was silent for {limits.silence:g} s")
        if now - self._window_begin >= limits.window:
            speed = self._window_bytes / (now - self._window_begin)
            if speed < limits.least_speed:
                raise SourceError(f"it is too slow: {speed:,.0f} bytes/s, where {limits.least_speed:,.0f} are expected")
            self._window_begin, self._window_bytes = now, 0
        ends = (self.overall_end, self.source_end, self._last + limits.silence, self._window_begin + limits.window)
        return max(min(ends) - now, 0.001)

    def connecting(self) -> float:
        """Seconds that a connection may take; the clocks of silence and speed start when it stands."""
        self._last = self._window_begin = time.monotonic()
        self._window_bytes = 0
        return self.patience()

    def count(self, received: int) -> None:
        """Note so many bytes; raises SourceError where they are too many."""
        self._last = time.monotonic()
        self._window_bytes += received
        self._allowance -= received
        if self._allowance < 0:
            raise SourceError("it sends more than belongs to the file")


class _Reader(io.RawIOBase):
    """The bytes of a socket, at the pace that is allowed."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace
        self._held = sock.makefile("rb", buffering=0)  # keeps the socket open as long as it is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._sock.settimeout(self._pace.patience())
            try:
                received = self._sock.recv_into(buffer)
            except TimeoutError:
                continue  # `patience` says which limit that was
            self._pace.count(received)
            return received

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


class _Socket:
    """What HTTPResponse asks of a socket."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._pace))


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *more: Any, pace: Pace, **options: Any) -> None:
        super().__init__(_Socket(sock, pace), *more, **options)  # type: ignore[arg-type]


def _paced(kind: Any, pace: Pace) -> Any:
    """Makes connections of `kind` whose answers are read at `pace`."""

    def connect(host: str, **options: Any) -> Any:
        connection = kind(host, **options)
        connection.response_class = partial(_Response, pace=pace)
        return connection

    return connect


class _PlainHandler(HTTPHandler):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def http_open(self, req: Request) -> Any:
        return self.do_open(_paced(HTTPConnection, self._pace), req)


class _SecureHandler(HTTPSHandler):
    def __init__(self, pace: Pace) -> None:
        self._trust = ssl.create_default_context()
        super().__init__(context=self._trust)
        self._pace = pace

    def https_open(self, req: Request) -> Any:
        return self.do_open(_paced(HTTPSConnection, self._pace), req, context=self._trust)


def open_url(request: Request, pace: Pace) -> Any:
    """The answer of a web server, read at `pace`; only http and https, also behind redirections."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        _PlainHandler(pace),
        _SecureHandler(pace),
        HTTPRedirectHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        UnknownHandler(),
    ):
        opener.add_handler(handler)
    pace.allow(HEADER_BYTES)
    return opener.open(request, timeout=pace.connecting())
