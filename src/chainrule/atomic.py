"""Writing a file so that it is either the old one or the new one, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from chainrule.errors import StorageError


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write to a temporary file in the same folder, force it to the disk, then put it in the place of `path`.

    Keeps the permissions of an existing file; a link stays a link. Raises StorageError and removes the temporary file.
    """
    write_together({path: data})


def write_together(files: Mapping[str | Path, bytes]) -> None:
    """`write_atomically` for files that belong together: none takes its place before all of them lie on the disk."""
    ready: list[tuple[Path, Path]] = []
    path: str | Path = ""
    try:
        try:
            for path, data in files.items():
                target = Path(os.path.realpath(path))
                temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
                ready.append((temporary, target))
                _write(temporary, target, data)
            for path, (temporary, target) in zip(files, ready, strict=True):  # noqa: B007  the error names it
                temporary.replace(target)
        except BaseException:
            for temporary, _ in ready:
                with contextlib.suppress(OSError):
                    temporary.unlink()
            raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"cannot write {path}: {reason}; an earlier file of that name is unchanged") from None


def _write(temporary: Path, target: Path, data: bytes) -> None:
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists():
        shutil.copymode(target, temporary)
