"""Weights of Keras 2 and 3 come in turned and reordered; hostile files are refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, FileFormatError, StorageError, WeightsError

h5py = pytest.importorskip("h5py", reason="the extra keras is not installed")
FIXTURES = Path(__file__).with_name("fixtures")
TEXT = (
    "2x6x6 -> conv 3@3x3 pad same -> relu -> batchnorm -> maxpool 2 -> conv 3@3x3 pad same nobias -> dropout 0.2 -> "
    "fc 5 -> tanh -> fc 4"
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The file of Keras 3."""
    path = tmp_path / "net.weights.h5"
    path.write_bytes(gzip.decompress((FIXTURES / "keras3.weights.h5.gz").read_bytes()))
    return path


def keras_answers(net: cr.Network) -> None:
    answers = np.load(FIXTURES / "answers.npz")
    x = np.moveaxis(answers["keras_x"], -1, 1).astype(np.float64)
    np.testing.assert_allclose(net(x), answers["keras_y"], rtol=1e-6, atol=1e-5)


def test_keras_3(weights: Path) -> None:
    net = keras_network()
    answer = cr.load_keras(net, weights)
    keras_answers(net)
    assert str(answer).splitlines()[1].split() == ["conv1.weight", "conv2d.weight", "3x2x3x3", "shape"]


def keras_network() -> cr.Network:
    """The network of the fixtures; BatchNormalization of Keras adds 0.001 to the variance."""
    return cr.Sequential(
        cr.Conv2d(2, 3, 3, padding="same"), cr.ReLU(), cr.BatchNorm2d(3, eps=1e-3), cr.MaxPool2d(2),
        cr.Conv2d(3, 3, 3, padding="same", bias=False), cr.Flatten(), cr.Dropout(0.2), cr.Linear(27, 5), cr.Tanh(),
        cr.Linear(5, 4), input_shape=(2, 6, 6),
    )  # fmt: skip


def test_an_archive_of_keras_3(weights: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(weights, "model.weights.h5")
    net = keras_network()
    cr.load_keras(net, tmp_path / "net.keras")
    keras_answers(net)


def test_keras_2_keeps_its_own_order(weights: Path, tmp_path: Path) -> None:
    """The older form names layers in attributes, in the order of the model."""
    words = {"conv2d": ["kernel", "bias"], "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"],
             "conv2d_1": ["kernel"], "dense": ["kernel", "bias"],
             "dense_1": ["kernel", "bias"], "flatten": []}  # fmt: skip
    with h5py.File(weights) as new, h5py.File(tmp_path / "old.h5", "w") as old:
        old.attrs["layer_names"] = [name.encode() for name in words]
        for layer, names in words.items():
            group = old.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in names]
            for number, name in enumerate(names):
                group.create_dataset(f"{layer}/{name}:0", data=new[f"layers/{layer}/vars/{number}"])
    net = keras_network()
    cr.load_keras(net, tmp_path / "old.h5")
    keras_answers(net)


def test_depthwise_and_one_row_kernels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    depthwise, row = rng.normal(size=(2, 2, 3, 2)), rng.normal(size=(3, 6, 4))
    with h5py.File(tmp_path / "net.weights.h5", "w") as file:
        file["layers/depthwise_conv2d/vars/0"] = depthwise
        file["layers/conv1d/vars/0"] = row
    net = cr.Sequential(cr.Conv2d(3, 6, (2, 2), groups=3, bias=False), input_shape=(3, 2, 6))
    with pytest.raises(WeightsError, match="left over"):
        cr.load_keras(net, tmp_path / "net.weights.h5")
    net = cr.Sequential(
        cr.Conv2d(3, 6, (2, 2), groups=3, bias=False), cr.Conv2d(6, 4, (1, 3), bias=False), input_shape=(3, 2, 6)
    )
    cr.load_keras(net, tmp_path / "net.weights.h5")
    weight = net.parameters["conv1.weight"]
    for channel in range(3):
        for times in range(2):
            assert np.array_equal(weight[2 * channel + times, 0], depthwise[:, :, channel, times])
    assert np.array_equal(net.parameters["conv2.weight"][:, :, 0], row.transpose(2, 1, 0))


def test_weights_of_another_network_change_nothing(weights: Path) -> None:
    net = cr.parse("2x6x6 -> conv 3@3x3 -> fc 4")
    before = net.parameters.flat.copy()
    with pytest.raises(WeightsError, match="nothing was loaded"):
        cr.load_keras(net, weights)
    assert np.array_equal(net.parameters.flat, before)


def _link(file: Any) -> None:
    file["layers/conv2d/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft(file: Any) -> None:
    file["layers/conv2d"] = h5py.SoftLink("/layers")


def _outside(file: Any) -> None:
    file.create_dataset("layers/conv2d/vars/0", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def _huge(file: Any) -> None:
    file.create_dataset("layers/conv2d/vars/0", (2**40, 2**20), "f4", chunks=(1024, 1024))


def _texts(file: Any) -> None:
    file["layers/conv2d/vars/0"] = "text"


def _nothing(file: Any) -> None:
    file.create_group("layers")


def _missing(file: Any) -> None:
    file.attrs["layer_names"] = [b"conv2d"]


@pytest.mark.parametrize(
    "make, said",
    [
        (_link, "a link to somewhere else"), (_soft, "a link to somewhere else"), (_outside, "lies in another file"),
        (_huge, "would take"), (_texts, "not an array of real numbers"), (_nothing, "holds no weights"),
        (_missing, "is missing"),
    ],
)  # fmt: skip
def test_hostile_files(tmp_path: Path, make: Any, said: str) -> None:
    with h5py.File(tmp_path / "net.weights.h5", "w") as file:
        make(file)
    with pytest.raises(ChainruleError, match=said):
        cr.load_keras(cr.parse(TEXT), tmp_path / "net.weights.h5")


def test_broken_files(weights: Path, tmp_path: Path) -> None:
    content = weights.read_bytes()
    for size in (0, 7, 100, 3000, len(content) - 5000):
        (tmp_path / "cut.h5").write_bytes(content[:size])
        with pytest.raises(FileFormatError):
            cr.load_keras(cr.parse(TEXT), tmp_path / "cut.h5")
    for archive in (b"PK\x03\x04", _archive("other.h5", b""), _archive("model.weights.h5", b"no")):
        (tmp_path / "net.keras").write_bytes(archive)
        with pytest.raises(FileFormatError):
            cr.load_keras(cr.parse(TEXT), tmp_path / "net.keras")
    for path in (tmp_path, tmp_path / "missing.h5", "a\0b"):
        with pytest.raises(StorageError):
            cr.load_keras(cr.parse(TEXT), path)


def _archive(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()
