"""Networks for the tests of the explorer: small ones, each with something that others lack."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr

Case = tuple[cr.Network, Any, Any, cr.Loss]


def _images(net: cr.Network, samples: int = 3, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, *net.input_shape))


def small() -> Case:
    """A convolution, a pooling, a dense layer."""
    net = cr.parse("1x6x6 -> conv 2@3x3 -> relu -> maxpool 2 -> fc 3", seed=1)
    return net, _images(net), [0, 1, 2], cr.CrossEntropyLoss()


def two_two_two() -> Case:
    """The network that is computed by hand in textbooks."""
    from chainrule.zoo.perceptrons import two_two_two as made

    return made(), [[0.05, 0.10]], [[0.01, 0.99]], cr.HalfSquaredErrorLoss()


def branches() -> Case:
    """A residual branch and a concatenation."""
    x = cr.Input((2, 4, 4))
    h = cr.Conv2d(2, 2, 3, padding=1)(x)
    both = cr.Concat()(cr.Add()(cr.ReLU()(h), x), cr.MaxPool2d(3, 1, 1)(cr.Sigmoid()(h)))
    net = cr.Network(x, cr.Linear(64, 3)(cr.Flatten()(both)), seed=2)
    return net, _images(net, 2), [2, 0], cr.CrossEntropyLoss()


def residual() -> Case:
    """Batch normalisation within a residual branch, and a stride on both ways."""
    x = cr.Input((2, 6, 6))
    h = cr.ReLU()(cr.BatchNorm2d(3)(cr.Conv2d(2, 3, 3, padding=1)(x)))
    h = cr.Add()(cr.BatchNorm2d(3)(cr.Conv2d(3, 3, 3, padding=1)(h)), h)
    h = cr.Add()(cr.Conv2d(3, 4, 3, stride=2, padding=1)(h), cr.Conv2d(3, 4, 1, stride=2)(h))
    y = cr.Linear(4, 3)(cr.Flatten()(cr.AdaptiveAvgPool2d(1)(h)))
    net = cr.Network(x, y, seed=6)
    return net, _images(net, 2), [2, 0], cr.CrossEntropyLoss()
