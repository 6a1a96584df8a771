"""Random windows, layers, networks, losses and data, shared by all tests, so that awkward shapes meet everything.

Among the shapes: strides that leave pixels over, kernels as large as the map, 1x1, padding on one side only, dilation,
groups and depthwise filters, maps of one pixel, a batch of one. Numbers come from seeds: fast, and they shrink well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from chainrule.shapes import Shape, product
from tests.helpers import Array
from tests.layers.rows import PLAIN

Kind = Literal["normal", "positive", "ties"]

seeds = st.integers(0, 2**16)
batch_sizes = st.sampled_from([1, 2, 3, 5])
map_shapes: st.SearchStrategy[Shape] = st.tuples(st.integers(1, 4), st.integers(1, 8), st.integers(1, 8))
vector_shapes: st.SearchStrategy[Shape] = st.tuples(st.integers(1, 8))
shapes = map_shapes | vector_shapes


def values(rng: np.random.Generator, shape: Shape, kind: Kind = "normal") -> Array:
    """Numbers of order 1: normal ones, positive ones away from 0, or small integers, among which many are equal."""
    if kind == "positive":
        return rng.uniform(0.1, 2.0, shape)
    if kind == "ties":
        return rng.integers(-2, 3, shape).astype(np.float64)
    return rng.normal(size=shape)


# --- windows ---------------------------------------------------------------------------------------------------------


@st.composite
def _axis(draw: st.DrawFn, n: int, dilate: bool, largest_pad: int) -> tuple[int, int, int, int, int]:
    """(kernel, stride, dilation, padding before, padding after) of a window that fits an axis of n pixels."""
    before, after = draw(st.integers(0, largest_pad)), draw(st.integers(0, largest_pad))
    room = n + before + after
    kernel = draw(st.sampled_from(sorted({1, min(2, room), min(3, room), min(4, room), min(n, 6)})))
    most = (room - 1) // (kernel - 1) if kernel > 1 else 3
    dilation = draw(st.integers(1, min(3, most))) if dilate else 1
    return kernel, draw(st.integers(1, 4)), dilation, before, after


@st.composite
def conv_options(draw: st.DrawFn, size: tuple[int, int]) -> dict[str, Any]:
    """kernel_size, stride, padding (in each of its forms) and dilation of a convolution that fits a map of `size`."""
    form = draw(st.sampled_from(["number", "pair", "sides", "same", "valid"]))
    rows, columns = (draw(_axis(n, True, 0 if form in ("same", "valid") else 3)) for n in size)
    padding: Any = form
    if form == "sides":
        padding = (rows[3], rows[4], columns[3], columns[4])
    elif form == "pair":
        padding = (max(rows[3:]), max(columns[3:]))
    elif form == "number":
        padding = max(rows[3:] + columns[3:])
    return {
        "kernel_size": (rows[0], columns[0]),
        "stride": (rows[1], columns[1]),
        "padding": padding,
        "dilation": (rows[2], columns[2]),
    }


@st.composite
def pool_options(draw: st.DrawFn, size: tuple[int, int], padded: bool = False) -> dict[str, Any]:
    """kernel_size, stride (None: that of the kernel) and, if `padded`, padding of a pooling that fits."""
    rows, columns = (draw(_axis(n, False, 0)) for n in size)
    options: dict[str, Any] = {
        "kernel_size": (rows[0], columns[0]),
        "stride": draw(st.sampled_from([None, (rows[1], columns[1])])),
    }
    if padded:
        half_rows, half_columns = rows[0] // 2, columns[0] // 2
        options["padding"] = (
            draw(st.integers(0, half_rows)),
            draw(st.integers(0, half_rows)),
            draw(st.integers(0, half_columns)),
            draw(st.integers(0, half_columns)),
        )
    return options


# --- layers ----------------------------------------------------------------------------------------------------------


@st.composite
def _conv(draw: st.DrawFn, shape: Shape) -> cr.Layer:
    channels = shape[0]
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    filters = groups * draw(st.integers(1, 3))
    connections = None
    if groups == 1 and draw(st.booleans()):
        connections = np.random.default_rng(draw(seeds)).random((filters, channels)) < 0.6
    return cr.Conv2d(
        channels,
        filters,
        **draw(conv_options((shape[1], shape[2]))),
        groups=groups,
        bias=draw(st.booleans()),
        mode=draw(st.sampled_from(["correlation", "convolution"])),
        connections=connections,
    )


@st.composite
def _local(draw: st.DrawFn, shape: Shape) -> cr.Layer:
    options = draw(conv_options((shape[1], shape[2])))
    return cr.LocallyConnected2d(shape[0], draw(st.integers(1, 3)), **options, bias=draw(st.booleans()))


@st.composite
def _pool(draw: st.DrawFn, shape: Shape, name: str) -> cr.Layer:
    options = draw(pool_options((shape[1], shape[2]), padded=name in ("MaxPool2d", "AvgPool2d")))
    if name == "LPPool2d":
        options["norm_type"] = draw(st.sampled_from([1, 2, 2, 4, 1.5]))  # 3 has infinite slopes where a sum is near 0
    elif name == "GaussianPool2d":
        options["sigma"] = draw(st.sampled_from([0.3, 1.0, 5.0]))
    elif name == "TrainablePool2d":
        options["channels"] = shape[0]
    return LAYERS[name](**options)


def _batch_norm(layer: type[cr.Layer], shape: Shape) -> st.SearchStrategy[cr.Layer]:
    return st.builds(
        layer,
        st.just(shape[0]),
        eps=st.sampled_from([1e-5, 0.1]),
        momentum=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
        affine=st.booleans(),
    )


_VECTORS: dict[str, Callable[[Shape], st.SearchStrategy[cr.Layer]]] = {
    "Linear": lambda s: st.builds(
        cr.Linear, st.just(s[0]), st.integers(1, 6), bias=st.sampled_from([True, False, "shared"])
    ),
    "RBF": lambda s: st.builds(cr.RBF, st.just(s[0]), st.integers(1, 5)),
    "BatchNorm1d": lambda s: _batch_norm(cr.BatchNorm1d, s),
}
_POOLS = ("MaxPool2d", "AvgPool2d", "LPPool2d", "GaussianPool2d", "TrainablePool2d")
_MAPS: dict[str, Callable[[Shape], st.SearchStrategy[cr.Layer]]] = {
    "Conv2d": _conv,
    "LocallyConnected2d": _local,
    **{name: (lambda s, name=name: _pool(s, name)) for name in _POOLS},
    "AdaptiveAvgPool2d": lambda s: st.builds(
        cr.AdaptiveAvgPool2d, st.tuples(st.integers(1, s[1] + 1), st.integers(1, s[2] + 1))
    ),
    "BatchNorm2d": lambda s: _batch_norm(cr.BatchNorm2d, s),
}
_ANY: dict[str, Callable[[Shape], st.SearchStrategy[cr.Layer]]] = {
    **{name: (lambda s, name=name: st.builds(LAYERS[name])) for name in (*PLAIN, "Softmax", "Flatten")},
    "LeakyReLU": lambda s: st.builds(cr.LeakyReLU, st.sampled_from([0.01, 0.0, -0.5, 1.5])),
    "Dropout": lambda s: st.builds(cr.Dropout, st.sampled_from([0.0, 0.2, 0.5, 1.0])),
    "LocalResponseNorm": lambda s: st.builds(
        cr.LocalResponseNorm,
        st.integers(1, s[0] + 2),
        alpha=st.sampled_from([1e-4, 0.5]),
        beta=st.sampled_from([0.5, 0.75]),
        k=st.sampled_from([1.0, 2.0]),
    ),
}
JOINS = ("Add", "Concat")
UNARY = (*_VECTORS, *_MAPS, *_ANY)
"""Names of the layers with one input."""


def names_for(shape: Shape, names: Sequence[str] = UNARY) -> list[str]:
    """Those of `names` that can follow a sample of `shape`."""
    table = _ANY | (_MAPS if len(shape) == 3 else _VECTORS if len(shape) == 1 else {})
    return [name for name in names if name in table]


def layers_for(name: str, shape: Shape) -> st.SearchStrategy[cr.Layer]:
    """Layers called `name` that take samples of `shape`, with any options."""
    return (_ANY | _MAPS | _VECTORS)[name](shape)


@st.composite
def layers_with_shapes(draw: st.DrawFn, name: str) -> tuple[cr.Layer, tuple[Shape, ...]]:
    """A layer called `name`, and the shapes of the samples it takes."""
    if name in JOINS:
        first = draw(shapes)
        counts = [first[0] if name == "Add" else draw(st.integers(1, 4)) for _ in range(draw(st.integers(2, 4)))]
        return LAYERS[name](), tuple((count, *first[1:]) for count in counts)
    possible = map_shapes if name in _MAPS else vector_shapes if name in _VECTORS else shapes
    if name == "BatchNorm1d":
        possible = vector_shapes | st.tuples(st.integers(1, 4), st.integers(1, 6))
    shape = draw(possible)
    return draw(layers_for(name, shape)), (shape,)


# --- networks --------------------------------------------------------------------------------------------------------


@st.composite
def _grown(draw: st.DrawFn, nodes: list[cr.Node], names: Sequence[str], chain: bool) -> cr.Node:
    """One more node: a new layer on the newest node, or in a graph also on an older one, a join, or a layer again."""
    node = nodes[-1] if chain or draw(st.booleans()) else draw(st.sampled_from(nodes))
    action = "layer" if chain else draw(st.sampled_from(["layer", "layer", "join", "share"]))
    if action == "join":
        equal = [other for other in nodes if other.shape == node.shape]
        beside = [other for other in nodes if other.shape[1:] == node.shape[1:]]
        join, others = draw(st.sampled_from([(cr.Add(), equal), (cr.Concat(), beside)]))
        return join(node, *draw(st.lists(st.sampled_from(others), min_size=1, max_size=2)))
    if action == "share":
        users = [n for n in nodes if n.layer is not None and n.layer.arity == 1 and n.inputs[0].shape == node.shape]
        if users:
            layer = draw(st.sampled_from(users)).layer
            assert layer is not None
            return layer(node)
    able = names_for(node.shape, names)
    windowed = [name for name in able if name in _MAPS and (name != "LocallyConnected2d" or product(node.shape) < 80)]
    chosen = draw(st.sampled_from(windowed if windowed and draw(st.booleans()) else able))
    return draw(layers_for(chosen, node.shape))(node)


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    chain: bool | None = None,
    most_layers: int = 8,
    names: Sequence[str] = UNARY,
    normal_parameters: bool = True,
) -> cr.Network:
    """A network of random layers: a chain, or a graph with joins, several ends and layers used more than once.

    All that was grown is joined at the end, so that no part is idle. With `normal_parameters` biases and running
    statistics are not the zeros and ones they begin with.
    """
    x = cr.Input(draw(st.one_of(map_shapes, map_shapes, vector_shapes)))
    nodes = [x]
    as_chain = draw(st.booleans()) if chain is None else chain
    for _ in range(draw(st.integers(1, most_layers))):
        node = draw(_grown(nodes, names, as_chain))
        if product(node.shape) <= 300:
            nodes.append(node)
    taken = {id(source) for node in nodes for source in node.inputs}
    ends = [node for node in nodes if id(node) not in taken]
    if len(ends) > 1 or ends[0] is x or draw(st.booleans()):
        flat = [end if len(end.shape) == 1 else cr.Flatten()(end) for end in ends]
        joined = cr.Concat()(*flat) if len(flat) > 1 else flat[0]
        ends = [cr.Linear(joined.shape[0], draw(st.integers(1, 5)))(joined)]
    net = cr.Network(x, ends[0], seed=draw(seeds))
    if normal_parameters:
        rng = np.random.default_rng(draw(seeds))
        net.parameters.flat[:] += 0.3 * rng.normal(size=net.parameters.flat.shape)
        net.buffers.flat[:] += 0.3 * rng.random(net.buffers.flat.shape)
    return net


# --- losses and whole problems ---------------------------------------------------------------------------------------


@st.composite
def losses_with_targets(
    draw: st.DrawFn, samples: int, shape: Shape, names: Sequence[str] = tuple(LOSSES)
) -> tuple[cr.Loss, Array]:
    """A loss for outputs (samples, *shape), and targets that it takes."""
    name = draw(st.sampled_from(names))
    options: dict[str, Any] = {"reduction": draw(st.sampled_from(["mean", "sum"]))}
    rng = np.random.default_rng(draw(seeds))
    if name == "MAPLoss":
        options["rubbish"] = draw(st.sampled_from([1.0, -2.0, 10.0]))
    if name == "HuberLoss":
        options["delta"] = draw(st.sampled_from([1.0, 0.1, 3.0]))
    if name == "CrossEntropyLoss":
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.1, 1.0]))
    if name == "CrossEntropyLoss" or (name == "BCEWithLogitsLoss" and len(shape) == 1):
        for factors in ("weight", *(["pos_weight"] if name == "BCEWithLogitsLoss" else [])):
            if draw(st.booleans()):
                options[factors] = rng.uniform(0.2, 2, shape[0])
    targets: Array = rng.normal(size=(samples, *shape))
    if name == "BCEWithLogitsLoss":
        targets = rng.random((samples, *shape)) if draw(st.booleans()) else (targets > 0).astype(np.float64)
    elif name == "CrossEntropyLoss" and draw(st.booleans()):
        weights = rng.random((samples, *shape)) + 1e-3
        targets = weights / weights.sum(axis=1, keepdims=True) if draw(st.booleans()) else weights
    elif name in ("CrossEntropyLoss", "MAPLoss"):
        targets = rng.integers(0, shape[0], (samples, *shape[1:]))
    return LOSSES[name](**options), targets


@dataclass(frozen=True)
class Problem:
    """A network with data and a loss that fit it."""

    net: cr.Network
    x: Array
    targets: Array
    loss: cr.Loss
    weights: Array | None = None

    def __repr__(self) -> str:
        uses = [f"{s.name}={s.layer!r}{[self.net.names[i] for i in s.inputs]}" for s in self.net.steps]
        return f"Problem(seed {self.net.seed}, x {self.x.shape}, {'; '.join(uses)}, {self.loss!r}, {self.weights})"


@st.composite
def problems(draw: st.DrawFn, *, samples: int | None = None, **options: Any) -> Problem:
    """A network (see `networks`), a batch, targets and a loss. Batch normalisation needs two samples or more."""
    net = draw(networks(**options))
    normalizes = any(isinstance(layer, cr.BatchNorm1d | cr.BatchNorm2d) for layer in net.layers.values())
    n = samples or draw(st.sampled_from([2, 3, 5]) if normalizes else batch_sizes)
    loss, targets = draw(losses_with_targets(n, net.output_shape))
    weights = draw(st.none() | seeds.map(lambda seed: np.random.default_rng(seed).integers(0, 4, n) + 0.5))
    return Problem(net, values(np.random.default_rng(draw(seeds)), (n, *net.input_shape)), targets, loss, weights)
