"""A user's own layer inside a network: `check_gradients` names the layer and the likely mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.equations import conv2d_backward_input, conv2d_backward_weight, conv2d_forward, rot180
from chainrule.layers.base import Context, Values
from chainrule.shapes import Shape
from tests.helpers import Array


class MyConv(cr.Layer):
    """A convolution of one's own, stride 2, padding 1, with a backward pass that can be given a slip."""

    slip = ""

    def output_shape(self, *shapes: Shape) -> Shape:
        return (3, (shapes[0][1] - 1) // 2 + 1, (shapes[0][2] - 1) // 2 + 1)

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        return {"filters": (3, shapes[0][0], 3, 3), "offset": (3,)}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        return {name: rng.normal(size=shape) for name, shape in self.parameter_shapes(*shapes).items()}

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        return conv2d_forward(xs[0], parameters["filters"], parameters["offset"], stride=2, padding=1), xs[0]

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        w = parameters["filters"]
        w = rot180(w) if self.slip == "kernel" else w
        return conv2d_backward_input(dy, w, saved.shape[2:], stride=2, padding=1)

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        dw = conv2d_backward_weight(dy, saved, (3, 3), stride=2, padding=1)
        if self.slip == "mean":
            dw = dw / len(saved)
        db = dy.mean(axis=(0, 2, 3)) if self.slip == "bias" else dy.sum(axis=(0, 2, 3))
        return {"filters": dw, "offset": db}


class Swish(cr.Layer):
    """y = x sigmoid(x): an activation that chainrule does not know."""

    slip = ""

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        return xs[0] / (1 + np.exp(-xs[0])), xs[0]

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        s = 1 / (1 + np.exp(-saved))
        right = dy * (s + saved * s * (1 - s))
        return {"sign": -right, "twice": 2 * right, "turned": right[:, ::-1], "odd": right + 0.1}.get(self.slip, right)


class MyTanh(cr.Tanh):
    """A tanh whose derivative is forgotten."""

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return dy


class MyLinear(cr.Linear):
    """A dense layer whose bias gradient is averaged."""

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        return {**super().backward_parameters(parameters, dy, saved), "bias": dy.mean(axis=0)}


class MyPool(cr.Layer):
    """Max pooling 2x2 in which every pixel gets the gradient."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return (shapes[0][0], shapes[0][1] // 2, shapes[0][2] // 2)

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Any]:
        n, c, h, w = xs[0].shape
        return xs[0].reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5)), None

    def backward_input(self, parameters: Values, dy: Array, saved: Any) -> Array:
        return dy.repeat(2, axis=2).repeat(2, axis=3)


class TwoInputs(cr.Layer):
    """y = a b, with the second gradient wrong."""

    arity = 2

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Any]:
        return xs[0] * xs[1], xs

    def backward_input(self, parameters: Values, dy: Array, saved: Any) -> tuple[Array, ...]:
        return dy * saved[1], -dy * saved[0]


def with_slip(layer: Any, slip: str) -> Any:
    layer.slip = slip
    return layer


def check(net: cr.Network, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, *net.input_shape))
    return cr.check_gradients(net, x, rng.integers(0, 2, 5), cr.CrossEntropyLoss(), engine="reference")


def image_net(*layers: cr.Layer) -> cr.Network:
    """conv -> layers -> flatten -> dense on 2x4x6."""
    net = [cr.Conv2d(2, 2, 1), *layers, cr.Flatten()]
    shape: Shape = (2, 4, 6)
    for layer in net:
        shape = layer.output_shape(shape)
    return cr.Sequential(*net, cr.Linear(shape[0], 2), input_shape=(2, 4, 6))


PLANTED: list[tuple[str, cr.Network, str, dict[str, tuple[str, ...]]]] = [
    ("kernel", image_net(with_slip(MyConv(), "kernel")), "myconv1", {"dx": ("kernel_not_rotated",)}),
    ("mean", image_net(with_slip(MyConv(), "mean")), "myconv1", {"dfilters": ("extra_mean",)}),
    ("bias", image_net(with_slip(MyConv(), "bias")), "myconv1", {"doffset": ("extra_mean",)}),
    ("sign", image_net(with_slip(Swish(), "sign")), "swish1", {"dx": ("sign_flipped",)}),
    ("twice", image_net(with_slip(Swish(), "twice")), "swish1", {"dx": ("accumulated_twice",)}),
    ("tanh", image_net(MyTanh()), "mytanh1", {"dx": ("slope_missing",)}),
    ("linear", cr.Sequential(MyLinear(4, 2)), "mylinear1", {"dbias": ("extra_mean",)}),
]  # fmt: skip


@pytest.mark.parametrize("name, net, layer, mistakes", PLANTED, ids=[row[0] for row in PLANTED])
def test_the_layer_and_the_mistake_are_named(name: str, net: cr.Network, layer: str, mistakes: Any) -> None:
    report = check(net)
    assert not report.ok
    assert [(found.layer, found.mistakes) for found in report.layers] == [(layer, mistakes)]
    assert f"The backward pass of {layer}" in str(report)
    assert "Likely mistake" in str(report)


def test_a_layer_that_computes_a_known_equation_is_recognised() -> None:
    text = str(check(PLANTED[0][1]))
    assert "a correlation with stride (2, 2), padding (1, 1, 1, 1), dilation (1, 1)" in text
    assert "ER4-20" in text


def test_a_pooling_of_ones_own_is_recognised() -> None:
    report = check(cr.Sequential(MyPool(), cr.Flatten(), cr.Linear(4, 2), input_shape=(1, 4, 4)))
    assert report.layers[0].mistakes == {"dx": ("everyone_gets_it",)}
    assert "which computes a pooling" in str(report)


def test_of_two_inputs_the_wrong_one_is_named() -> None:
    x = cr.Input((4,))
    a, b = cr.Linear(4, 3)(x), cr.Linear(4, 3)(x)
    report = check(cr.Network(x, cr.Linear(3, 2)(TwoInputs()(a, b))))
    assert [(found.layer, found.mistakes) for found in report.layers] == [("twoinputs1", {"dx[1]": ("sign_flipped",)})]


def test_an_unknown_mistake_is_not_given_a_name() -> None:
    report = check(image_net(with_slip(Swish(), "odd")))
    assert [found.mistakes for found in report.layers] == [{"dx": ()}]
    assert "No known mistake gives these numbers." in str(report)


@pytest.mark.parametrize("layer", [MyConv(), Swish(), cr.Tanh(), cr.MaxPool2d(2), cr.ReLU(), cr.BatchNorm2d(2)])
def test_right_layers_are_left_in_peace(layer: cr.Layer) -> None:
    """Also beside a wrong one, which spoils the gradients of everything before it."""
    report = check(image_net(layer))
    assert report.ok
    assert report.layers == ()
    beside = check(image_net(layer, MyTanh()))
    assert [found.layer for found in beside.layers] == ["mytanh1"]


def test_the_report_becomes_json() -> None:
    import json

    plain = json.loads(json.dumps(check(PLANTED[0][1]).to_dict()))
    assert plain["layers"][0]["tensors"][0]["findings"][0]["key"] == "kernel_not_rotated"


class Forgetful(cr.Linear):
    """A dense layer that returns no bias gradient, or one of the wrong shape."""

    slip = ""

    def backward_parameters(self, parameters: Values, dy: Array, saved: Array) -> dict[str, Array]:
        right = super().backward_parameters(parameters, dy, saved)
        if self.slip == "no bias":
            return {"weight": right["weight"]}
        return {**right, "weight": right["weight"].T} if self.slip == "transposed" else {**right, "bias": dy}


def test_a_gradient_that_is_never_returned_is_named() -> None:
    report = check(cr.Sequential(with_slip(Forgetful(4, 2), "no bias")))
    assert report.layers[0].mistakes == {"dbias": ("never_written",)}


@pytest.mark.parametrize("slip, message", [
    ("transposed", r"that forgetful1 returned for weight has shape \(4, 2\), but must have \(2, 4\); its axes"),
    ("not summed", r"returned for bias has shape \(5, 2\), but must have \(2,\)"),
])  # fmt: skip
def test_a_gradient_of_the_wrong_shape_is_refused_in_a_sentence(slip: str, message: str) -> None:
    with pytest.raises(cr.errors.ShapeError, match=message):
        check(cr.Sequential(with_slip(Forgetful(4, 2), slip)))


def test_a_shared_layer_is_reported_once() -> None:
    x, layer = cr.Input((3,)), MyTanh()
    net = cr.Network(x, cr.Linear(3, 2)(layer(cr.Linear(3, 3)(layer(x)))))
    assert [found.layer for found in check(net).layers] == ["mytanh1"]


def test_a_broken_built_in_layer_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cr.Tanh, "backward_input", lambda self, parameters, dy, saved: dy)
    report = cr.check_gradients(
        cr.Sequential(cr.Linear(3, 3), cr.Tanh(), cr.Linear(3, 2)),
        np.random.default_rng(0).normal(size=(5, 3)),
        [0, 1, 0, 1, 1],
        cr.CrossEntropyLoss(),
        engine="reference",
    )
    assert [(found.layer, found.mistakes["dx"]) for found in report.layers] == [("tanh1", ("slope_missing",))]


class Steep(cr.Layer):
    """y = sin(3000 x) / 3000: right, but bent within the steps that suffice for other layers."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        return np.sin(3000 * xs[0]) / 3000, xs[0]

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return dy * np.cos(3000 * saved)


class Edge(Steep):
    """y = |x - e| with e so near to the first input that a fixed step reaches across; wrong by its sign there."""

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array]:
        edge = 0.5 - 2e-5
        return np.abs(xs[0] - edge), np.sign(xs[0] - edge)

    def backward_input(self, parameters: Values, dy: Array, saved: Array) -> Array:
        return -dy * saved


def test_a_steep_layer_that_is_right_is_left_in_peace_beside_one_that_is_wrong() -> None:
    net = cr.Sequential(cr.Linear(3, 4), Steep(), cr.Linear(4, 4), MyTanh(), cr.Linear(4, 3), seed=1)
    assert [found.layer for found in check(net).layers] == ["mytanh1"]


def test_a_kink_beside_a_number_does_not_hide_that_its_gradient_is_wrong() -> None:
    net = cr.Sequential(Edge(), cr.Linear(2, 2), input_shape=2, seed=1)
    report = cr.check_gradients(net, np.full((1, 2), 0.5), [1], cr.CrossEntropyLoss(), engine="reference")
    (found,) = report.layers
    assert found.layer == "edge1"
    assert "2 of 2 numbers" in str(found)
