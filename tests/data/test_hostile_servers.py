"""Servers that drip, that never end, that send one round in circles and that lie: each is left behind in good time."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainrule.data.download import RemoteFile, fetch
from chainrule.data.limits import Limits
from chainrule.errors import StorageError, shown

CONTENT = bytes(range(256)) * 400
FILE = RemoteFile("data", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
PACKED = gzip.compress(CONTENT, mtime=0)
LIMITS = Limits(silence=2.0, window=1.5, least_speed=2_000, source=4.0, overall=60.0)

Conversation = Callable[[socket.socket], None]


class Server:
    """Answers every connection with a conversation, in threads of its own, until it is closed."""

    def __init__(self, conversation: Conversation, secure: ssl.SSLContext | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if secure else ''}://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.conversation, self.secure, self.connections = conversation, secure, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            plain.settimeout(20)
            connection = plain if self.secure is None else self.secure.wrap_socket(plain, server_side=True)
            with connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                self.conversation(connection)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Conversation], Server]]:
    monkeypatch.setenv("no_proxy", "*")
    servers: list[Server] = []

    def start(conversation: Conversation, secure: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(conversation, secure))
        return servers[-1]

    yield start
    for server in servers:
        server.listener.close()


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def drip(connection: socket.socket, data: Iterator[bytes], pause: float = 0.02) -> None:
    for piece in data:
        connection.sendall(piece)
        time.sleep(pause)


def flood(connection: socket.socket, piece: bytes) -> None:
    while True:
        connection.sendall(piece)


def single_bytes(data: bytes) -> Iterator[bytes]:
    return (data[i : i + 1] for i in range(len(data)))


def honest(connection: socket.socket) -> None:
    connection.sendall(head(f"Content-Length: {len(PACKED)}", "Connection: close") + PACKED)


def dripped_header(connection: socket.socket) -> None:
    drip(connection, single_bytes(head(*[f"X-{k}: {'y' * 50}" for k in range(50)])))


def dripped_body(connection: socket.socket) -> None:
    connection.sendall(head(f"Content-Length: {len(PACKED)}"))
    drip(connection, single_bytes(PACKED))


def silence(connection: socket.socket) -> None:
    time.sleep(20)


def silence_in_the_body(connection: socket.socket) -> None:
    connection.sendall(head(f"Content-Length: {len(PACKED)}") + PACKED[:100])
    time.sleep(20)


def endless_status_line(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 ")
    flood(connection, b"O" * 4096)


def endless_header_line(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    flood(connection, b"y" * 4096)


def endless_header_lines(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    flood(connection, b"X: y\r\n" * 50)


def endless_continuation(connection: socket.socket) -> None:
    flood(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 20)


def endless_body(connection: socket.socket) -> None:
    connection.sendall(head())
    flood(connection, b"\x1f\x8b" + bytes(65536))


def endless_body_in_chunks(connection: socket.socket) -> None:
    connection.sendall(head("Transfer-Encoding: chunked"))
    flood(connection, b"1\r\nx\r\n" * 1000)


def endless_trailer(connection: socket.socket) -> None:
    connection.sendall(head("Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\n")
    flood(connection, b"X: y\r\n" * 50)


def endless_page_of_a_redirection(connection: socket.socket) -> None:
    connection.sendall(head("Location: /elsewhere", status="302 Found"))
    flood(connection, bytes(4096))


def endless_page_of_an_error(connection: socket.socket) -> None:
    connection.sendall(head(status="500 Broken"))
    flood(connection, bytes(4096))


def circle(connection: socket.socket) -> None:
    connection.sendall(head("Location: /data.gz", "Content-Length: 0", "Connection: close", status="302 Found"))


NUMBERS = itertools.count()


def wandering(connection: socket.socket) -> None:
    place = f"Location: /{next(NUMBERS)}"
    connection.sendall(head(place, "Content-Length: 0", "Connection: close", status="301 Moved"))


def redirected_to_a_file(connection: socket.socket) -> None:
    connection.sendall(head("Location: file:///etc/hostname", "Content-Length: 0", status="302 Found"))


def redirected_to_ftp(connection: socket.socket) -> None:
    connection.sendall(head("Location: ftp://127.0.0.1/data.gz", "Content-Length: 0", status="302 Found"))


def one_byte_at_each_visit(connection: socket.socket) -> None:
    connection.sendall(head(f"Content-Length: {len(PACKED)}", status="206 Partial") + b"x")


def length_far_too_large(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: 99999999999999") + PACKED)
    time.sleep(20)


def length_of_many_digits(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: " + "9" * 5000) + PACKED)


def length_below_zero(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: -5") + b"short")


def length_that_is_no_number(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: many") + b"short")


def length_too_short(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: 10") + PACKED)


def length_too_long(connection: socket.socket) -> None:
    connection.sendall(head(f"Content-Length: {len(PACKED) + 50}") + PACKED[: len(PACKED) // 2])


HOSTILE = [
    dripped_header, dripped_body, silence, silence_in_the_body, endless_status_line, endless_header_line,
    endless_header_lines, endless_continuation, endless_body, endless_body_in_chunks, endless_trailer,
    endless_page_of_a_redirection, endless_page_of_an_error, circle, wandering, redirected_to_a_file, redirected_to_ftp,
    one_byte_at_each_visit, length_far_too_large, length_of_many_digits, length_below_zero, length_that_is_no_number,
    length_too_short, length_too_long,
]  # fmt: skip


@pytest.mark.parametrize("conversation", HOSTILE, ids=lambda conversation: conversation.__name__)
def test_a_hostile_server_is_left_behind(
    serve: Callable[..., Server], tmp_path: Path, conversation: Conversation
) -> None:
    mirrors = [serve(conversation).url, serve(honest).url]
    fetch((FILE,), tmp_path, mirrors, title="", progress=False, limits=LIMITS)
    assert [path.name for path in tmp_path.iterdir()] == ["data.gz"]
    assert (tmp_path / "data.gz").read_bytes() == PACKED


@pytest.mark.parametrize("conversation", [endless_body, endless_body_in_chunks], ids=lambda c: c.__name__)
def test_an_endless_body_does_not_fill_the_disk(
    serve: Callable[..., Server], tmp_path: Path, conversation: Conversation
) -> None:
    with pytest.raises(StorageError, match="cannot download data"):
        fetch((FILE,), tmp_path, [serve(conversation).url], title="", progress=False, limits=LIMITS)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * FILE.size + (1 << 17)


def test_a_length_that_is_too_large_is_refused_before_a_byte_of_it_is_kept(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"announces 99,999,999,999,999 bytes, where at most [\d,]+ are expected"):
        fetch((FILE,), tmp_path, [serve(length_far_too_large).url], title="", progress=False, limits=LIMITS)
    assert list(tmp_path.iterdir()) == []


def test_all_mirrors_together_have_a_deadline(serve: Callable[..., Server], tmp_path: Path) -> None:
    servers = [serve(dripped_body) for _ in range(20)]
    short = Limits(silence=60, window=60, least_speed=1, source=60, overall=1.5)
    with pytest.raises(StorageError, match=r"took longer than 1\.5 s in all"):
        fetch((FILE,), tmp_path, [server.url for server in servers], title="", progress=False, limits=short)
    assert sum(server.connections for server in servers) == 1


def test_slow_but_steady_is_good_enough(serve: Callable[..., Server], tmp_path: Path) -> None:
    def slow(connection: socket.socket) -> None:
        connection.sendall(head(f"Content-Length: {len(CONTENT)}"))
        drip(connection, (CONTENT[i : i + 2000] for i in range(0, len(CONTENT), 2000)), 0.01)

    patient = Limits(silence=60, window=0.1, least_speed=100, source=60, overall=60)
    fetch((FILE,), tmp_path, [serve(slow).url], title="", progress=False, limits=patient)
    assert (tmp_path / "data").read_bytes() == CONTENT


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The secure side of a server on 127.0.0.1, which clients of this test trust."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", *names]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_the_same_holds_for_secure_connections(
    serve: Callable[..., Server], certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    hostile = [dripped_header, dripped_body, silence_in_the_body, endless_header_lines, endless_body]
    mirrors = [serve(one, certificate).url for one in (*hostile, honest)]
    fetch((FILE,), tmp_path, mirrors, title="", progress=False, limits=LIMITS)
    assert (tmp_path / "data.gz").read_bytes() == PACKED


TITLE = "\x1b]0;owned\x07 \x9b31m [red]"


@pytest.mark.parametrize(
    "answer",
    [
        head(status=f"503 {TITLE}"),
        head(f"Location: file:///{TITLE}", "Content-Length: 0", status=f"302 {TITLE}"),
        head(f"Location: {TITLE}://x", "Content-Length: 0", status="302 Found"),
        head(f"Content-Length: {TITLE}") + b"short",
        f"{TITLE} 200 OK\r\n\r\n".encode("latin-1"),
        f"HTTP/1.1 {TITLE} OK\r\n\r\n".encode("latin-1"),
        head("Transfer-Encoding: chunked") + f"{TITLE}\r\nx\r\n".encode("latin-1"),
    ],
    ids=["reason", "file", "scheme", "length", "protocol", "status", "chunk"],
)
def test_what_a_server_says_is_shown_escaped_and_cut(
    serve: Callable[..., Server], tmp_path: Path, answer: bytes
) -> None:
    with pytest.raises(StorageError) as caught:
        fetch((FILE,), tmp_path, [serve(lambda c: c.sendall(answer)).url], title="", progress=False, limits=LIMITS)
    lines = str(caught.value).split("\n")
    assert len(lines) == 3
    assert all(shown(line) == line and len(line) < 600 for line in lines)


def test_a_long_reason_is_cut(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(lambda connection: connection.sendall(head(status="500 " + "x" * 30_000)))
    with pytest.raises(StorageError) as caught:
        fetch((FILE,), tmp_path, [server.url], title="", progress=False, limits=LIMITS)
    assert len(str(caught.value)) < 1000
