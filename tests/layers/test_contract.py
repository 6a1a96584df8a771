"""What every layer promises, whatever it computes: shapes, precision, untouched inputs, descriptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import Samples, engine_named
from chainrule.layers import LAYERS
from chainrule.layers.base import Context
from tests.helpers import Array, assert_close
from tests.layers.rows import IDS, ROWS, Row
from tests.layers.test_gradients import backward

rows = pytest.mark.parametrize("row", ROWS, ids=IDS)


def equal(a: Any, b: Any) -> bool:
    """Whether two hyperparameters are the same, arrays element by element."""
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else type(a) is type(b) and a == b


def same_layer(a: cr.Layer, b: cr.Layer) -> bool:
    """Whether two layers have the same class and hyperparameters."""
    one, other = a.hyperparameters(), b.hyperparameters()
    return type(a) is type(b) and one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)


@rows
def test_gradients_have_the_shapes_of_what_they_belong_to(row: Row) -> None:
    values, xs, dy = row.arrays()
    y, saved = row.layer.forward(values, *xs, context=row.context())
    assert y.shape == dy.shape
    dxs, gradients = backward(row, values, xs, dy)
    assert [dx.shape for dx in dxs] == [x.shape for x in xs]
    assert {n: g.shape for n, g in gradients.items()} == row.layer.parameter_shapes(*row.shapes)
    shapes = row.layer.parameter_shapes(*row.shapes) | row.layer.buffer_shapes(*row.shapes)
    assert {n: v.shape for n, v in row.layer.initialize(np.random.default_rng(0), *row.shapes).items()} == shapes
    if row.training:
        buffers = row.layer.updated_buffers(values, saved)
        assert {n: b.shape for n, b in buffers.items()} == row.layer.buffer_shapes(*row.shapes)


@rows
def test_float32_stays_float32(row: Row) -> None:
    values, xs, dy = row.arrays("float32")
    y, saved = row.layer.forward(values, *xs, context=row.context())
    dxs, gradients = backward(row, values, xs, dy)
    made = {"y": y, **{f"dx[{i}]": dx for i, dx in enumerate(dxs)}, **gradients}
    if row.training:
        made |= row.layer.updated_buffers(values, saved)
    assert {name: array.dtype for name, array in made.items() if array.dtype != np.float32} == {}


@rows
def test_float32_agrees_with_float64_to_its_rounding(row: Row) -> None:
    values, xs, dy = row.arrays("float32")
    wide = {n: v.astype(float) for n, v in values.items()}, [x.astype(float) for x in xs], dy.astype(float)
    forwards = [row.layer.forward(v, *x, context=row.context())[0] for v, x in ((values, xs), wide[:2])]
    (dxs, gradients), (wide_dxs, wide_gradients) = backward(row, values, xs, dy), backward(row, *wide)
    pairs = {"y": tuple(forwards)} | {f"dx[{i}]": pair for i, pair in enumerate(zip(dxs, wide_dxs, strict=True))}
    for name, (narrow, exact) in (pairs | {n: (g, wide_gradients[n]) for n, g in gradients.items()}).items():
        assert_close(name, narrow, exact, atol=5e-6 * max(1.0, float(np.abs(exact).max())))


@rows
def test_nothing_that_comes_in_is_changed(row: Row) -> None:
    values, xs, dy = row.arrays()
    for array in (*values.values(), *xs, dy):
        array.flags.writeable = False  # writing would raise
    _, saved = row.layer.forward(values, *xs, context=row.context())
    for _ in range(2):  # twice: what is saved must survive a backward pass
        row.layer.backward_input(values, dy, saved)
        row.layer.backward_parameters(values, dy, saved)
    if row.training:
        row.layer.updated_buffers(values, saved)


def _scattered(a: Array) -> Array:
    """The same values in memory that runs backwards with gaps."""
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    view = wide[::-1, ..., ::-2][::-1][..., : a.shape[-1]]
    view[...] = a
    return view


@rows
def test_memory_layout_does_not_matter(row: Row) -> None:
    values, xs, dy = row.arrays()
    scattered = [_scattered(x) for x in xs], _scattered(dy)
    assert not scattered[1].flags.c_contiguous or dy.shape[-1] == dy.size == 1
    (dxs, gradients), (other_dxs, others) = backward(row, values, xs, dy), backward(row, values, *scattered)
    for i, (dx, other) in enumerate(zip(dxs, other_dxs, strict=True)):
        assert_close(f"dx[{i}]", other, dx, rtol=1e-13, atol=1e-13)
    for name, gradient in gradients.items():
        assert_close(f"d{name}", others[name], gradient, rtol=1e-13, atol=1e-13 * np.abs(gradient).max())


@pytest.mark.parametrize("row", [r for r in ROWS if len(r.shapes) == 1], ids=lambda r: r.name)
def test_a_network_gives_the_same_bits_for_any_memory_layout(row: Row) -> None:
    _, (x,), dy = row.arrays()
    node = cr.Input(row.shapes[0])
    net = cr.Network(node, row.layer(node))
    order = np.asfortranarray(x)
    results = [
        engine_named("reference").gradients(net, Samples(a, t), cr.MSELoss(), np.dtype(np.float64), row.training)
        for a, t in ((x, dy), (_scattered(x), _scattered(dy)), (order, np.asfortranarray(dy)))
    ]
    for other in results[1:]:
        assert other.loss == pytest.approx(results[0].loss, rel=1e-14)
        assert np.array_equal(other.outputs, results[0].outputs)
        assert np.array_equal(other.dx, results[0].dx)
        assert np.array_equal(other.parameters.flat, results[0].parameters.flat)


@rows
def test_hyperparameters_build_an_equal_layer(row: Row) -> None:
    again = type(row.layer)(**row.layer.hyperparameters())
    assert same_layer(again, row.layer)
    values, xs, _ = row.arrays()
    y, other = (layer.forward(values, *xs, context=row.context())[0] for layer in (row.layer, again))
    assert np.array_equal(y, other)


@rows
def test_the_repr_can_be_evaluated(row: Row) -> None:
    text = repr(row.layer)
    if "table>" in text:  # a table of links is shown by its shape
        assert "connections=<" in text
        return
    assert same_layer(eval(text, vars(cr).copy()), row.layer), text


def test_batch_normalisation_follows_running_statistics_with_divisor_n_minus_1() -> None:
    layer = cr.BatchNorm1d(1, momentum=0.25)
    values = {n: np.array([v]) for n, v in {"weight": 1, "bias": 0, "running_mean": 2.0, "running_var": 4.0}.items()}
    x = np.array([[1.0], [3.0], [8.0]])  # mean 4, squared distances 9 + 1 + 16 = 26, variance 26 / 2
    _, saved = layer.forward(values, x, context=Context(training=True))
    buffers = layer.updated_buffers(values, saved)
    assert_close("running_mean", buffers["running_mean"], [0.75 * 2 + 0.25 * 4], rtol=1e-15)
    assert_close("running_var", buffers["running_var"], [0.75 * 4 + 0.25 * 13], rtol=1e-15)


def test_dropout_keeps_the_fraction_that_it_promises_and_rescales() -> None:
    y, _ = cr.Dropout(0.3).forward({}, np.ones((200, 500)), context=Context(training=True, seed=1))
    assert np.unique(y).tolist() == [0.0, 1 / 0.7]
    assert abs((y == 0).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / y.size)


def test_layers_are_called_on_nodes_with_the_right_number_of_inputs() -> None:
    x = cr.Input((3,))
    with pytest.raises(cr.errors.ArgumentError, match=r"ReLU\(\) takes 1 input\(s\), not 2"):
        cr.ReLU()(x, x)
    for join in (cr.Add(), cr.Concat()):
        with pytest.raises(cr.errors.ArgumentError, match=r"two or more inputs, not 1"):
            join(x)
    with pytest.raises(cr.errors.ArgumentError, match="not to ndarray"):
        cr.ReLU()(np.zeros((1, 3)))  # type: ignore[arg-type]


def test_layer_names_are_those_of_their_classes() -> None:
    assert all(getattr(cr, name) is layer and layer.__doc__ for name, layer in LAYERS.items())
