"""What `to_onnx` may be asked for beside the function itself, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file

import chainrule as cr
from chainrule.data.preparation import Preparation
from chainrule.expressions import Fn, Frac, Num, Pow, Sum, Sym
from chainrule.interchange.onnx import writer
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.export import HIGHEST, LOWEST
from chainrule.interchange.onnx.rules import RULES, Rule, rule
from chainrule.layers.activations import Activation, Curve
from chainrule.zoo import lenet5
from tests.helpers import Array, assert_close
from tests.interchange.onnx.running import checked, data, file_steps, inputs_of, run, runtime, stored
from tests.interchange.onnx.test_graphs import forked, problem
from tests.interchange.onnx.test_rows import check_inference, check_steps

STEP: dict[str, Any] = {"what": "train_step", "loss": cr.CrossEntropyLoss(), "optimizer": cr.Adam()}


def small() -> cr.Network:
    return cr.parse("1x6x6 -> conv 2@3x3 -> relu -> maxpool 2 -> fc 3", seed=2)


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opset", [LOWEST, HIGHEST])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lowest_and_the_highest_opset(opset: int, dtype: str, tmp_path: Path) -> None:
    made = problem(forked())
    made.net.to_onnx(tmp_path / "s.onnx", opset=opset, dtype=dtype, **STEP)
    assert checked(tmp_path / "s.onnx").opset_import[0].version == opset
    losses, _ = file_steps(tmp_path / "s.onnx", made, dtype, [0.1, 0.1])
    assert losses[1] < losses[0]
    check_inference(tmp_path / "i.onnx", made, dtype, opset=opset)


def test_a_fixed_batch(tmp_path: Path) -> None:
    made = problem(forked(), samples=4)
    made.net.to_onnx(tmp_path / "s.onnx", batch=4, **STEP)
    assert inputs_of(tmp_path / "s.onnx")["x"] == ("FLOAT", [4, 2, 5, 5])
    made.net.to_onnx(tmp_path / "any.onnx", **STEP)
    assert inputs_of(tmp_path / "any.onnx")["x"] == ("FLOAT", ["n", 2, 5, 5])
    fixed, free = (file_steps(tmp_path / name, made, "float32", [0.1])[1] for name in ("s.onnx", "any.onnx"))
    for name, array in free.items():
        assert_close(name, fixed[name], array, atol=1e-6)


def test_any_batch_in_one_file(tmp_path: Path) -> None:
    net = small()
    net.to_onnx(tmp_path / "i.onnx")
    for samples in (1, 2, 7):
        x = np.random.default_rng(samples).random((samples, 1, 6, 6), np.float32)
        assert_close("y", run(tmp_path / "i.onnx", {"x": x}, "float32")["y"], net(x), atol=1e-6)


def test_names_of_the_network(tmp_path: Path) -> None:
    net = small()
    net.to_onnx(tmp_path / "i.onnx")
    graph = checked(tmp_path / "i.onnx").graph
    assert [tensor.name for tensor in graph.initializer] == list(net.parameters)
    assert [node.output[0] for node in graph.node] == ["conv1", "relu1", "maxpool1", "flatten1", "y"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_beside_the_file_are_read_from_there(dtype: str, tmp_path: Path) -> None:
    made = problem(small())
    check_inference(tmp_path / "net.onnx", made, dtype, weights="beside")
    found = load_file(tmp_path / "net.safetensors")
    for name, array in stored(made.net, dtype).items():
        assert np.array_equal(found[name], array), name
    tensors = onnx.load(tmp_path / "net.onnx", load_external_data=False).graph.initializer
    outside = {tensor.name for tensor in tensors if tensor.data_location == onnx.TensorProto.EXTERNAL}
    assert outside == set(made.net.parameters)
    (tmp_path / "net.safetensors").unlink()
    with pytest.raises(Exception, match=r"net\.safetensors"):
        runtime(tmp_path / "net.onnx")


def test_a_step_with_weights_beside_holds_none(tmp_path: Path) -> None:
    net = small()
    net.to_onnx(tmp_path / "s.onnx", weights="beside", **STEP)
    names = {tensor.name for tensor in checked(tmp_path / "s.onnx").graph.initializer}
    assert not names & set(net.parameters)
    assert set(load_file(tmp_path / "s.safetensors")) == set(net.parameters)


def test_a_step_with_weights_inside_begins_with_them(tmp_path: Path) -> None:
    made = problem(small())
    made.net.to_onnx(tmp_path / "s.onnx", **STEP | {"optimizer": cr.SGD(0.1)})
    given = data(made, "float32") | {"learning_rate": np.array(0.1, np.float32)}
    begun = run(tmp_path / "s.onnx", given, "float32")
    fed = run(tmp_path / "s.onnx", given | stored(made.net, "float32"), "float32")
    assert all(np.array_equal(begun[name], fed[name]) for name in fed)
    again = run(
        tmp_path / "s.onnx", given | {n.removeprefix("new."): a for n, a in begun.items() if n != "loss"}, "float32"
    )
    assert again["loss"] < begun["loss"]


def test_inference_with_weights_that_are_given(tmp_path: Path) -> None:
    made = problem(forked())
    made.net.to_onnx(tmp_path / "i.onnx", weights="inputs")
    assert [path.name for path in tmp_path.iterdir()] == ["i.onnx"]
    assert set(inputs_of(tmp_path / "i.onnx")) == {"x", *made.net.parameters, *made.net.buffers}
    x, numbers = made.x.astype(np.float32), stored(made.net, "float32")
    found = run(tmp_path / "i.onnx", {"x": x} | numbers, "float32")["y"]
    assert_close("y", found, made.net(x), atol=1e-5)
    halves = {name: 0.5 * array for name, array in numbers.items()}
    made.net.parameters.flat[:] *= 0.5
    made.net.buffers.flat[:] *= 0.5
    assert_close("y", run(tmp_path / "i.onnx", {"x": x} | halves, "float32")["y"], made.net(x), atol=1e-5)


def test_dx_of_a_step(tmp_path: Path) -> None:
    made = problem(small())
    check_steps(tmp_path / "s.onnx", made, "float64", cr.SGD(0.1))
    made.net.to_onnx(tmp_path / "s.onnx", dtype="float64", dx=True, **STEP | {"optimizer": cr.SGD(0.1)})
    feeds = data(made, "float64") | {"learning_rate": np.array(0.1)}
    expected = made.net.gradients(made.x, made.targets, loss=made.loss, engine="reference")[2]
    assert_close("dx", run(tmp_path / "s.onnx", feeds, "float64")["gradient.x"], expected, atol=1e-12)


def test_bytes_of_pictures(tmp_path: Path) -> None:
    net = small()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 6, 6), np.uint8)
    net.to_onnx(tmp_path / "i.onnx", uint8=True)
    assert inputs_of(tmp_path / "i.onnx")["x"][0] == "UINT8"
    assert_close("y", run(tmp_path / "i.onnx", {"x": pictures}, "float32")["y"], net(pictures), atol=1e-6)
    net.preparation = Preparation(("stretch",), black=-1.0, white=1.0)
    net.to_onnx(tmp_path / "i.onnx", uint8=True)
    numbers = -1 + 2 * pictures.astype(np.float32) / 255
    assert_close("y", run(tmp_path / "i.onnx", {"x": pictures}, "float32")["y"], net(numbers), atol=1e-6)


def test_what_travels_with_a_network(tmp_path: Path) -> None:
    net = small()
    net.class_names, net.preparation = ("猫", "dog", "fox"), Preparation(("light-on-dark", "fit"))
    net.to_onnx(tmp_path / "i.onnx")
    found = {entry.key: json.loads(entry.value) for entry in checked(tmp_path / "i.onnx").metadata_props}
    assert [found.pop(name) for name in ("frozen", "seed")] == [[], 2]
    assert found.pop("architecture")["input_shape"] == [1, 6, 6]
    assert found == {"class_names": ["猫", "dog", "fox"], "preparation": net.preparation.to_json()}
    model = checked(tmp_path / "i.onnx")
    assert model.producer_name == "chainrule"


def test_ties_go_to_the_first_in_row_major_order(tmp_path: Path) -> None:
    """As our rule says; overlapping windows, so that several give to one pixel."""
    for pool in (cr.MaxPool2d(2), cr.MaxPool2d(3, 1), cr.MaxPool2d(3, 2, 1)):
        net = cr.Sequential(cr.Identity(), pool, cr.Flatten(), input_shape=(2, 6, 6))
        rng = np.random.default_rng(1)
        x = rng.integers(0, 2, (3, 2, 6, 6)).astype(np.float64)
        targets = rng.normal(size=(3, *net.output_shape))
        expected = net.gradients(x, targets, loss=cr.MSELoss(), engine="reference")[2]
        for dtype in ("float64", "float32"):
            net.to_onnx(tmp_path / "g.onnx", what="gradients", loss=cr.MSELoss(), dtype=dtype)
            found = run(tmp_path / "g.onnx", {"x": x.astype(dtype), "targets": targets.astype(dtype)}, dtype)
            assert_close(f"{pool!r} {dtype}", found["gradient.x"], expected, atol=1e-6)


def test_equal_networks_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small().to_onnx(tmp_path / f"{name}.onnx", weights="beside", **STEP)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


# --- refusals ---------------------------------------------------------------------------------------------------------


class Cube(cr.Layer):
    """A layer of a user's own."""

    def output_shape(self, *shapes: Any) -> Any:
        return shapes[0]

    def forward(self, parameters: Any, *xs: Array, context: Any) -> tuple[Array, Array]:
        return xs[0] ** 3, xs[0]

    def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
        return 3 * dy * saved**2


class Rectifier(cr.ReLU):
    """A layer of the package with other equations, for all one knows."""


class OwnLoss(cr.MSELoss):
    """A loss of a user's own."""


class OwnOptimizer(cr.SGD):
    """An optimizer of a user's own."""


GRADIENTS: dict[str, Any] = {"what": "gradients", "loss": cr.CrossEntropyLoss()}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"what": "training"}, 'what must be "inference", "gradients" or "train_step"'),
    ({"what": "train_step"}, 'what="train_step" needs loss='),
    ({"what": "gradients"}, 'what="gradients" needs loss='),
    ({"what": "train_step", "loss": cr.MSELoss()}, 'what="train_step" needs optimizer='),
    ({"what": "train_step", "loss": cr.MSELoss(), "optimizer": "sgd"}, "needs optimizer="),
    ({**GRADIENTS, "optimizer": cr.SGD(0.1)}, 'optimizer is for what="train_step"'),
    ({"loss": cr.MSELoss()}, "loss is for"),
    ({"dtype": "float16"}, 'dtype must be "float32" or "float64", not \'float16\''),
    ({"opset": LOWEST - 1}, f"opset must be a number from {LOWEST} to {HIGHEST}, not {LOWEST - 1}"),
    ({"opset": HIGHEST + 1}, f"opset must be a number from {LOWEST} to {HIGHEST}, not {HIGHEST + 1}"),
    ({"opset": "18"}, "opset must be a number"),
    ({"batch": 0}, "batch must lie between 1"),
    ({"weights": "nowhere"}, 'weights must be "inside", "beside" or "inputs"'),
    ({**GRADIENTS, "targets": "numbers"}, 'targets must be "classes" or "probabilities"'),
    ({"what": "gradients", "loss": cr.MAPLoss(), "targets": "probabilities"}, "is for CrossEntropyLoss"),
    ({"what": "gradients", "loss": OwnLoss()}, r"the loss OwnLoss\(\) is no loss of chainrule's"),
    ({**GRADIENTS, "loss": cr.CrossEntropyLoss(weight=[1.0, 2.0])}, "weight has 2 numbers, but the outputs have 3"),
    ({**STEP, "optimizer": OwnOptimizer(0.1)}, "the optimizer OwnOptimizer.* is none of chainrule's"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_refused_in_one_sentence(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises((cr.errors.ArgumentError, cr.errors.ShapeError), match=sentence) as caught:
        small().to_onnx(tmp_path / "a.onnx", **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("layer", "name"), [(Cube(), "cube1"), (Rectifier(), "rectifier1")])
def test_a_layer_of_ones_own_needs_a_rule(layer: cr.Layer, name: str, tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(3, 4), layer, cr.Linear(4, 2))
    with pytest.raises(cr.errors.ArgumentError, match=rf"{name} = .* no ONNX operators are known.*@rule\("):
        net.to_onnx(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


class Arctangent(Activation):
    """A curve of a user's own, of a function that the expressions of explanations may name, and files do not."""

    def curve(self) -> Curve:
        return Curve(Fn("atan", (Sym("x"),)), Frac(Num(1), Sum((Num(1), Pow(Sym("x"), Num(2))))))

    def forward(self, parameters: Any, *xs: Array, context: Any) -> tuple[Array, Array]:
        return np.arctan(xs[0]), xs[0]

    def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
        return dy / (1 + saved**2)


def test_a_curve_of_functions_that_are_not_known(tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(3, 4), Arctangent(), cr.Linear(4, 2))
    with pytest.raises(cr.errors.ArgumentError, match=r"arctangent1 = Arctangent\(\) is written with .*atan.*@rule\("):
        net.to_onnx(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_rule_of_ones_own(tmp_path: Path) -> None:
    try:

        @rule(Cube)
        class _Cube(Rule[Cube]):
            def forward(self) -> Value:
                return self.x * self.x * self.x

            def backward_input(self, dy: Value) -> Value:
                return dy * 3.0 * self.x * self.x

        made = problem(cr.Sequential(cr.Linear(3, 4), Cube(), cr.Linear(4, 2)))
        check_steps(tmp_path / "s.onnx", made, "float64", cr.SGD(0.1))
    finally:
        RULES.pop(Cube)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_weights_that_no_file_should_hold(value: float, tmp_path: Path) -> None:
    net = small()
    net.parameters.flat[3] = value
    what = "numbers that float32 cannot hold" if value == 1e300 else "NaN or infinity"
    with pytest.raises(cr.errors.NonFiniteError, match=rf"conv1\.weight holds {what}; such a network is not exported"):
        net.to_onnx(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    for options in ({}, {"weights": "beside"}):
        with pytest.raises(cr.errors.StorageError, match=r"cannot write .*: No such file or directory"):
            small().to_onnx(tmp_path / "nowhere" / "a.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_a_name_that_the_weights_would_take(tmp_path: Path) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=r"where weights=.*puts the weights"):
        small().to_onnx(tmp_path / "a.safetensors", weights="beside")
    assert not list(tmp_path.iterdir())


def test_more_than_a_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_BYTES", 100)
    with pytest.raises(cr.errors.ArgumentError, match='holds at most 2; write them with weights="beside"'):
        small().to_onnx(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_batch_normalisation_of_one_number(tmp_path: Path) -> None:
    net = cr.Sequential(cr.Linear(3, 2), cr.BatchNorm1d(2))
    with pytest.raises(cr.errors.DataError, match=r"batchnorm1 = BatchNorm1d\(2\) needs at least 2 values"):
        net.to_onnx(tmp_path / "a.onnx", batch=1, **STEP)
    net.to_onnx(tmp_path / "a.onnx", batch=1)


def test_without_the_extra() -> None:
    """The package loads without onnx, and says what to install when it is asked for it."""
    program = (
        "import sys; sys.modules['onnx'] = None\n"
        "import chainrule as cr\n"
        "try: cr.parse('3 -> fc 2').to_onnx('never.onnx')\n"
        "except cr.errors.MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'chainrule[onnx]'" in done.stdout


@pytest.mark.parametrize("optimizer", [cr.SGD(0.1, momentum=0.9, weight_decay=5e-4), cr.Adam(), cr.AdamW()], ids=repr)
def test_a_training_step_of_lenet5_is_small_beside_its_weights(optimizer: cr.Optimizer, tmp_path: Path) -> None:
    lenet5().to_onnx(tmp_path / "s.onnx", weights="beside", **STEP | {"optimizer": optimizer})
    assert (tmp_path / "s.onnx").stat().st_size <= 10_000
