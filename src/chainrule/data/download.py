"""Fetch files of known content from a list of mirrors: resumed, checked, and put in place in one step.

The modules of the web are imported where they are used, since most users never download anything.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.data.idx import GZIP_MAGIC
from chainrule.data.limits import LIMITS, Limits, SourceError
from chainrule.errors import ArgumentError, DownloadError, StorageError, shown

if TYPE_CHECKING:
    from urllib.error import HTTPError

    from chainrule.data.connection import Pace

Report = Callable[[int, int | None], None]  # bytes so far, bytes in all if known

_CHUNK: Final = 1 << 16
_SAID: Final = 200  # characters of what a server says are shown


@dataclass(frozen=True)
class RemoteFile:
    """A file that mirrors serve as `name`.gz or `name`; size and SHA-256 are of the decompressed content.

    With `as_served` mirrors serve just `name`, and both are of the bytes as they come, packed or not.
    """

    name: str
    size: int
    sha256: str
    as_served: bool = False

    @property
    def most(self) -> int:
        """Bytes that a download can have: the content, or what gzip makes of it at its worst."""
        return self.size + self.size // 100 + 1024


def fetch(
    files: Sequence[RemoteFile],
    folder: Path,
    mirrors: Sequence[str],
    *,
    title: str,
    progress: bool,
    limits: Limits = LIMITS,
) -> None:
    """Bring all `files` into `folder`; those that are there with the right content are not touched.

    A download in progress is `<name>.part`; it is resumed by the next call, also in a new process. A mirror that is
    silent, slow or sends too much is given up as `limits` says.
    Raises DownloadError naming each mirror's failure and what to do by hand.
    """
    if isinstance(mirrors, str) or not mirrors:
        raise ArgumentError(f"mirrors must be a list of one or more addresses, got {mirrors!r}")
    missing = [file for file in files if not any(_is_right(path, file) for path in _places(folder, file))]
    end = time.monotonic() + limits.overall
    with _progress_bars(title, enabled=progress and bool(missing)) as bar_for:
        for file in missing:
            _fetch_one(file, folder, mirrors, bar_for(file.name), limits, end)


def _places(folder: Path, file: RemoteFile) -> tuple[Path, Path]:
    """Where the packed and the plain content belong."""
    return folder / (file.name if file.as_served else f"{file.name}.gz"), folder / file.name


def _fetch_one(
    file: RemoteFile, folder: Path, mirrors: Sequence[str], report: Report, limits: Limits, end: float
) -> None:
    from chainrule.data.connection import Pace

    failures = []
    part = folder / f"{file.name}.part"
    for mirror in mirrors:
        try:
            _from_mirror(f"{mirror.rstrip('/')}/{file.name}", part, file, report, Pace(limits, end))
        except SourceError as error:
            failures.append(f"  {shown(mirror)}: {shown(error, _SAID)}")
            if time.monotonic() >= end:
                break
            continue
        packed, plain = _places(folder, file)
        with _storage(part):
            with part.open("rb") as stream:
                target = packed if stream.read(2) == GZIP_MAGIC else plain
            part.replace(target)
        return
    name = shown(file.name) if file.as_served else f"{shown(file.name)}.gz (or without .gz)"
    raise DownloadError(
        f"cannot download {shown(file.name)}:\n" + "\n".join(failures) + "\nCheck the connection and try again, or"
        f" put {name} from another source into {shown(folder)}, or set CHAINRULE_DATA to a folder that has it"
    )


def _from_mirror(url: str, part: Path, file: RemoteFile, report: Report, pace: Pace) -> None:
    """Fill `part` with the right content from one mirror, or raise SourceError.

    A broken connection is taken up again as long as each attempt gets further than any before.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError

    address, furthest = url if file.as_served else f"{url}.gz", _size(part)
    while not _is_right(part, file):
        before = _size(part)
        try:
            finished = _append(address, part, file.most, report, pace)
        except HTTPError as error:
            error.close()
            if error.code == 404 and address != url:
                address = url  # this mirror keeps the file uncompressed
                continue
            if error.code != 416 or not before:
                raise SourceError(_said(error)) from error
            finished, reason = True, ""  # 416: the server has no byte beyond those in `part`
        except StorageError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            finished, reason = False, str(getattr(error, "reason", error)) or type(error).__name__
        else:
            reason = "the connection ended early"
        if finished and not _is_right(part, file):
            _remove(part)  # wrong bytes must not be resumed
            if not before:
                raise SourceError("wrong content (SHA-256 differs)")
            furthest = 0  # the bytes of an older download may be to blame: once more, from the start
        elif not finished:
            if _size(part) <= furthest:
                raise SourceError(reason)
            furthest = _size(part)


def _said(error: HTTPError) -> str:
    """The status of an answer; about redirections in a circle urllib writes three lines."""
    text = f"HTTP {error.code} {error.reason}".split("\n")[0]
    return f"HTTP {error.code}: it redirects in circles" if "infinite loop" in text else text


def _append(url: str, part: Path, most: int, report: Report, pace: Pace) -> bool:
    """Ask for the bytes after those in `part` and append them; True if the server sent all it promised."""
    from urllib.request import Request

    from chainrule.data.connection import open_url

    have = _size(part)
    request = Request(url, headers={"User-Agent": "chainrule", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with open_url(request, pace) as response:
        if response.status != 206:  # the server ignores Range and sends everything
            have = 0
        total = _total(response.headers.get("Content-Length"), have, most)
        pace.allow(2 * most + _CHUNK)  # chunks have a frame
        with _storage(part):
            stream = part.open("ab" if have else "wb")
        with stream:
            while chunk := response.read1(_CHUNK):
                with _storage(part):
                    stream.write(chunk)
                have += len(chunk)
                report(have, total)
                if have > most:
                    return True
    return total is None or have >= total


def _total(length: str | None, have: int, most: int) -> int | None:
    """The size of the file as the server announces it; SourceError where that cannot be."""
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()):
        raise SourceError(f"it announces a length that is no number: {length}")
    if len(length) > 18 or have + int(length) > most:
        announced = f"{int(length):,}" if len(length) <= 18 else "countless"
        raise SourceError(f"it announces {announced} bytes, where at most {most - have:,} are expected")
    return have + int(length)


def _is_right(path: Path, file: RemoteFile) -> bool:
    """Whether `path` holds the content of `file`, gzip or plain; unpacks never past its size."""
    if not path.is_file():
        return False
    digest, count = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            pieces = iter(lambda: stream.read(_CHUNK), b"")
            for piece in pieces if file.as_served else _unpacked(pieces):
                digest.update(piece)
                count += len(piece)
                if count > file.size:
                    return False
    except zlib.error:
        return False
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    return count == file.size and digest.hexdigest() == file.sha256


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    if first[:2] != GZIP_MAGIC:
        yield first
        yield from chunks
        return
    unpacker = zlib.decompressobj(wbits=31)
    chunk: bytes | None = first
    while chunk is not None:
        yield unpacker.decompress(chunk, _CHUNK)
        chunk = unpacker.unconsumed_tail or next(chunks, None)
    yield unpacker.flush()
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error("truncated, or followed by other bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _remove(path: Path) -> None:
    with _storage(path):
        path.unlink(missing_ok=True)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn a failure of the local disk into StorageError, so that it is not blamed on the mirror."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def _progress_bars(title: str, *, enabled: bool) -> Iterator[Callable[[str], Report]]:
    """Yield a function that makes one progress bar per file, on standard error."""
    if not enabled:
        yield lambda _name: lambda _have, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def bar_for(name: str) -> Report:
            task = bars.add_task(f"{title} {name}", total=None)
            return lambda have, total: bars.update(task, completed=have, total=total)

        yield bar_for
