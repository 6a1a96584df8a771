"""The table of layers: a row for every layer and every option, with odd sizes and batches of one.

A layer without a row fails `test_table.py`, and so does an option that no row sets.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.initializers import NAMES
from chainrule.layers.base import Context
from chainrule.shapes import Shape, shape_text
from tests.helpers import Array

TABLE = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], bool)


def spread(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers that keep away from kinks, in random order: far from 0 and from each other for the steps of 0.002."""
    size = int(np.prod(shape))
    ladder = 0.05 + min(0.4, 6 / max(size, 1)) * np.arange(size)
    return (rng.permutation(ladder) * rng.choice([-1, 1], size)).reshape(shape)


@dataclass(frozen=True)
class Row:
    """One layer with input shapes that fit it."""

    layer: cr.Layer
    shapes: tuple[Shape, ...]
    batch: int
    training: bool
    positive: bool

    @property
    def name(self) -> str:
        """What the test's name shows."""
        text = f"{self.layer!r} on {'+'.join(map(shape_text, self.shapes))} batch {self.batch}"
        return text + (" training" if self.training else "")

    def context(self) -> Context:
        """A context whose dropout mask is always the same."""
        return Context(self.training, seed=3, step=1, node=2)

    def arrays(self, dtype: str = "float64") -> tuple[dict[str, Array], list[Array], Array]:
        """(parameters and buffers, inputs, dy): the same ones at every call."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        values = self.layer.initialize(rng, *self.shapes)
        values = {n: v + (rng.random(v.shape) if "var" in n else rng.normal(size=v.shape)) for n, v in values.items()}
        xs = [spread(rng, (self.batch, *shape)) for shape in self.shapes]
        xs = [np.abs(x) for x in xs] if self.positive else xs
        dy = rng.normal(size=(self.batch, *self.layer.output_shape(*self.shapes)))
        return {n: v.astype(dtype) for n, v in values.items()}, [x.astype(dtype) for x in xs], dy.astype(dtype)

    def parameters(self, values: dict[str, Array]) -> dict[str, Array]:
        """The learned ones among the layer's arrays."""
        return {name: values[name] for name in self.layer.parameter_shapes(*self.shapes)}


def row(layer: cr.Layer, *shapes: Shape, batch: int = 2, training: bool = False, positive: bool = False) -> Row:
    """A row of the table."""
    return Row(layer, shapes, batch, training, positive)


def _convolutions(layer: type[cr.Layer]) -> list[Row]:
    """The options that both convolutions have."""
    return [
        row(layer(2, 3, 3), (2, 5, 4)),
        row(layer(1, 1, 1), (1, 1, 1), batch=1),
        row(layer(3, 2, (3, 5)), (3, 3, 5), batch=1),
        row(layer(2, 3, (2, 3), 2), (2, 6, 5)),
        row(layer(2, 2, 2, (3, 2)), (2, 6, 7)),
        row(layer(1, 2, (2, 1), (3, 2)), (1, 7, 6)),
        row(layer(2, 2, 2, (2, 1)), (2, 5, 4)),
        row(layer(2, 2, 2, (1, 3)), (2, 4, 6)),
        row(layer(2, 2, 3, padding=1), (2, 4, 5), batch=1),
        row(layer(1, 2, 2, padding=3), (1, 2, 3)),
        row(layer(2, 2, (2, 3), padding=(0, 2)), (2, 3, 4)),
        row(layer(2, 2, 2, 2, (0, 1, 0, 1)), (2, 5, 5)),
        row(layer(1, 2, 3, (1, 2), (2, 0, 1, 3)), (1, 5, 4)),
        row(layer(2, 2, 3, padding="same"), (2, 4, 5)),
        row(layer(2, 2, (4, 2), padding="same"), (2, 5, 4)),
        row(layer(1, 2, 3, 2, "same"), (1, 5, 6)),
        row(layer(2, 2, 2, padding="valid"), (2, 3, 3)),
        row(layer(2, 2, 3, dilation=2), (2, 6, 5)),
        row(layer(1, 2, (2, 3), dilation=(3, 1), padding="same"), (1, 5, 4)),
        row(layer(2, 2, (3, 2), 2, (1, 0, 2, 1), (2, 3)), (2, 7, 6)),
        row(layer(2, 3, 2, bias=False), (2, 4, 3)),
        *(row(layer(2, 3, 2, initialization=name), (2, 3, 3), batch=1) for name in NAMES),
    ]


CONVOLUTIONS = [
    *_convolutions(cr.Conv2d),
    *_convolutions(cr.LocallyConnected2d),
    row(cr.Conv2d(4, 6, 3, 2, 1, groups=2), (4, 5, 6)),
    row(cr.Conv2d(3, 3, 3, groups=3), (3, 4, 5)),
    row(cr.Conv2d(2, 4, 2, dilation=2, padding=2, groups=2, bias=False), (2, 4, 3), batch=1),
    row(cr.Conv2d(2, 3, (2, 3), mode="convolution"), (2, 4, 5)),
    row(cr.Conv2d(4, 2, (3, 2), 2, (1, 0, 0, 2), (1, 2), 2, mode="convolution"), (4, 6, 5)),
    row(cr.Conv2d(3, 4, 2, connections=TABLE), (3, 4, 4)),
    row(cr.Conv2d(3, 4, (1, 3), 2, "same", bias=False, mode="convolution", connections=TABLE), (3, 3, 5), batch=1),
    row(cr.Conv2d(2, 2, 2, connections=np.zeros((2, 2), bool)), (2, 3, 3)),
]


def _pools(layer: type[cr.Layer], *before: Any, **options: Any) -> list[Row]:
    """The options that all poolings have; the maps have 2 channels."""
    positive = layer is cr.LPPool2d and before[0] % 2 == 1
    rows = [
        row(layer(*before, 2, **options), (2, 4, 6), positive=positive),
        row(layer(*before, 2, **options), (2, 5, 3), batch=1, positive=positive),
        row(layer(*before, 1, **options), (2, 1, 1), batch=1, positive=positive),
        row(layer(*before, (3, 2), **options), (2, 3, 2), positive=positive),
        row(layer(*before, 3, 1, **options), (2, 5, 4), positive=positive),
        row(layer(*before, (2, 3), (3, 2), **options), (2, 7, 6), positive=positive),
        row(layer(*before, (1, 2), (2, 3), **options), (2, 4, 6), positive=positive),
    ]
    if layer in (cr.MaxPool2d, cr.AvgPool2d):
        rows += [
            row(layer(3, 2, 1), (2, 5, 6)),
            row(layer(2, padding=1), (2, 3, 4), batch=1),
            row(layer((2, 4), 2, (1, 2)), (2, 3, 5)),
            row(layer((3, 2), 1, (0, 1, 1, 0)), (2, 4, 3)),
        ]
    return rows


POOLS = [
    *_pools(cr.MaxPool2d),
    *_pools(cr.AvgPool2d),
    *(entry for p in (1, 2, 3, 4, 2.5) for entry in _pools(cr.LPPool2d, p)),
    *_pools(cr.GaussianPool2d, sigma=0.8),
    *_pools(cr.GaussianPool2d, sigma=100.0)[:2],
    *_pools(cr.TrainablePool2d, 2),
    *(row(cr.AdaptiveAvgPool2d(size), (2, 5, 7), batch=1) for size in (1, 2, (3, 4), (5, 7), (6, 9))),
    row(cr.AdaptiveAvgPool2d((1, 2)), (1, 1, 1)),
]

VECTORS = [
    row(cr.Linear(5, 3), (5,)),
    row(cr.Linear(1, 1), (1,), batch=1),
    row(cr.Linear(3, 4, bias=False), (3,), batch=3),
    row(cr.Linear(3, 4, "shared"), (3,)),
    *(row(cr.Linear(2, 3, initialization=name), (2,), batch=1) for name in NAMES),
    row(cr.RBF(4, 3), (4,)),
    row(cr.RBF(1, 1), (1,), batch=1),
]


@dataclass(frozen=True)
class Activation:
    """One number in, one number out: the layer, its value written once more, and what it is in torch."""

    layer: cr.Layer
    value: Callable[[float], float]
    torch: Callable[[Any, Any], Any]
    kink: bool = False

    @property
    def name(self) -> str:
        """The layer's class."""
        return type(self.layer).__name__


def _leaky(slope: float) -> Activation:
    return Activation(
        cr.LeakyReLU(slope),
        lambda x: x if x > 0 else slope * x,
        lambda torch, x: torch.nn.functional.leaky_relu(x, slope),
        kink=True,
    )


ACTIVATIONS = [
    Activation(cr.ReLU(), lambda x: max(x, 0.0), lambda torch, x: torch.relu(x), kink=True),
    *map(_leaky, (0.01, 0.3, 0.0, -0.5)),
    Activation(cr.Sigmoid(), lambda x: 1 / (1 + math.exp(-x)), lambda torch, x: torch.sigmoid(x)),
    Activation(cr.Tanh(), math.tanh, lambda torch, x: torch.tanh(x)),
    Activation(cr.ScaledTanh(), lambda x: 1.7159 * math.tanh(2 / 3 * x), lambda t, x: 1.7159 * t.tanh(2 / 3 * x)),
    Activation(cr.Identity(), lambda x: x, lambda torch, x: x),
]
PLAIN = tuple(entry.name for entry in ACTIVATIONS if not entry.layer.hyperparameters())
"""Names of the activations without options."""
KINKED = tuple(dict.fromkeys(entry.name for entry in ACTIVATIONS if entry.kink))
"""Names of those whose derivative jumps."""

_SAME_SHAPE = [*(entry.layer for entry in ACTIVATIONS), cr.Softmax(), cr.Flatten()]
ELEMENTWISE = [
    *(row(layer, shape, batch=n) for layer in _SAME_SHAPE for shape, n in (((5,), 3), ((2, 3, 1), 2), ((1,), 1))),
    *(row(cr.Dropout(p), (2, 3, 3), training=True) for p in (0.0, 0.5, 0.9, 1.0)),
    row(cr.Dropout(), (7,), batch=1, training=True),
    row(cr.Dropout(0.3), (7,)),
]

NORMALIZATIONS = [
    *(
        row(layer(3, **options), (3, *rest), batch=n, training=training)
        for layer, rests in ((cr.BatchNorm1d, ((), (4,))), (cr.BatchNorm2d, ((3, 2),)))
        for rest in rests
        for training in (True, False)
        for n in (2, 3)
        for options in ({}, {"eps": 0.1}, {"momentum": 0.7}, {"affine": False})
    ),
    row(cr.BatchNorm2d(2, 0.01, 1.0, False), (2, 3, 1), batch=1, training=True),
    row(cr.BatchNorm1d(1, 0.0, 0.0), (1,), batch=5, training=True),
    row(cr.BatchNorm1d(2), (2,), batch=1),
    *(row(cr.LocalResponseNorm(size), (4, 2, 1)) for size in (1, 2, 3, 4, 5, 9)),
    *(row(cr.LocalResponseNorm(3, 0.5, **options), (5,)) for options in ({}, {"beta": 1.5}, {"beta": 0}, {"k": 2.5})),
    row(cr.LocalResponseNorm(2, 0.0), (1, 3, 3), batch=1),
]

JOINS = [
    row(cr.Add(), (3,), (3,), batch=1),
    row(cr.Add(), (2, 3, 1), (2, 3, 1), (2, 3, 1)),
    row(cr.Concat(), (2,), (3,)),
    row(cr.Concat(), (2, 2, 3), (1, 2, 3), (3, 2, 3), (1, 2, 3), batch=1),
]

ROWS = [*CONVOLUTIONS, *POOLS, *VECTORS, *ELEMENTWISE, *NORMALIZATIONS, *JOINS]
IDS = [entry.name for entry in ROWS]
