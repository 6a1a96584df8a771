"""Tensors of a file as NumPy arrays: of the length that their shape says, from the file itself or from its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import FileFormatError, StorageError
from chainrule.memory import require_memory
from chainrule.shapes import product, shown

_PLAIN = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8",
          12: "<u4", 13: "<u8"}  # fmt: skip
"""ONNX's element types that NumPy has too."""
_STRING, _BFLOAT16, _EXTERNAL = 8, 16, 1
_FIELDS = {1: "float_data", 11: "double_data", 7: "int64_data", 12: "uint64_data", 13: "uint64_data"}
"""Where values lie that are not raw bytes; those of all other types lie in int32_data."""


def tensor_array(tensor: Any, folder: Path, what: str) -> Array:
    """A TensorProto as an array; bfloat16 comes as float32, which holds each of its numbers.

    Raises FileFormatError where its data is not what its shape and type say.
    """
    shape = tuple(tensor.dims)
    if any(extent < 0 for extent in shape):
        raise FileFormatError(f"{what} has the shape {list(shape)}")
    count = product(shape)
    if tensor.data_type == _STRING:
        _expect(what, len(tensor.string_data), count, "texts")
        return np.array([s.decode("utf-8", "replace") for s in tensor.string_data], object).reshape(shape)
    if tensor.data_type != _BFLOAT16 and tensor.data_type not in _PLAIN:
        raise FileFormatError(f"{what} holds numbers of ONNX's type {tensor.data_type}, which is not read")
    dtype = np.dtype("<u2" if tensor.data_type == _BFLOAT16 else _PLAIN[tensor.data_type])
    if tensor.data_location == _EXTERNAL:
        flat = np.frombuffer(_outside(tensor, folder, what, count * dtype.itemsize), dtype)
    elif tensor.HasField("raw_data"):
        _expect(what, len(tensor.raw_data), count * dtype.itemsize, "bytes")
        flat = np.frombuffer(tensor.raw_data, dtype)
    else:
        flat = _listed(tensor, dtype, what, count)
    if tensor.data_type == _BFLOAT16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.astype(flat.dtype.newbyteorder("=")).reshape(shape)


def _expect(what: str, given: int, wanted: int, unit: str) -> None:
    if given != wanted:
        size = f"2^{wanted.bit_length() - 1} or more" if wanted.bit_length() > 64 else f"{wanted:,}"
        raise FileFormatError(f"{what} should hold {size} {unit}, but holds {given:,}")


def _listed(tensor: Any, dtype: np.dtype[Any], what: str, count: int) -> Array:
    """Values that stand one by one in the file. Halves stand there as the integers of their bits."""
    values = getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))
    _expect(what, len(values), count, "numbers")
    wide = np.fromiter(values, np.dtype(_PLAIN.get(tensor.data_type, "<i8") if dtype.kind == "f" and dtype.itemsize > 2
                                        else ("<u8" if dtype == np.uint64 else "<i8")), count)  # fmt: skip
    if dtype.kind == "f" and dtype.itemsize == 2:
        return wide.astype(np.uint16).view(dtype)
    return wide.astype(dtype)


def _outside(tensor: Any, folder: Path, what: str, size: int) -> bytes:
    """Data that lies beside the file: in its folder or below, in a regular file, not behind a link."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    parts = Path(location).parts
    if not location or "\0" in location or "\\" in location or Path(location).is_absolute() or ".." in parts:
        raise FileFormatError(f"{what} lies in {shown(location)}, which is not a file in the model's folder")
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise FileFormatError(f"{what} lies in {shown(location)}, which is a link and is not followed")
    if not path.is_file():
        raise StorageError(f"{what} lies in {shown(location)}, which is missing from the model's folder")
    offset, length = (_natural(entries, key, what) for key in ("offset", "length"))
    _expect(what, size if length is None else length, size, "bytes")
    require_memory(size, what, "import a smaller model", FileFormatError)
    try:
        with path.open("rb") as file:
            there = os.fstat(file.fileno()).st_size
            if (offset or 0) + size > there:
                raise FileFormatError(f"{what} should end at byte {(offset or 0) + size:,} of {shown(location)}, "
                                      f"which has {there:,}")  # fmt: skip
            file.seek(offset or 0)
            content = file.read(size)
    except OSError as error:
        raise StorageError(f"{what} lies in {shown(location)}, which cannot be read: {error.strerror}") from None
    _expect(what, len(content), size, "bytes")
    return content


def _natural(entries: dict[str, str], key: str, what: str) -> int | None:
    text = entries.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise FileFormatError(f"{what} has the {key} {shown(text)}, which is not a number of bytes")
    return int(text)
