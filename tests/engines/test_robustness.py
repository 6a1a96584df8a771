"""No shape, number, array, limit or signal may crash the native engine, make it hang, or leave a broken network."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import DataError, EngineError, NonFiniteError, ShapeError
from tests.engines import comparing
from tests.engines.comparing import assert_engines_agree, assert_trained_alike, mixed_network
from tests.helpers import Array
from tests.strategies import Problem

EXAMPLES = 1000 if comparing.LONG else 100
OPTIONS: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05, momentum=0.9), "progress": False}
FIT = {name: value for name, value in OPTIONS.items() if name != "progress"}


# --- shapes ----------------------------------------------------------------------------------------------------------


def problem(layer: cr.Layer, shape: tuple[int, ...], samples: int = 3) -> Problem:
    """A layer between two that have parameters."""
    x = cr.Input(shape)
    y = cr.Flatten()(layer(cr.Conv2d(shape[0], shape[0], 1)(x)))
    net = cr.Network(x, cr.Linear(y.shape[0], 2)(y), seed=1)
    rng = np.random.default_rng(0)
    return Problem(net, rng.normal(size=(samples, *shape)), rng.integers(0, 2, samples), cr.CrossEntropyLoss())


sizes, kernels = st.integers(1, 9), st.integers(1, 9)
sides, strides = st.tuples(*[st.integers(0, 12)] * 4), st.integers(1, 12)


def assert_agreement_if_it_fits(layer: cr.Layer, shape: tuple[int, ...], samples: int) -> None:
    """For layers whose window may be too large for the map, or whose output too large for a test."""
    try:
        places = np.prod(layer.output_shape(shape))
    except ShapeError:
        assume(False)
    assume(places <= 500)
    assert_engines_agree(problem(layer, shape, samples), True)


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_convolutions_of_any_geometry(data: st.DataObject) -> None:
    """Kernels as large as the map, padding beyond the kernel, strides beyond the map, pixels that no tap reaches."""
    channels = data.draw(st.sampled_from([1, 1, 2, 3, 8, 16, 17]))
    layer = data.draw(st.sampled_from([cr.Conv2d, cr.LocallyConnected2d] if channels < 4 else [cr.Conv2d]))
    layer = layer(
        channels,
        data.draw(st.integers(1, 5)),
        (data.draw(kernels), data.draw(kernels)),
        (data.draw(strides), data.draw(strides)),
        data.draw(sides),
        (data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))),
    )
    shape = (channels, data.draw(sizes), data.draw(sizes))
    assert_agreement_if_it_fits(layer, shape, data.draw(st.sampled_from([1, 2, 9])))


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_poolings_of_any_geometry(data: st.DataObject) -> None:
    kernel, stride = (data.draw(kernels), data.draw(kernels)), (data.draw(strides), data.draw(strides))
    name = data.draw(st.sampled_from(["MaxPool2d", "AvgPool2d", "GaussianPool2d", "LPPool2d", "TrainablePool2d"]))
    options: dict[str, Any] = {"kernel_size": kernel, "stride": stride}
    if name in ("MaxPool2d", "AvgPool2d"):
        half = [k // 2 for k in (kernel[0], kernel[0], kernel[1], kernel[1])]
        options["padding"] = tuple(data.draw(st.integers(0, most)) for most in half)
    elif name == "LPPool2d":
        options["norm_type"] = 2
    elif name == "TrainablePool2d":
        options["channels"] = 2
    elif name == "GaussianPool2d":
        options["sigma"] = 1.0
    layer = getattr(cr, name)(**options)
    shape = (2, data.draw(sizes), data.draw(sizes))
    assert_agreement_if_it_fits(layer, shape, data.draw(st.sampled_from([1, 2, 9])))


def test_129_channels_and_filters() -> None:
    for layer in (cr.Conv2d(129, 129, 1), cr.Conv2d(129, 129, 3, padding=1, groups=129), cr.Conv2d(129, 3, 2)):
        assert_engines_agree(problem(layer, (129, 3, 2), 2), True)


def test_deep_networks() -> None:
    """A thousand layers are lowered in reasonable time, and no recursion is as deep as they are."""
    layers = [cr.Tanh() if i % 3 else cr.Linear(3, 3) for i in range(1200)]
    net = cr.Sequential(cr.Linear(3, 3), *layers, seed=1)
    net.freeze(*(name for name in net.parameters if not name.startswith("linear1.")))
    assert_trained_alike(net, np.ones((2, 3)), np.array([0, 1]), loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1))


EXTREMES = {
    "padding": cr.Conv2d(1, 1, 2, stride=2**30, padding=2**31 - 1, dilation=2**31 - 1),
    "same": cr.Conv2d(1, 1, 3, stride=2, padding="same", dilation=2**30),
    "stride": cr.Conv2d(1, 1, 1, stride=2**31 - 1),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_windows_that_32_bits_cannot_index(name: str) -> None:
    net = cr.Sequential(EXTREMES[name], input_shape=(1, 3, 3))
    batch = np.ones((1, 1, 3, 3))
    if name == "stride" and net.output_shape == (1, 1, 1):
        with pytest.raises(EngineError, match="the native engine can index 2147483647"):
            net(batch)
        return
    targets = np.zeros((1, *net.output_shape))
    for compute in (
        lambda: net(batch),
        lambda: net.gradients(batch, targets, loss=cr.MSELoss()),
        lambda: net.fit(batch, targets, **OPTIONS | {"loss": cr.MSELoss()}),
    ):
        with pytest.raises(EngineError, match="the native engine can index 2147483647"):
            compute()


def test_tensors_that_32_bits_cannot_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said from the shapes alone: nothing of that size is ever touched."""
    monkeypatch.setenv("CHAINRULE_MEMORY", "1 TiB")
    x = cr.Input((1, 2**15, 2**15))
    net = cr.Network(x, cr.AdaptiveAvgPool2d(1)(cr.Concat()(x, x)))
    with pytest.raises(EngineError, match="has 2147483648 numbers for each sample"):
        net.plan()


# --- numbers ---------------------------------------------------------------------------------------------------------


def small_data(samples: int = 19) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, 2, 8, 7)), rng.integers(0, 4, samples)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["conv1.weight", "batchnorm1.bias", "conv2.bias", "linear1.weight"])
def test_parameters_edited_to_nan_are_found_and_named(name: str, bad: float) -> None:
    x, labels = small_data()
    messages = []
    for engine in comparing.ENGINES:
        net = mixed_network()
        net.parameters[name].flat[0] = bad
        with pytest.raises(NonFiniteError, match=r"in epoch 1, training stopped at step 1: the first tensor") as caught:
            net.fit(x, labels, engine=engine, **OPTIONS)  # type: ignore[arg-type]
        messages.append(str(caught.value).split("(")[0])
    assert messages[0] == messages[1]


def test_nan_spreads_as_in_the_reference_engine() -> None:
    x, _ = small_data()
    net = mixed_network()
    net.parameters["linear1.weight"][2, 5] = np.nan
    net.buffers["batchnorm1.running_mean"][:] = 0.5
    ours, theirs = (net(x, engine=engine) for engine in comparing.ENGINES)  # type: ignore[arg-type]
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(ours[:, 2]).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("rate", "scale"), [(1e5, 1.0), (1e30, 1.0), (1e300, 1.0), (0.1, 1e100), (0.1, 1e30)], ids=str)
def test_a_training_that_explodes_leaves_the_last_finite_values(rate: float, scale: float, dtype: str) -> None:
    """Whatever overflows first, at whatever step: loss, gradient, update or running statistics."""
    x, labels = small_data(40)
    x[30:] *= scale
    if dtype == "float32" and scale > 1e30:
        return
    found = []
    for engine in comparing.ENGINES:
        net = mixed_network()
        options = OPTIONS | {"optimizer": cr.SGD(rate), "epochs": 30, "batch_size": 8, "shuffle": False}
        try:
            net.fit(x, labels, engine=engine, dtype=dtype, **options)  # type: ignore[arg-type]
            message = "none"
        except NonFiniteError as error:
            message = str(error)
        assert np.isfinite(net.parameters.flat).all()
        assert np.isfinite(net.buffers.flat).all()
        found.append((message, net))
    if dtype == "float64":
        assert found[0][0] == found[1][0]
        if np.abs(found[1][1].parameters.flat).max() < 1e6:
            np.testing.assert_allclose(found[0][1].parameters.flat, found[1][1].parameters.flat, rtol=1e-6, atol=1e-9)


def test_the_step_before_an_overflow_is_kept_to_the_bit() -> None:
    """Twelve good steps, then inputs that overflow: the network is where twelve steps alone lead."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    good = cr.Sequential(cr.Linear(5, 4), cr.BatchNorm1d(4), cr.ReLU(), cr.Linear(4, 3), seed=2)
    bad = cr.Sequential(cr.Linear(5, 4), cr.BatchNorm1d(4), cr.ReLU(), cr.Linear(4, 3), seed=2)
    options = OPTIONS | {"optimizer": cr.Adam(0.01), "batch_size": 3, "shuffle": False}
    good.fit(x[:36], labels[:36], **options)
    x[36:] = 1e300
    with pytest.raises(NonFiniteError, match="at step 13"):
        bad.fit(x, labels, **options)
    assert np.array_equal(good.parameters.flat, bad.parameters.flat)
    assert np.array_equal(good.buffers.flat, bad.buffers.flat)


@pytest.mark.parametrize(("dtype", "tiny"), [("float32", 1e-41), ("float64", 1e-310)])
def test_denormals_count_as_zero_inside_and_stay_themselves_outside(dtype: str, tiny: float) -> None:
    """Processors need a hundred cycles for each; how a denormal is treated outside is the caller's business."""
    net = cr.Sequential(cr.Linear(3, 3), seed=0)
    net.parameters["linear1.weight"], net.parameters["linear1.bias"] = np.eye(3), np.zeros(3)
    x = np.full((40, 3), tiny, dtype)
    assert (x != 0).all()
    assert np.array_equal(net(x, dtype=dtype), np.zeros((40, 3)))  # type: ignore[arg-type]
    assert (x * x.dtype.type(1) != 0).all()
    half = x[:, :1] * x.dtype.type(0.5)
    assert (half != 0).all()


# --- arrays ----------------------------------------------------------------------------------------------------------


def unaligned(x: Array) -> Array:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[:] = x
    assert not view.flags.aligned
    return view


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.setflags(write=False)
    return copy


ARRAYS = {
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "read-only": read_only,
    "unaligned": unaligned,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "Fortran": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=0)[::2],
    "list": lambda x: x.tolist(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_every_kind(kind: str) -> None:
    x, labels = small_data()
    expected = comparing.fitted(mixed_network(), "native", x, labels, **FIT)[0]
    given = ARRAYS[kind](x)
    net = comparing.fitted(mixed_network(), "native", given, ARRAYS[kind](labels), **FIT)[0]
    assert np.array_equal(net.parameters.flat, expected.parameters.flat)
    assert np.array_equal(net(given), expected(x))
    assert np.array_equal(net.gradients(given, labels, loss=cr.CrossEntropyLoss())[2],
                          expected.gradients(x, labels, loss=cr.CrossEntropyLoss())[2])  # fmt: skip
    assert np.array_equal(x, small_data()[0])  # the caller's data is never written


def test_numbers_too_large_for_float32() -> None:
    x, labels = small_data()
    x[3, 1, 2, 4] = 1e300
    for compute in (
        lambda: mixed_network()(x, dtype="float32"),
        lambda: mixed_network().gradients(x, labels, loss=cr.CrossEntropyLoss(), dtype="float32"),
        lambda: mixed_network().fit(x, labels, dtype="float32", **OPTIONS),
    ):
        with pytest.raises(DataError, match=r"x as float32 holds inf at index \[3, 1, 2, 4\]"):
            compute()


def test_empty_batches_are_refused() -> None:
    net = mixed_network()
    for compute in (
        lambda: net(np.zeros((0, 2, 8, 7))),
        lambda: net.fit(np.zeros((0, 2, 8, 7)), np.zeros(0, int), **OPTIONS),
    ):
        with pytest.raises(DataError, match="no samples"):
            compute()


def test_a_network_without_parameters() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    net = cr.Sequential(cr.Tanh(), input_shape=4)
    assert_trained_alike(net, x, np.zeros((5, 4)), loss=cr.MSELoss(), optimizer=cr.Adam(), batch_size=2)


# --- what the user brings --------------------------------------------------------------------------------------------


class MyLoss(cr.MSELoss):
    """A subclass may compute anything: it must not be taken for its parent."""

    def terms(self, outputs: Array, targets: Array) -> Array:
        return 3 * super().terms(outputs, targets)

    def term_gradient(self, outputs: Array, targets: Array) -> Array:
        return 3 * super().term_gradient(outputs, targets)


class MyOptimizer(cr.SGD):
    def update(self, parameters: Array, gradients: Array, memory: Any, rate: float, step: int) -> None:
        parameters -= 2 * rate * gradients


def test_losses_and_optimizers_of_ones_own() -> None:
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    net = cr.Sequential(cr.Linear(3, 2), seed=0)
    for loss, optimizer in ((MyLoss(), cr.SGD(0.1)), (cr.MSELoss(), MyOptimizer(0.1))):
        theirs, _ = comparing.fitted(net, "reference", x, targets, loss=loss, optimizer=optimizer)
        with pytest.warns(UserWarning, match=r"My\w+ is not an? \w+ of chainrule, .* reference engine"):
            ours, _ = comparing.fitted(net, "native", x, targets, loss=loss, optimizer=optimizer)
        assert np.array_equal(ours.parameters.flat, theirs.parameters.flat)
        plain, _ = comparing.fitted(net, "native", x, targets, loss=cr.MSELoss(), optimizer=cr.SGD(0.1))
        assert not np.allclose(ours.parameters.flat, plain.parameters.flat)


# --- memory and signals ----------------------------------------------------------------------------------------------

NO_MEMORY = """
import resource, sys
import numpy as np, chainrule as cr
from chainrule.errors import EngineError

net = cr.parse("1x64x64 -> conv 32@3x3 pad 1 -> batchnorm -> relu -> conv 32@3x3 pad 1 -> batchnorm -> fc 2")
small, large = np.ones((2, 1, 64, 64), np.float32), np.ones((2000, 1, 64, 64), np.float32)
options = {"loss": cr.CrossEntropyLoss()}
fit = options | {"optimizer": cr.SGD(0.1), "progress": False, "batch_size": 2000}
net.gradients(small, [0, 1], **options)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (700 << 20), resource.RLIM_INFINITY))
labels = np.zeros(2000, int)
for compute in (lambda: net.gradients(large, labels, **options), lambda: net.fit(large, labels, **fit)):
    try:
        compute()
    except EngineError as error:
        print(error)
    net.gradients(small, [0, 1], **options)
net.fit(large[:4], labels[:4], **fit)
print("usable", np.isfinite(net.parameters.flat).all())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory as Linux has them")
def test_memory_that_cannot_be_had() -> None:
    done = subprocess.run([sys.executable, "-c", NO_MEMORY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        r"gradients with 2,000 samples, .* would take [0-9,]+ bytes .*; take smaller batches, .*", lines[0]
    )
    assert re.fullmatch(
        r"training with 2,000 samples, .* would take [0-9,]+ bytes .*; take smaller batches, .*", lines[1]
    )
    assert lines[2] == "usable True"


def test_parameters_that_no_memory_holds() -> None:
    with pytest.raises(ShapeError, match=r"linear1.weight of .*, would take .* bytes"):
        cr.Sequential(cr.Linear(2**31 - 1, 2**31 - 1))


TRAINING = """
import numpy as np, chainrule as cr
net = cr.parse("1x28x28 -> conv 6@5x5 -> batchnorm -> relu -> maxpool 2 -> dropout 0.2 -> fc 10")
x, labels = np.random.default_rng(0).random((2000, 1, 28, 28), np.float32), np.arange(2000) % 10
before = net.parameters.flat.copy()
print("ready", flush=True)
history = net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01), epochs=100000, progress=False)
print(history.stopped, np.isfinite(net.parameters.flat).all(), (net.parameters.flat != before).any(), flush=True)
net.fit(x, labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01), progress=False)
print("usable", net(x[:3]).shape)
"""


def test_ctrl_c_stops_training_and_leaves_a_usable_network() -> None:
    """Thousands of epochs lie before it: if it did not stop, the test would run into its limit."""
    with subprocess.Popen([sys.executable, "-c", TRAINING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert out == "interrupted True True\nusable (3, 10)\n"
    assert process.returncode == 0


def test_the_processor_keeps_its_own_settings() -> None:
    """The engine's threads treat denormals as zero; NumPy's arithmetic beside them, in other threads too, does not."""
    mixed_network()(np.ones((40, 2, 8, 7)))
    assert np.float64(5e-324) * np.float64(1.0) != 0
