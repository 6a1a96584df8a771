"""check_gradients: right layers pass, wrong ones are named, kinks are told apart, nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.equations import activations
from chainrule.errors import ArgumentError
from chainrule.gradient_check import numerical_gradient
from tests.helpers import assert_close

RNG = np.random.default_rng(3)


class WrongTanh(cr.Tanh):
    """Forgets to square."""

    def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
        return dy * (1 - saved)


class WrongBias(cr.Linear):
    """One number of one gradient is 0.1 % too large."""

    def backward_parameters(self, parameters: Any, dy: Any, saved: Any) -> Any:
        gradients = super().backward_parameters(parameters, dy, saved)
        gradients["bias"][1] *= 1.001
        return gradients


class SteepReLU(cr.ReLU):
    """Right everywhere but at 0, where its derivative is 5."""

    def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
        return dy * np.where(saved > 0, 1.0, 5.0 * (saved == 0))


class LeftReLU(cr.ReLU):
    """Knows x; its derivative at 0 is 0, and 5 where x is exactly 0: wrong at kinks alone."""

    def forward(self, parameters: Any, *xs: Any, context: Any) -> Any:
        return activations.ACTIVATIONS["relu"].function(xs[0]), xs[0]

    def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
        return dy * np.where(saved == 0, 5.0, saved > 0)


def classes(n: int, count: int) -> Any:
    return RNG.integers(0, count, n)


def test_a_small_cnn_agrees_far_below_the_tolerance() -> None:
    layers = [cr.Conv2d(1, 2, 3, padding=1), cr.Sigmoid(), cr.AvgPool2d(2), cr.Flatten(), cr.Linear(18, 4)]
    net = cr.Sequential(*layers, input_shape=(1, 6, 6))
    report = cr.check_gradients(net, RNG.normal(size=(3, 1, 6, 6)), classes(3, 4), cr.CrossEntropyLoss())
    assert report.ok
    assert report.worst.error < 2e-9
    assert [t.name for t in report.tensors] == [*net.parameters, "input"]
    assert all(t.checked == t.total and not t.kinks for t in report.tensors)


@pytest.mark.parametrize("wrong, tensors", [(WrongTanh(), ["linear1.weight", "linear1.bias", "input"])])
def test_a_wrong_backward_names_every_tensor_behind_it(wrong: cr.Layer, tensors: list[str]) -> None:
    net = cr.Sequential(cr.Linear(3, 4), wrong, cr.Linear(4, 2))
    report = cr.check_gradients(net, RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2)), cr.MSELoss(), engine="reference")
    assert not report.ok
    assert [t.name for t in report.failures] == tensors
    assert "WRONG" in str(report)


def test_one_wrong_number_is_named_with_its_index() -> None:
    net = cr.Sequential(WrongBias(3, 4), cr.Tanh(), cr.Linear(4, 2))
    report = cr.check_gradients(net, RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2)), cr.MSELoss(), engine="reference")
    (failure,) = report.failures
    assert (failure.name, failure.index) == ("wrongbias1.bias", (1,))
    assert failure.error == pytest.approx(1e-3, rel=0.01)
    assert failure.analytic == pytest.approx(1.001 * failure.numeric)
    assert "wrongbias1.bias[1]: analytic" in str(report)


def relu_at_zero(layer: cr.Layer) -> cr.GradientReport:
    net = cr.Sequential(layer, input_shape=3)
    return cr.check_gradients(
        net, [[0.0, 1.0, -2.0]], [[-1.0, 0.5, 0.5]], cr.MSELoss(reduction="sum"), engine="reference"
    )


def test_relu_exactly_at_zero_is_a_kink_and_no_error() -> None:
    report = relu_at_zero(cr.ReLU())  # L = (max(0, t) + 1)² + ...: left 0, right 2
    (tensor,) = report.tensors
    (kink,) = tensor.kinks
    assert report.ok
    assert (kink.index, kink.analytic) == ((0, 0), 0)
    assert (kink.left, kink.right) == (pytest.approx(0, abs=1e-9), pytest.approx(2, rel=1e-9))


@pytest.mark.parametrize("layer", [LeftReLU(), SteepReLU()])
def test_a_derivative_outside_the_one_sided_ones_is_an_error(layer: cr.Layer) -> None:
    report = relu_at_zero(layer)
    assert not report.ok
    assert report.tensors[0].index is not None
    assert report.tensors[0].analytic != 0


def test_equal_maxima_are_kinks_and_the_first_takes_the_gradient() -> None:
    net = cr.Sequential(cr.MaxPool2d(2), input_shape=(1, 2, 2))
    report = cr.check_gradients(net, np.full((1, 1, 2, 2), 3.0), [[[[1.0]]]], cr.MSELoss())
    kinks = report.tensors[0].kinks
    assert report.ok
    assert [k.analytic for k in kinks] == [4.0, 0.0, 0.0, 0.0]
    assert all(k.left == pytest.approx(0, abs=1e-9) and k.right == pytest.approx(4) for k in kinks)


def test_the_l2_norm_of_zeros_is_a_kink() -> None:
    net = cr.Sequential(cr.LPPool2d(2, 2), input_shape=(1, 2, 2))
    report = cr.check_gradients(net, np.zeros((1, 1, 2, 2)), [[[[1.0]]]], cr.MSELoss())
    assert report.ok
    assert len(report.tensors[0].kinks) == 4


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-5, 1e-6])
def test_a_kink_beside_the_point_disturbs_nothing(distance: float) -> None:
    net = cr.Sequential(cr.Linear(2, 2), cr.ReLU(), cr.Linear(2, 1), seed=1)
    net.parameters["linear1.weight"] = np.eye(2)
    x = [[distance, 1.0], [-distance, 2.0]]
    report = cr.check_gradients(net, x, [[1.0], [2.0]], cr.HalfSquaredErrorLoss())
    assert report.ok
    assert not any(t.kinks for t in report.tensors)


def black_patches(activation: cr.Layer) -> cr.GradientReport:
    """Zero inputs under zero biases: moving one pixel moves many ReLUs off 0 at once."""
    layers = [cr.Conv2d(1, 4, 3), activation, cr.MaxPool2d(2), cr.Flatten(), cr.Linear(16, 3)]
    net = cr.Sequential(*layers, input_shape=(1, 6, 6))
    x = np.zeros((2, 1, 6, 6))
    x[:, :, :3, :2] = RNG.uniform(0.2, 1, (2, 1, 3, 2))
    return cr.check_gradients(net, x, [0, 2], cr.CrossEntropyLoss(), engine="reference")


def test_several_kinks_at_once_are_judged_layer_by_layer() -> None:
    report = black_patches(cr.ReLU())
    assert report.ok, str(report)
    assert any(kink.compound for kink in report.tensors[-1].kinks)
    assert "several kinks" in str(report) or report.tensors[-1].kinks


def test_a_wrong_derivative_does_not_hide_among_several_kinks() -> None:
    assert not black_patches(LeftReLU()).ok


def test_relu_of_opposite_signs_cancels_to_a_smooth_function() -> None:
    net = cr.Sequential(cr.Linear(1, 2), cr.ReLU(), cr.Linear(2, 1))  # relu(x) - relu(-x) = x, but 0 at 0 by rule
    net.parameters["linear1.weight"] = [[1], [-1]]
    net.parameters["linear2.weight"] = [[1, -1]]
    report = cr.check_gradients(net, [[0.0]], [[1.0]], cr.HalfSquaredErrorLoss())
    assert report.ok, str(report)
    assert report.tensors[-1].kinks[0].compound


def test_frozen_and_shared_parameters_are_checked_too() -> None:
    shared = cr.Linear(3, 3, bias="shared")
    x = cr.Input((3,))
    net = cr.Network(x, shared(cr.Tanh()(shared(x))), seed=2)
    net.freeze("*.bias")
    report = cr.check_gradients(net, RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3)), cr.MSELoss())
    assert report.ok
    assert [t.name for t in report.tensors] == ["linear1.weight", "linear1.bias", "input"]


def test_a_residual_graph() -> None:
    x = cr.Input((2, 5, 5))
    h = cr.Tanh()(cr.Conv2d(2, 2, 3, padding=1)(x))
    net = cr.Network(x, cr.Linear(50, 3)(cr.Flatten()(cr.Add()(h, x))), seed=0)
    report = cr.check_gradients(net, RNG.normal(size=(2, 2, 5, 5)), classes(2, 3), cr.CrossEntropyLoss())
    assert report.ok


@pytest.mark.parametrize("training", [True, False])
def test_dropout_and_batch_norm(training: bool) -> None:
    net = cr.Sequential(cr.Linear(4, 6), cr.BatchNorm1d(6), cr.Sigmoid(), cr.Dropout(0.5), cr.Linear(6, 2), seed=4)
    x, t = RNG.normal(size=(5, 4)), classes(5, 2)
    report = cr.check_gradients(net, x, t, cr.CrossEntropyLoss(), training=training)
    assert report.ok, str(report)


def test_nothing_of_the_network_is_changed() -> None:
    net = cr.Sequential(cr.Linear(4, 3), cr.BatchNorm1d(3), cr.ReLU(), cr.Linear(3, 2))
    before = net.parameters.flat.copy(), net.buffers.flat.copy()
    x = RNG.normal(size=(6, 4))
    kept = x.copy()
    cr.check_gradients(net, x, classes(6, 2), cr.CrossEntropyLoss())
    assert (net.parameters.flat == before[0]).all()
    assert (net.buffers.flat == before[1]).all()
    assert (x == kept).all()


def test_a_sample_is_drawn_by_its_seed_and_said_in_the_report() -> None:
    net = cr.Sequential(cr.Linear(6, 5), cr.Tanh(), cr.Linear(5, 2))
    x, t = RNG.normal(size=(2, 6)), classes(2, 2)
    reports = [cr.check_gradients(net, x, t, cr.CrossEntropyLoss(), sample=3, seed=s) for s in (0, 0, 1)]
    assert reports[0] == reports[1]
    assert reports[0].tensors[0].checked == 3
    assert reports[0].tensors[0].total == 30
    assert "(a random 3 of each tensor)" in str(reports[0])


def test_the_report_fits_80_columns_and_becomes_json() -> None:
    layers = [cr.Conv2d(1, 3, 3), cr.ReLU(), cr.MaxPool2d(2), cr.Flatten(), cr.Linear(27, 4)]
    net = cr.Sequential(*layers, input_shape=(1, 8, 8))
    x = np.zeros((2, 1, 8, 8), np.uint8)
    report = cr.check_gradients(net, x, [0, 1], cr.CrossEntropyLoss())
    assert max(map(len, str(report).splitlines())) <= 80
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def test_large_and_small_magnitudes() -> None:
    net = cr.Sequential(cr.Linear(2, 3), cr.Tanh(), cr.Linear(3, 1), seed=1)
    net.parameters["linear1.weight"] *= 1e-4
    report = cr.check_gradients(net, RNG.normal(size=(4, 2)) * 1e4, RNG.normal(size=(4, 1)), cr.MSELoss())
    assert report.ok, str(report)


def test_nan_inputs_and_wrong_arguments_are_refused() -> None:
    net = cr.Sequential(cr.Linear(2, 1))
    with pytest.raises(cr.errors.DataError, match="x holds nan at index \\[0, 1\\]"):
        cr.check_gradients(net, [[0.0, np.nan]], [[0.0]], cr.MSELoss())
    with pytest.raises(cr.errors.ArgumentError, match="loss must be a loss"):
        cr.check_gradients(net, [[0.0, 1.0]], [[0.0]], "mse")  # type: ignore[arg-type]
    with pytest.raises(cr.errors.ArgumentError, match="tolerance"):
        cr.check_gradients(net, [[0.0, 1.0]], [[0.0]], cr.MSELoss(), tolerance=0)
    with pytest.raises(cr.errors.NameLookupError, match="no engine is named 'gpu'"):
        cr.check_gradients(net, [[0.0, 1.0]], [[0.0]], cr.MSELoss(), engine="gpu")


def test_numerical_gradient_of_a_known_function() -> None:
    x = RNG.normal(size=(2, 3))
    kept = x.copy()
    assert_close("gradient", numerical_gradient(lambda a: float(np.sin(a).sum()), x), np.cos(x), rtol=1e-9)
    assert (x == kept).all()


def test_a_check_that_would_take_days() -> None:
    net = cr.Sequential(cr.Linear(4000, 3000))
    with pytest.raises(ArgumentError, match=r"all 12,007,000 numbers would take days; give sample=100"):
        cr.check_gradients(net, np.ones((1, 4000)), [0], cr.CrossEntropyLoss())
