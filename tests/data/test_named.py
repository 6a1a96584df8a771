"""Data sets by name, served by a local server: checked, resumed, unpacked, read as they are kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import data
from chainrule.data.download import RemoteFile
from chainrule.data.idx import encode_idx
from chainrule.data.named import COLLECTIONS, IDX_NAMES, Collection
from chainrule.errors import DownloadError, FileFormatError, NameLookupError
from tests.data.test_download import Serve

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8) for count in (52, 26)]
BY_NAME = {collection.name: collection for collection in COLLECTIONS}


def idx_files(classes: int, first: int = 0) -> dict[str, bytes]:
    arrays = [a for images in IMAGES for a in (images, (np.arange(len(images)) % classes + first).astype(np.uint8))]
    return {
        f"{name}.gz": gzip.compress(encode_idx(array), mtime=0) for name, array in zip(IDX_NAMES, arrays, strict=True)
    }


def letters() -> dict[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("gzip/emnist-digits-train-images-idx3-ubyte.gz", b"something else")
        for name, content in idx_files(26, first=1).items():
            file.writestr(f"gzip/emnist-letters-{name.replace('t10k', 'test')}", content)
    return {"gzip.zip": archive.getvalue()}


def cifar(rows: int = 20, cut: int = 0) -> dict[str, bytes]:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for part in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
            records = RNG.integers(0, 256, (rows, 3073), dtype=np.uint8)
            records[:, 0] = np.arange(rows) % 10
            records[:, 1 : 1 + 1024] = 200  # a red plane
            content = records.tobytes()[: rows * 3073 - cut]
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{part}.bin")
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return {"cifar-10-binary.tar.gz": archive.getvalue()}


SERVED = {"fashion-mnist": idx_files(10), "kmnist": idx_files(10), "emnist-letters": letters(), "cifar-10": cifar()}


def twin(name: str, files: dict[str, bytes]) -> Collection:
    """The collection with the sizes and digests of what the local server has."""
    made = tuple(RemoteFile(n, len(c), hashlib.sha256(c).hexdigest(), as_served=True) for n, c in files.items())
    assert {file.name for file in made} == {file.name for file in BY_NAME[name].files}
    return replace(BY_NAME[name], files=made)


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = Serve()
    yield servers
    for server in servers.servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_collection_is_downloaded_once(name: str, serve: Serve) -> None:
    mirror = serve(SERVED[name])
    collection = twin(name, SERVED[name])
    dataset = collection.load(mirrors=[mirror.url], progress=False)
    asked = len(mirror.log)
    again = collection.load(mirrors=["http://127.0.0.1:9/"], progress=False)
    assert len(mirror.log) == asked == len(SERVED[name])
    np.testing.assert_array_equal(dataset.train_images, again.train_images)
    assert dataset.name == name
    assert dataset.class_names == collection.class_names
    assert dataset.preparation == collection.preparation
    assert dataset.input_shape == ((3, 32, 32) if name == "cifar-10" else (1, 28, 28))
    assert set(dataset.train_labels) <= set(range(len(dataset.class_names)))


def test_letters_are_turned_upright_and_counted_from_zero(serve: Serve, tmp_path: Path) -> None:
    mirror = serve(SERVED["emnist-letters"])
    dataset = twin("emnist-letters", SERVED["emnist-letters"]).load(mirrors=[mirror.url], progress=False)
    np.testing.assert_array_equal(dataset.train_images[:, 0], IMAGES[0].transpose(0, 2, 1))
    assert dataset.test_labels.tolist() == list(range(26))
    assert dataset.class_names[0] == "a"
    left = sorted(path.name for path in (tmp_path / "cache" / "chainrule" / "emnist-letters").iterdir())
    assert len(left) == 4, "the archive of all of EMNIST is not kept"


def test_cifar_has_planes_of_colour(serve: Serve) -> None:
    mirror = serve(SERVED["cifar-10"])
    dataset = twin("cifar-10", SERVED["cifar-10"]).load(mirrors=[mirror.url], progress=False)
    assert dataset.train_images.shape == (100, 3, 32, 32)
    assert (dataset.train_images[:, 0] == 200).all()
    assert dataset.test_labels.tolist() == [k % 10 for k in range(20)]


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar-10"])
def test_a_download_that_broke_off_goes_on(name: str, serve: Serve) -> None:
    cut = serve(SERVED[name], cut_after=max(map(len, SERVED[name].values())) // 3)
    dataset = twin(name, SERVED[name]).load(mirrors=[cut.url], progress=False)
    assert len(dataset.train_images)
    assert any(wanted for _, wanted in cut.log), "the rest was asked for"


@pytest.mark.parametrize("name", BY_NAME)
def test_wrong_content_is_never_used(name: str, serve: Serve, tmp_path: Path) -> None:
    other = {file: bytes(len(content)) for file, content in SERVED[name].items()}
    mirror = serve(other)
    with pytest.raises(DownloadError, match="SHA-256 differs"):
        twin(name, SERVED[name]).load(mirrors=[mirror.url], progress=False)
    assert not [path for path in (tmp_path / "cache" / "chainrule" / name).iterdir() if path.suffix != ".part"]


@pytest.mark.parametrize(
    ("name", "files", "says"),
    [
        ("cifar-10", cifar(cut=1), "which are no records of 3073"),
        ("cifar-10", {"cifar-10-binary.tar.gz": b"no archive at all"}, "truncated or corrupt"),
        ("cifar-10", {"cifar-10-binary.tar.gz": cifar()["cifar-10-binary.tar.gz"][:900]}, "truncated or corrupt"),
        ("emnist-letters", {"gzip.zip": b"no archive at all"}, "truncated or corrupt"),
        ("emnist-letters", {"gzip.zip": letters()["gzip.zip"][:500]}, "truncated or corrupt"),
    ],
)
def test_an_archive_that_is_none(name: str, files: Any, says: str, serve: Serve) -> None:
    with pytest.raises(FileFormatError, match=says):
        twin(name, files).load(mirrors=[serve(files).url], progress=False)


def test_files_of_ones_own_are_found_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "own" / "kmnist"
    folder.mkdir(parents=True)
    for name, content in SERVED["kmnist"].items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "own"))
    assert data.load("kmnist").class_names[2] == "su"


def test_names_are_listed_where_one_is_unknown() -> None:
    with pytest.raises(NameLookupError, match="did you mean 'fashion-mnist'"):
        data.load("fashion_mnist")


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda c: c.name)
def test_what_is_known_of_each_file_is_whole(collection: Collection) -> None:
    assert all(len(file.sha256) == 64 and set(file.sha256) <= set("0123456789abcdef") for file in collection.files)
    assert len({file.sha256 for file in collection.files}) == len(collection.files)
    assert all(mirror.startswith(("http://", "https://")) and mirror.endswith("/") for mirror in collection.mirrors)
