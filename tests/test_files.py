"""Files: what is saved comes back to the bit; what is damaged, foreign or malicious is refused in one sentence."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save as to_bytes

from chainrule import files
from chainrule.errors import ArgumentError, FileFormatError, NonFiniteError, StorageError
from chainrule.graph import Input
from chainrule.layers import (
    LAYERS,
    RBF,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm1d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GaussianPool2d,
    Identity,
    Layer,
    LeakyReLU,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LPPool2d,
    MaxPool2d,
    TrainablePool2d,
)
from chainrule.layers.base import Context, Values
from chainrule.losses import LOSSES, CrossEntropyLoss, Loss, MAPLoss, MSELoss
from chainrule.network import Network, Sequential, load, parse
from tests.layers.rows import PLAIN

RNG = np.random.default_rng(0)


def everything() -> Network:
    """Each layer of the package at least once, shared layers, joins, a connection table, and odd options."""
    x = Input((4, 12, 12))
    shared = Conv2d(4, 4, (3, 1), padding=(1, 1, 0, 0), dilation=1, groups=2, bias=False, mode="convolution")
    h = Add()(shared(shared(x)), x, LeakyReLU(-0.3)(x))
    h = Conv2d(4, 6, 3, 2, "same", connections=RNG.integers(0, 2, (6, 4)), initialization="glorot_normal")(h)
    h = LocallyConnected2d(6, 2, 2, padding=1)(LocalResponseNorm(3, k=2)(BatchNorm2d(6, momentum=0.3)(h)))
    h = Concat()(TrainablePool2d(2, 2)(h), MaxPool2d(2)(h), LPPool2d(1.5, 2)(h), GaussianPool2d(2, sigma=0.7)(h))
    h = Flatten()(AdaptiveAvgPool2d((2, 3))(h))
    for name in (*PLAIN, "Softmax"):
        h = LAYERS[name]()(h)
    h = BatchNorm1d(7, affine=False)(Linear(48, 7, "shared")(Dropout(0.25)(h)))
    net = Network(x, RBF(7, 3)(h), seed=5)
    for values in (net.parameters, net.buffers):
        for name, array in values.items():
            values[name] = np.abs(RNG.normal(size=array.shape)) + 0.1
    net.freeze("linear1.*")
    return net


def assert_same(a: Network, b: Network) -> None:
    assert [repr(x) for x in a.layers.values()] == [repr(x) for x in b.layers.values()]
    assert [(s.name, s.inputs, s.shape) for s in a.steps] == [(s.name, s.inputs, s.shape) for s in b.steps]
    for mine, theirs in ((a.parameters, b.parameters), (a.buffers, b.buffers)):
        assert list(mine) == list(theirs)
        assert mine.flat.tobytes() == theirs.flat.tobytes()
    assert (a.frozen, a.seed, repr(a.loss)) == (b.frozen, b.seed, repr(b.loss))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.safetensors"


# --- there and back --------------------------------------------------------------------------------------------------


def test_everything_comes_back_to_the_bit(path: Path) -> None:
    net = everything()
    net.loss = MAPLoss(rubbish=2.5, reduction="sum")
    net.save(path)
    again = load(path)
    assert_same(net, again)
    x = RNG.normal(size=(3, 4, 12, 12))
    assert net(x, engine="reference").tobytes() == again(x, engine="reference").tobytes()
    table = again.layers["conv2"].hyperparameters()["connections"]
    assert table.dtype == bool
    assert (table == net.layers["conv2"].hyperparameters()["connections"]).all()


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_comes_back(path: Path, name: str) -> None:
    net = parse("3 -> fc 2")
    net.loss = LOSSES[name](reduction="sum")
    net.save(path)
    assert repr(load(path).loss) == repr(net.loss)


def test_a_network_of_no_layers_and_one_without_parameters(path: Path) -> None:
    x = Input((3,))
    for output in (x, Identity()(x)):
        Network(x, output).save(path)
        assert_same(Network(x, output), load(path))


def test_float32_where_nothing_is_lost(path: Path) -> None:
    net = parse("2 -> fc 2")
    net.parameters["linear1.weight"] = np.float32([[0.1, 1e-40], [3e38, -0.0]]).astype(float)
    net.parameters["linear1.bias"] = [0.1, 1e300]
    net.save(path)
    with safe_open(path, framework="numpy") as file:
        assert file.get_slice("linear1.weight").get_dtype() == "F32"
        assert file.get_slice("linear1.bias").get_dtype() == "F64"
    assert_same(net, load(path))


def test_the_metadata_is_what_the_documentation_says(path: Path) -> None:
    net = parse("1x6x6 -> conv 2@3 -> relu -> fc 3", seed=9)
    net.loss = CrossEntropyLoss()
    net.freeze("conv1.bias")
    net.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["version"]) == ("chainrule", "1")
    assert json.loads(metadata["seed"]) == 9
    assert json.loads(metadata["frozen"]) == ["conv1.bias"]
    assert json.loads(metadata["loss"]) == {"class": "CrossEntropyLoss", "arguments": {"reduction": "mean"}}
    architecture = json.loads(metadata["architecture"])
    assert architecture["input_shape"] == [1, 6, 6]
    assert architecture["layers"][0]["name"] == "conv1"
    assert architecture["layers"][0]["class"] == "Conv2d"
    assert architecture["layers"][0]["arguments"]["kernel_size"] == {"tuple": [3, 3]}
    assert architecture["nodes"][1] == {"layer": 1, "inputs": [1]}


def test_equal_networks_make_equal_files(tmp_path: Path) -> None:
    net = everything()
    for name in ("a", "b", "c"):
        net.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


class Power(Layer):
    """A layer of a user's own, with all kinds of hyperparameters."""

    def __init__(self, exponent: float, table: Any = None, names: Any = (), *, deep: Any = None) -> None:
        self.exponent, self.table, self.names, self.deep = exponent, table, names, deep

    def output_shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        return shapes[0]

    def parameter_shapes(self, *shapes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"scale": shapes[0]}

    def initialize(self, rng: np.random.Generator, *shapes: tuple[int, ...]) -> dict[str, Any]:
        return {"scale": rng.normal(size=shapes[0])}

    def forward(self, parameters: Values, *xs: Any, context: Context) -> tuple[Any, Any]:
        return parameters["scale"] * xs[0] ** self.exponent, xs[0]

    def backward_input(self, parameters: Values, dy: Any, saved: Any) -> Any:
        return dy * parameters["scale"] * self.exponent * saved ** (self.exponent - 1)


def test_a_layer_of_the_users_own(path: Path) -> None:
    deep = ([1, (2, "three")], True, None, 1.5)
    net = Sequential(Linear(3, 2), Power(2.0, np.arange(6.0).reshape(2, 3), ("a",), deep=deep), input_shape=3)
    net.save(path)
    with pytest.raises(FileFormatError, match=r'load\(path, layers={"Power": Power}\)'):
        load(path)
    again = load(path, layers={"Power": Power})
    layer = again.layers["power1"].hyperparameters()
    assert (layer["exponent"], layer["names"], layer["deep"]) == (2.0, ("a",), deep)
    assert (layer["table"] == np.arange(6.0).reshape(2, 3)).all()
    assert again.parameters.flat.tobytes() == net.parameters.flat.tobytes()


def test_an_own_layer_named_like_one_of_chainrule_is_not_taken_for_it(path: Path) -> None:
    own = type("ReLU", (Power,), {})
    Sequential(own(2.0), input_shape=2).save(path)
    with pytest.raises(FileFormatError, match="not part of chainrule"):
        load(path)
    assert type(load(path, layers={"ReLU": own}).layers["relu1"]) is own


def test_hyperparameters_that_cannot_be_stored(path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"table of power1 \(Power\) is a object and cannot be saved"):
        Sequential(Power(1.0, object()), input_shape=2).save(path)
    assert not path.exists()


def test_a_loss_of_the_users_own_is_left_out_with_a_warning(path: Path) -> None:
    net = parse("3 -> fc 2")
    net.loss = type("Mine", (MSELoss,), {})()
    with pytest.warns(UserWarning, match="is not saved with the network"):
        net.save(path)
    assert load(path).loss is None


# --- writing that fails ----------------------------------------------------------------------------------------------


def no_leftovers(folder: Path) -> bool:
    return not [p for p in folder.iterdir() if p.suffix == ".tmp"]


def test_a_full_disk_leaves_the_earlier_file(path: Path) -> None:
    resource = pytest.importorskip("resource")
    net = parse("100 -> fc 100")
    net.save(path)
    before = path.read_bytes()
    net.parameters.flat[:] = 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*net.safetensors: .*; an earlier file"):
            net.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert no_leftovers(path.parent)


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_fails_the_earlier_file_is_intact(
    path: Path, monkeypatch: pytest.MonkeyPatch, function: str, error: BaseException
) -> None:
    net = parse("3 -> fc 2")
    net.save(path)
    before = path.read_bytes()

    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(os if function == "fsync" else Path, function, fail)
    net.parameters.flat[:] = 1
    with pytest.raises(StorageError if isinstance(error, OSError) else KeyboardInterrupt):
        net.save(path)
    assert path.read_bytes() == before
    assert no_leftovers(path.parent)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    net = parse("3 -> fc 2")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for target in ("missing/net", "file/net", "folder", "zero\0byte"):
        with pytest.raises(StorageError, match="cannot write"):
            net.save(tmp_path / target)
    assert no_leftovers(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Permission denied"):
            parse("3 -> fc 2").save(tmp_path / "net")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    net = parse("3 -> fc 2")
    net.save(tmp_path / "net")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "net").stat().st_mode == (tmp_path / "plain").stat().st_mode  # the umask's
    (tmp_path / "net").chmod(0o640)
    (tmp_path / "link").symlink_to("net")
    net.parameters.flat[:] = 1
    net.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "net").stat().st_mode) == 0o640
    assert (load(tmp_path / "net").parameters.flat == 1).all()


def test_a_network_that_is_not_finite_is_not_saved(path: Path) -> None:
    net = parse("3 -> fc 2")
    net.save(path)
    before = path.read_bytes()
    net.parameters.flat[3] = np.nan
    with pytest.raises(NonFiniteError, match=r"linear1.weight holds NaN or infinity"):
        net.save(path)
    assert path.read_bytes() == before


# --- reading what is wrong -------------------------------------------------------------------------------------------


def refused(path: Path, message: str, error: type[Exception] = FileFormatError, **options: Any) -> None:
    with pytest.raises(error, match=message) as caught:
        load(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "missing", "No such file", StorageError)
    refused(tmp_path, "it is a folder", StorageError)


@pytest.mark.parametrize("cut", [0, 5, 8, 100, -1])
def test_truncated_files(path: Path, cut: int) -> None:
    parse("3 -> fc 2").save(path)
    path.write_bytes(path.read_bytes()[:cut])
    refused(path, "not a complete safetensors file")


@pytest.mark.parametrize(
    "data", [b"hello, this is a text and no network", b"\xff" * 64, b"PK\x03\x04" * 20, b"\0" * 64]
)
def test_foreign_files(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refused(path, "not a complete safetensors file")


def test_any_flipped_header_byte_is_refused_or_harmless(path: Path) -> None:
    net = parse("1x4x4 -> conv 2@3 -> relu -> fc 2")
    net.save(path)
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for place in range(0, header, 3):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x15]) + data[place + 1 :])
        try:
            again = load(path)
        except FileFormatError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert again.parameters.flat.tobytes() == net.parameters.flat.tobytes()


def crafted(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """A file whose metadata (JSON parsed) and tensors were changed."""
    net = parse("1x4x4 -> conv 2@3 -> batchnorm -> relu -> fc 2")
    net.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata: dict[str, Any] = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name in ("architecture", "frozen", "loss", "seed"):
        metadata[name] = json.loads(metadata[name])
    change(metadata, tensors)
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    path.write_bytes(to_bytes(tensors, metadata=texts))


def test_the_crafted_file_is_good_without_a_change(path: Path) -> None:
    crafted(path, lambda metadata, tensors: None)
    load(path)


def arguments(metadata: dict[str, Any], layer: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = metadata["architecture"]["layers"][layer]["arguments"]
    return found


CHANGES: list[tuple[str, str]] = [
    ("m.pop('format')", "not one that chainrule wrote"),
    ("m.update(format='pt')", "not one that chainrule wrote"),
    ("m.update(version='2')", "version '2' of the format, and this chainrule reads version '1'"),
    ("m.pop('version')", "version None"),
    ("m.pop('architecture')", 'lacks "architecture"'),
    ("m.update(architecture='{')", '"architecture" in its metadata is not valid JSON'),
    ("m.update(architecture='[' * 100000)", "not valid JSON"),
    ("m.update(architecture='9' * 10000)", "not valid JSON"),
    ("m.update(architecture=[1])", 'lacks a list "input_shape"'),
    ("m.update(architecture=None)", 'lacks a list "input_shape"'),
    ("m['architecture'].update(input_shape=[1, -4, 4])", "must lie between"),
    ("m['architecture'].update(input_shape=[])", "at least one extent"),
    ("m['architecture'].update(input_shape=[1, 4, 'four'])", "must be an integer"),
    ("m['architecture'].update(input_shape=[1, 9, 9])", "expects 8 input features"),
    ("m['architecture'].update(nodes=3)", 'lacks a list "nodes"'),
    ("m['architecture']['nodes'][0].update(layer=17)", "refers to 17"),
    ("m['architecture']['nodes'][0].update(layer=-1)", "refers to -1"),
    ("m['architecture']['nodes'][0].update(layer=True)", 'lacks a int "layer"'),
    ("m['architecture']['nodes'][0].update(inputs=[3])", "refers to 3, which comes later"),
    ("m['architecture']['nodes'][0].update(inputs=['x'])", "refers to 'x'"),
    ("m['architecture']['nodes'][0].update(inputs=[0, 0])", "takes 1 input"),
    ("m['architecture']['nodes'].pop()", "has more than its layers need: linear1.bias"),
    ("m['architecture']['layers'][0].update({'class': 'Conv3d'})", r"Conv3d that is not part of .*mean Conv2d"),
    ("m['architecture']['layers'][0].update({'class': 'os.system'})", "not part of chainrule"),
    ("m['architecture']['layers'][0].update(name='batchnorm1')", "two of its layers have the same name"),
    ("m['architecture']['layers'][0].update(name='conv7')", "lacks conv7.bias, conv7.weight"),
    ("m['architecture']['layers'][0].pop('arguments')", 'lacks a dict "arguments"'),
    ("m['architecture']['layers'].insert(0, 5)", 'lacks a str "name"'),
    ("a(m).update(colour='red')", "conv1 = Conv2d cannot be built: .*colour"),
    ("a(m).pop('in_channels')", "cannot be built"),
    ("a(m).update(out_channels=2**31)", "must lie between"),
    ("a(m).update(out_channels=2**31 - 1)", "with 2 of the first|would take .* bytes"),
    ("a(m).update(kernel_size=float('nan'))", "must be an integer"),
    ("a(m).update(kernel_size={'tuple': [3]})", "a pair"),
    ("a(m).update(kernel_size={'exec': 'rm'})", "hyperparameter of unknown form"),
    ("a(m).update(connections={'array': [[1], [1, 2]], 'dtype': 'bool'})", "unknown form"),
    ("a(m).update(connections={'array': [['x']], 'dtype': 'float64'})", "unknown form"),
    ("a(m).update(connections={'array': [1], 'dtype': 'object'})", "unknown form"),
    ("a(m).update(connections={'array': [1], 'dtype': '(99999,99999)f8'})", "unknown form"),
    ("a(m).update(connections={'array': [[1, 1]], 'dtype': 'bool'})", "connections must be"),
    (
        "a(m, 4).update(out_features=2**31 - 1)",
        "architecture is invalid: .* (parameters|would take .* bytes)|its linear1.* has shape",
    ),
    ("a(m, 4).update(in_features=2**31 - 1)", "expects 2147483647 input features"),
    ("m.update(seed=-1)", "seed must lie between"),
    ("m.update(seed='x')", "not valid JSON"),
    ("m.pop('seed')", 'lacks "seed"'),
    ("m.update(frozen=['nothing'])", "not a list of parameter names"),
    ("m.update(frozen=[['conv1.weight']])", "not a list of parameter names"),
    ("m.update(frozen={'conv1.weight': 1})", "not a list of parameter names"),
    ("m.update(loss={'class': 'Loss', 'arguments': {}})", "unknown loss 'Loss'"),
    ("m.update(loss={'class': 'MSELoss', 'arguments': {'reduction': 'none'}})", "loss MSELoss cannot be built"),
    ("m.update(loss=5)", 'lacks a str "class"'),
    ("t.pop('conv1.weight')", "lacks conv1.weight"),
    ("t.pop('batchnorm1.running_var')", "lacks batchnorm1.running_var"),
    ("t.clear()", "lacks batchnorm1.bias, batchnorm1.running_mean, batchnorm1.running_var and 5 more"),
    ("t.update(extra=np.ones(3))", "more than its layers need: extra"),
    ("t.update({'conv1.bias': np.ones(3)})", r"its conv1.bias has shape \(3,\), but the layer needs \(2,\)"),
    ("t.update({'conv1.bias': np.ones((2, 1))})", r"has shape \(2, 1\)"),
    ("t.update({'conv1.bias': np.ones(2, np.int64)})", "stored as I64, not as F32 or F64"),
    ("t.update({'conv1.bias': np.array([1, np.nan])})", r"its conv1.bias holds nan at index \[1\]"),
    ("t.update({'batchnorm1.running_mean': np.array([np.inf, 0])})", r"running_mean holds inf at index \[0\]"),
]


@pytest.mark.parametrize("change, message", CHANGES, ids=[change for change, _ in CHANGES])
def test_changed_files_are_refused_in_one_sentence(path: Path, change: str, message: str) -> None:
    crafted(path, lambda m, t: eval(change, {"m": m, "t": t, "a": arguments, "np": np}))
    refused(path, message)


def test_a_shared_layer_that_fits_only_once(path: Path) -> None:
    def change(metadata: dict[str, Any], tensors: dict[str, Any]) -> None:
        layer = LocallyConnected2d(1, 1, 2)
        metadata["architecture"] = {
            "input_shape": [1, 4, 4],
            "layers": [{"name": "l", "class": "LocallyConnected2d", "arguments": layer.hyperparameters()}],
            "nodes": [{"layer": 0, "inputs": [0]}, {"layer": 0, "inputs": [1]}],
        }  # fmt: skip
        tensors.clear()
        tensors.update({f"l.{k}": np.ones(v) for k, v in layer.parameter_shapes((1, 4, 4)).items()})

    crafted(path, change)
    refused(path, "used at places that need different parameters")


@pytest.mark.parametrize(("name", "said"), [("other", ""), ("not one", "cannot be called 'not one'")])
def test_names_that_the_graph_would_not_give_by_itself(path: Path, name: str, said: str) -> None:
    def change(metadata: dict[str, Any], tensors: dict[str, Any]) -> None:
        metadata["architecture"]["layers"][0]["name"] = name
        for own in ("weight", "bias"):
            tensors[f"{name}.{own}"] = tensors.pop(f"conv1.{own}")

    crafted(path, change)
    if said:
        refused(path, said)
    else:
        assert next(iter(load(path).layers)) == name


def test_nothing_is_built_before_the_sizes_are_known_to_be_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crafted(path, lambda m, t: arguments(m, 4).update(out_features=10**6))

    def forbidden(*arguments: object) -> None:
        raise AssertionError("values were drawn")

    monkeypatch.setattr(Linear, "initialize", forbidden)
    refused(path, "shape")


def test_stored_says_what_a_file_holds(path: Path) -> None:
    net = everything()
    net.save(path)
    stored = files.read(path, LAYERS)
    assert set(stored.parameters) == set(net.parameters)
    assert set(stored.buffers) == set(net.buffers) == {
        f"batchnorm{n}.running_{what}" for n in (1, 2) for what in ("mean", "var")
    }  # fmt: skip
    assert stored.frozen == net.frozen
    assert isinstance(stored.loss, Loss | None)
    assert stored.output.shape == (3,)
