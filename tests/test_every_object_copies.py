"""Every public object comes back from pickle, `copy` and `deepcopy` able to do all that the original does.

A public class without a row fails. What an object does is told as plain values, arrays and texts, compared bit by bit.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import data, diagnosis, gradient_check, preprocessing, zoo
from chainrule.engines.base import Traced
from chainrule.layers.base import Context
from chainrule.losses import LOSSES
from chainrule.parameters import Parameters
from tests.layers.rows import ROWS, Row

Does = Callable[[Any], Any]
PACKAGES = ["", ".data", ".diagnosis", ".errors", ".explain", ".gradient_check", ".preprocessing", ".zoo"]
RNG = np.random.default_rng(4)
X, T = RNG.normal(size=(12, 1, 6, 6)), RNG.integers(0, 3, 12)
CROSS = cr.CrossEntropyLoss()


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, NaN equal to NaN."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def told(thing: Any) -> Any:
    """What can be read from an object that only holds results: fields, properties and texts."""
    if isinstance(thing, np.ndarray | str | int | float | None):
        return thing
    if isinstance(thing, Mapping) and not dataclasses.is_dataclass(thing):
        return [type(thing).__name__, [(key, told(thing[key])) for key in thing]]
    if isinstance(thing, list | tuple):
        return [told(item) for item in thing]
    if dataclasses.is_dataclass(thing):
        values = [(field.name, told(getattr(thing, field.name))) for field in dataclasses.fields(thing)]
        public = [n for n, v in vars(type(thing)).items() if isinstance(v, property) and not n.startswith("_")]
        texts = [getattr(thing, name)() for name in ("to_dict", "html", "markdown", "text") if hasattr(thing, name)]
        return [type(thing).__name__, values, [told(getattr(thing, n)) for n in public], texts, str(thing), repr(thing)]
    return [type(thing).__name__, repr(thing)]


# --- what each kind of object does ---------------------------------------------------------------------------------


def network_does(net: cr.Network) -> Any:
    """Everything: answers, gradients, training, files, texts, assignment, freezing."""
    x = RNG_OF(net).normal(size=(8, *net.input_shape))
    t = RNG_OF(net).integers(0, net.output_shape[0], 8)
    loss = net._default_loss(t)
    seen = [str(net), repr(net), str(net.summary()), sorted(net.frozen), net.parameter_count, told(net.preparation)]
    for engine in ("native", "reference"):
        value, gradients, dx = net.gradients(x, t, loss=loss, engine=engine)
        seen += [net(x, engine=engine), net.predict(x, engine=engine), value, gradients.flat, dx]
        if not net.parameters.sealed:
            optimizer = cr.Adam(1e-3)
            net.fit(x, t, loss=loss, optimizer=optimizer, batch_size=4, progress=False, engine=engine)
            seen += [net.parameters.flat.copy(), dict(net.parameters), net.buffers.flat.copy(), dict(net.buffers)]
    trace = net.trace(x, t, loss=loss)
    seen += [told(trace), told(net.evaluate(x, t, loss=loss)), str(cr.explain(net, x[:1], t[:1], loss, of=first(net)))]
    net.save(FOLDER / "net.crn")
    seen += [(FOLDER / "net.crn").read_bytes(), cr.load(FOLDER / "net.crn")(x)]
    if not net.parameters.sealed:
        net.freeze("*")
        for name in net.parameters:
            net.parameters[name] = np.full(net.parameters[name].shape, 0.01)
        seen += [sorted(net.frozen), net(x), net.parameters.flat.copy()]
    return seen


FOLDER = Path()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "FOLDER", tmp_path)


def RNG_OF(net: cr.Network) -> np.random.Generator:
    """The same numbers for each copy."""
    return np.random.default_rng(len(net.steps))


def first(net: cr.Network) -> str:
    """A number of the network's first parameter."""
    name = next(iter(net.parameters))
    return f"{name}[{','.join('0' * net.parameters[name].ndim)}]"


def layer_does(entry: Row) -> Does:
    """Shapes, counts, forward, backward: as a row of the table of layers asks."""

    def does(layer: cr.Layer) -> Any:
        values, xs, dy = entry.arrays()
        y, saved = layer.forward(values, *xs, context=entry.context())
        counts = [layer.parameter_counts(*entry.shapes), layer.connection_count(*entry.shapes)]
        initial = layer.initialize(np.random.default_rng(1), *entry.shapes)
        gradients = layer.backward_input(values, dy, saved), layer.backward_parameters(values, dy, saved)
        return [repr(layer), layer.kind, layer.hyperparameters(), counts, initial, y, gradients]

    return does


def loss_does(loss: cr.Loss) -> Any:
    """Value, gradient, text."""
    outputs = np.random.default_rng(3).normal(size=(5, 4))
    by_class = type(loss) in (cr.CrossEntropyLoss, cr.MAPLoss)
    given = np.arange(5) % 4 if by_class else np.random.default_rng(4).random((5, 4))
    value, saved = loss.forward(outputs, loss.prepare_targets(given, 5, (4,)))
    return [repr(loss), loss.hyperparameters(), value, loss.backward(saved)]


def optimizer_does(optimizer: cr.Optimizer) -> Any:
    """Three steps."""
    parameters, gradients = np.arange(4.0), np.array([0.5, -1, 2, 0])
    memory = optimizer.initial_state(parameters)
    for step in range(1, 4):
        optimizer.update(parameters, gradients * step, memory, optimizer.learning_rate, step)
    return [repr(optimizer), optimizer.hyperparameters(), optimizer.native_update(), parameters, memory]


def schedule_does(schedule: cr.Schedule) -> Any:
    return [repr(schedule), schedule.rates(0.3, 4, 5)]


def preprocessor_does(made: preprocessing.Preprocessor) -> Any:
    y = made.transform(X.reshape(12, 36))
    return [repr(made), y, made.inverse(y), made.fit_transform(X.reshape(12, 36) ** 2)]


def dataset_does(made: data.Dataset) -> Any:
    return [told(made), made.input_shape, repr(made)]


def node_does(node: cr.Node) -> Any:
    """A node goes on to become a network."""
    start = node
    while start.inputs:
        start = start.inputs[0]
    net = cr.Network(start, cr.Tanh()(node), seed=3)
    return [repr(node), str(net), net(np.ones((2, *start.shape)))]


def parameters_do(made: Parameters) -> Any:
    before = made.flat.copy()
    if not made.sealed:
        made.flat[:] = np.arange(made.flat.size)
    return [made.sealed, before, dict(made), made.of("a"), repr(made), made.slices() == made.copy().slices()]


# --- the objects ---------------------------------------------------------------------------------------------------


def chain() -> cr.Network:
    """A bit of everything that couples, draws or keeps."""
    return cr.Sequential(
        cr.Conv2d(1, 4, 3, padding=1), cr.BatchNorm2d(4), cr.ReLU(), cr.MaxPool2d(2), cr.Dropout(0.3), cr.Flatten(),
        cr.Linear(36, 3), input_shape=(1, 6, 6), seed=2,
    )  # fmt: skip


def branches() -> cr.Network:
    """A graph with a shared layer and a join."""
    x, shared = cr.Input((2, 4, 4)), cr.Conv2d(2, 2, 3, padding=1)
    h = shared(cr.Tanh()(shared(x)))
    return cr.Network(x, cr.Linear(64, 3)(cr.Flatten()(cr.Concat()(cr.Add()(h, x), h))), seed=1)


def rare_layers() -> cr.Network:
    """Layers of the sources, one of them frozen from the start."""
    return cr.Sequential(
        cr.LocallyConnected2d(1, 2, 3), cr.ScaledTanh(), cr.TrainablePool2d(2, 2), cr.LocalResponseNorm(3),
        cr.Flatten(), cr.Linear(8, 5), cr.RBF(5, 3), input_shape=(1, 6, 6), seed=3,
    )  # fmt: skip


def frozen() -> cr.Network:
    net = chain()
    net.freeze("*.bias", "linear1.*")
    return net


def fitted(net: cr.Network) -> cr.Network:
    """After training, so that engines know it and its loss is set."""
    net.fit(X, T, loss=CROSS, optimizer=cr.SGD(0.1, 0.9), batch_size=5, progress=False)
    return net


def loaded() -> cr.Network:
    path = FOLDER / "loaded.crn"
    net = fitted(frozen())
    net.preparation = data.Preparation(("crop", "stretch"))
    net.save(path)
    return cr.load(path)


def history() -> cr.training.History:
    net = chain()
    return net.fit(X, T, loss=CROSS, optimizer=cr.SGD(0.1), epochs=3, validation=(X, T), keep_best=True, progress=False)


def wrong_gradients() -> gradient_check.GradientReport:
    """A report that names a layer at fault, and one kink."""

    class Wrong(cr.Tanh):
        """Forgets to multiply."""

        def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
            return dy

    net = cr.Sequential(cr.Linear(3, 4), Wrong(), cr.ReLU(), cr.Linear(4, 3), seed=1)
    return cr.check_gradients(net, np.zeros((1, 3)), [1], CROSS, engine="reference")


def derivation() -> cr.Derivation:
    return cr.explain(chain(), X[:2], T[:2], CROSS, of="conv1.weight[0,0,1,2]", lang="zh", learning_rate=0.1)


def a_diagnosis() -> diagnosis.Diagnosis:
    x, weight, dy = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3)), RNG.normal(size=(4, 2))
    return diagnosis.diagnose_linear(x, weight, dy, dweight=-(dy.T @ x), dx=dy @ weight)


def trace() -> Any:
    return chain().trace(X, T, loss=CROSS)


def parts(thing: Any, kind: str) -> Any:
    """The first object of a class that lies somewhere within another."""
    waiting = [thing]
    while waiting:
        item = waiting.pop(0)
        if type(item).__name__ == kind:
            return item
        if dataclasses.is_dataclass(item):
            waiting += [getattr(item, field.name) for field in dataclasses.fields(item)]
        elif isinstance(item, list | tuple):
            waiting += item
    raise LookupError(kind)


def part(make: Callable[[], Any], kind: str) -> tuple[Callable[[], Any], Does]:
    return (lambda: parts(make(), kind)), told


def fit_on_samples(made: preprocessing.Preprocessor) -> tuple[Callable[[], Any], Does]:
    return (lambda: made.fit(X.reshape(12, 36))), preprocessor_does


OBJECTS: dict[str, list[tuple[Callable[[], Any], Does]]] = {
    "Network": [(make, network_does) for make in (branches, loaded)],
    "Sequential": [
        (make, network_does)
        for make in (chain, frozen, rare_layers, lambda: fitted(chain()), lambda: fitted(frozen()).snapshot())
    ]
    + [(lambda: cr.parse("1x6x6 -> conv 3@3x3 -> relu -> fc 3", seed=1), network_does)],
    "Graph": [(lambda: cr.Graph(*endpoints()), lambda g: [g.names, g.shapes, g.parameters.flat, dict(g.parameters)])],
    "Node": [
        (lambda: cr.Input((2, 4, 4)), node_does),
        (lambda: cr.Linear(32, 3)(cr.Flatten()(cr.Input((2, 4, 4)))), node_does),
    ],
    "Context": [(lambda: Context(True, 1, 2, 3), told)],
    "Parameters": [
        (lambda: Parameters({"a.weight": (2, 3), "a.bias": (2,), "b.c": ()}), parameters_do),
        (lambda: Parameters({"a.weight": (2, 3)}, np.float32).seal(), parameters_do),
        (lambda: Parameters({}), parameters_do),
        (lambda: Parameters({}).seal(), parameters_do),
    ],
    **{
        name: [(lambda r=r: r.layer, layer_does(r)) for r in ROWS if type(r.layer).__name__ == name]
        for name in cr.layers.LAYERS
    },
    **{name: [(lambda k=k, r=r: k(reduction=r), loss_does) for r in ("mean", "sum")] for name, k in LOSSES.items()},
    "SGD": [(lambda: cr.SGD(0.1), optimizer_does), (lambda: cr.SGD(0.1, 0.9, True, 0.01), optimizer_does)],
    "Adam": [(lambda: cr.Adam(0.01, (0.8, 0.99), weight_decay=0.1), optimizer_does)],
    "AdamW": [(cr.AdamW, optimizer_does)],
    "RMSprop": [(lambda: cr.RMSprop(0.01, 0.9, 1e-6, 0.1, 0.5, True), optimizer_does)],
    "Constant": [(cr.Constant, schedule_does)],
    "StepDecay": [(lambda: cr.StepDecay(2, 0.5), schedule_does)],
    "Cosine": [(lambda: cr.Cosine(0.1, 0.2), schedule_does)],
    "OneCycle": [(lambda: cr.OneCycle(0.4), schedule_does)],
    "Derivation": [(derivation, told)],
    "DerivationStep": [part(derivation, "DerivationStep")],
    "Part": [part(derivation, "Part")],
    "Term": [part(derivation, "Term")],
    "Factor": [part(derivation, "Factor")],
    "Place": [part(derivation, "Place")],
    "Diagnosis": [(a_diagnosis, told)],
    "TensorDiagnosis": [part(a_diagnosis, "TensorDiagnosis")],
    "Finding": [part(a_diagnosis, "Finding")],
    "GradientReport": [(wrong_gradients, told)],
    "TensorCheck": [part(wrong_gradients, "TensorCheck")],
    "Kink": [part(wrong_gradients, "Kink")],
    "History": [(history, lambda h: [told(h), dict(h), repr(h)]), (cr.training.History, repr)],
    "EpochRow": [part(history, "EpochRow")],
    "Evaluation": [(lambda: chain().evaluate(X, T), lambda e: [told(e), e.precision, e.recall, e.f1])],
    "Trace": [(trace, lambda t: [told(t), t.loss, repr(t)])],
    "Traced": [(lambda: trace()["conv1"], told)],
    "Summary": [(lambda: chain().summary(), told)],
    "Dataset": [(lambda: data.load("digits"), dataset_does)],
    "Preparation": [
        (lambda: data.Preparation(("light-on-dark", "fit"), -1.0, 1.0), lambda p: [told(p), str(p), p.to_json()])
    ],
    "Center": [fit_on_samples(preprocessing.Center())],
    "MinMaxScale": [fit_on_samples(preprocessing.MinMaxScale())],
    "Standardize": [fit_on_samples(preprocessing.Standardize())],
    "PCA": [fit_on_samples(preprocessing.PCA(3))],
    "Whiten": [fit_on_samples(preprocessing.Whiten("zca"))],
    "Compose": [
        fit_on_samples(preprocessing.Compose([preprocessing.Standardize(), preprocessing.PCA(3)])),
    ],
}  # fmt: skip


def endpoints() -> tuple[cr.Node, cr.Node]:
    x = cr.Input(3)
    return x, cr.Linear(3, 2)(x)


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle 2": lambda thing: pickle.loads(pickle.dumps(thing, 2)),
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}
CASES = [
    pytest.param(make, does, id=f"{name}{number or ''}")
    for name, rows in OBJECTS.items()
    for number, (make, does) in enumerate(rows)
]


@pytest.mark.parametrize(("make", "does"), CASES)
def test_a_copy_does_what_the_original_does(make: Callable[[], Any], does: Does) -> None:
    original = make()
    copies = {name: way(original) for name, way in WAYS.items()}
    done = {name: does(made) for name, made in copies.items()}  # what they do must not touch the original
    expected = does(original)
    for name, seen in done.items():
        assert same(seen, expected), f"after {name}"


def public() -> Iterator[tuple[str, Any]]:
    """Every public name of the package and of its public subpackages."""
    for package in PACKAGES:
        module = importlib.import_module(f"chainrule{package}")
        for name in getattr(module, "__all__", ()):
            yield f"{module.__name__}.{name}", getattr(module, name)
    for thing in (Parameters, Traced, cr.training.History, cr.training.EpochRow, cr.metrics.Evaluation):
        yield f"{thing.__module__}.{thing.__name__}", thing


PUBLIC = list(public())


@pytest.mark.parametrize(("name", "thing"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_class_has_a_row(name: str, thing: Any) -> None:
    if isinstance(thing, types.ModuleType | dict):
        return
    assert pickle.loads(pickle.dumps(thing)) is thing
    if not inspect.isclass(thing) or inspect.isabstract(thing) or issubclass(thing, Exception):
        return
    assert thing.__name__ in OBJECTS, f"{name} has no row in {__name__}"
    assert all(type(make()) is thing for make, _ in OBJECTS[thing.__name__][:1])


def test_the_zoo_returns_networks_that_copy() -> None:
    net = zoo.lenet5("1998")
    made = copy.deepcopy(net)
    assert made.frozen == net.frozen
    x = np.random.default_rng(0).normal(size=(2, *net.input_shape))
    for one in (net, made):
        one.fit(x, [3, 4], loss=cr.MAPLoss(), optimizer=cr.SGD(1e-3), progress=False)
    assert same(dict(made.parameters), dict(net.parameters))
