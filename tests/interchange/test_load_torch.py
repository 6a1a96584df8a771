"""Weights from PyTorch's files and mappings, and back, without PyTorch; tests/oracle does it with PyTorch itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import chainrule as cr
from chainrule.errors import (
    ArgumentError,
    ChainruleError,
    DataError,
    FileFormatError,
    NameLookupError,
    StorageError,
    WeightsError,
)
from tests.helpers import Array

TEXT = "1x6x6 -> conv 2@3x3 pad 1 -> batchnorm -> relu -> conv 2@3x3 nobias -> maxpool 2 -> fc 5 -> relu -> fc 3"
THEIRS = {
    "conv1": "stem.conv", "batchnorm1": "stem.norm", "conv2": "body.10", "linear1": "head.a", "linear2": "head.b",
}  # fmt: skip


def state(net: cr.Network, names: dict[str, str]) -> dict[str, Array]:
    """What PyTorch would keep for the network, with other numbers."""
    rng = np.random.default_rng(4)
    found: dict[str, Array] = {}
    for ours, theirs in names.items():
        for own, array in {**net.parameters.of(ours), **net.buffers.of(ours)}.items():
            found[f"{theirs}.{own}"] = rng.uniform(0.5, 1, array.shape).astype(np.float32)
        if ours.startswith("batchnorm"):
            found[f"{theirs}.num_batches_tracked"] = np.array(7)
    return found


def check(net: cr.Network, arrays: dict[str, Array], names: dict[str, str]) -> None:
    for ours, theirs in names.items():
        for own, array in {**net.parameters.of(ours), **net.buffers.of(ours)}.items():
            assert np.array_equal(array, arrays[f"{theirs}.{own}"]), f"{ours}.{own}"


def test_a_mapping_goes_where_shapes_say() -> None:
    net = cr.parse(TEXT)
    arrays = state(net, THEIRS)
    answer = cr.load_torch(net, arrays)
    check(net, arrays, THEIRS)
    assert answer.ignored == ("stem.norm.num_batches_tracked",)
    assert {row.by for row in answer.rows} == {"shape"}
    assert str(answer) == repr(answer)
    assert str(answer).splitlines()[:3] == [
        "network                  file                    shape    by",
        "conv1.weight             stem.conv.weight        2x1x3x3  shape",
        "conv1.bias               stem.conv.bias          2        shape",
    ]


def test_a_file_is_taken_in_the_order_of_its_names_with_numbers_in_theirs(tmp_path: Path) -> None:
    net = cr.parse("4 -> fc 4 -> relu -> fc 4 -> relu -> fc 4")
    names = {"linear1": "net.2", "linear2": "net.9", "linear3": "net.10"}
    arrays = state(net, names)
    save_file(arrays, tmp_path / "weights.safetensors")
    answer = cr.load_torch(net, tmp_path / "weights.safetensors")
    check(net, arrays, names)
    assert {row.by for row in answer.rows} == {"order"}


def test_names_go_before_order_and_can_be_given() -> None:
    net = cr.parse("4 -> fc 4 -> relu -> fc 4")
    own = {"linear2": "linear2", "linear1": "linear1"}
    arrays = state(net, own)
    assert {row.by for row in cr.load_torch(net, arrays).rows} == {"name"}
    check(net, arrays, own)
    crossed = {"linear1": "z", "linear2": "a"}
    arrays = state(net, {"linear2": "a", "linear1": "z"})
    cr.load_torch(net, arrays, names=crossed)
    check(net, arrays, crossed)
    with pytest.raises(NameLookupError, match="linear3"):
        cr.load_torch(net, arrays, names={"linear3": "a"})


def test_a_convolution_along_one_axis_fits_one_row() -> None:
    net = cr.parse("2x1x8 -> conv 3@1x3 -> fc 2")
    arrays = {"c.weight": np.ones((3, 2, 3)), "c.bias": np.ones(3), "f.weight": np.ones((2, 18)), "f.bias": np.ones(2)}
    cr.load_torch(net, arrays)
    assert net.parameters["conv1.weight"].shape == (3, 2, 1, 3)
    assert (net.parameters["conv1.weight"] == 1).all()


def test_a_flipped_kernel_is_flipped() -> None:
    net, kernel = cr.parse("1x4x4 -> conv 1@2x2 flipped nobias"), np.arange(4.0).reshape(1, 1, 2, 2)
    cr.load_torch(net, {"weight": kernel})
    assert np.array_equal(net.parameters["conv1.weight"], kernel[:, :, ::-1, ::-1])
    assert np.array_equal(np.asarray(net.to_torch_state()["0.weight"]), kernel)


def _without(arrays: dict[str, Array], *names: str) -> dict[str, Array]:
    return {name: array for name, array in arrays.items() if name not in names}


@pytest.mark.parametrize(
    "edit, said",
    [
        (lambda a: _without(a, "head.b.bias"), ["1 missing", "linear2.bias"]),
        (lambda a: _without(a, "head.b.bias", "head.b.weight"), ["2 missing"]),
        (lambda a: a | {"extra.weight": np.ones((7, 7))}, ["1 left over", "extra.weight"]),
        (lambda a: a | {"head.b.extra": np.ones(7)}, ["left over", "head.b.extra"]),
        (lambda a: a | {"stem.conv.weight": np.ones((2, 1, 5, 5))}, ["conv1.weight", "2x1x5x5"]),
        (lambda a: {}, ["missing"]),
    ],
)
def test_what_does_not_fit_is_said_in_a_table_and_nothing_is_loaded(edit: Any, said: list[str]) -> None:
    net = cr.parse(TEXT)
    before = net.parameters.flat.copy()
    with pytest.raises(WeightsError, match="nothing was loaded") as caught:
        cr.load_torch(net, edit(state(net, THEIRS)))
    for text in said:
        assert text in str(caught.value)
    assert "\n" in str(caught.value)
    assert np.array_equal(net.parameters.flat, before)


def test_numbers_that_are_none_are_refused_before_any_is_loaded() -> None:
    net = cr.parse(TEXT)
    before = net.parameters.flat.copy()
    arrays = state(net, THEIRS)
    arrays["head.b.bias"] = np.full(3, np.nan)
    with pytest.raises(DataError, match=r"head.b.bias holds nan"):
        cr.load_torch(net, arrays)
    assert np.array_equal(net.parameters.flat, before)


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.bin", "net.ckpt", "NET.PT"])
def test_pickles_are_not_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match=r"is a pickle, which runs code .*save_file\(torch.load"):
        cr.load_torch(cr.parse(TEXT), tmp_path / name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    net = cr.parse(TEXT)
    (tmp_path / "net.safetensors").write_bytes(b"PK\x03\x04 a pickle under another name")
    with pytest.raises(FileFormatError, match="not a complete safetensors file"):
        cr.load_torch(net, tmp_path / "net.safetensors")
    for path in (tmp_path, tmp_path / "missing.safetensors", "a\0b"):
        with pytest.raises(StorageError, match="cannot read"):
            cr.load_torch(net, path)
    wrong: Any
    for wrong in (3, [1], None):
        with pytest.raises(ArgumentError, match=r"from a \.safetensors file or a mapping"):
            cr.load_torch(net, wrong)
    for wrong in ("text", object(), np.array(["a"])):
        with pytest.raises(ChainruleError, match="weight"):
            cr.load_torch(net, {"0.weight": wrong})


def test_a_snapshot_takes_no_weights() -> None:
    net = cr.parse(TEXT)
    with pytest.raises(ArgumentError, match="a snapshot takes no weights"):
        cr.load_torch(net.snapshot(), state(net, THEIRS))


def test_a_state_is_named_as_a_sequential_or_as_one_likes() -> None:
    net = cr.parse("1x4x4 -> conv 2@3x3 -> batchnorm -> relu -> fc 3")
    plain = net.to_torch_state()
    assert list(plain) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
        "4.weight", "4.bias",
    ]  # fmt: skip
    like = {f"m.{name}": np.zeros(np.shape(array), np.float16) for name, array in reversed(plain.items())}
    named = net.to_torch_state(like)
    assert list(named) == list(like)
    assert named["m.0.weight"].dtype == np.float16
    twin = cr.parse("1x4x4 -> conv 2@3x3 -> batchnorm -> relu -> fc 3", seed=1)
    cr.load_torch(twin, net.to_torch_state())
    assert np.allclose(twin.parameters.flat, net.parameters.flat, rtol=1e-6)
    with pytest.raises(WeightsError, match="left over"):
        net.to_torch_state(like | {"more.weight": np.zeros(3)})


def test_a_graph_keeps_its_names_and_a_shared_bias_is_written_out() -> None:
    x = cr.Input(4)
    h = cr.Linear(4, 4, bias="shared")(x)
    net = cr.Network(x, cr.Add()(h, x))
    net.parameters["linear1.bias"] = [0.5]
    state = net.to_torch_state()
    assert list(state) == ["linear1.weight", "linear1.bias"]
    assert np.array_equal(np.asarray(state["linear1.bias"]), [0.5] * 4)


def test_foreign_names_break_no_line_of_the_tables() -> None:
    net = cr.Sequential(cr.Linear(3, 2))
    hostile = "a\nchainrule: all is well\x1b[31m\u202e"
    with pytest.raises(WeightsError) as caught:
        cr.load_torch(net, {f"{hostile}.weight": np.zeros((5, 5))})
    assert len(str(caught.value).split("\n")) == 5
    done = cr.load_torch(net, {f"{hostile}.weight": np.zeros((2, 3)), f"{hostile}.bias": np.zeros(2)})
    assert len(str(done).split("\n")) == 3
    assert all(line.isprintable() for line in str(done).split("\n"))
