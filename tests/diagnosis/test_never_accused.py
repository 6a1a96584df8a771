"""A correct implementation is never accused: 10,000 random layers, symmetric, constant, zero and tiny ones among them,
in both precisions, summed in several ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis import (
    diagnose_activation,
    diagnose_batchnorm,
    diagnose_conv2d,
    diagnose_dropout,
    diagnose_linear,
    diagnose_loss,
    diagnose_pool2d,
)
from chainrule.equations import (
    ACTIVATIONS,
    conv2d_backward_input,
    conv2d_backward_weight,
    crop,
    max_pool,
    max_pool_backward,
    pad,
    scatter_windows,
    softmax,
    softmax_backward,
    windows_of,
)
from chainrule.shapes import Window
from tests.helpers import Array

SEEDS = 8
CONVOLUTIONS, LINEARS, POOLS, OTHERS = 500, 250, 250, 250  # for each seed: 10,000 layers in all


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of many kinds: normal, small integers, zeros, ones, all sizes at once, one in a sea of zeros."""
    kind = rng.integers(8)
    if kind == 0:
        return np.zeros(shape)
    if kind == 1:
        return np.full(shape, float(rng.normal()))
    if kind == 2:
        return rng.integers(-2, 3, shape).astype(float)
    if kind == 3:
        return rng.normal(size=shape) * 10.0 ** rng.integers(-9, 10, shape)
    if kind == 4:
        a = np.zeros(shape)
        a[tuple(rng.integers(0, n) for n in shape)] = 1.0
        return a
    if kind == 5:  # symmetric on its last two axes, so that turning changes nothing
        a = rng.normal(size=shape)
        return a + np.flip(a, tuple(range(a.ndim))[-2:])
    return rng.normal(size=shape) * 10.0 ** rng.integers(-6, 7)


def cast(rng: np.random.Generator, *arrays: Array) -> list[Array]:
    """All in float32 or all in float64."""
    kind = rng.choice(["float32", "float64"])
    return [a.astype(kind) for a in arrays]


def window(rng: np.random.Generator, size: tuple[int, int], dilate: bool, most: int = 3) -> dict[str, Any]:
    """Options of a window that fits a map of `size`."""
    axes = []
    for n in size:
        kernel = int(rng.integers(1, min(n, 3) + 1))
        dilation = int(rng.integers(1, 3)) if dilate and n >= 2 * (kernel - 1) + 1 else 1
        axes.append(
            (
                kernel,
                int(rng.integers(1, 4)),
                dilation,
                *(int(p) for p in rng.integers(0, min(most, kernel // 2 + 1), 2)),
            )
        )
    (kh, sh, dh, top, bottom), (kw, sw, dw, left, right) = axes
    return {"kernel": (kh, kw), "stride": (sh, sw), "dilation": (dh, dw), "padding": (top, bottom, left, right)}


def summed_backwards(dy: Array, x: Array, w: Array, options: dict[str, Any]) -> tuple[Array, Array]:
    """dx and dweight place by place from the last to the first, in the precision of the data."""
    view = Window(w.shape[2:], options["stride"], options["padding"], options["dilation"])
    top, bottom, left, right = options["padding"]
    padded = pad(x, options["padding"])
    dx, dw = np.zeros_like(padded), np.zeros_like(w)
    kernel = w[..., ::-1, ::-1] if options["mode"] == "convolution" else w
    (sh, sw), (dh, dv) = view.stride, view.dilation
    for p in reversed(range(dy.shape[2])):
        for q in reversed(range(dy.shape[3])):
            here = np.s_[:, :, p * sh : p * sh + view.extent[0] : dh, q * sw : q * sw + view.extent[1] : dv]
            dx[here] += np.tensordot(dy[:, :, p, q], kernel, 1)
            dw += np.tensordot(dy[:, :, p, q], padded[here], (0, 0))
    if options["mode"] == "convolution":
        dw = dw[..., ::-1, ::-1]
    return crop(dx, (top, bottom, left, right)), dw


@pytest.mark.parametrize("seed", range(SEEDS))
def test_convolutions(seed: int) -> None:
    rng = np.random.default_rng([1, seed])
    for trial in range(CONVOLUTIONS):
        size = (int(rng.integers(1, 8)), int(rng.integers(1, 8)))
        view = window(rng, size, dilate=True)
        groups = int(rng.choice([1, 1, 2]))
        n, channels, filters = (
            int(rng.choice([1, 1, 3])),
            groups * int(rng.integers(1, 3)),
            groups * int(rng.integers(1, 3)),
        )
        kernel = view.pop("kernel")
        places = Window(kernel, view["stride"], view["padding"], view["dilation"]).output_size(size)
        x, w, dy = cast(
            rng,
            numbers(rng, (n, channels, *size)),
            numbers(rng, (filters, channels // groups, *kernel)),
            numbers(rng, (n, filters, *places)),
        )
        options = {**view, "mode": str(rng.choice(["correlation", "convolution"]))}
        if groups == 1 and trial % 2:
            dx, dw = summed_backwards(dy, x, w, options)
        else:
            dx = conv2d_backward_input(dy, w, size, **options, groups=groups)
            dw = conv2d_backward_weight(dy, x, kernel, **options, groups=groups)
        db = dy.sum(axis=3).sum(axis=2).sum(axis=0)
        report = diagnose_conv2d(x, w, dy, dx=dx, dweight=dw, dbias=db, **options, groups=groups)
        assert report.ok, f"{options}, groups {groups}, x {x.shape}, w {w.shape}\n{report}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_dense_layers(seed: int) -> None:
    rng = np.random.default_rng([2, seed])
    for _ in range(LINEARS):
        n, inputs, outputs = (int(i) for i in rng.integers(1, 8, 3))
        x, w, dy = cast(rng, *(numbers(rng, s) for s in ((n, inputs), (outputs, inputs), (n, outputs))))
        name = str(rng.choice([*ACTIVATIONS, "none"]))
        dz, options = dy, {}
        if name != "none":
            pair = ACTIVATIONS[name]
            dz, options = dy * pair.derivative_from_output(pair.function(x @ w.T)), {"activation": name}
        report = diagnose_linear(x, w, dy, dx=dz @ w, dweight=(x.T @ dz).T, dbias=dz.sum(axis=0), **options)
        assert report.ok, f"{name}, x {x.shape}, w {w.shape}\n{report}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_pools(seed: int) -> None:
    rng = np.random.default_rng([3, seed])
    for _ in range(POOLS):
        size = (int(rng.integers(1, 8)), int(rng.integers(1, 8)))
        view = window(rng, size, dilate=False)
        kernel, sides, stride = view["kernel"], view["padding"], view["stride"]
        places = Window(kernel, stride, sides).output_size(size)
        x, dy = cast(rng, numbers(rng, (2, 2, *size)), numbers(rng, (2, 2, *places)))
        kind = str(rng.choice(["max", "average"]))
        padded = (size[0] + sides[0] + sides[1], size[1] + sides[2] + sides[3])
        if kind == "max":
            argmax = max_pool(windows_of(pad(x, sides, -np.inf), Window(kernel, stride)))[1]
            parts = max_pool_backward(dy, argmax, kernel)
        else:
            parts = np.broadcast_to((dy / x.dtype.type(kernel[0] * kernel[1]))[..., None, None], (*dy.shape, *kernel))
        dx = crop(scatter_windows(parts, Window(kernel, stride), padded), sides)
        report = diagnose_pool2d(x, dy, dx=dx, kernel_size=kernel, stride=stride, padding=sides, kind=kind)  # type: ignore[arg-type]
        assert report.ok, f"{kind}, {view}\n{report}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_activations_and_losses(seed: int) -> None:
    rng = np.random.default_rng([4, seed])
    for _ in range(OTHERS):
        x, dy = cast(rng, numbers(rng, (3, 4)), numbers(rng, (3, 4)))
        name = str(rng.choice([*ACTIVATIONS, "softmax"]))
        if name == "softmax":
            dx = softmax_backward(dy, softmax(x))
        else:
            dx = dy * ACTIVATIONS[name].derivative_from_output(ACTIVATIONS[name].function(x))
        report = diagnose_activation(x, dy, dx=dx, activation=name)
        assert report.ok, f"{name}\n{x}\n{report}"
        for loss in (cr.CrossEntropyLoss(), cr.MSELoss("sum"), cr.HalfSquaredErrorLoss(), cr.BCEWithLogitsLoss()):
            targets = rng.integers(0, 2, (3, 4)).astype(x.dtype)
            judged = diagnose_loss(x, targets, doutputs=loss.backward((x, targets)), loss=loss)
            assert judged.ok, f"{loss}\n{judged}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_batch_normalisation_and_dropout(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    for _ in range(OTHERS):
        shape = (int(rng.integers(2, 6)), 3, *(() if rng.integers(2) else (2, 3)))
        x, w, dy = cast(rng, numbers(rng, shape), numbers(rng, (3,)), numbers(rng, shape))
        over = (0, *range(2, x.ndim))
        count = x.dtype.type(x.size // 3)
        gain = w.reshape(1, -1, *(1,) * (x.ndim - 2))
        centred = x - x.mean(axis=over, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=over, keepdims=True) + x.dtype.type(1e-5))
        hat = centred / spread
        dhat = dy * gain  # as frameworks do it: by way of the normalised values
        dx = dhat - (dhat.sum(axis=over, keepdims=True) + hat * (dhat * hat).sum(axis=over, keepdims=True)) / count
        report = diagnose_batchnorm(
            x, w, dy, dx=dx / spread, dweight=(dy * hat).sum(axis=over), dbias=dy.sum(axis=over)
        )
        assert report.ok, f"{x}\n{report}"
        mask = rng.integers(0, 2, shape).astype(x.dtype)
        judged = diagnose_dropout(mask, dy, dx=dy * mask / x.dtype.type(0.7), p=0.3)
        assert judged.ok, f"{judged}"
