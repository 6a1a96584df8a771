"""The IDX reader: every element type, every way a file can be broken; the writer: whole or not at all."""

from __future__ import annotations

import gzip
import math
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.data.idx import ELEMENT_TYPES, encode_idx, read_idx, write_idx
from chainrule.errors import ChainruleError, DtypeError, FileFormatError, ShapeError, StorageError

GOOD = struct.pack(">HBB2I", 0, 0x08, 2, 2, 3) + bytes(range(6))


def put(folder: Path, content: bytes, *, packed: bool = False) -> Path:
    path = folder / "file"
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    array = read_idx(put(tmp_path, GOOD))
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])
    shorts = struct.pack(">HBBI", 0, 0x0B, 1, 2) + b"\x01\x00\xff\xfe"
    array = read_idx(put(tmp_path, shorts))
    assert array.dtype == np.dtype("=i2")
    np.testing.assert_array_equal(array, [256, -2])


@pytest.mark.parametrize("name", ["a.idx", "a.idx.gz"])
@pytest.mark.parametrize("dtype", [d.newbyteorder("=") for d in ELEMENT_TYPES.values()], ids=str)
def test_every_element_type_comes_back(tmp_path: Path, dtype: np.dtype, name: str) -> None:
    array = (np.arange(-60, 60) * 1.5).reshape(2, 3, 4, 5).astype(np.int64).astype(dtype)
    write_idx(tmp_path / name, array)
    back = read_idx(tmp_path / name)
    assert back.dtype == dtype
    assert back.flags.writeable
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, array)


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=5, min_side=0, max_side=4)))
def test_any_array_comes_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("idx") / "a.gz"
    write_idx(path, array)
    back = read_idx(path)
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_gzip_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    plain = tmp_path / "plain.gz"
    packed = tmp_path / "packed"
    write_idx(plain, np.arange(3, dtype=np.uint8), compress=False)
    write_idx(packed, np.arange(3, dtype=np.uint8), compress=True)
    assert plain.read_bytes()[:2] == b"\0\0"
    assert packed.read_bytes()[:2] == b"\x1f\x8b"
    np.testing.assert_array_equal(read_idx(plain), read_idx(packed))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0"),
        (b"\0\0\x08", "has 3"),
        (b"hello world", "not an IDX file"),
        (b"\0\0\x07\x01" + bytes(8), "not an IDX file"),
        (b"\0\1\x08\x01" + bytes(8), "not an IDX file"),
        (b"\0\0\x08\x00" + bytes(8), "0 axes"),
        (b"\0\0\x08\xff" + bytes(2000), "255 axes"),
        (GOOD[:9], "truncated"),
        (GOOD[:-1], "truncated|promises"),
        (GOOD[:12], "truncated|promises"),
        (GOOD + b"\0", "more bytes follow"),
        (struct.pack(">HBB3I", 0, 0x0E, 3, *(3 * [2**32 - 1])) + bytes(64), "promises"),
        (struct.pack(">HBB3I", 0, 0x08, 3, 0, 2**32 - 1, 2**32 - 1), "no element"),
    ],
)
def test_broken_content_is_named(tmp_path: Path, content: bytes, message: str, packed: bool) -> None:
    path = put(tmp_path, content, packed=packed)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_broken_gzip_is_named(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD)
    flipped = bytearray(packed)
    flipped[-6] ^= 0xFF  # inside the checksum
    for content in (packed[:2], packed[:9], packed[:-9], packed[:-1], bytes(flipped), packed + b"tail"):
        path = put(tmp_path, content)
        with pytest.raises(FileFormatError, match="truncated or corrupt"):
            read_idx(path)


@settings(max_examples=200)
@given(st.data())
def test_any_damage_gives_an_error_or_an_array(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([GOOD, gzip.compress(GOOD, mtime=0)])))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = put(tmp_path_factory.mktemp("idx"), bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        assert read_idx(path).size <= 6
    except ChainruleError as error:
        assert type(error) is FileFormatError  # noqa: PT017


@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_lies_costs_no_memory(tmp_path: Path, packed: bool) -> None:
    promised = struct.pack(">HBB3I", 0, 0x08, 3, 1000, 1000, 1000)  # a gigabyte
    path = put(tmp_path, promised + os.urandom(2_000_000), packed=packed)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=r"truncated"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    header = struct.pack(">HBBI", 0, 0x08, 1, 10)
    packer = zlib.compressobj(9, wbits=31)
    content = packer.compress(header) + packer.compress(bytes(100_000_000)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="more bytes follow"):
            read_idx(put(tmp_path, content))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(StorageError, match="cannot read"):
            read_idx(path)


def test_the_writer_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 9, (50, 4), dtype=np.int32)
    write_idx(tmp_path / "a.gz", array)
    write_idx(tmp_path / "b.gz", np.asfortranarray(array))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_the_writer_replaces_whole_files_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.idx"
    write_idx(path, np.arange(3, dtype=np.uint8))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_idx(path, np.arange(300, dtype=np.uint8))
    np.testing.assert_array_equal(read_idx(path), [0, 1, 2])
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_writer_refuses(tmp_path: Path) -> None:
    for array in (
        np.arange(3),
        np.zeros(2, np.uint32),
        np.zeros(2, complex),
        np.array(["a"]),
        np.zeros(2, bool),
    ):
        with pytest.raises(DtypeError, match="IDX cannot hold"):
            write_idx(tmp_path / "a", array)
    with pytest.raises(ShapeError):
        write_idx(tmp_path / "a", np.float32(1))
    with pytest.raises(StorageError, match="cannot write"):
        write_idx(tmp_path / "absent" / "a", np.zeros(2, np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_header_layout() -> None:
    content = encode_idx(np.zeros((2, 3), np.float32))
    assert content[:12] == b"\0\0\x0d\x02\0\0\0\x02\0\0\0\x03"
    assert len(content) == 12 + 4 * math.prod((2, 3))
