"""What goes out comes back: the same layers with the same numbers, and nothing that a file merely says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings

import chainrule as cr
from chainrule.data.preparation import Preparation
from tests.engines.comparing import LONG, around
from tests.interchange.onnx.test_graphs import ZOO, forked, problem
from tests.layers.rows import ROWS
from tests.strategies import Problem, problems

PLAIN = "1x6x6 -> conv 2@3x3 -> relu -> maxpool 2 -> fc 3"


def layers(net: cr.Network) -> list[tuple[str, str]]:
    return [(name, repr(layer)) for name, layer in net.layers.items()]


def assert_same(back: cr.Network, net: cr.Network, x: np.ndarray) -> None:
    assert layers(back) == layers(net)
    assert [step.inputs for step in back.steps] == [step.inputs for step in net.steps]
    assert (back.frozen, back.seed, back.class_names) == (net.frozen, net.seed, net.class_names)
    assert np.array_equal(back.parameters.flat, net.parameters.flat)
    assert np.array_equal(back.buffers.flat, net.buffers.flat)
    assert np.array_equal(back(x, engine="reference"), net(x, engine="reference"))


@pytest.mark.parametrize("row", ROWS if LONG else ROWS[::9], ids=lambda row: row.name)
def test_a_row_and_back(row, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    net = around(row)
    net.to_onnx(tmp_path / "net.onnx", dtype="float64")
    x = np.random.default_rng(1).normal(size=(2, *net.input_shape))
    assert_same(cr.from_onnx(tmp_path / "net.onnx"), net, x)


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_and_back(name: str, tmp_path: Path) -> None:
    net = ZOO[name]()
    net.to_onnx(tmp_path / "net.onnx", dtype="float64", weights="beside")
    assert_same(cr.from_onnx(tmp_path / "net.onnx"), net, np.zeros((1, *net.input_shape)))


@settings(max_examples=300 if LONG else 15, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=problems())
def test_random_graphs_and_back(made: Problem, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("back") / "net.onnx"
    made.net.to_onnx(path, dtype="float64")
    with np.errstate(all="ignore"):
        assert_same(cr.from_onnx(path), made.net, made.x)


def test_all_that_travels(tmp_path: Path) -> None:
    net = problem(forked()).net
    net.freeze("conv1.*")
    net.class_names, net.preparation = ("a", "b", "c"), Preparation(("stretch",), black=-1.0, white=1.0)
    net.parameters.flat[:] = net.parameters.flat.astype(np.float32)
    net.buffers.flat[:] = net.buffers.flat.astype(np.float32)
    net.to_onnx(tmp_path / "net.onnx", uint8=True, batch=2, opset=20)
    back = cr.from_onnx(tmp_path / "net.onnx")
    assert_same(back, net, np.random.default_rng(0).normal(size=(2, 2, 5, 5)))
    assert back.preparation == net.preparation


# --- files that have been changed since --------------------------------------------------------------------------


def changed(path: Path, change: str) -> cr.Network:
    """A file with `change`, read again."""
    model = onnx.load(path)
    props = {entry.key: entry for entry in model.metadata_props}
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    if change == "operator":
        relu.op_type = "Sigmoid"
    elif change == "number":
        bias = next(tensor for tensor in model.graph.initializer if tensor.name == "conv1.bias")
        bias.raw_data = np.float32([5, 6]).tobytes()
    elif change == "layers":
        props["architecture"].value = props["architecture"].value.replace("ReLU", "Tanh")
    elif change == "shape":
        architecture = json.loads(props["architecture"].value)
        architecture["layers"][0]["arguments"]["bias"] = False
        props["architecture"].value = json.dumps(architecture)
    elif change == "nonsense":
        props["architecture"].value = '{"layers": 3}'
    else:
        model.producer_name = "another"
    onnx.save(model, path)
    return cr.from_onnx(path)


@pytest.mark.parametrize("change", ["operator", "number", "layers", "shape", "nonsense", "producer"])
def test_a_file_is_what_its_operators_compute(change: str, tmp_path: Path) -> None:
    """Not what its metadata say: the two are compared, and the operators decide."""
    net = cr.parse(PLAIN, seed=1)
    net.to_onnx(tmp_path / "net.onnx")
    back = changed(tmp_path / "net.onnx", change)
    expected = cr.parse(PLAIN.replace("relu", "sigmoid") if change == "operator" else PLAIN, seed=1)
    expected.parameters.flat[:] = net.parameters.flat
    if change == "number":
        expected.parameters["conv1.bias"] = [5, 6]
    x = np.random.default_rng(0).random((2, 1, 6, 6))
    assert np.abs(back(x, engine="reference") - expected(x, engine="reference")).max() < 1e-6
