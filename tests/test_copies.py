"""Copies of networks, however they are made: what trains is what is named, and a snapshot stays one."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import zoo
from chainrule.errors import ArgumentError, ShapeError
from chainrule.parameters import Parameters
from tests.engines.comparing import ENGINES

X = np.random.default_rng(1).normal(size=(24, 1, 6, 6))
CLASSES = np.random.default_rng(2).integers(0, 3, 24)


def small() -> cr.Network:
    """Parameters, buffers, and something frozen."""
    net = cr.Sequential(
        cr.Conv2d(1, 4, 3), cr.BatchNorm2d(4), cr.ReLU(), cr.Flatten(), cr.Linear(64, 3), input_shape=(1, 6, 6), seed=5
    )
    net.freeze("conv1.bias")
    return net


def trained(net: cr.Network, **options: Any) -> cr.Network:
    """Move parameters and buffers."""
    asked = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.Adam(0.01), "epochs": 2, "batch_size": 8, **options}
    net.fit(X, CLASSES, progress=False, **asked)
    return net


def through_pickle(protocol: int) -> Callable[[Any], Any]:
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


def through_buffers(thing: Any) -> Any:
    """Pickled with its arrays beside it, read-only as joblib and shared memory give them."""
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(thing, 5, buffer_callback=buffers.append)
    return pickle.loads(text, buffers=[bytes(buffer.raw()) for buffer in buffers])


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": through_pickle(protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)},
    "pickle with buffers": through_buffers,
    "a pickle of a copy": lambda thing: copy.deepcopy(through_pickle(5)(copy.deepcopy(thing))),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def assert_views(parameters: Parameters) -> None:
    """Every named array lies in the flat buffer, at its place."""
    for name, part in parameters.slices().items():
        layer, _, own = name.rpartition(".")
        for view in (parameters[name], parameters.of(layer)[own]):
            assert np.shares_memory(view, parameters.flat) or not view.size, name
            np.testing.assert_array_equal(view.reshape(-1), parameters.flat[part], err_msg=name)


@ways
@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_trains_saves_and_takes_values_as_the_network_does(
    way: Callable[[Any], Any], engine: Any, tmp_path: Path
) -> None:
    net = trained(small(), engine=engine)
    made = way(net)
    assert made.frozen == net.frozen == {"conv1.bias"}
    for one in (net, made):
        trained(one, engine=engine)
        assert_views(one.parameters)
        assert_views(one.buffers)
    for a, b in ((net.parameters, made.parameters), (net.buffers, made.buffers)):
        assert list(a) == list(b)
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    made.save(tmp_path / "made.crn")
    np.testing.assert_array_equal(cr.load(tmp_path / "made.crn")(X), net(X))
    assert str(made.summary()) == str(net.summary())
    before = made(X, engine=engine)
    made.parameters["linear1.bias"] = [10.0, 0.0, 0.0]
    assert made(X, engine=engine)[0, 0] > before[0, 0] + 5
    np.testing.assert_array_equal(net(X, engine=engine), before)


@ways
def test_a_copy_and_its_original_do_not_meet(way: Callable[[Any], Any]) -> None:
    net = trained(small())
    made, before = way(net), net(X)
    trained(made)
    made.freeze("linear1.*")
    np.testing.assert_array_equal(net(X), before)
    assert net.frozen == {"conv1.bias"}
    assert not np.array_equal(made(X), before)


places: list[dict[str, Any]] = [
    {"of": "relu1[1,2,2]", "sample": 1},
    {"of": "linear1.weight[1,2]", "learning_rate": 0.1},
]


@ways
def test_explanations_of_a_copy_show_the_numbers_it_has(way: Callable[[Any], Any]) -> None:
    made = trained(way(small()))
    told = [
        [str(cr.explain(net, X[:2], CLASSES[:2], cr.CrossEntropyLoss(), **of)) for of in places]
        for net in (trained(small()), made)
    ]
    assert told[0] == told[1]


@ways
def test_a_copy_of_a_snapshot_is_a_snapshot(way: Callable[[Any], Any]) -> None:
    net = trained(small())
    made, before = way(net.snapshot()), net(X)
    assert made.parameters.sealed
    assert made.buffers.sealed
    for _ in range(2):
        np.testing.assert_array_equal(made(X), before)
        trained(net)
    with pytest.raises(ArgumentError, match="a snapshot cannot be trained"):
        trained(made)
    with pytest.raises(ArgumentError, match=r"linear1\.bias belongs to a snapshot"):
        made.parameters["linear1.bias"] = np.zeros(3)
    for array in (made.parameters["linear1.bias"], made.parameters.flat, made.parameters.of("linear1")["bias"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


@ways
def test_shared_parameters_stay_shared_within_one_copy(way: Callable[[Any], Any]) -> None:
    layer = cr.Linear(4, 4)
    x = cr.Input(4)
    net = cr.Network(x, layer(cr.Tanh()(layer(x))), seed=1)
    made = way({"net": net, "again": net}) if way is not copy.copy else {"net": copy.copy(net)}
    assert made["net"].steps[0].layer is made["net"].steps[2].layer is made["net"].layers["linear1"]
    assert made.get("again", made["net"]) is made["net"]
    rows = np.ones((8, 4))
    for one in (net, made["net"]):
        one.fit(rows, rows, loss=cr.MSELoss(), optimizer=cr.SGD(0.1), progress=False)
    np.testing.assert_array_equal(made["net"].parameters.flat, net.parameters.flat)


def test_values_given_to_the_whole_are_copied_into_the_buffer_that_trains() -> None:
    """`net.parameters = ...` and `net.parameters.flat = ...` cannot part the names from what is trained."""
    net, other = small(), trained(small())
    engine_reads, arrays = net.parameters, dict(net.parameters)
    net.parameters = other.parameters
    net.buffers = other.buffers
    assert net.parameters is engine_reads
    np.testing.assert_array_equal(net(X), other(X))
    net.parameters.flat = np.zeros_like(net.parameters.flat)
    assert not arrays["linear1.weight"].any()
    net.parameters.flat += 1
    assert (arrays["linear1.weight"] == 1).all()
    assert other.parameters["linear1.weight"].std() > 0
    with pytest.raises(ShapeError, match=r"numbers"):
        net.parameters.flat = np.zeros(3)
    with pytest.raises(ArgumentError, match=r"linear1\.bias"):
        net.parameters = {name: array for name, array in other.parameters.items() if name != "linear1.bias"}
    with pytest.raises(TypeError, match="assignment"):
        net.parameters.of("linear1")["bias"] = np.zeros(3)  # type: ignore[index]
    snapshot = net.snapshot()
    with pytest.raises(ArgumentError, match="snapshot"):
        snapshot.parameters.flat = other.parameters.flat
    with pytest.raises(ArgumentError, match="snapshot"):
        snapshot.parameters = other.parameters


def worker(net: cr.Network) -> tuple[cr.Network, Any]:
    """What another process does with a network it was sent."""
    return trained(net), net(X)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_exchange_networks(method: str) -> None:
    net = trained(small())
    with multiprocessing.get_context(method).Pool(1) as pool:
        returned, outputs = pool.apply(worker, (net,))
    trained(net)
    np.testing.assert_array_equal(net(X), outputs)
    np.testing.assert_array_equal(returned(X), outputs)
    assert_views(returned.parameters)


JOBLIB = """
import joblib, numpy as np, chainrule as cr
from chainrule import zoo

net = cr.Sequential(cr.Linear(600, 500), cr.Tanh(), cr.Linear(500, 3), seed=1)
x, t = np.random.default_rng(0).normal(size=(16, 600)), np.arange(16) % 3

def work(net, train):
    if train:
        net.fit(x, t, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), progress=False)
    return net.parameters.sealed, net.parameters["linear1.weight"], net(x)

if __name__ == "__main__":
    with joblib.Parallel(n_jobs=2, max_nbytes=1000) as parallel:
        trained, sealed = parallel([joblib.delayed(work)(net, True), joblib.delayed(work)(net.snapshot(), False)])
    _, weight, outputs = work(net, True)
    assert not trained[0] and sealed[0]
    assert np.array_equal(trained[1], weight) and np.array_equal(trained[2], outputs)
    joblib.dump(net, "net.joblib")
    assert work(joblib.load("net.joblib", mmap_mode="r"), True)[0] is False
    print("same")
"""


def test_joblib_maps_large_arrays_read_only_and_they_train_all_the_same(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    (tmp_path / "job.py").write_text(JOBLIB)
    done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout == "same\n", done.stderr


def test_a_pickle_holds_each_number_once() -> None:
    net = zoo.lenet5()
    trained_bytes = 8 * (net.parameters.flat.size + net.buffers.flat.size)
    file = io.BytesIO()
    pickle.dump(net, file)
    assert file.tell() < trained_bytes + 20_000


def test_a_network_of_2000_layers_is_copied() -> None:
    layers = [cr.Tanh() for _ in range(2000)]
    net = cr.Sequential(*layers, input_shape=3)
    for made in (copy.deepcopy(net), through_pickle(5)(net)):
        assert len(made.steps) == 2000
