"""The networks of the benchmarks, made by chainrule and described for everyone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.tasks import Array, Description, Node
from chainrule import Network
from chainrule.graph import Step
from chainrule.layers import AdaptiveAvgPool2d, Add, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sigmoid
from chainrule.losses import HalfSquaredErrorLoss
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two


def with_frozen_biases() -> Network:
    """The 2-2-2 network, whose biases stay as they are."""
    net = two_two_two()
    net.freeze("*.bias")
    return net


NETWORKS: dict[str, Callable[[], Network]] = {
    "lenet5": lenet5,
    "mlp": mlp,
    "vgg_like": vgg_like,
    "resnet_like": resnet_like,
    "two_two_two": with_frozen_biases,
}

PLAIN = {ReLU: "relu", Sigmoid: "sigmoid", Flatten: "flatten", Add: "add", AdaptiveAvgPool2d: "average"}


@cache
def describe(name: str) -> Description:
    """The description of a network of `NETWORKS`."""
    net = NETWORKS[name]()
    parameters: dict[str, Array] = {
        key: np.asarray(value, np.float32) for group in (net.parameters, net.buffers) for key, value in group.items()
    }
    return Description(
        name=name,
        input_shape=net.input_shape,
        nodes=tuple(_node(step, parameters) for step in net.steps),
        parameters=parameters,
        frozen=frozenset(net.frozen),
        loss="half_squared" if isinstance(net.loss, HalfSquaredErrorLoss) else "cross_entropy",
    )


def _node(step: Step, parameters: dict[str, Array]) -> Node:
    layer = step.layer
    names = [f"{step.layer_name}.{part}" for part in ("weight", "bias")]
    weight, bias = (name if name in parameters else None for name in names)
    if type(layer) in PLAIN:
        if isinstance(layer, AdaptiveAvgPool2d) and step.shape[1:] != (1, 1):
            raise NotImplementedError(f"only the average of a whole map, not {layer!r}")
        return Node(PLAIN[type(layer)], step.inputs, step.shape)
    if isinstance(layer, Linear):
        return Node("linear", step.inputs, step.shape, weight, bias)
    if isinstance(layer, BatchNorm2d):
        return Node("batch_norm2d", step.inputs, step.shape, weight, bias, prefix=step.layer_name)
    if isinstance(layer, Conv2d | MaxPool2d):
        window = layer.window
        top, bottom, left, right = window.sides((step.input_shapes[0][1], step.input_shapes[0][2]))
        ordinary = window.dilation == (1, 1) and (top, left) == (bottom, right)
        if isinstance(layer, Conv2d):
            ordinary &= layer.groups == 1 and layer.mode == "correlation" and layer.connections is None
        if ordinary:
            op = "conv2d" if isinstance(layer, Conv2d) else "max_pool2d"
            return Node(op, step.inputs, step.shape, weight, bias, "", window.stride, (top, left), window.kernel_size)
    raise NotImplementedError(f"the benchmarks have no description for {layer!r}")
