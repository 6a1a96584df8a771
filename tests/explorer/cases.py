"""Networks that together hold every layer, option and loss, each with samples: what explorations are tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.layers.base import Context
from chainrule.zoo import lenet5, resnet_like, two_two_two, vgg_like
from tests.helpers import Array


@dataclass(frozen=True)
class Case:
    """A network at samples, as it is explored."""

    net: cr.Network
    x: Array
    targets: Array
    loss: cr.Loss
    training: bool = False
    together: bool = False


class Cubes(cr.Layer):
    """y = scale x³, a layer of the user's own, with a parameter."""

    def hyperparameters(self) -> dict[str, Any]:
        return {}

    def output_shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        return shapes[0]

    def parameter_shapes(self, *shapes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"scale": (1,)}

    def initialize(self, rng: np.random.Generator, *shapes: tuple[int, ...]) -> dict[str, Array]:
        return {"scale": np.array([0.5])}

    def forward(self, parameters: Any, *xs: Array, context: Context) -> tuple[Array, Array]:
        return parameters["scale"] * xs[0] ** 3, xs[0]

    def backward_input(self, parameters: Any, dy: Array, saved: Array) -> Array:
        return dy * parameters["scale"] * 3 * saved**2

    def backward_parameters(self, parameters: Any, dy: Array, saved: Array) -> dict[str, Array]:
        return {"scale": np.array([(dy * saved**3).sum()])}


CLASSES = np.array([1, 0, 2])


def _maps(*shape: int, samples: int = 3) -> Array:
    return np.random.default_rng(shape).normal(size=(samples, *shape))


def _branches() -> Case:
    x = cr.Input((2, 6, 6))
    a = cr.ReLU()(cr.Conv2d(2, 4, 3, padding=1)(x))
    b = cr.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2)(x)
    joined = cr.Concat()(cr.Add()(a, b), cr.LeakyReLU()(b))
    out = cr.Linear(8, 3)(cr.Flatten()(cr.AdaptiveAvgPool2d(1)(joined)))
    return Case(cr.Network(x, out), _maps(2, 6, 6), CLASSES, cr.CrossEntropyLoss(label_smoothing=0.1))


def _shared() -> Case:
    x, layer = cr.Input((3,)), cr.Linear(3, 3)
    net = cr.Network(x, cr.Tanh()(layer(cr.ScaledTanh()(layer(x)))))
    return Case(net, _maps(3), _maps(3), cr.HuberLoss(delta=0.5))


def _pools() -> Case:
    table = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
    net = cr.Sequential(
        cr.Conv2d(3, 4, 2, connections=table, mode="convolution"), cr.LPPool2d(2, 2, 1),
        cr.GaussianPool2d(2, 1, sigma=1.0), cr.TrainablePool2d(4, 2, 1), cr.LocalResponseNorm(3),
        cr.AvgPool2d(2, stride=1), cr.MaxPool2d(2, stride=1, padding=1), cr.Flatten(), cr.Linear(16, 2, bias="shared"),
        input_shape=(3, 6, 6),
    )  # fmt: skip
    return Case(net, np.abs(_maps(3, 6, 6)), np.array([[0.0, 1.0], [1, 0], [1, 1]]), cr.BCEWithLogitsLoss())


def _local() -> Case:
    net = cr.Sequential(
        cr.LocallyConnected2d(1, 2, 3, stride=2), cr.Sigmoid(), cr.Flatten(), cr.RBF(8, 3), input_shape=(1, 5, 5)
    )
    return Case(net, _maps(1, 5, 5), CLASSES, cr.MAPLoss())


def _normal() -> Case:
    net = cr.Sequential(
        cr.Linear(4, 3, bias=False), cr.BatchNorm1d(3), cr.Dropout(0.5), cr.Identity(), cr.Linear(3, 3), cr.Softmax()
    )
    return Case(net, _maps(4), np.eye(3)[CLASSES], cr.MSELoss(), training=True, together=True)


def _normal_maps() -> Case:
    net = cr.Sequential(
        cr.Conv2d(1, 2, 2, stride=2), cr.BatchNorm2d(2), cr.Flatten(), cr.Linear(8, 3), input_shape=(1, 4, 4)
    )
    return Case(net, _maps(1, 4, 4), CLASSES, cr.CrossEntropyLoss(), training=True, together=True)


def _own() -> Case:
    net = cr.Sequential(cr.Linear(2, 3), Cubes(), cr.Linear(3, 1))
    return Case(net, _maps(2), _maps(1), cr.L1Loss(reduction="sum"))


CASES: dict[str, Callable[[], Case]] = {
    "2-2-2": lambda: Case(two_two_two(), np.array([[0.05, 0.1]]), np.array([[0.01, 0.99]]), cr.HalfSquaredErrorLoss()),
    "lenet5": lambda: Case(lenet5(), _maps(1, 28, 28), CLASSES, cr.CrossEntropyLoss()),
    "lenet5 of 1998": lambda: Case(lenet5("1998"), _maps(1, 28, 28), CLASSES, cr.MAPLoss()),
    "vgg": lambda: Case(vgg_like((3, 8, 8), 3, widths=(4, 6)), _maps(3, 8, 8), CLASSES, cr.CrossEntropyLoss()),
    "resnet": lambda: Case(
        resnet_like((3, 8, 8), 3, widths=(4, 6), blocks=1), _maps(3, 8, 8), CLASSES, cr.CrossEntropyLoss()
    ),
    "images": lambda: Case(
        cr.parse("1x6x6 -> conv 2@3x3 -> relu -> maxpool 2 -> fc 3"),
        np.random.default_rng(5).integers(0, 256, (3, 1, 6, 6)).astype(np.uint8),
        CLASSES,
        cr.CrossEntropyLoss(weight=[1, 2, 3]),
    ),
    "branches": _branches,
    "a layer twice": _shared,
    "pools": _pools,
    "own kernels": _local,
    "normal": _normal,
    "normal maps": _normal_maps,
    "own layer": _own,
    "one number": lambda: Case(cr.Sequential(cr.Linear(1, 1)), np.array([[2.0]]), np.array([[1.0]]), cr.MSELoss()),
}
