"""The layers of the exported C once more in NumPy, for one sample, with every sum in the order of the C.

What a C loop skips (a tap over the padding, a missing link) is a term of -0.0, which changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.equations.dropout import dropout_mask
from chainrule.graph import Step
from tests.helpers import Array
from tests.interchange.c.twin_numbers import NOTHING, Elementary, ordered_sum


@dataclass
class Use:
    """One use of a layer on one sample: what its functions look at."""

    step: Step
    values: dict[str, Array]
    xs: list[Array]
    f: Elementary
    moment: tuple[int, int, int]
    """Seed, step and sample, which key a dropout mask."""
    y: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def x(self) -> Array:
        """The only input."""
        return self.xs[0]

    @property
    def layer(self) -> Any:
        """The layer."""
        return self.step.layer


def _sides(use: Use) -> tuple[int, int, int, int]:
    sides: tuple[int, int, int, int] = use.layer.window.sides(use.x.shape[1:])
    return sides


def _patches(use: Use, x: Array) -> Array:
    """(i, j, channels, rows, columns): what each tap sees at each place; NaN over the padding."""
    top, bottom, left, right = _sides(use)
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=np.nan)
    w = use.layer.window
    _, rows, columns = use.step.shape
    return np.stack([
        np.stack([padded[_under(w, i, j, rows, columns)] for j in range(w.kernel_size[1])])
        for i in range(w.kernel_size[0])
    ])  # fmt: skip


def _under(w: Any, i: int, j: int, rows: int, columns: int) -> tuple[slice, slice, slice]:
    (sh, sw), (dh, dw) = w.stride, w.dilation
    return (
        slice(None), slice(i * dh, i * dh + (rows - 1) * sh + 1, sh), slice(j * dw, j * dw + (columns - 1) * sw + 1, sw)
    )  # fmt: skip


def _known(terms: Array) -> Array:
    return np.where(np.isnan(terms), terms.dtype.type(NOTHING), terms)


def _scatter(
    use: Use, amount: Callable[[int, int], Array], channels: slice | int = slice(None), into: Any = None
) -> Array:
    """Adds amount(i, j) (channels, rows, columns) at the pixels under tap (i, j), windows in row-major order."""
    top, bottom, left, right = _sides(use)
    if into is None:
        c, rows, columns = use.x.shape
        into = np.zeros((c, rows + top + bottom, columns + left + right), use.x.dtype)
    w = use.layer.window
    _, rows, columns = use.step.shape
    for i in reversed(range(w.kernel_size[0])):
        for j in reversed(range(w.kernel_size[1])):
            _, r, c = _under(w, i, j, rows, columns)
            into[channels, r, c] += amount(i, j)
    return into


def _cropped(use: Use, padded: Array) -> Array:
    top, _, left, _ = _sides(use)
    _, rows, columns = use.x.shape
    return padded[:, top : top + rows, left : left + columns]


# --- convolutions ----------------------------------------------------------------------------------------------------


def _conv_links(use: Use) -> list[tuple[int, list[int]]]:
    """For each filter the channels it sees, and which of them are connected."""
    layer = use.layer
    inside = layer.in_channels // layer.groups
    return [
        (o, [o // (layer.out_channels // layer.groups) * inside + d for d in range(inside)])
        for o in range(layer.out_channels)
    ]


def _connected(use: Use, o: int, channels: list[int]) -> Array:
    table = use.layer.connections
    return np.ones(len(channels), bool) if table is None else table[o, channels]


def _turned(use: Use, w: Array) -> Array:
    return w[..., ::-1, ::-1] if use.layer.mode == "convolution" else w


def conv_forward(use: Use) -> Array:
    patches, weight = _patches(use, use.x), _turned(use, use.values["weight"])
    maps = []
    for o, channels in _conv_links(use):
        terms = weight[o].transpose(1, 2, 0)[..., None, None] * patches[:, :, channels]
        terms[:, :, ~_connected(use, o, channels)] = np.nan
        ordered = _known(terms).transpose(2, 0, 1, 3, 4)
        start = use.values["bias"][o] if use.layer.bias else 0
        maps.append(ordered_sum(start, ordered.reshape(-1, *ordered.shape[3:])))
    return np.stack(maps)


def conv_input(use: Use, dy: Array) -> Array:
    weight, into = _turned(use, use.values["weight"]), None
    for o, channels in _conv_links(use):
        on = _connected(use, o, channels)
        seen = np.array(channels)[on]
        into = _scatter_conv(use, weight[o][on], dy[o], seen, into)
    return _cropped(use, into)


def _scatter_conv(use: Use, w: Array, dy: Array, seen: Array, into: Any) -> Any:
    if into is None:
        into = _scatter(use, lambda i, j: use.x.dtype.type(0))
    if not len(seen):
        return into
    part = into[seen]
    _scatter(use, lambda i, j: dy[None] * w[:, i, j][:, None, None], into=part)
    into[seen] = part
    return into


def conv_weight(use: Use, dy: Array) -> Array:
    patches = _patches(use, use.x)
    dw = np.zeros_like(use.values["weight"])
    for o, channels in _conv_links(use):
        terms = _known(dy[o] * patches[:, :, channels])  # i, j, d, p, q
        sums = ordered_sum(0, terms.reshape(*terms.shape[:3], -1).transpose(3, 2, 0, 1))
        sums[~_connected(use, o, channels)] = 0
        dw[o] = sums
    return _turned(use, dw)


def local_forward(use: Use) -> Array:
    w = use.values["weight"]  # o, p, q, d, i, j
    terms = _known(w.transpose(3, 4, 5, 0, 1, 2) * _patches(use, use.x).transpose(2, 0, 1, 3, 4)[:, :, :, None])
    return ordered_sum(use.values["bias"] if use.layer.bias else 0, terms.reshape(-1, *use.step.shape))


def local_input(use: Use, dy: Array) -> Array:
    into = None
    for o in range(use.layer.out_channels):
        w = use.values["weight"][o].transpose(2, 3, 4, 0, 1)  # d, i, j, p, q
        into = _scatter(use, lambda i, j, w=w, o=o: dy[o] * w[:, i, j], into=into)  # type: ignore[misc]
    return _cropped(use, into)


def local_weight(use: Use, dy: Array) -> Array:
    patches = _patches(use, use.x).transpose(3, 4, 2, 0, 1)  # p, q, d, i, j
    terms = dy[..., None, None, None] * patches[None]
    return np.where(np.isnan(terms), terms.dtype.type(0), terms)


# --- pools -----------------------------------------------------------------------------------------------------------


def _taps_first(use: Use) -> Array:
    patches = _patches(use, use.x)
    return patches.reshape(-1, *patches.shape[2:])


def max_forward(use: Use) -> Array:
    result: Array = np.nanmax(_taps_first(use), axis=0)
    return result


def max_input(use: Use, dy: Array) -> Array:
    winners = np.nanargmax(_taps_first(use), axis=0)
    width = use.layer.kernel_size[1]
    nothing = dy.dtype.type(NOTHING)
    return _cropped(use, _scatter(use, lambda i, j: np.where(winners == i * width + j, dy, nothing)))


def _window_sum(use: Use) -> Array:
    return ordered_sum(0, _known(_taps_first(use)))


def _area(use: Use) -> Any:
    return use.f.real(use.layer.kernel_size[0] * use.layer.kernel_size[1])


def gaussian_weights(use: Use) -> Array:
    weights: Array = use.layer.weights().astype(use.f.dtype)
    return weights


def gaussian_forward(use: Use) -> Array:
    return ordered_sum(0, _known(gaussian_weights(use).ravel()[:, None, None, None] * _taps_first(use)))


def _norm_power(use: Use, x: Array, p: float, odd: bool) -> Array:
    if use.layer.norm_type == int(use.layer.norm_type):
        return use.f.whole_power(x, int(p))
    size = use.f.power(np.where(x < 0, -x, x), p)
    return np.where(x < 0, -size, size) if odd else size


def lp_forward(use: Use) -> Array:
    p, real = use.layer.norm_type, use.f.real
    total = ordered_sum(0, _known(_norm_power(use, _taps_first(use), p, False)))
    size = np.where(total < 0, -total, total)
    if p == 2:
        size = np.sqrt(size)
    elif p != 1:
        size = use.f.power(size, real(1) / real(p))
    return np.where(total < 0, -size, size)


def lp_input(use: Use, dy: Array) -> Array:
    p, real = use.layer.norm_type, use.f.real
    patches = _patches(use, use.x)
    safe = np.where(use.y == 0, real(1), use.y)

    def amount(i: int, j: int) -> Array:
        slope = real(1) if p == 1 else _norm_power(use, patches[i, j] / safe, real(p) - real(1), True)
        return np.where((use.y == 0) & (p != 1), real(NOTHING), dy * slope)

    return _cropped(use, _scatter(use, amount))


def _spans(use: Use) -> list[tuple[int, int, slice, slice]]:
    (_, rows, columns), (_, ps, qs) = use.x.shape, use.step.shape
    return [
        (p, q, slice(p * rows // ps, -(-(p + 1) * rows // ps)), slice(q * columns // qs, -(-(q + 1) * columns // qs)))
        for p in range(ps)
        for q in range(qs)
    ]


def adaptive_forward(use: Use) -> Array:
    y = np.zeros(use.step.shape, use.f.dtype)
    for p, q, r, s in _spans(use):
        part = use.x[:, r, s].reshape(len(y), -1).T
        y[:, p, q] = ordered_sum(0, part) / use.f.real(len(part))
    return y


def adaptive_input(use: Use, dy: Array) -> Array:
    dx = np.zeros_like(use.x)
    for p, q, r, s in _spans(use):
        dx[:, r, s] += (dy[:, p, q] / use.f.real((r.stop - r.start) * (s.stop - s.start)))[:, None, None]
    return dx


# --- vectors ---------------------------------------------------------------------------------------------------------


def linear_forward(use: Use) -> Array:
    start = use.values["bias"] if use.layer.bias else 0
    return ordered_sum(start, use.values["weight"].T * use.x[:, None])


def linear_input(use: Use, dy: Array) -> Array:
    return ordered_sum(0, dy[:, None] * use.values["weight"])


def linear_bias(use: Use, dy: Array) -> Array:
    return ordered_sum(0, dy)[None] if use.layer.bias == "shared" else dy


def rbf_input(use: Use, dy: Array) -> Array:
    return ordered_sum(0, use.f.real(2) * dy[:, None] * (use.x - use.values["weight"]))


def rbf_forward(use: Use) -> Array:
    distance = use.x - use.values["weight"]
    return ordered_sum(0, (distance * distance).T)


# --- elementwise and normalisation -----------------------------------------------------------------------------------


def _scaled(use: Use) -> tuple[Any, Any]:
    return use.f.real(1.7159), use.f.real(2 / 3)


def softmax_forward(use: Use) -> Array:
    e = use.f.exp(use.x - use.x.max(axis=0))
    return e / ordered_sum(0, e)


def _mask(use: Use, x: Array) -> Array:
    seed, step, sample = use.moment
    p = use.layer.p
    kept = dropout_mask((sample + 1, *x.shape), p, seed, step, use.step.index)[sample]
    return np.where(kept, x * use.f.real(0 if p == 1 else 1 / (1 - p)), use.f.real(0))


def _around(x: Array, before: int, after: int) -> Array:
    """Ordered sums over neighbouring channels."""
    sums = np.zeros_like(x)
    for offset in range(-before, after + 1):
        low, high = max(0, -offset), min(len(x), len(x) - offset)
        if low < high:
            sums[low:high] += x[low + offset : high + offset]
    return sums


def _response(use: Use) -> tuple[Any, Array]:
    layer = use.layer
    alpha = use.f.real(layer.alpha / layer.size)
    return alpha, use.f.real(layer.k) + alpha * _around(use.x * use.x, layer.size // 2, (layer.size - 1) // 2)


def response_input(use: Use, dy: Array) -> Array:
    layer, f = use.layer, use.f
    alpha, s = _response(use)
    beta = f.real(layer.beta)
    through = dy * use.x * f.power(s, -beta - f.real(1))
    total = _around(through, (layer.size - 1) // 2, layer.size // 2)
    return dy * f.power(s, -beta) - f.real(2) * alpha * beta * use.x * total


def norm_forward(use: Use) -> Array:
    """In inference."""
    c = (-1,) + (1,) * (use.x.ndim - 1)
    v = use.values
    n = (use.x - v["running_mean"].reshape(c)) / np.sqrt(v["running_var"] + use.f.real(use.layer.eps)).reshape(c)
    return n * v["weight"].reshape(c) + v["bias"].reshape(c) if use.layer.affine else n


def _places(dy: Array) -> Array:
    return ordered_sum(0, dy.reshape(len(dy), -1).T)


Forward = Callable[[Use], Array]
Backward = Callable[[Use, Array], Any]

FORWARD: dict[type[cr.Layer], Forward] = {
    cr.Conv2d: conv_forward,
    cr.LocallyConnected2d: local_forward,
    cr.MaxPool2d: max_forward,
    cr.AvgPool2d: lambda use: _window_sum(use) / _area(use),
    cr.GaussianPool2d: gaussian_forward,
    cr.LPPool2d: lp_forward,
    cr.TrainablePool2d: lambda use: (
        _window_sum(use) * use.values["weight"][:, None, None] + use.values["bias"][:, None, None]
    ),
    cr.AdaptiveAvgPool2d: adaptive_forward,
    cr.Linear: linear_forward,
    cr.RBF: rbf_forward,
    cr.ReLU: lambda use: np.where(use.x < 0, use.f.real(0), use.x),
    cr.LeakyReLU: lambda use: np.where(use.x > 0, use.x, use.x * use.f.real(use.layer.negative_slope)),
    cr.Sigmoid: lambda use: use.f.sigmoid(use.x),
    cr.Tanh: lambda use: use.f.tanh(use.x),
    cr.ScaledTanh: lambda use: _scaled(use)[0] * use.f.tanh(_scaled(use)[1] * use.x),
    cr.Softmax: softmax_forward,
    cr.Identity: lambda use: use.x,
    cr.Flatten: lambda use: use.x.ravel(),
    cr.Dropout: lambda use: _mask(use, use.x),
    cr.LocalResponseNorm: lambda use: use.x * use.f.power(_response(use)[1], -use.f.real(use.layer.beta)),
    cr.BatchNorm1d: norm_forward,
    cr.BatchNorm2d: norm_forward,
    cr.Add: lambda use: sum(use.xs[1:], use.xs[0]),
    cr.Concat: lambda use: np.concatenate(use.xs),
}

BACKWARD: dict[type[cr.Layer], Backward] = {
    cr.Conv2d: conv_input,
    cr.LocallyConnected2d: local_input,
    cr.MaxPool2d: max_input,
    cr.AvgPool2d: lambda use, dy: _cropped(use, _scatter(use, lambda i, j: dy / _area(use))),
    cr.GaussianPool2d: lambda use, dy: _cropped(use, _scatter(use, lambda i, j: dy * gaussian_weights(use)[i, j])),
    cr.LPPool2d: lp_input,
    cr.TrainablePool2d: lambda use, dy: _cropped(
        use, _scatter(use, lambda i, j: dy * use.values["weight"][:, None, None])
    ),
    cr.AdaptiveAvgPool2d: adaptive_input,
    cr.Linear: linear_input,
    cr.RBF: rbf_input,
    cr.ReLU: lambda use, dy: np.where(use.y > 0, dy, use.f.real(0)),
    cr.LeakyReLU: lambda use, dy: np.where(use.x > 0, dy, dy * use.f.real(use.layer.negative_slope)),
    cr.Sigmoid: lambda use, dy: dy * (use.y * (use.f.real(1) - use.y)),
    cr.Tanh: lambda use, dy: dy * (use.f.real(1) - use.y * use.y),
    cr.ScaledTanh: lambda use, dy: dy * (_scaled(use)[1] * (_scaled(use)[0] - use.y * use.y / _scaled(use)[0])),
    cr.Softmax: lambda use, dy: use.y * (dy - ordered_sum(0, dy * use.y)),
    cr.Identity: lambda use, dy: dy,
    cr.Flatten: lambda use, dy: dy.reshape(use.x.shape),
    cr.Dropout: lambda use, dy: _mask(use, dy),
    cr.LocalResponseNorm: response_input,
    cr.Add: lambda use, dy: (dy,) * len(use.xs),
    cr.Concat: lambda use, dy: tuple(np.split(dy, np.cumsum([len(x) for x in use.xs])[:-1])),
}

PARAMETERS: dict[tuple[type[cr.Layer], str], Backward] = {
    (cr.Conv2d, "weight"): conv_weight,
    (cr.Conv2d, "bias"): lambda use, dy: _places(dy),
    (cr.LocallyConnected2d, "weight"): local_weight,
    (cr.LocallyConnected2d, "bias"): lambda use, dy: dy,
    (cr.Linear, "weight"): lambda use, dy: dy[:, None] * use.x,
    (cr.Linear, "bias"): linear_bias,
    (cr.RBF, "weight"): lambda use, dy: use.f.real(-2) * dy[:, None] * (use.x - use.values["weight"]),
    (cr.TrainablePool2d, "weight"): lambda use, dy: _places(dy * _window_sum(use)),
    (cr.TrainablePool2d, "bias"): lambda use, dy: _places(dy),
}
