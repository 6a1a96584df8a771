"""The native engine computes what the reference engine computes: every tensor, every layer and option, every training.

float64 to 1e-12 of the largest number of its kind, float32 to its rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines.native.program import Program
from chainrule.losses import LOSSES
from tests.engines import comparing
from tests.engines.comparing import assert_engines_agree, assert_rounding_only, assert_trained_alike, mixed_network
from tests.helpers import Array
from tests.layers.rows import IDS, KINKED, ROWS, Row
from tests.strategies import UNARY, Problem, problems

BATCHES = (1, 2, 3, 5, 8, 17, 33)
SMOOTH = tuple(name for name in UNARY if name not in (*KINKED, "MaxPool2d"))  # rounding crosses kinks
SHORT, TALL = (400, 800) if comparing.LONG else (50, 100)


@settings(max_examples=TALL)
@given(problems(), st.booleans())
def test_every_tensor_of_random_networks(problem: Problem, training: bool) -> None:
    assert_engines_agree(problem, training)


def squares_in_a_row(seed: int) -> Problem:
    """RBF layers behind each other, with activations and batch normalisation between: as steep as networks come."""
    rng = np.random.default_rng(seed)
    width, samples = int(rng.integers(2, 6)), int(rng.integers(3, 6))
    size, layers = width, []
    for _ in range(4):
        out = int(rng.integers(1, 6))
        between = [cr.Tanh(), cr.Sigmoid(), cr.BatchNorm1d(out), cr.ScaledTanh()][rng.integers(4)]
        layers += [cr.RBF(size, out), between]
        size = out
    net = cr.Sequential(*layers, cr.Linear(size, 3), input_shape=(width,), seed=seed)
    net.parameters.flat[:] += rng.normal(size=net.parameters.flat.shape)
    return Problem(net, rng.normal(size=(samples, width)), rng.integers(0, 3, samples), cr.CrossEntropyLoss())


def test_engines_agree_as_far_as_rounding_lets_them() -> None:
    beyond = 0
    for seed in range(40):
        problem = squares_in_a_row(seed)
        for training in (False, True):
            assert_engines_agree(problem, training)
            ours, truth = (comparing.tensors(engine, problem, "float64", training) for engine in comparing.ENGINES)
            largest = comparing.scales(truth)
            beyond += any(np.abs(ours[n] - truth[n]).max(initial=0) > comparing.EXACT * largest[n] for n in truth)
    assert beyond > 0  # or these networks prove nothing


def test_rounding_excuses_no_more_than_it_makes() -> None:
    """Of well-conditioned networks nothing, of steep ones not a wrong number."""
    for row in ROWS[::4]:
        problem = comparing.problem_of(comparing.around(row), 5)
        truth = comparing.tensors("reference", problem, "float64", False)
        moved = comparing.conditioning(problem, False)
        for name, scale in comparing.scales(truth).items():
            assert moved[comparing.kind_of(name)] <= 0.2 * comparing.EXACT * scale, row.name
    for seed in range(10):
        problem = squares_in_a_row(seed)
        truth = comparing.tensors("reference", problem, "float64", True)
        moved = comparing.conditioning(problem, True)
        for name, scale in comparing.scales(truth).items():
            assert moved[comparing.kind_of(name)] <= 1e-6 * scale, (name, seed)


@settings(max_examples=SHORT)
@given(problems(names=SMOOTH, most_layers=6), st.booleans())
def test_random_networks_in_float32(problem: Problem, training: bool) -> None:
    assert_rounding_only(problem, training)


@settings(max_examples=SHORT)
@given(problems(), st.sampled_from(["sgd", "adam"]), st.integers(1, 7), st.integers(0, 3))
def test_random_networks_train_alike(problem: Problem, name: str, batch_size: int, seed: int) -> None:
    """One step after another until rounding has been amplified: three small ones."""
    normalizes = any(isinstance(layer, cr.BatchNorm1d | cr.BatchNorm2d) for layer in problem.net.layers.values())
    n = len(problem.x)
    optimizer = cr.SGD(1e-3, momentum=0.5) if name == "sgd" else cr.Adam(1e-3, eps=1e-2)
    size = n if normalizes else batch_size
    options: dict[str, Any] = {"loss": problem.loss, "optimizer": optimizer, "batch_size": size, "seed": seed}
    assert_trained_alike(problem.net, problem.x, problem.targets, epochs=2, **options)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_option_of_every_layer(row: Row) -> None:
    net = comparing.around(row)
    for samples in BATCHES:
        problem = comparing.problem_of(net, samples)
        assert_engines_agree(problem, False)
        if comparing.trainable(row, samples):
            assert_engines_agree(problem, True)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_every_option_of_every_layer_trains(row: Row) -> None:
    """Five samples in batches of three: the last batch is short."""
    problem = comparing.problem_of(comparing.around(row), 5)
    options: dict[str, Any] = {"loss": problem.loss, "optimizer": cr.SGD(0.01, momentum=0.9), "epochs": 2}
    assert_trained_alike(problem.net, problem.x, problem.targets, batch_size=3, **options)


# --- training --------------------------------------------------------------------------------------------------------

OPTIMIZERS = [
    cr.SGD(0.02),
    cr.SGD(0.02, momentum=0.9),
    cr.SGD(0.02, momentum=0.8, nesterov=True),
    cr.SGD(0.02, momentum=0.9, weight_decay=0.1),
    cr.SGD(0.02, weight_decay=0.1),
    cr.Adam(0.01),
    cr.Adam(0.01, betas=(0.5, 0.7), eps=1e-3, weight_decay=0.1),
    cr.AdamW(0.01),
    cr.AdamW(0.01, betas=(0.0, 0.0), weight_decay=0.5),
]
SCHEDULES = [cr.Constant(), cr.StepDecay(2, 0.5), cr.Cosine(0.1, 0.25), cr.OneCycle()]


def data(samples: int = 19, outputs: int = 4) -> tuple[Array, Array]:
    rng = np.random.default_rng(samples)
    return rng.normal(size=(samples, 2, 8, 7)), rng.integers(0, outputs, samples)


def targets_of(name: str, labels: Array, outputs: int) -> Array:
    return labels if name in ("CrossEntropyLoss", "MAPLoss") else np.eye(outputs)[labels]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_optimizers_and_schedules(optimizer: cr.Optimizer, schedule: cr.Schedule) -> None:
    """Three epochs of 8 + 8 + 3 samples."""
    x, labels = data()
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": optimizer, "schedule": schedule}
    assert_trained_alike(mixed_network(), x, labels, epochs=3, batch_size=8, seed=4, **options)


@pytest.mark.parametrize("optimizer", [cr.SGD(0.002, momentum=0.9), cr.Adam(0.01)], ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str, reduction: str, optimizer: cr.Optimizer) -> None:
    x, labels = data()
    loss = LOSSES[name](reduction=reduction)
    options: dict[str, Any] = {"optimizer": optimizer, "epochs": 2, "batch_size": 8}
    assert_trained_alike(mixed_network(), x, targets_of(name, labels, 4), loss=loss, **options)


def test_targets_may_be_probabilities() -> None:
    x, labels = data()
    p = np.random.default_rng(0).random((19, 4))
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05), "epochs": 2, "batch_size": 8}
    assert_trained_alike(mixed_network(), x, p / p.sum(axis=1, keepdims=True), **options)
    assert_trained_alike(mixed_network(), x, np.eye(4, dtype=np.float32)[labels], **options)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32", ">f8", ">i2"])
@pytest.mark.parametrize("name", ["MSELoss", "HalfSquaredErrorLoss", "BCEWithLogitsLoss"])
def test_value_targets_of_any_type(name: str, dtype: str) -> None:
    x, labels = data()
    options: dict[str, Any] = {"loss": LOSSES[name](), "optimizer": cr.SGD(0.05), "epochs": 2, "batch_size": 8}
    assert_trained_alike(mixed_network(), x, np.eye(4, dtype=dtype)[labels], **options)


@pytest.mark.parametrize("dtype", ["int32", "uint8", ">i8"])
def test_class_targets_of_any_type(dtype: str) -> None:
    x, labels = data()
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05), "epochs": 2, "batch_size": 8}
    assert_trained_alike(mixed_network(), x, labels.astype(dtype), **options)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "MAPLoss", "MSELoss"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_target_at_every_place_of_a_map(name: str, reduction: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(7, 2, 4, 3))
    targets = rng.integers(0, 3, (7, 4, 3)) if name != "MSELoss" else rng.normal(size=(7, 3, 4, 3))
    net = cr.Sequential(cr.Conv2d(2, 3, 3, padding=1), input_shape=(2, 4, 3), seed=2)
    options: dict[str, Any] = {"loss": LOSSES[name](reduction=reduction), "optimizer": cr.SGD(0.01), "epochs": 3}
    assert_trained_alike(net, x, targets, batch_size=4, **options)


@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_by_sign_or_by_the_larger(outputs: int) -> None:
    x, labels = data(outputs=2)
    targets = labels[:, None] if outputs == 1 else np.eye(2)[labels]
    net = mixed_network(outputs=outputs)
    options: dict[str, Any] = {"loss": cr.BCEWithLogitsLoss(), "optimizer": cr.SGD(0.05), "epochs": 3}
    assert_trained_alike(net, x, targets, batch_size=8, **options)


@pytest.mark.parametrize("patterns", [["conv1.*"], ["*.bias"], ["linear1.*"], ["conv*", "batchnorm*"], ["*"]])
def test_frozen_parameters_stay(patterns: list[str]) -> None:
    x, labels = data()
    net = mixed_network()
    net.freeze(*patterns)
    before = {name: net.parameters[name].copy() for name in net.frozen}
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.AdamW(0.01), "epochs": 2, "batch_size": 8}
    assert_trained_alike(net, x, labels, **options)
    trained, _ = comparing.fitted(net, "native", x, labels, **options)
    for name, value in before.items():
        assert np.array_equal(trained.parameters[name], value)


def test_frozen_and_trained_again() -> None:
    """The plan follows what is frozen."""
    x, labels = data()
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.05), "batch_size": 8}
    nets = []
    for engine in ("native", "reference"):
        net = mixed_network()
        for change in (net.freeze, net.unfreeze):
            change("conv*")
            net.fit(x, labels, engine=engine, progress=False, **options)  # type: ignore[arg-type]
        nets.append(net.parameters.flat)
    np.testing.assert_allclose(nets[0], nets[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimizer", [cr.SGD(0.05, momentum=0.9), cr.Adam(0.01)], ids=repr)
def test_a_second_training_remembers_nothing_of_the_first(optimizer: cr.Optimizer) -> None:
    x, labels = data()
    nets = []
    for engine in ("native", "reference"):
        net = mixed_network()
        for _ in range(2):
            net.fit(x, labels, engine=engine, progress=False, loss=cr.CrossEntropyLoss(), optimizer=optimizer)  # type: ignore[arg-type]
        nets.append(net.parameters.flat)
    np.testing.assert_allclose(nets[0], nets[1], rtol=0, atol=1e-11)


def test_dropout_masks_are_the_same_at_every_step() -> None:
    """A network that is dropout alone in front of one dense layer: a wrong mask would show at once."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(37, 50)), rng.integers(0, 3, 37)
    net = cr.Sequential(cr.Dropout(0.5), cr.Linear(50, 3), input_shape=50, seed=9)
    traces = [net.trace(x, labels, loss=cr.CrossEntropyLoss(), engine=e)["dropout1"].value for e in comparing.ENGINES]
    assert np.array_equal(*traces)
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.5), "epochs": 4, "batch_size": 9}
    assert_trained_alike(net, x, labels, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_are_divided_by_255(dtype: str) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (19, 2, 8, 7), dtype=np.uint8), rng.integers(0, 4, 19)
    scaled = images.astype(dtype) / np.dtype(dtype).type(255)
    options: dict[str, Any] = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1), "epochs": 2, "batch_size": 8}
    of_bytes, _ = comparing.fitted(mixed_network(), "native", images, labels, dtype=dtype, **options)
    of_numbers, _ = comparing.fitted(mixed_network(), "native", scaled, labels, dtype=dtype, **options)
    assert np.array_equal(of_bytes.parameters.flat, of_numbers.parameters.flat)
    assert np.array_equal(of_bytes(images, dtype=dtype), of_bytes(scaled, dtype=dtype))


def test_batches_of_every_size_up_to_two_blocks_of_the_widest_vectors() -> None:
    net = cr.parse("1x6x6 -> conv 3@3x3 -> relu -> maxpool 2 -> fc 4", seed=1)
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(34, 1, 6, 6)), rng.integers(0, 4, 34)
    for n in range(1, 35):
        assert_engines_agree(Problem(net, x[:n], labels[:n], cr.CrossEntropyLoss()), True)


def test_wide_layers_of_all_tail_sizes() -> None:
    """Every number of channels that a tile, or the vectors of channels, can leave over."""
    rng = np.random.default_rng(0)
    for channels in [*range(1, 36), 47, 48, 49, 129]:
        x = cr.Input((channels, 3, 4))
        y = cr.Conv2d(channels, 36 - min(channels, 35), 2, padding=(0, 1, 1, 0))(x)
        net = cr.Network(x, cr.Linear(int(np.prod(y.shape)), channels)(cr.Flatten()(y)), seed=channels)
        batch, labels = rng.normal(size=(3, channels, 3, 4)), rng.integers(0, channels, 3)
        assert_engines_agree(Problem(net, batch, labels, cr.CrossEntropyLoss()), True)


def test_large_maps_and_many_channels() -> None:
    """Weights larger than maps, maps larger than weights, grouped and dilated, as in networks for photographs."""
    rng = np.random.default_rng(0)
    for text_layers, shape in (
        ([cr.Conv2d(64, 70, 3, padding=1), cr.Conv2d(70, 64, 1)], (64, 4, 4)),
        ([cr.Conv2d(3, 16, 5, 2, 2), cr.Conv2d(16, 32, 3, padding=1, groups=16)], (3, 40, 38)),
        ([cr.Conv2d(32, 64, 3, dilation=2, padding=2, groups=2)], (32, 9, 9)),
    ):
        x = y = cr.Input(shape)
        for layer in text_layers:
            y = layer(y)
        net = cr.Network(x, cr.Linear(y.shape[0], 5)(cr.Flatten()(cr.AdaptiveAvgPool2d(1)(y))), seed=2)
        problem = Problem(net, rng.normal(size=(5, *shape)), rng.integers(0, 5, 5), cr.CrossEntropyLoss())
        assert_engines_agree(problem, True)


@settings(max_examples=SHORT)
@given(problems(), st.booleans())
def test_tensors_that_share_memory_do_not_meet(problem: Problem, training: bool) -> None:
    """Tensors that live at different times may share memory. With memory of its own for each, the same bits come."""
    shared = comparing.tensors("native", problem, "float64", training)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "_lay_out", one_after_another)
        apart = comparing.tensors("native", comparing.with_fresh_plans(problem), "float64", training)
    for name, array in shared.items():
        assert np.array_equal(array, apart[name]), name


def one_after_another(program: Program, kept: bool) -> int:
    """A layout without sharing, and with gaps."""
    total = 0
    for slot in program.slots:
        if slot.kept == kept and slot.first >= 0:
            slot.offset, total = total, total + -(-slot.elements * program.lanes // 64) * 64 + 64
    return total


def test_targets_that_look_like_classes_by_chance_are_not_counted() -> None:
    """What is judged by its classes is the data, not a batch of it."""
    net = cr.Sequential(cr.Linear(1, 2), seed=1)
    x, targets = np.array([[0.5], [-0.5], [1.0]]), np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    options: dict[str, Any] = {"loss": cr.BCEWithLogitsLoss(), "optimizer": cr.SGD(0.1), "batch_size": 1}
    assert_trained_alike(net, x, targets, **options)
    for engine in comparing.ENGINES:
        assert comparing.fitted(net, engine, x, targets, **options)[1]["accuracy"] == [None]
