"""The explorer's server: who is let in, what is refused, and that every refusal is a sentence in two languages."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from chainrule.errors import ArgumentError
from tests.explorer.asking import Client, Echo

pytest.importorskip("starlette", reason="the server needs the extra explorer")
pytest.importorskip("uvicorn", reason="the server needs the extra explorer")

from chainrule.explorer.refusals import MOST_BYTES, MOST_TABS
from chainrule.explorer.server import _listen, serve


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    serving = serve(Echo)
    yield serving.url
    serving.stop()


@pytest.fixture
def client(url: str) -> Client:
    """Somebody who has entered."""
    entered = Client(url)
    entered.enter()
    return entered


def test_the_first_address_becomes_a_cookie_that_no_script_and_no_other_site_uses(url: str) -> None:
    client = Client(url)
    reply = client.enter()
    assert (reply.status, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = client.request("GET", "/")
    assert page.status == 200
    assert b"<html" in page.body
    assert b"token" not in page.body


def test_a_question_is_answered_and_each_session_counts_for_itself(client: Client) -> None:
    first, second = client.new(), client.new()
    assert first != second
    asked = {"ask": "overview", "lang": "zh", "x": "汉"}
    assert client.post(f"/api/{first}", asked).json["echo"] == asked
    assert client.post(f"/api/{first}", asked).json["count"] == 2
    assert client.post(f"/api/{second}", asked).json["count"] == 1


@pytest.mark.parametrize("path", ["/", "/app.js", "/index.html", "/nothing", "/a/b", "/?token=", "/?token=汉"])
def test_without_the_token_nothing_is_shown(url: str, path: str) -> None:
    from urllib.parse import quote

    reply = Client(url).request("GET", quote(path, safe="/?="))
    assert reply.status == 403
    text = reply.body.decode()
    assert "chainrule explore" in text
    assert 'lang="zh"' in text
    assert Client(url).post("/api/new", {}).kind == "token"
    assert Client(url, cookie=f"chainrule-{Client(url).port}=wrong").post("/api/new", {}).kind == "token"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{}", "127.0.0.1.evil.example:{}", "127.0.0.1@evil.example:{}", "", "[::1]:{}"],
)
def test_a_foreign_name_for_this_machine_is_refused(client: Client, host: str) -> None:
    name = host.format(client.port)
    assert client.request("GET", "/", host=name).status == 403
    assert client.request("GET", "/" + client.url.partition("/?")[2].join("?_"), host=name).status == 403
    assert client.post("/api/new", {}, host=name, origin=f"http://{name}").kind == "host"


def test_localhost_is_this_machine(client: Client) -> None:
    assert client.request("GET", "/", host=f"localhost:{client.port}").status == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{}"])
def test_other_sites_cannot_ask(client: Client, origin: str | None) -> None:
    sent = None if origin is None else origin.format(client.port)
    assert client.post("/api/new", {}, origin=sent).kind == "origin"


@pytest.mark.parametrize("path", ["/", "/app.js", "/nothing", "/api/new"])
@pytest.mark.parametrize("inside", [True, False])
def test_every_response_forbids_what_the_page_does_not_need(client: Client, path: str, inside: bool) -> None:
    if not inside:
        client.cookie = ""
    headers = client.request("GET", path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{", b"\xff", b'{"ask": 1}', b'{"ask": null}', b'{"x": NaN}', b"[" * 100_000]
)
def test_what_is_no_question_is_refused(client: Client, body: bytes) -> None:
    reply = client.request("POST", f"/api/{client.new()}", body)
    assert (reply.status, reply.kind) == (400, "question")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_what_a_plain_form_could_send_is_refused(client: Client, kind: str | None) -> None:
    assert client.post("/api/new", {}, content_type=kind).kind == "question"


def test_a_question_may_be_a_megabyte_and_no_more(client: Client) -> None:
    path = f"/api/{client.new()}"
    frame = len(b'{"ask": "x", "long": ""}')
    most = {"ask": "x", "long": "a" * (MOST_BYTES - frame)}
    assert client.post(path, most).json["ok"] is True
    most["long"] += "a"
    reply = client.post(path, most)
    assert (reply.status, reply.kind) == (413, "too_large")


@pytest.mark.parametrize(
    "path", ["/nothing", "/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/page/app.js", "/api"]
)
def test_only_the_files_of_the_page_are_there(client: Client, path: str) -> None:
    reply = client.request("GET", path)
    assert reply.status == 404
    assert b"<p" in reply.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"])
def test_other_methods_do_nothing(client: Client, method: str) -> None:
    assert client.request(method, "/api/new").status in (403, 404, 405)


def test_a_session_that_is_not_there_says_so(client: Client) -> None:
    assert client.post("/api/unknown", {"ask": "overview"}).kind == "session_gone"


def test_the_ninth_tab_ousts_the_one_that_rested_longest(client: Client) -> None:
    tabs = [client.new() for _ in range(MOST_TABS)]
    assert client.post(f"/api/{tabs[0]}", {"ask": "x"}).json[
        "ok"
    ]  # the first is used again: now the second rests longest
    ninth = client.new()
    gone = client.post(f"/api/{tabs[1]}", {"ask": "x"})
    assert gone.kind == "session_gone"
    assert str(MOST_TABS) in gone.json["error"]["text"]["en"]
    for tab in [tabs[0], *tabs[2:], ninth]:
        assert client.post(f"/api/{tab}", {"ask": "x"}).json["ok"]


@pytest.mark.parametrize("ask", ["fail", "nan"])
def test_a_mistake_of_our_own_is_a_sentence_without_the_traceback(
    client: Client, ask: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL, "chainrule"):
        reply = client.post(f"/api/{client.new()}", {"ask": ask})
    assert reply.kind == "internal"
    assert b"secret" not in reply.body


def test_questions_of_one_session_are_answered_in_turn() -> None:
    class Watched(Echo):
        inside = most = 0

        def answer(self, question: Any) -> dict[str, Any]:
            Watched.inside += 1
            Watched.most = max(Watched.most, Watched.inside)
            threading.Event().wait(0.02)
            Watched.inside -= 1
            return super().answer(question)

    serving = serve(Watched)
    try:
        client = Client(serving.url)
        client.enter()
        name = client.new()
        threads = [threading.Thread(target=client.post, args=(f"/api/{name}", {"ask": "x"})) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.post(f"/api/{name}", {"ask": "x"}).json["count"] == 7
        assert Watched.most == 1
    finally:
        serving.stop()


def test_nothing_is_written_unless_a_file_was_named(client: Client, tmp_path: Path) -> None:
    reply = client.post(f"/api/{client.new()}", {"ask": "save", "path": str(tmp_path / "foreign.safetensors")})
    assert reply.kind == "read_only"
    assert not list(tmp_path.iterdir())


def test_the_network_is_saved_where_the_start_said(tmp_path: Path) -> None:
    serving = serve(Echo, save=tmp_path / "out.safetensors")
    try:
        client = Client(serving.url)
        client.enter()
        name = client.new()
        reply = client.post(f"/api/{name}", {"ask": "save", "path": str(tmp_path / "foreign.safetensors")})
        assert reply.json == {"ok": True, "state": 0, "path": str(tmp_path / "out.safetensors")}
        assert [path.name for path in tmp_path.iterdir()] == ["out.safetensors"]
        assert cr.load(tmp_path / "out.safetensors").output_shape == (2,)
    finally:
        serving.stop()


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    serving = serve(Echo, save=tmp_path / "missing" / "out.safetensors")
    try:
        client = Client(serving.url)
        client.enter()
        assert client.post(f"/api/{client.new()}", {"ask": "save"}).kind == "storage"
    finally:
        serving.stop()


def test_it_listens_on_this_machine_alone(url: str) -> None:
    other = socket.gethostbyname(socket.gethostname())
    if other.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError):
        socket.create_connection((other, Client(url).port), timeout=2)


def test_a_port_that_is_taken_or_none_is_a_sentence(url: str) -> None:
    with pytest.raises(ArgumentError, match=f"port {Client(url).port} of 127.0.0.1 is in use; choose another"):
        serve(Echo, port=Client(url).port)
    for port in (-1, 65536, True, "80", 1.5):
        with pytest.raises(ArgumentError, match="port must "):
            serve(Echo, port=port)  # type: ignore[arg-type]


def test_answers_are_sent_at_once() -> None:
    """Asyncio turns off Nagle's algorithm, which waits up to 40 ms, on sockets that say that they are TCP."""
    with _listen(0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_it_ends_when_told() -> None:
    serving = serve(Echo)
    assert "runs" in repr(serving)
    serving.stop()
    assert "has ended" in repr(serving)
    with pytest.raises(OSError):
        Client(serving.url).enter()
