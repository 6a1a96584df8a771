"""The server's application: who may ask, which files there are, and how questions come in and answers go out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainrule.explorer.refusals import MOST_BYTES, REFUSALS, refusal
from chainrule.explorer.sessions import Sessions, encoded

PAGE = Path(__file__).parent / "page"
NAMES = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATUS = {"host": 403, "origin": 403, "token": 403, "absent": 404, "too_large": 413, "question": 400}
"""The codes of refusals; a question that was read is answered with 200, whatever the answer."""

Handler = Callable[[Request], Awaitable[Response]]


class RefusedError(Exception):
    """A request that goes no further; `kind` as in `REFUSALS`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def application(sessions: Sessions, token: str, port: int) -> Starlette:
    """The application of one server: `token` opens it; the port keeps its cookie apart from those of others."""
    cookie = f"chainrule-{port}"

    def guarded(handler: Handler) -> Handler:
        async def guard(request: Request) -> Response:
            _check_host(request)
            if request.method != "GET":
                _check_origin(request)
            if not _same(request.cookies.get(cookie, ""), token):
                raise RefusedError("token")
            return await handler(request)

        return guard

    async def enter(request: Request) -> Response:
        """The first address: its token becomes a cookie and leaves the address bar."""
        given = request.query_params.get("token")
        if given is None:
            return await guarded(home)(request)
        _check_host(request)
        if not _same(given, token):
            raise RefusedError("token")
        response = RedirectResponse("/", 303)
        response.set_cookie(cookie, token, httponly=True, samesite="strict")
        return response

    async def open_session(request: Request) -> Response:
        await _body(request)
        return _json(encoded(await run_in_threadpool(sessions.open)))

    async def ask(request: Request) -> Response:
        question = await _body(request)
        if not isinstance(question.get("ask"), str):
            raise RefusedError("question")
        return _json(await run_in_threadpool(sessions.answer, request.path_params["session"], question))

    return Starlette(
        routes=[
            Route("/", enter, methods=["GET"]),
            Route("/api/new", guarded(open_session), methods=["POST"]),
            Route("/api/{session}", guarded(ask), methods=["POST"]),
            Route("/{name}", guarded(file), methods=["GET"]),
            Route("/{rest:path}", guarded(absent)),
        ],
        middleware=[Middleware(Headers)],
        exception_handlers={RefusedError: _refused},
    )


async def home(request: Request) -> Response:
    """The page."""
    return FileResponse(PAGE / "index.html")


async def file(request: Request) -> Response:
    """What the page consists of; the files that there are, and no path that leads elsewhere."""
    path = PAGE / request.path_params["name"]
    if path not in PAGE.iterdir():
        raise RefusedError("absent")
    return FileResponse(path)


async def absent(request: Request) -> Response:
    """Everything else."""
    raise RefusedError("absent")


class Headers:
    """Every response carries `HEADERS`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, sending)


def _same(given: str, token: str) -> bool:
    """Compared in a time that does not tell how much was right."""
    return secrets.compare_digest(given.encode(), token.encode())


def _check_host(request: Request) -> None:
    """The name that the browser believes to talk to: a foreign one that leads here is an attack (DNS rebinding)."""
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or hosts[0].partition(":")[0] not in NAMES:
        raise RefusedError("host")


def _check_origin(request: Request) -> None:
    """Browsers say from which page a question comes; it must be ours."""
    if request.headers.getlist("origin") != [f"http://{request.headers['host']}"]:
        raise RefusedError("origin")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises RefusedError where it is too large or none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError("question")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise RefusedError("too_large")
        sent = json.loads(body, parse_constant=_no_constant)
    except (ClientDisconnect, ValueError, RecursionError):
        raise RefusedError("question") from None
    if not isinstance(sent, dict):
        raise RefusedError("question")
    return sent


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _json(text: bytes, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


async def _refused(request: Request, refused: Exception) -> Response:
    """For questions as an answer, for readers as a small page."""
    assert isinstance(refused, RefusedError)
    kind, status = refused.kind, STATUS[refused.kind]
    if request.method != "GET":
        return _json(encoded(refusal(kind)), status)
    english, chinese = (escape(text) for text in REFUSALS[kind])
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>chainrule</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body><main><p>{english}</p><p lang="zh">{chinese}</p></main></body></html>',
        status,
    )
