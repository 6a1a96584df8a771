"""Names of layers, networks within networks, and sums of nodes: wherever a network goes, they go along."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, ChainruleError, FileFormatError, GrammarError, ShapeError
from tests.layers.rows import ROWS

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 1, 8, 8))
LOSS = cr.CrossEntropyLoss()


def nested() -> cr.Network:
    """Blocks with and without names, one in another, a named layer, and a layer outside of all."""
    return cr.Sequential(
        cr.Sequential(cr.Conv2d(1, 2, 3), cr.ReLU(), name="stem"),
        cr.Sequential(cr.Sequential(cr.Conv2d(2, 3, 3), cr.ReLU(name="bend")), cr.Conv2d(3, 3, 3), cr.BatchNorm2d(3)),
        cr.Flatten(), cr.Linear(12, 4, name="head"), cr.Linear(4, 2), input_shape=(1, 8, 8), seed=1,
    )  # fmt: skip


LAYERS = (
    "stem.conv1", "stem.relu1", "block2.block1.conv1", "block2.block1.bend", "block2.conv1", "block2.batchnorm1",
    "flatten1", "head", "linear2",
)  # fmt: skip


def test_layers_are_called_by_their_block_their_kind_and_number() -> None:
    assert tuple(nested().layers) == LAYERS
    assert nested().names == ("input", *LAYERS)
    assert [row.name for row in nested().summary().rows] == list(LAYERS)


def ways(tmp_path: Path) -> dict[str, Callable[[cr.Network], cr.Network]]:
    def through_a_file(net: cr.Network) -> cr.Network:
        net.save(tmp_path / "net.safetensors")
        return cr.load(tmp_path / "net.safetensors")

    return {
        "file": through_a_file,
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "pickle": lambda net: pickle.loads(pickle.dumps(net)),
        "snapshot": lambda net: net.snapshot(),
        "twice through a file": lambda net: through_a_file(through_a_file(net)),
        "a file of a copy": lambda net: through_a_file(pickle.loads(pickle.dumps(net))),
    }


@pytest.mark.parametrize(
    "way", ["file", "copy", "deepcopy", "pickle", "snapshot", "twice through a file", "a file of a copy"]
)
def test_names_and_values_survive(way: str, tmp_path: Path) -> None:
    net = nested()
    net.freeze("stem.*", "head.bias")
    again = ways(tmp_path)[way](net)
    assert again.names == net.names
    assert again.frozen == net.frozen
    assert str(again) == str(net)
    assert str(again.summary()) == str(net.summary())
    np.testing.assert_array_equal(again(X), net(X))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_nested_network_learns_as_the_flat_one(engine: Any) -> None:
    net = nested()
    flat = cr.Sequential(*(copy.deepcopy(layer) for layer in net.layers.values()), input_shape=(1, 8, 8))
    flat.parameters.flat[:] = net.parameters.flat
    targets = [0, 1, 1]
    for one in (net, flat):
        one.fit(X, targets, loss=LOSS, optimizer=cr.SGD(0.1), epochs=3, progress=False, engine=engine)
    np.testing.assert_array_equal(net.parameters.flat, flat.parameters.flat)
    value, gradients, _ = net.gradients(X, targets, loss=LOSS, engine=engine)
    assert value == flat.gradients(X, targets, loss=LOSS, engine=engine)[0]
    assert set(gradients) == set(net.parameters)


def test_everything_that_names_layers_takes_these_names() -> None:
    net = nested()
    trace = net.trace(X, [0, 1, 0], loss=LOSS)
    assert trace["block2.block1.conv1"].value.shape == (3, 3, 4, 4)
    assert trace["block2.block1.conv1.weight"].gradient.shape == (3, 2, 3, 3)
    derivation = cr.explain(net, X[:1], [0], LOSS, of="block2.block1.conv1.weight[0,1,2,2]")
    assert derivation.value == pytest.approx(
        net.gradients(X[:1], [0], loss=LOSS)[1]["block2.block1.conv1.weight"][0, 1, 2, 2]
    )
    assert "block2.block1.conv1" in str(derivation)
    assert cr.check_gradients(net, X, [0, 1, 0], LOSS, sample=4).ok


def test_a_network_within_another_begins_with_copies_of_its_values() -> None:
    body = cr.Sequential(cr.Conv2d(1, 2, 3, name="eye"), cr.BatchNorm2d(2), input_shape=(1, 8, 8), seed=5, name="body")
    body.freeze("eye.bias")
    body.buffers["batchnorm1.running_mean"] = [1.0, 2.0]
    net = cr.Sequential(body, cr.Flatten(), cr.Linear(72, 2), seed=1)
    assert list(net.parameters)[:2] == ["body.eye.weight", "body.eye.bias"]
    assert net.frozen == {"body.eye.bias"}
    trace = net.trace(X, [0, 1, 0], loss=LOSS, training=False)
    np.testing.assert_allclose(trace["body.batchnorm1"].value, body(X), rtol=1e-12)
    net.parameters["body.eye.weight"] = np.zeros((2, 1, 3, 3))
    assert body.parameters["eye.weight"].any(), "the values are copies"


def test_a_penalty_layer_that_was_unfrozen_stays_so() -> None:
    last = cr.Sequential(cr.RBF(4, 2), input_shape=4)
    last.unfreeze("*")
    assert cr.Sequential(cr.Linear(4, 4), last).frozen == set()


def test_networks_and_blocks_are_applied_to_nodes() -> None:
    branch = cr.Sequential(cr.Conv2d(2, 2, 3, padding=1), cr.ReLU())
    x = cr.Input((2, 4, 4))
    inner = cr.Network(x, cr.Tanh()(x) + x)
    start = cr.Input((2, 4, 4))
    net = cr.Network(start, inner(branch(branch(start))) + start)
    assert net.names == (
        "input", "block1.conv1", "block1.relu1", "block1.conv1@2", "block1.relu1@2", "block2.tanh1", "block2.add1",
        "add1",
    )  # fmt: skip
    assert len(net.parameters) == 2


def test_one_network_twice_is_shared_as_a_layer_is() -> None:
    inner = cr.Sequential(cr.Linear(3, 3), seed=4)
    net = cr.Sequential(inner, inner)
    assert net.names == ("input", "block1.linear1", "block1.linear1@2")
    np.testing.assert_allclose(net(np.eye(3)), inner(inner(np.eye(3))))
    with pytest.raises(ArgumentError, match="two networks with values of its own"):
        cr.Sequential(inner, copy.copy(inner))
    assert len(cr.Sequential(inner, copy.deepcopy(inner)).parameters) == 4


def test_a_part_says_what_it_lacks() -> None:
    part = cr.Sequential(cr.Conv2d(1, 2, 3), cr.ReLU(), name="stem")
    assert repr(part) == "Sequential(Conv2d(1, 2, 3), ReLU(), name='stem')"
    for use in (lambda: part(X), lambda: part.fit, lambda: part.parameters, lambda: part.save("x")):
        with pytest.raises(ArgumentError, match=r"needs input_shape=\.\.\."):
            use()
    again = pickle.loads(pickle.dumps(copy.deepcopy(part)))
    assert cr.Sequential(again, input_shape=(1, 8, 8)).names == ("input", "stem.conv1", "stem.relu1")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: cr.Sequential(cr.Linear(2, 3), cr.Sequential(cr.ReLU(), cr.Linear(4, 1))), "block1.linear1 = Linear"),
        (lambda: cr.Sequential(cr.Linear(2, 3), cr.Linear(4, 1, name="head")), "head = Linear"),
        (
            lambda: cr.Sequential(cr.Linear(2, 3), cr.Sequential(cr.Linear(4, 1), cr.ReLU())),
            r"block1: takes inputs of 4, not of 3",
        ),
    ],
)
def test_an_error_names_the_layer_as_the_network_would(make: Any, expected: str) -> None:
    with pytest.raises(ShapeError, match=expected):
        make()


@pytest.mark.parametrize(
    "name", ["", "a.b", "a/b", "a b", "1st", "input", "a@2", "a[0]", "\x1b[31m", 3, b"a"], ids=repr
)
@pytest.mark.parametrize(
    "kind",
    [
        lambda **more: cr.Linear(2, 2, **more),
        lambda **more: cr.Sequential(cr.ReLU(), **more),
        lambda **more: cr.Sequential(cr.Linear(2, 2), **more),
    ],
)
def test_a_name_that_cannot_be(kind: Any, name: Any) -> None:
    with pytest.raises(ArgumentError, match="name must begin with a letter"):
        kind(name=name)


@pytest.mark.parametrize(
    "items",
    [
        (cr.Linear(2, 2, name="a"), cr.Linear(2, 2, name="a")),
        (cr.Linear(2, 2), cr.Linear(2, 2, name="linear1")),
        (cr.Linear(2, 2, name="a"), cr.Sequential(cr.ReLU(), name="a")),
        (cr.Linear(2, 2, name="block1"), cr.Sequential(cr.ReLU())),
        (cr.Linear(2, 2), cr.Sequential(cr.ReLU(), name="a"), cr.Sequential(cr.Tanh(), name="a")),
        (cr.Linear(2, 2), cr.Sequential(cr.ReLU()), cr.Sequential(cr.Tanh(), name="block1")),
    ],
)
def test_one_name_is_one_thing(items: Any) -> None:
    with pytest.raises(ArgumentError, match="called"):
        cr.Sequential(*items)


def test_a_given_name_changes_no_other() -> None:
    names = [f"linear{k}" for k in (1, 2, 3)]
    for k in range(3):
        layers = [cr.Linear(2, 2, name="x" if i == k else None) for i in range(3)]
        assert list(cr.Sequential(*layers).layers) == ["x" if i == k else names[i] for i in range(3)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row.layer).__name__)
def test_every_layer_takes_a_name_and_keeps_it(row: Any) -> None:
    layer = type(row.layer)(**row.layer.hyperparameters(), name="mine")
    assert layer.given_name == "mine"
    assert layer.hyperparameters().keys() == row.layer.hyperparameters().keys()
    assert repr(layer).endswith("name='mine')")
    assert layer.described() == repr(row.layer)
    nodes = [cr.Input(shape) for shape in row.shapes]
    assert layer(*nodes).layer is layer


def test_a_layer_of_ones_own_may_have_a_hyperparameter_called_name(tmp_path: Path) -> None:
    class Own(cr.Tanh):
        """With a name that means something else."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    net = cr.Sequential(cr.Linear(2, 2), Own("any / thing"))
    net.save(tmp_path / "own.safetensors")
    again = cr.load(tmp_path / "own.safetensors", layers={"Own": Own})
    assert again.names == ("input", "linear1", "own1")
    assert again.layers["own1"].name == "any / thing"  # type: ignore[attr-defined]


def renamed(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """The file with other names of layers, also of their tensors."""
    data = path.read_bytes()
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    architecture = json.loads(header["__metadata__"]["architecture"])
    before = [layer["name"] for layer in architecture["layers"]]
    change(architecture["layers"])
    after = [layer["name"] for layer in architecture["layers"]]
    header["__metadata__"]["architecture"] = json.dumps(architecture)
    for old, new in zip(before, after, strict=True):
        for name in [key for key in header if key.rpartition(".")[0] == old]:
            header[f"{new}.{name.rpartition('.')[2]}"] = header.pop(name)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[stop:])
    return path


@pytest.mark.parametrize(
    "name", ["\x1b[31m", "a b", "a..b", "", ".a", "a.", "input", "a.input", "a@2", "a/b"], ids=repr
)
def test_a_file_with_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    nested().save(tmp_path / "net.safetensors")
    path = renamed(tmp_path / "net.safetensors", lambda layers: layers[0].update(name=name))
    with pytest.raises(FileFormatError, match="cannot be called"):
        cr.load(path)


def test_a_file_in_which_a_layer_is_called_as_a_block_is_refused(tmp_path: Path) -> None:
    nested().save(tmp_path / "net.safetensors")
    path = renamed(tmp_path / "net.safetensors", lambda layers: layers[-1].update(name="stem"))
    with pytest.raises(FileFormatError, match="both be called 'stem'"):
        cr.load(path)


# --- sums of nodes ---


def test_a_sum_of_nodes_is_an_add() -> None:
    x = cr.Input((2, 3))
    y = cr.Tanh()(x)
    net = cr.Network(x, x + y + y)
    assert net.names == ("input", "tanh1", "add1", "add2")
    data = RNG.normal(size=(4, 2, 3))
    np.testing.assert_allclose(net(data), data + 2 * np.tanh(data))


@pytest.mark.parametrize("other", [1, np.ones(3), "a", None, [1, 2]], ids=repr)
def test_only_nodes_are_added_to_nodes(other: Any) -> None:
    x = cr.Input(3)
    for add in (lambda: x + other, lambda: other + x):
        with pytest.raises((ArgumentError, TypeError), match=r"applied to nodes|can only concatenate"):
            add()


def test_nodes_of_other_shapes_are_refused() -> None:
    with pytest.raises(ChainruleError, match="adds inputs of one shape"):
        cr.Input(3) + cr.Input(4)


# --- names in texts ---


def test_a_text_gives_names() -> None:
    text = "1x8x8 -> [conv 2@3x3 as eye -> relu] as stem -> [[fc 4] as inner -> tanh as bend] as head -> fc 2"
    net = cr.parse(text)
    assert net.names[1:] == (
        "stem.eye", "stem.relu1", "head.inner.flatten1", "head.inner.linear1", "head.bend", "linear1",
    )  # fmt: skip
    assert str(net) == text
    assert cr.parse("1x8x8 -> [conv 2@3 as eye -> relu AS bend]? -> fc 2").names[1:3] == ("eye", "bend")


def test_a_nested_network_is_written_with_its_names() -> None:
    net = nested()
    assert str(net) == (
        "1x8x8 -> [conv 2@3x3 -> relu] as stem -> [[conv 3@3x3 -> relu as bend] as block1 -> conv 3@3x3 -> batchnorm] "
        "as block2 -> fc 4 as head -> fc 2"
    )
    again = cr.parse(str(net), seed=1)
    assert again.names == net.names
    assert str(again) == str(net)


@pytest.mark.parametrize("seed", range(40))
def test_every_chain_of_named_layers_and_blocks_reads_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    taken = iter(rng.permutation([f"n{k}" for k in range(99)]).tolist())

    def name() -> str | None:
        return next(taken) if rng.random() < 0.4 else None

    def items(depth: int) -> list[Any]:
        made: list[Any] = []
        for _ in range(int(rng.integers(1, 4))):
            if depth < 3 and rng.random() < 0.4:
                made.append(cr.Sequential(cr.ReLU(), *items(depth + 1), name=name()))
            else:
                made.append([cr.Tanh, cr.ReLU, cr.BatchNorm1d][int(rng.integers(2))](name=name()))
        return made

    start = [cr.Conv2d(1, 2, 3, name=name()), *items(0)]
    end = [cr.Flatten(name=name()), cr.Linear(2 * 6 * 6, 3, name=name())]
    body = (
        [cr.Sequential(*start, name=name()), *end] if rng.random() < 0.5 else [*start, cr.Sequential(*end, cr.Tanh())]
    )
    net = cr.Sequential(*body, input_shape=(1, 8, 8))
    again = cr.parse(str(net))
    assert (again.names, str(again)) == (net.names, str(net))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4 -> fc 3 as", 'expected a name after "as", not the end'),
        ("4 -> fc 3 as -> fc 2", 'expected a name after "as", not "->"'),
        ("4 -> fc 3 as 2", 'expected a name after "as", not "2"'),
        ("4 -> fc 3 as input", "name must begin with a letter"),
        ("4 -> fc 3 as a b", 'expected "->" before "b"'),
        ("4 -> fc 3 as a nobias", 'expected "->" before "nobias"'),
        ("4 -> fc 3 as a*2", "what is called a is repeated 2 times"),
        ("4 -> [fc 3 -> relu] as a*2", "what is called a is repeated 2 times"),
        ("4 -> [fc 3 as a]*2", "what is called a is repeated 2 times"),
        ("4 -> [[[fc 3] as a -> relu]*1]*1,000".replace(",", ""), "what is called a is repeated 1,000 times"),
        ("4 -> fc 3 as a -> fc 3 as a", "two layers would be called 'a'"),
        ("4 -> [fc 3] as a -> [fc 3] as a", "two blocks would be called 'a'"),
        ("4 -> fc 3 -> fc 2 as linear1", "two layers would be called 'linear1'"),
    ],
)
def test_names_that_a_text_cannot_give(text: str, says: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(says)):
        cr.parse(text)
