"""What cannot be expressed and what is broken or hostile: one sentence each, that names the node where there is one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli import app
from chainrule.errors import ChainruleError, FileFormatError, StorageError
from tests.interchange.onnx.judging import TensorProto, helper, imported, model, node, numpy_helper, onnx

ONES = np.ones((2, 2, 2, 2))

CANNOT: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "operator": ([node("Resize", "x", "y")], {}, r"node '0 -> y' \(Resize\): no layer computes this operator"),
    "attribute": (
        [node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])],
        {},
        r"\(MaxPool\): its attribute dilations",
    ),
    "unknown attribute": ([node("Relu", "x", alpha=1.0)], {}, r"\(Relu\): its attribute 'alpha' is not known"),
    "kind of attribute": ([node("LeakyRelu", "x", alpha="a")], {}, "its attribute alpha must be a number"),
    "other domain": (
        [node("Gelu", "x", domain="com.microsoft")],
        {},
        r"\(com.microsoft.Gelu\): operators of this domain",
    ),
    "average without padding": (
        [node("AveragePool", "x", kernel_shape=[2, 2], pads=[1, 1, 0, 0])],
        {},
        "its attribute count_include_pad is 0",
    ),
    "average rounded up": (
        [node("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)],
        {},
        "its attribute ceil_mode",
    ),
    "padding of a maximum": (
        [node("MaxPool", "x", kernel_shape=[3, 3], pads=[2, 2, 2, 2])],
        {},
        "its attributes pads and ceil_mode",
    ),
    "kernel missing": ([node("MaxPool", "x")], {}, "its attribute kernel_shape is missing"),
    "kernel of other length": ([node("MaxPool", "x", kernel_shape=[2])], {}, r"kernel_shape is \[2\], and 2 numbers"),
    "pads of other length": ([node("MaxPool", "x", kernel_shape=[2, 2], pads=[1])], {}, "pads has 1 numbers, and 4"),
    "negative pads": ([node("Conv", "x w", pads=[-1, 0, 0, 0])], {"w": ONES}, "attribute pads must lie between 0"),
    "huge pads": ([node("Conv", "x w", pads=[2**62] * 4)], {"w": ONES}, "attribute pads must lie between"),
    "wide pads": ([node("Conv", "x w", pads=[2**30] * 4)], {"w": ONES}, "would take|at most"),
    "huge kernel": ([node("MaxPool", "x", kernel_shape=[2**62, 1])], {}, "kernel_shape is"),
    "unknown auto_pad": ([node("Conv", "x w", auto_pad="SOME")], {"w": ONES}, "auto_pad is 'SOME'"),
    "kernel and weight": (
        [node("Conv", "x w", kernel_shape=[3, 3])],
        {"w": ONES},
        r"kernel_shape is \[3, 3\], but its weights",
    ),
    "groups": ([node("Conv", "x w", group=0)], {"w": ONES}, "in 0 groups does not fit"),
    "channels": ([node("Conv", "x w")], {"w": np.ones((2, 3, 2, 2))}, "does not fit 2 input channels"),
    "axes of a weight": ([node("Conv", "x w")], {"w": np.ones((2, 2, 2))}, "its weight has 3 axes"),
    "bias": ([node("Conv", "x w b")], {"w": ONES, "b": np.ones(3)}, r"its bias has shape \(3,\)"),
    "weights that are integers": ([node("Conv", "x w")], {"w": ONES.astype(np.int8)}, "int8 numbers"),
    "weights that are computed": ([node("Conv", "x x")], {}, "its weight is computed from the network's input"),
    "weights left out": ([node("Conv", "x -")], {}, "its weight is left out"),
    "one more input": ([node("Relu", "x x")], {}, "it has 2 inputs, and 1 to 1 are possible"),
    "NaN": ([node("Conv", "x w")], {"w": np.full((2, 2, 2, 2), np.nan)}, "conv1.weight holds nan"),
    "turned input of Gemm": (
        [node("Flatten", "x", "f"), node("Gemm", "f w", transA=1)],
        {"w": np.ones((2, 2))},
        "transA is 1",
    ),
    "sizes of Gemm": (
        [node("Flatten", "x", "f"), node("Gemm", "f w")],
        {"w": np.ones((3, 2))},
        r"\[18\] by a weight of \[3, 2\]",
    ),
    "map into Gemm": ([node("Gemm", "x w")], {"w": np.ones((18, 2))}, "takes a vector"),
    "slopes": ([node("PRelu", "x s")], {"s": np.array([[[0.1]], [[0.2]]])}, "several slopes"),
    "products": ([node("Mul", "x x")], {}, "it multiplies two computed values"),
    "number per place": ([node("Add", "x c")], {"c": np.arange(18.0).reshape(2, 3, 3)}, "from place to place"),
    "number per sample": ([node("Add", "x c")], {"c": np.ones((5, 2, 3, 3))}, "does not fit samples"),
    "infinite factor": ([node("Div", "x c")], {"c": np.array(0.0)}, "its constant holds NaN or infinity"),
    "samples mixed": ([node("Reshape", "x t")], {"t": np.array([-1, 3])}, "does not keep the samples apart"),
    "samples turned": ([node("Transpose", "x", perm=[1, 0, 2, 3])], {}, "the samples must stay the first axis"),
    "samples joined": ([node("Concat", "x x", axis=0)], {}, "layers do not join samples"),
    "samples reduced": ([node("ReduceMean", "x a")], {"a": np.array([0])}, "samples are not mixed"),
    "samples squeezed": ([node("Squeeze", "x a")], {"a": np.array([0])}, "do not leave the samples"),
    "no such axis": ([node("Softmax", "x", axis=7)], {}, "axis is 7"),
    "sums of other shapes": (
        [node("ReduceMean", "x a", "g"), node("Add", "x g")],
        {"a": np.array([2, 3])},
        "Add takes one shape",
    ),
    "turned maps": (
        [
            node("Relu", "x", "r"),
            node("Conv", "r w", "h"),
            node("Transpose", "h", "t", perm=[0, 1, 3, 2]),
            node("Conv", "t w"),
        ],
        {"w": ONES},
        "is turned to 2x2x2 from Conv2d",
    ),
    "input in two orders": (
        [
            node("Transpose", "x", "t", perm=[0, 1, 3, 2]),
            node("Conv", "t w", "h"),
            node("Conv", "x w", "k"),
            node("Add", "h k"),
        ],
        {"w": ONES},
        "at one place and as .* at another",
    ),
    "output in no order": (
        [
            node("Relu", "x", "r"),
            node("Conv", "r w", "h"),
            node("Transpose", "h", "t", perm=[0, 2, 3, 1]),
            node("Flatten", "t"),
        ],
        {"w": ONES},
        "in an order that no layer gives",
    ),
    "filled padding": (
        [node("Pad", "x p z")],
        {"p": np.ones(8, int), "z": np.array(1.0)},
        "pads with 1.0|pads the samples",
    ),
    "reflections": ([node("Pad", "x p", mode="reflect")], {"p": np.ones(8, int)}, "its attribute mode is 'reflect'"),
    "cutting": ([node("Pad", "x p")], {"p": np.array([0, 0, -1, 0, 0, 0, 0, 0])}, "cut parts off"),
    "even LRN": ([node("LRN", "x", size=2)], {}, "its attribute size is 2"),
    "training": (
        [node("BatchNormalization", "x s s s s", training_mode=1)],
        {"s": np.ones(2)},
        "training_mode is 1",
    ),
    "dropout in training": (
        [node("Dropout", "x r t")],
        {"r": np.array(0.5), "t": np.array(True)},
        "training_mode is on",
    ),
    "mask of dropout": ([node("Dropout", "x", "h m"), node("Cast", "m", "y", to=11)], {}, "its output 2 is used"),
    "indices of a maximum": ([node("MaxPool", "x", "h y", kernel_shape=[2, 2])], {}, "its output 2 is used"),
    "into integers": ([node("Cast", "x", to=6)], {}, "layers compute with real numbers"),
    "bounds": ([node("Clip", "x l u")], {"l": np.array(2.0), "u": np.array(1.0)}, "its bounds are 2.0 and 1.0"),
    "huge constant": (
        [node("ConstantOfShape", "s", "c"), node("Add", "x c")],
        {"s": np.array([2**62, 2**62])},
        "would take",
    ),
    "huge expansion": (
        [node("Expand", "o s", "c"), node("Add", "x c")],
        {"o": np.ones(1), "s": np.array([2**40])},
        "would take",
    ),
    "huge tile": (
        [node("Tile", "o s", "c"), node("Add", "x c")],
        {"o": np.ones(1), "s": np.array([2**50])},
        "would take",
    ),
    "huge range": (
        [node("Range", "a b c", "r"), node("Add", "x r")],
        {"a": np.array(0), "b": np.array(2**60), "c": np.array(1)},
        "would take",
    ),
    "negative sizes": (
        [node("ConstantOfShape", "s", "c"), node("Add", "x c")],
        {"s": np.array([-5])},
        "cannot be computed",
    ),
    "constants that do not fit": (
        [node("Add", "a b", "c"), node("Add", "x c")],
        {"a": np.ones(2), "b": np.ones(3)},
        "cannot be computed",
    ),
    "a number per batch": (
        [node("Shape", "x", "s"), node("Cast", "s", "f", to=11), node("Gather", "f z", "g"), node("Add", "x g")],
        {"z": np.array(0)},
        "depends on the size of the batch",
    ),
    "three spatial axes": (
        [node("Unsqueeze", "x a", "u"), node("MaxPool", "u", kernel_shape=[1, 1, 1])],
        {"a": np.array([2])},
        "one or two spatial axes",
    ),
    "nothing makes it": ([node("Add", "x z")], {}, "needs a value 'z', which nothing makes"),
    "no bound": ([node("Clip", "x l")], {"l": np.ones(0)}, "its bound is not a single number"),
    "no ratio": ([node("Dropout", "x r")], {"r": np.ones(0)}, "its ratio is not a single number"),
    "no filling": (
        [node("Pad", "x p z")],
        {"p": np.ones(8, int), "z": np.ones(0)},
        "its filling is not a single number",
    ),
    "identity of nothing": ([node("Identity", "", "c"), node("Add", "x c")], {}, "cannot be computed"),
    "a cycle": ([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b")], {}, "depends on its own output"),
    "the same name twice": (
        [node("Relu", "x", "a"), node("Tanh", "x", "a"), node("Relu", "a")],
        {},
        "have the name 'a'",
    ),
    "constants only": ([node("Relu", "c")], {"c": np.ones(2)}, "does not depend on any input"),
}
"""Name: nodes on x of (n, 2, 3, 3), constants, and what is said."""


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_expressed_is_said(name: str) -> None:
    nodes, constants, said = CANNOT[name]
    with pytest.raises(ChainruleError, match=said) as caught:
        imported(model(nodes, ("n", 2, 3, 3), constants))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500


def test_graphs_inside_of_nodes() -> None:
    inner = helper.make_graph([node("Relu", "x", "z")], "inner", [], [helper.make_tensor_value_info("z", 11, None)])
    branch = node("If", "c", then_branch=inner, else_branch=inner)
    with pytest.raises(FileFormatError, match=r"no branches or loops|does not depend on any input"):
        imported(model([branch, node("Add", "y x", "w")], ("n", 3), {"c": np.array(True)}, output="w"))


def changed(**edits: Any) -> Any:
    """A good model after an edit of its protobuf."""
    proto = model([node("Conv", "x w")], ("n", 2, 3, 3), {"w": ONES})
    for edit in edits.values():
        edit(proto)
    return proto


def _tensor(**fields: Any) -> Any:
    tensor = TensorProto(name="w", data_type=TensorProto.DOUBLE)
    for name, value in fields.items():
        getattr(tensor, name).extend(value) if isinstance(value, list) else setattr(tensor, name, value)
    return tensor


def _weight(tensor: Any) -> Any:
    return lambda proto: proto.graph.initializer[0].CopyFrom(tensor)


def _second_input(proto: Any) -> None:
    proto.graph.node[0].input.append("b")
    proto.graph.input.append(helper.make_tensor_value_info("b", 11, [2]))


BROKEN: dict[str, tuple[Any, str]] = {
    "opset": (lambda p: setattr(p.opset_import[0], "version", 999), "version 999 of the operators ai.onnx"),
    "opset 0": (lambda p: setattr(p.opset_import[0], "version", 0), "version 0 of the operators"),
    "functions": (lambda p: p.functions.add(name="f"), "defines functions of its own, such as 'f'"),
    "sparse": (lambda p: p.graph.sparse_initializer.add(), "sparse initializers"),
    "two initializers": (
        lambda p: p.graph.initializer.append(p.graph.initializer[0]),
        "two initializers have the name 'w'",
    ),
    "two inputs of one name": (lambda p: p.graph.input.append(p.graph.input[0]), "two inputs have the name 'x'"),
    "two inputs": (_second_input, "it has 2 inputs, 'x', 'b', and a network has one"),
    "two outputs": (
        lambda p: p.graph.output.append(helper.make_tensor_value_info("w", 11, None)),
        "has 2 outputs, 'y', 'w'",
    ),
    "no output": (lambda p: p.graph.ClearField("output"), "it has no output"),
    "no shape": (
        lambda p: p.graph.input[0].type.tensor_type.ClearField("shape"),
        "shape of its input 'x' is left open",
    ),
    "open shape": (
        lambda p: setattr(p.graph.input[0].type.tensor_type.shape.dim[2], "dim_param", "h"),
        r"left open \('n', 2, 'h', 3\)",
    ),
    "huge shape": (
        lambda p: setattr(p.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 2**62),
        "must lie between 1 and",
    ),
    "text": (lambda p: setattr(p.graph.input[0].type.tensor_type, "elem_type", 8), "does not hold real numbers"),
    "a single number": (
        lambda p: p.graph.input[0].type.tensor_type.shape.ClearField("dim"),
        "without an axis of samples",
    ),
    "too few bytes": (_weight(_tensor(dims=[2, 2], raw_data=b"1234")), "should hold 32 bytes, but holds 4"),
    "too few numbers": (_weight(_tensor(dims=[2, 2], double_data=[1.0])), "should hold 4 numbers, but holds 1"),
    "huge tensor": (_weight(_tensor(dims=[2**62, 2**62])), r"should hold 2\^124 or more numbers, but holds 0"),
    "negative tensor": (_weight(_tensor(dims=[-1])), r"has the shape \[-1\]"),
    "unknown type": (_weight(_tensor(data_type=77)), "ONNX's type 77"),
    "metadata": (lambda p: p.metadata_props.add(key="class_names", value="[1"), "class_names.* is not valid JSON"),
    "names": (lambda p: p.metadata_props.add(key="class_names", value="[1]"), "is not a list of names"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_said(name: str) -> None:
    edit, said = BROKEN[name]
    with pytest.raises(ChainruleError, match=said):
        imported(changed(edit=edit))


OUTSIDE = {
    "../secret": "not a file in the model's folder",
    "/etc/passwd": "not a file in the model's folder",
    "a\\b": "not a file in the model's folder",
    "": "not a file in the model's folder",
    "link": "a link and is not followed",
    "linked/secret": "a link and is not followed",
    "missing": "which is missing",
    "inner": "which is missing",
    "short": "should end at byte 128 of 'short', which has 100",
}


@pytest.mark.parametrize("location", OUTSIDE)
def test_data_outside_of_the_file_lies_in_its_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(bytes(1000))
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "short").write_bytes(bytes(100))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    tensor = _tensor(dims=[2, 2, 2, 2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    onnx.save(changed(edit=_weight(tensor)), folder / "net.onnx")
    with pytest.raises(ChainruleError, match=re.escape(OUTSIDE[location])) as caught:
        cr.from_onnx(folder / "net.onnx")
    assert str(folder / "net.onnx") in str(caught.value)


@pytest.mark.parametrize("key, value", [("offset", "-1"), ("offset", "x"), ("length", "7"), ("offset", "9" * 30)])
def test_places_in_data_outside_of_the_file(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "data").write_bytes(bytes(1000))
    tensor = _tensor(dims=[2, 2, 2, 2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="data")
    tensor.external_data.add(key=key, value=value)
    onnx.save(changed(edit=_weight(tensor)), tmp_path / "net.onnx")
    with pytest.raises(FileFormatError, match=r"not a number of bytes|should hold"):
        cr.from_onnx(tmp_path / "net.onnx")


def test_data_outside_of_the_file_is_read(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(2, 2, 2, 2))
    proto = model([node("Conv", "x w")], ("n", 2, 3, 3), {"w": weight})
    onnx.save(proto, tmp_path / "net.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size >= 128
    assert np.array_equal(cr.from_onnx(tmp_path / "net.onnx").parameters["conv1.weight"], weight)


@pytest.mark.parametrize("content", [b"", b"hello\n" * 50, b"\x00" * 64, b"PK\x03\x04", b"\xff" * 40])
def test_files_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(FileFormatError, match="is not an ONNX model"):
        cr.from_onnx(tmp_path / "net.onnx")


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.onnx", "a\0b"):
        with pytest.raises(StorageError, match="cannot read"):
            cr.from_onnx(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="not a regular file"):
        cr.from_onnx(tmp_path / "pipe")


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_short_numbers_are_read(kind: str) -> None:
    proto = model([node("Cast", "w", "c", to=11), node("MatMul", "x c")], ("n", 2), {"w": np.ones((2, 2))})
    values = np.array([[1.5, -2.0], [0.25, 3.0]], np.float32)
    tensor = helper.make_tensor("w", getattr(TensorProto, kind.upper()), (2, 2), values.ravel())
    proto.graph.initializer[0].CopyFrom(tensor)
    assert np.array_equal(imported(proto).net.parameters["linear1.weight"], values.T)
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), "w")) if kind == "float16" else None
    assert np.array_equal(imported(proto).net.parameters["linear1.weight"], values.T)


def test_layers_that_a_small_file_makes_large_are_refused_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scaled vector is a diagonal matrix: its numbers are counted before they are made, those of all layers."""
    monkeypatch.setenv("CHAINRULE_MEMORY", "256 MiB")
    shifts = {"a": np.arange(4000.0)}
    once = [node("Add", "x a")]
    assert imported(model(once, ("n", 4000), shifts)).net.output_shape == (4000,)
    hidden = [node("Relu", "z0", "r0"), node("Add", "r0 a", "z1"), node("Relu", "z1", "r1"), node("Add", "r1 a", "y")]
    with pytest.raises(FileFormatError, match=r"node '4 -> y' \(Add\): .* would take .* of memory"):
        imported(model([node("Add", "x a", "z0"), *hidden], ("n", 4000), shifts))
    with pytest.raises(FileFormatError, match=r"a diagonal matrix of 10,000 x 10,000 .* would take 800,000,000"):
        imported(model(once, ("n", 10000), {"a": np.arange(10000.0)}))


def test_the_command_writes_a_network_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    onnx.save(model([node("Conv", "x w")], ("n", 2, "h", 3), {"w": ONES}), "net.onnx")
    answer = run.invoke(app, ["import", "net.onnx", "net.safetensors"])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("chainrule: net.onnx cannot be imported: the shape of its input 'x' is left open")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx"]
    answer = run.invoke(app, ["import", "net.onnx", "net.safetensors", "--input-shape", "2x5x3"])
    assert answer.exit_code == 0, answer.output
    assert "saved net.safetensors" in answer.stdout
    assert str(cr.load("net.safetensors")) == "2x5x3 -> conv 2@2x2 nobias"
    for wrong in ("2xx3", "-1", "2x5", "99999999999x1x1"):
        assert run.invoke(app, ["import", "net.onnx", "other.safetensors", "--input-shape", wrong]).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.safetensors"]


def test_another_output_may_be_chosen() -> None:
    nodes = [node("Relu", "x", "hidden"), node("Flatten", "hidden", "y")]
    proto = model(nodes, ("n", 2, 3))
    assert imported(proto, output="hidden").net.output_shape == (2, 3)
    with pytest.raises(FileFormatError, match="no output 'nowhere'; its outputs are 'y'"):
        imported(proto, output="nowhere")
