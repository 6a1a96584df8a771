"""Writing a file so that it is either the old one or the new one, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from chainrule.errors import StorageError


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write to a temporary file in the same folder, force it to the disk, then put it in the place of `path`.

    Keeps the permissions of an existing file; a link stays a link. Raises StorageError and removes the temporary file.
    """
    try:
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"cannot write {path}: {reason}; an earlier file of that name is unchanged") from None
