"""What a user's own layer computes: a convolution, a dense layer, a pooling, an activation?

If its outputs are those of one of the equations, the table of that layer's mistakes can be tried on its gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.activations import ActivationProblem, LeakyProblem, SoftmaxProblem
from chainrule.diagnosis.convolution import Conv2dProblem
from chainrule.diagnosis.dense import LinearProblem
from chainrule.diagnosis.pooling import KINDS, PoolProblem
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.upstream import Upstream
from chainrule.equations import pooling
from chainrule.equations.activations import ACTIVATIONS, softmax
from chainrule.equations.convolution import Convention, conv2d_forward, pad, windows_of
from chainrule.shapes import Pair, Sides, Window

LARGEST_STRIDE = 4
LARGEST_PADDING = 4
LARGEST_POOL = 4
SAME = 1e-10
MODES: tuple[Convention, ...] = ("correlation", "convolution")
Outputs = Callable[[Array], Array]
"""z -> y, with f applied where the layer ends in an activation."""


def recognise(parameters: Mapping[str, Array], x: Array, y: Array, dy: Array) -> Problem | None:
    """The layer that makes y from x with these parameters, if it is a known one; dy = dL/dy."""
    sizes = {array.ndim: array for array in parameters.values()}
    if x.ndim == 4 and 4 in sizes:
        return next(_convolutions(sizes[4], sizes.get(1), x, y, dy), None)
    if x.ndim == 2 and 2 in sizes:
        return next(_linears(sizes[2], sizes.get(1), x, y, dy), None)
    if parameters:
        return None
    if x.shape == y.shape:
        found = next(_activations(x, y, dy), None)
        if found is not None:
            return found
    return next(_pools(x, y, dy), None) if x.ndim == 4 and y.ndim == 4 else None


def _same(a: Array, b: Array) -> bool:
    scale = max(float(np.abs(b).max(initial=0.0)), float(np.finfo(np.float64).tiny))
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= SAME * scale)


def _through(z: Array, y: Array, dy: Array) -> Iterator[Upstream | None]:
    """How y comes from z: as it is, or by an activation."""
    if _same(z, y):
        yield None
        return
    for name, pair in ACTIVATIONS.items():
        if _same(pair.function(z), y):
            yield Upstream(name, z, dy)


def _windows(x: Array, y: Array, kernel: Pair) -> Iterator[Window]:
    """Windows that make maps of y's size, simple ones first; padding is the same on opposite sides, or one-sided."""
    choices = []
    for axis in (0, 1):
        n, m = x.shape[2 + axis], y.shape[2 + axis]
        fits = []
        for stride, dilation in product(range(1, LARGEST_STRIDE + 1), repeat=2):
            extent = dilation * (kernel[axis] - 1) + 1
            for before, after in product(range(LARGEST_PADDING + 1), repeat=2):
                room = n + before + after - extent
                simple = before == after or before + 1 == after
                if simple and room >= 0 and room // stride + 1 == m and (kernel[axis] > 1 or dilation == 1):
                    fits.append((stride, dilation, before, after))
        choices.append(sorted(fits, key=sum))
    pairs = sorted(product(*choices), key=lambda pair: (pair[0][:2] != pair[1][:2], sum(pair[0]) + sum(pair[1])))
    for rows, columns in pairs:
        sides: Sides = (rows[2], rows[3], columns[2], columns[3])
        yield Window(kernel, (rows[0], columns[0]), sides, (rows[1], columns[1]))


def _convolutions(weight: Array, bias: Array | None, x: Array, y: Array, dy: Array) -> Iterator[Problem]:
    if y.ndim != 4 or y.shape[1] != len(weight) or x.shape[1] % weight.shape[1]:
        return
    groups = x.shape[1] // weight.shape[1]
    if len(weight) % groups or (bias is not None and bias.shape != (len(weight),)):
        return
    for window, mode in product(_windows(x, y, (weight.shape[2], weight.shape[3])), MODES):
        problem = Conv2dProblem(x, weight, dy, window, groups, mode)
        first = conv2d_forward(x[:1], weight, bias, **problem.options())
        if not any(True for _ in _through(first, y[:1], dy[:1])):
            continue
        z = conv2d_forward(x, weight, bias, **problem.options())
        for above in _through(z, y, dy):
            yield Conv2dProblem(x, weight, dy if above is None else above.dz(), window, groups, mode, above=above)


def _linears(weight: Array, bias: Array | None, x: Array, y: Array, dy: Array) -> Iterator[Problem]:
    if y.ndim != 2 or weight.shape != (y.shape[1], x.shape[1]):
        return
    shared = bias is not None and bias.shape == (1,) and y.shape[1] > 1
    if bias is not None and bias.shape not in ((1,), (y.shape[1],)):
        return
    z = x @ weight.T + (0.0 if bias is None else bias)
    for above in _through(z, y, dy):
        yield LinearProblem(x, weight, dy if above is None else above.dz(), shared, above)


def _activations(x: Array, y: Array, dy: Array) -> Iterator[Problem]:
    for name, pair in ACTIVATIONS.items():
        if _same(pair.function(x), y):
            yield ActivationProblem(Upstream(name, x, dy))
    negative = x < 0
    if negative.any() and _same(x[~negative], y[~negative]):
        slope = float((y[negative] / x[negative])[0])
        if _same(np.where(x > 0, x, slope * x), y) and slope != 1:
            yield LeakyProblem(x, dy, slope)
    if x.ndim > 1 and _same(softmax(x), y):
        yield SoftmaxProblem(x, dy)


def _pools(x: Array, y: Array, dy: Array) -> Iterator[Problem]:
    if x.shape[:2] != y.shape[:2] or y.size > x.size:
        return
    sides = range(1, LARGEST_POOL + 1)
    kernels: list[Pair] = [(a, b) for a in sides for b in sides]
    for kernel in sorted(kernels, key=lambda k: (k[0] != k[1], sum(k))):
        for window in _windows(x, y, kernel):
            if window.dilation != (1, 1) or kernel == (1, 1):
                continue
            for kind in KINDS:
                if _same(_pooled(x, window, kind), y):
                    yield PoolProblem(x, dy, window, kind)


def _pooled(x: Array, window: Window, kind: str) -> Array:
    sides = window.sides((x.shape[2], x.shape[3]))
    windows = windows_of(pad(x, sides, -np.inf if kind == "max" else 0.0), window)
    if kind == "max":
        return pooling.max_pool(windows)[0]
    if kind == "average":
        return pooling.weighted_pool(windows, pooling.mean_weights(window.kernel_size))
    return pooling.lp_pool(windows, 2)
