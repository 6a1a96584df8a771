"""Whole graphs as files: forks and joins, layers used twice, frozen parameters, buffers; the zoo; random graphs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import chainrule as cr
from chainrule.zoo import cifar, perceptrons
from chainrule.zoo.lenet5 import lenet5
from tests.engines.comparing import LONG
from tests.interchange.onnx.running import checked, inputs_of, run, runtime
from tests.interchange.onnx.test_rows import check_gradients, check_inference, check_steps
from tests.strategies import UNARY, Problem, problems

DECAYING = cr.SGD(0.1, momentum=0.9, weight_decay=0.01)


def problem(net: cr.Network, samples: int = 3) -> Problem:
    rng = np.random.default_rng(9)
    net.parameters.flat[:] += 0.1 * rng.normal(size=net.parameters.flat.shape)
    x = rng.normal(size=(samples, *net.input_shape))
    return Problem(net, x, rng.integers(0, net.output_shape[0], samples), cr.CrossEntropyLoss())


def forked() -> cr.Network:
    """One convolution at two places, a fork that is joined twice, batch normalisation shared, dropout shared."""
    x = cr.Input((2, 5, 5))
    shared, norm, dropout = cr.Conv2d(2, 2, 3, padding="same"), cr.BatchNorm2d(2, momentum=0.4), cr.Dropout(0.4)
    a = dropout(norm(shared(x)))
    b = cr.Tanh()(norm(shared(a)))
    joined = cr.Concat()(cr.Add()(a, b, x), dropout(b), x)
    return cr.Network(x, cr.Linear(150, 3)(cr.Flatten()(joined)), seed=8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_forks_and_layers_used_twice(dtype: str, tmp_path: Path) -> None:
    made = problem(forked())
    check_inference(tmp_path / "i.onnx", made, dtype)
    check_gradients(tmp_path / "g.onnx", made, dtype, training=True)
    check_steps(tmp_path / "s.onnx", made, dtype, DECAYING)
    assert {"mask.dropout1", "mask.dropout1@2"} <= set(inputs_of(tmp_path / "s.onnx"))


def test_frozen_parameters_go_in_and_do_not_come_out(tmp_path: Path) -> None:
    made = problem(forked())
    made.net.freeze("conv1.*", "linear1.bias")
    check_steps(tmp_path / "s.onnx", made, "float64", cr.Adam())
    outputs = [output.name for output in checked(tmp_path / "s.onnx").graph.output]
    assert "conv1.weight" in inputs_of(tmp_path / "s.onnx")
    assert not [name for name in outputs if "conv1" in name or "linear1.bias" in name]


def test_what_no_trainable_parameter_needs_is_not_computed(tmp_path: Path) -> None:
    net = cr.parse("1x8x8 -> conv 2@3x3 -> tanh -> conv 2@3x3 -> tanh -> fc 3")
    options = {"what": "train_step", "loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1)}
    net.to_onnx(tmp_path / "all.onnx", **options)
    net.freeze("conv1.*", "conv2.*")
    net.to_onnx(tmp_path / "last.onnx", **options)
    kinds = [[node.op_type for node in checked(tmp_path / name).graph.node] for name in ("all.onnx", "last.onnx")]
    assert kinds[0].count("ConvTranspose") == 1  # none leads to x, which nobody asked for
    assert kinds[0].count("Conv") == 4
    assert "ConvTranspose" not in kinds[1]
    assert kinds[1].count("Conv") == 2


def test_a_network_without_layers(tmp_path: Path) -> None:
    x = cr.Input((3,))
    cr.Network(x, x).to_onnx(tmp_path / "i.onnx")
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(run(tmp_path / "i.onnx", {"x": given}, "float32")["y"], given)


def test_layers_that_do_nothing_in_inference_leave_no_node(tmp_path: Path) -> None:
    cr.parse("4 -> dropout 0.5 -> fc 3 -> dropout 0.5").to_onnx(tmp_path / "i.onnx")
    assert [node.op_type for node in checked(tmp_path / "i.onnx").graph.node] == ["Gemm"]


ZOO = {
    "lenet5": lambda: lenet5("modern", 28),
    "lenet5-1998": lambda: lenet5("1998", 28),
    "two-two-two": perceptrons.two_two_two,
    "mlp": lambda: perceptrons.mlp((1, 8, 8), classes=10),
    "vgg-like": lambda: cifar.vgg_like((3, 16, 16), 10),
    "resnet-like": lambda: cifar.resnet_like((3, 16, 16), 10),
}


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_in_onnx_runtime(name: str, tmp_path: Path) -> None:
    net = ZOO[name]()
    net.to_onnx(tmp_path / "i.onnx")
    checked(tmp_path / "i.onnx")
    x = np.random.default_rng(3).random((2, *net.input_shape))
    actual = runtime(tmp_path / "i.onnx").run(None, {"x": x.astype(np.float32)})[0]
    expected = net(x, dtype="float64")
    assert np.abs(actual - expected).max() <= 1e-5 * np.abs(expected).max()


TOLERABLE = [name for name in UNARY if name not in ("LPPool2d", "BatchNorm1d", "BatchNorm2d", "RBF")]
"""Layers behind which rounding does not grow beyond what this compares: roots near 0, variances near 0, squares."""


def miscounted(made: Problem) -> bool:
    """Whether ONNX's reference gets a layer wrong: pools, where all steps are 1, by mixing up paddings that are not
    equal; response normalisation by going through as many channels as there are samples."""
    pools = [layer for layer in made.net.layers.values() if isinstance(layer, cr.MaxPool2d | cr.AvgPool2d)]
    if any(pool.stride == (1, 1) and len(set(pool.padding)) > 1 for pool in pools):
        return True
    norms = [step for step in made.net.steps if isinstance(step.layer, cr.LocalResponseNorm)]
    return any(step.input_shapes[0][0] != len(made.x) for step in norms)


@settings(max_examples=150 if LONG else 6, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=problems(names=TOLERABLE, most_layers=6))
def test_random_graphs(made: Problem, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("graphs")
    check_inference(folder / "i.onnx", made, "float32")
    if miscounted(made):
        return
    check_inference(folder / "i.onnx", made, "float64")
    check_gradients(folder / "g.onnx", made, "float64", training=True)
    check_steps(folder / "s.onnx", replace(made, x=0.5 * made.x), "float64", DECAYING)


def test_layers_called_as_the_files_own_values(tmp_path: Path) -> None:
    """Names of nodes give way to those that callers use; parameters keep theirs."""
    names = ("x", "y", "loss", "a", "b", "step", "new", "velocity", "targets", "learning_rate")
    node = first = cr.Input((4,))
    for name in names:
        node = cr.Tanh()(cr.Linear(4, 4, name=name)(node))
    made = problem(cr.Network(first, node))
    check_inference(tmp_path / "i.onnx", made, "float64")
    check_steps(tmp_path / "s.onnx", made, "float64", DECAYING)


def test_a_name_that_two_values_would_have(tmp_path: Path) -> None:
    """The parameter of a layer "a" in a block "new" is called what a step calls the new one of another layer "a"."""
    net = cr.Sequential(cr.Linear(3, 3, name="a"), cr.Sequential(cr.Linear(3, 2, name="a"), name="new"))
    net.to_onnx(tmp_path / "i.onnx")
    with pytest.raises(cr.errors.ArgumentError, match=r"called 'new\.a\.(weight|bias)'; rename a layer or a block"):
        net.to_onnx(tmp_path / "s.onnx", what="train_step", loss=cr.MSELoss(), optimizer=cr.SGD(0.1))
