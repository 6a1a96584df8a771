"""The IDX format of MNIST: read it without trusting it, write it so that no half file is ever seen.

Layout: two zero bytes, one byte for the element type, one byte for the number of axes, then one big-endian
uint32 per axis, then the elements, row-major and big-endian. A gzip file is recognised by its first two
bytes, never by its name.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.atomic import write_atomically
from chainrule.errors import DtypeError, FileFormatError, ShapeError, StorageError

ELEMENT_TYPES: Final[dict[int, np.dtype[Any]]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_NDIM: Final = 32  # the limit of NumPy before version 2
_DEFLATE_LIMIT: Final = 1032  # DEFLATE cannot expand one byte to more than this
_CHUNK: Final = 1 << 20


def read_idx(path: str | Path) -> NDArray[Any]:
    """The array in an IDX file, plain or gzip, in the byte order of this machine.

    Memory grows with what the file really holds, not with what its header claims.
    Raises StorageError if the file cannot be read, FileFormatError if it is not a whole IDX file.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stored = path.stat().st_size
            if not packed:
                return _read_stream(raw, path, limit=stored)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _read_stream(stream, path, limit=_DEFLATE_LIMIT * stored)  # type: ignore[arg-type]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: the gzip data is truncated or corrupt ({error})") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def _read_stream(stream: BinaryIO, path: Path, limit: int) -> NDArray[Any]:
    """Read header and elements; `limit` is the largest number of bytes that the file can possibly hold."""
    dtype, shape = _read_header(stream, path)
    expected = math.prod(shape) * dtype.itemsize
    if expected > limit:
        raise FileFormatError(
            f"{path}: the header promises {shape} elements of {dtype.name} = {expected} bytes,"
            f" more than the file can hold; it is truncated or its header is corrupt"
        )
    if math.prod(size or 1 for size in shape) * dtype.itemsize > sys.maxsize:  # NumPy has no such array, however empty
        raise FileFormatError(f"{path}: the header promises no element, in the shape {shape}, which is too large")
    content = bytearray()
    while len(content) < expected:
        chunk = stream.read(min(_CHUNK, expected - len(content)))
        if not chunk:
            raise FileFormatError(
                f"{path}: truncated: {shape} elements of {dtype.name} need {expected} bytes,"
                f" the file ends after {len(content)}"
            )
        content += chunk
    if stream.read(1):
        raise FileFormatError(f"{path}: more bytes follow after the {expected} that {shape} elements need")
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise FileFormatError(f"{path}: an IDX file starts with 4 bytes, this one has {len(magic)}")
    zero, code, ndim = struct.unpack(">HBB", magic)
    if zero != 0 or code not in ELEMENT_TYPES:
        known = ", ".join(f"00 00 {c:02x}" for c in ELEMENT_TYPES)
        raise FileFormatError(f"{path}: not an IDX file: it starts with {magic[:3].hex(' ')}, expected one of {known}")
    if not 1 <= ndim <= MAX_NDIM:
        raise FileFormatError(f"{path}: the header gives {ndim} axes, expected 1 to {MAX_NDIM}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise FileFormatError(f"{path}: truncated inside the header, {ndim} axes need {4 * ndim} bytes")
    return ELEMENT_TYPES[code], struct.unpack(f">{ndim}I", sizes)


def encode_idx(array: NDArray[Any]) -> bytes:
    """The IDX bytes of `array` (1 to 32 axes; uint8, int8, int16, int32, float32 or float64)."""
    array = np.asarray(array)
    codes = {dtype.newbyteorder("="): code for code, dtype in ELEMENT_TYPES.items()}
    code = codes.get(array.dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(dtype.name for dtype in codes)
        raise DtypeError(f"IDX cannot hold {array.dtype}; convert the array to one of {known}")
    if not 1 <= array.ndim <= MAX_NDIM or any(size >= 1 << 32 for size in array.shape):
        raise ShapeError(f"IDX holds 1 to {MAX_NDIM} axes shorter than 2**32, not shape {array.shape}")
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(ELEMENT_TYPES[code], copy=False).tobytes()


def write_idx(path: str | Path, array: NDArray[Any], *, compress: bool | None = None) -> None:
    """Write `array` as an IDX file, whole or not at all.

    `compress=None` writes gzip when the name ends in ".gz". The same array gives the same bytes at any time.
    """
    path = Path(path)
    content = encode_idx(array)
    if path.suffix == ".gz" if compress is None else compress:
        buffer = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
            stream.write(content)
        content = buffer.getvalue()
    write_atomically(path, content)
