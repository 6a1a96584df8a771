"""Downloading from a local server that behaves well, badly, and maliciously."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import load_mnist, mnist
from chainrule.data.download import RemoteFile, fetch
from chainrule.data.idx import encode_idx
from chainrule.errors import ArgumentError, ChainruleError, StorageError

RNG = np.random.default_rng(0)
CONTENT = {
    "train-images-idx3-ubyte": encode_idx(RNG.integers(0, 256, (60, 28, 28), dtype=np.uint8)),
    "train-labels-idx1-ubyte": encode_idx(np.arange(60, dtype=np.uint8) % 10),
    "t10k-images-idx3-ubyte": encode_idx(RNG.integers(0, 256, (10, 28, 28), dtype=np.uint8)),
    "t10k-labels-idx1-ubyte": encode_idx(np.arange(10, dtype=np.uint8)),
}
FILES = tuple(RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items())
ONE = FILES[0]
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENT.items()}
BIG = PACKED[f"{ONE.name}.gz"]


class Mirror:
    """What one mirror serves and how it misbehaves; `log` keeps (path, Range header) of every request."""

    def __init__(self, files: dict[str, bytes], *, cut_after: int | None = None, ranges: bool = True) -> None:
        self.files, self.cut_after, self.ranges = files, cut_after, ranges
        self.log: list[tuple[str, str | None]] = []
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, *args: object) -> None:
        self.mirror = mirror
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        mirror, wanted = self.mirror, self.headers["Range"]
        mirror.log.append((self.path, wanted))
        content = mirror.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and mirror.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body if mirror.cut_after is None else body[: mirror.cut_after])

    def log_message(self, *args: object) -> None:
        pass


class Serve:
    """Starts mirrors and stops them after the test."""

    def __init__(self) -> None:
        self.servers: list[ThreadingHTTPServer] = []

    def __call__(self, files: dict[str, bytes] | None = None, **behaviour: object) -> Mirror:
        mirror = Mirror(PACKED if files is None else files, **behaviour)  # type: ignore[arg-type]
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, mirror))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.servers.append(server)
        mirror.url = f"http://127.0.0.1:{server.server_port}/mnist/"
        return mirror


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(mnist, "FILES", FILES)
    serving = Serve()
    yield serving
    for server in serving.servers:
        server.shutdown()
        server.server_close()


def get(folder: Path, *mirrors: Mirror | str, files: tuple[RemoteFile, ...] = (ONE,)) -> None:
    addresses = [mirror if isinstance(mirror, str) else mirror.url for mirror in mirrors]
    fetch(files, folder, addresses, title="test", progress=False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_plain_download_of_all_files(serve: Serve, tmp_path: Path) -> None:
    mirror = serve()
    get(tmp_path, mirror, files=FILES)
    assert names(tmp_path) == sorted(PACKED)
    assert all((tmp_path / name).read_bytes() == content for name, content in PACKED.items())
    get(tmp_path, mirror, files=FILES)
    assert len(mirror.log) == 4  # what is there is not fetched again


def test_a_mirror_that_keeps_files_uncompressed(serve: Serve, tmp_path: Path) -> None:
    get(tmp_path, serve(CONTENT), files=FILES)
    assert names(tmp_path) == sorted(CONTENT)


def test_plain_content_under_a_gz_name_is_stored_under_its_true_name(serve: Serve, tmp_path: Path) -> None:
    get(tmp_path, serve({f"{ONE.name}.gz": CONTENT[ONE.name]}))
    assert names(tmp_path) == [ONE.name]


def test_another_compression_of_the_same_content_is_right(serve: Serve, tmp_path: Path) -> None:
    get(tmp_path, serve({f"{ONE.name}.gz": gzip.compress(CONTENT[ONE.name], 1)}))
    assert names(tmp_path) == [f"{ONE.name}.gz"]


def test_a_cut_connection_is_resumed_where_it_broke(serve: Serve, tmp_path: Path) -> None:
    mirror = serve(cut_after=len(BIG) // 3)
    get(tmp_path, mirror)
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG
    starts = [None if wanted is None else int(wanted[6:-1]) for _, wanted in mirror.log]
    assert starts[0] is None
    assert starts[1:4] == [len(BIG) // 3, 2 * (len(BIG) // 3), 3 * (len(BIG) // 3)][: len(starts) - 1]
    assert names(tmp_path) == [f"{ONE.name}.gz"]


def test_a_download_is_resumed_by_the_next_call(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / f"{ONE.name}.part").write_bytes(BIG[:5000])
    mirror = serve()
    get(tmp_path, mirror)
    assert mirror.log == [(f"/mnist/{ONE.name}.gz", "bytes=5000-")]
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG


def test_a_complete_part_file_needs_no_request(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / f"{ONE.name}.part").write_bytes(BIG)
    mirror = serve()
    get(tmp_path, mirror)
    assert mirror.log == []
    assert names(tmp_path) == [f"{ONE.name}.gz"]


def test_the_next_mirror_resumes_what_the_first_began(serve: Serve, tmp_path: Path) -> None:
    first, second = serve(cut_after=5000, ranges=False), serve()
    get(tmp_path, first, second)
    assert second.log == [(f"/mnist/{ONE.name}.gz", "bytes=5000-")]


def test_a_server_that_ignores_range_sends_everything_again(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / f"{ONE.name}.part").write_bytes(b"stale")
    mirror = serve(ranges=False)
    get(tmp_path, mirror)
    assert mirror.log == [(f"/mnist/{ONE.name}.gz", "bytes=5-")]
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG


@pytest.mark.parametrize("stale", [b"stale", b"x" * 10_000_000], ids=["shorter", "longer"])
def test_a_stale_part_file_is_thrown_away(serve: Serve, tmp_path: Path, stale: bytes) -> None:
    (tmp_path / f"{ONE.name}.part").write_bytes(stale)
    mirror = serve()
    get(tmp_path, mirror)
    assert [wanted for _, wanted in mirror.log] == [f"bytes={len(stale)}-", None]
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG


WRONG = {
    "page": b"<html>This page has moved</html>",
    "truncated": BIG[:-100],
    "damaged": BIG[:1000] + bytes(20) + BIG[1020:],
    "other": gzip.compress(CONTENT[ONE.name][:-1] + b"!"),
    "tail": BIG + b"tail",
    "empty": b"",
    "bomb": gzip.compress(bytes(50_000_000)),
    "endless": bytes(50_000_000),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_wrong_content_leads_to_the_next_mirror(serve: Serve, tmp_path: Path, content: bytes) -> None:
    get(tmp_path, serve({f"{ONE.name}.gz": content}), serve())
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG
    assert names(tmp_path) == [f"{ONE.name}.gz"]


def test_a_wrong_file_on_disk_is_replaced(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / f"{ONE.name}.gz").write_bytes(b"left by an accident")
    get(tmp_path, serve())
    assert (tmp_path / f"{ONE.name}.gz").read_bytes() == BIG


def test_when_all_fail_each_reason_and_the_way_out_are_named(serve: Serve, tmp_path: Path) -> None:
    wrong, absent = serve({f"{ONE.name}.gz": b"wrong"}), serve({})
    stopped = "http://127.0.0.1:9/"
    with pytest.raises(StorageError) as caught:
        get(tmp_path, wrong, absent, stopped, "no address", "gopher://x/")
    message = str(caught.value)
    for part in (
        f"{wrong.url}: wrong content (SHA-256 differs)",
        f"{absent.url}: HTTP 404",
        f"{stopped}: ",
        "no address: unknown url type",
        "gopher",
        f"put {ONE.name}.gz",
        str(tmp_path),
        "CHAINRULE_DATA",
    ):
        assert part in message
    assert names(tmp_path) == []


def test_a_full_disk_is_not_blamed_on_the_mirror(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = serve(), serve()
    (tmp_path / f"{ONE.name}.part").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        get(tmp_path, first, second)
    assert second.log == []


def test_progress_is_shown_on_standard_error_only(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch((ONE,), tmp_path, [serve().url], title="MNIST", progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"MNIST {ONE.name}" in printed.err


def test_mirrors_must_be_a_list(tmp_path: Path) -> None:
    for mirrors in ([], "http://127.0.0.1/"):
        with pytest.raises(ArgumentError, match="list"):
            fetch((ONE,), tmp_path, mirrors, title="", progress=False)


# --- where MNIST is looked for ---


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_mnist_is_downloaded_into_the_cache_once(serve: Serve, home: Path) -> None:
    mirror = serve()
    for _ in range(2):
        dataset = load_mnist(mirrors=[mirror.url], progress=False)
        assert dataset.name == "mnist"
        assert dataset.train_images.shape == (60, 1, 28, 28)
        assert dataset.class_names == tuple("0123456789")
    assert len(mirror.log) == 4
    assert mnist.find_mnist() == home / "cache" / "chainrule" / "mnist"


@pytest.mark.parametrize("place", [".", "mnist"])
def test_CHAINRULE_DATA_names_the_folder_or_its_parent(home: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    folder = home / "data" / place
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("CHAINRULE_DATA", str(home / "data"))
    assert load_mnist(mirrors=["http://127.0.0.1:9/"]).test_images.shape == (10, 1, 28, 28)


def test_an_unfinished_folder_is_not_taken_for_mnist(serve: Serve, home: Path) -> None:
    folder = home / "cache" / "chainrule" / "mnist"
    folder.mkdir(parents=True)
    (folder / f"{ONE.name}.part").write_bytes(BIG[:100])
    assert mnist.find_mnist() is None
    load_mnist(mirrors=[serve().url], progress=False)
    assert mnist.find_mnist() == folder


def test_cache_folder_of_each_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    for platform, expected in {
        "linux": ".cache/chainrule",
        "darwin": "Library/Caches/chainrule",
        "win32": "Local/chainrule/Cache",
    }.items():
        monkeypatch.setattr("sys.platform", platform)
        assert mnist.cache_folder() == tmp_path / expected


def test_a_cache_that_cannot_be_created(home: Path) -> None:
    (home / "cache").write_text("a file stands in the way")
    with pytest.raises(StorageError, match="cannot create"):
        load_mnist(mirrors=["http://127.0.0.1:9/"])


def test_the_real_mirrors_and_sums_are_well_formed() -> None:
    assert len(mnist.MIRRORS) >= 3
    assert all(url.startswith("https://") and url.endswith("/") for url in mnist.MIRRORS)
    assert {len(file.sha256) for file in mnist.FILES} == {64}
    assert issubclass(StorageError, ChainruleError)
