"""The functions that people call with arrays of their own: "my dW for this convolution"."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, check_finite
from chainrule.diagnosis import convolution_bias, convolution_input, convolution_weight  # noqa: F401  fill the table
from chainrule.diagnosis.activations import ActivationProblem, LeakyProblem, SoftmaxProblem
from chainrule.diagnosis.convolution import Conv2dProblem
from chainrule.diagnosis.dense import LinearProblem
from chainrule.diagnosis.losses import LossProblem
from chainrule.diagnosis.normalization import BatchNormProblem, DropoutProblem
from chainrule.diagnosis.pooling import KINDS, PoolKind, PoolProblem
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import Diagnosis, examine
from chainrule.diagnosis.truth import coarsest_eps
from chainrule.diagnosis.upstream import Upstream
from chainrule.equations.activations import ACTIVATIONS
from chainrule.equations.convolution import Convention, conv2d_forward
from chainrule.errors import ArgumentError, NameLookupError, ShapeError
from chainrule.losses import Loss
from chainrule.shapes import IntOrPair, PaddingArgument, Shape, Window, integer, number, padding_sides, pair


def _numbers(value: ArrayLike, what: str, ndim: int | None = None) -> Array:
    array = as_array(value, what)
    if ndim is not None and array.ndim != ndim:
        raise ShapeError(f"{what} must have {ndim} axes, not the shape {array.shape}")
    if not array.size:
        raise ShapeError(f"{what} holds no numbers: its shape is {array.shape}")
    check_finite(array, what)
    return array


def _expect(array: Array, shape: Shape, what: str) -> None:
    if array.shape != shape:
        raise ShapeError(f"{what} must have shape {shape}, not {array.shape}")


def _diagnose(
    problem: Problem, given: dict[str, ArrayLike | None], inputs: list[Array], tolerance: float | None
) -> Diagnosis:
    arrays = {name: as_array(value, name) for name, value in given.items() if value is not None}
    if not arrays:
        raise ArgumentError(f"give at least one gradient to judge: {' or '.join(f'{name}=...' for name in given)}")
    extra = 0.0 if tolerance is None else number("tolerance", tolerance, 0)
    eps = {name: coarsest_eps(array, *inputs) for name, array in arrays.items()}
    return Diagnosis(
        tuple(examine(name, array.astype(np.float64), problem, eps[name], extra) for name, array in arrays.items())
    )


def _doubt(size: Array, arrays: list[Array], weight: Array) -> Array:
    """How far rounding may move z = sum w x + b, from the sum of the absolute values."""
    return np.asarray((weight[0].size + 16) * coarsest_eps(*arrays) * size)


def diagnose_conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    dy: ArrayLike,
    *,
    dweight: ArrayLike | None = None,
    dx: ArrayLike | None = None,
    dbias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    mode: Convention = "correlation",
    activation: str | None = None,
    bias: ArrayLike | None = None,
    tolerance: float | None = None,
) -> Diagnosis:
    """Judge gradients of a convolution layer, and name the likely mistake in those that are wrong.

    x (n, in, h, w), weight (out, in / groups, kernel), dy (n, out, places): dL/d(output). With `activation` the layer
    ends in that function, dy is the gradient of its result, and `bias` belongs to z. Differences that rounding in the
    precision of the given arrays explains are none; `tolerance` allows more, as a share of the largest number.
    Raises ShapeError for x, weight and dy that do not belong together.
    """
    arrays = [_numbers(x, "x", 4), _numbers(weight, "weight", 4), _numbers(dy, "dy", 4)]
    xs, w, upstream = (array.astype(np.float64) for array in arrays)
    count = integer("groups", groups, 1)
    if mode not in ("correlation", "convolution"):
        raise ArgumentError(f'mode must be "correlation" or "convolution", not {mode!r}')
    if w.shape[1] * count != xs.shape[1] or w.shape[0] % count:
        raise ShapeError(
            f"weight {w.shape} with groups={count} does not fit x {xs.shape}: it needs (out, in / groups, ...)"
        )
    kernel = (w.shape[2], w.shape[3])
    window = Window(kernel, pair("stride", stride, 1), padding_sides(padding), pair("dilation", dilation, 1))
    _expect(upstream, (len(xs), len(w), *window.output_size((xs.shape[2], xs.shape[3]))), "dy")
    problem = Conv2dProblem(xs, w, upstream, window, count, mode)
    if activation is not None:
        b = None if bias is None else _numbers(bias, "bias", 1).astype(np.float64)
        size = conv2d_forward(np.abs(xs), np.abs(w), None if b is None else np.abs(b), **problem.options())
        above = Upstream(activation, conv2d_forward(xs, w, b, **problem.options()), upstream, _doubt(size, arrays, w))
        problem = Conv2dProblem(xs, w, above.dz(), window, count, mode, above=above)
    return _diagnose(problem, {"dx": dx, "dweight": dweight, "dbias": dbias}, arrays, tolerance)


def diagnose_linear(
    x: ArrayLike,
    weight: ArrayLike,
    dy: ArrayLike,
    *,
    dweight: ArrayLike | None = None,
    dx: ArrayLike | None = None,
    dbias: ArrayLike | None = None,
    activation: str | None = None,
    bias: ArrayLike | None = None,
    shared_bias: bool = False,
    tolerance: float | None = None,
) -> Diagnosis:
    """Judge gradients of a dense layer y = x Wᵀ + b, as `diagnose_conv2d`; x (n, in), weight (out, in), dy (n, out)."""
    arrays = [_numbers(x, "x", 2), _numbers(weight, "weight", 2), _numbers(dy, "dy", 2)]
    xs, w, upstream = (array.astype(np.float64) for array in arrays)
    if w.shape[1] != xs.shape[1]:
        raise ShapeError(f"weight {w.shape} does not fit x {xs.shape}: it needs (out, {xs.shape[1]})")
    _expect(upstream, (len(xs), len(w)), "dy")
    problem = LinearProblem(xs, w, upstream, shared_bias)
    if activation is not None:
        b = np.zeros(1) if bias is None else _numbers(bias, "bias").astype(np.float64)
        doubt = _doubt(np.abs(xs) @ np.abs(w).T + np.abs(b), arrays, w)
        above = Upstream(activation, xs @ w.T + b, upstream, doubt)
        problem = LinearProblem(xs, w, above.dz(), shared_bias, above)
    return _diagnose(problem, {"dx": dx, "dweight": dweight, "dbias": dbias}, arrays, tolerance)


def diagnose_pool2d(
    x: ArrayLike,
    dy: ArrayLike,
    *,
    dx: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: PaddingArgument = 0,
    kind: PoolKind = "max",
    tolerance: float | None = None,
) -> Diagnosis:
    """Judge dx of a pooling layer; kind "max", "average" or "l2". x (n, channels, h, w). See `diagnose_conv2d`."""
    if kind not in KINDS:
        raise ArgumentError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    arrays = [_numbers(x, "x", 4), _numbers(dy, "dy", 4)]
    xs, upstream = (array.astype(np.float64) for array in arrays)
    kernel = pair("kernel_size", kernel_size, 1)
    window = Window(kernel, kernel if stride is None else pair("stride", stride, 1), padding_sides(padding))
    _expect(upstream, (*xs.shape[:2], *window.output_size((xs.shape[2], xs.shape[3]))), "dy")
    return _diagnose(PoolProblem(xs, upstream, window, kind), {"dx": dx}, arrays, tolerance)


def diagnose_activation(
    x: ArrayLike,
    dy: ArrayLike,
    *,
    dx: ArrayLike,
    activation: str,
    negative_slope: float = 0.01,
    tolerance: float | None = None,
) -> Diagnosis:
    """Judge dx of y = f(x): sigmoid, tanh, scaled_tanh, relu, leaky_relu or softmax (over axis 1)."""
    arrays = [_numbers(x, "x"), _numbers(dy, "dy")]
    xs, upstream = (array.astype(np.float64) for array in arrays)
    _expect(upstream, xs.shape, "dy")
    problem: Problem
    if activation == "softmax":
        problem = SoftmaxProblem(xs, upstream)
    elif activation == "leaky_relu":
        problem = LeakyProblem(xs, upstream, float(negative_slope))
    elif activation in ACTIVATIONS:
        problem = ActivationProblem(Upstream(activation, xs, upstream))
    else:
        raise NameLookupError("activation", str(activation), (*ACTIVATIONS, "leaky_relu", "softmax"))
    return _diagnose(problem, {"dx": dx}, arrays, tolerance)


def diagnose_batchnorm(
    x: ArrayLike,
    weight: ArrayLike,
    dy: ArrayLike,
    *,
    dx: ArrayLike | None = None,
    dweight: ArrayLike | None = None,
    dbias: ArrayLike | None = None,
    eps: float = 1e-5,
    tolerance: float | None = None,
) -> Diagnosis:
    """Judge gradients of batch normalisation in training; x and dy (n, c) or (n, c, h, w), weight (c,).
    See `diagnose_conv2d`."""
    arrays = [_numbers(x, "x"), _numbers(weight, "weight", 1), _numbers(dy, "dy")]
    xs, w, upstream = (array.astype(np.float64) for array in arrays)
    if xs.ndim not in (2, 4):
        raise ShapeError(f"x must be (n, c) or (n, c, h, w), not {xs.shape}")
    _expect(w, (xs.shape[1],), "weight")
    _expect(upstream, xs.shape, "dy")
    problem = BatchNormProblem(xs, w, upstream, number("eps", eps, 0))
    if not (problem.spread() > 0).all():
        raise ArgumentError(
            "a channel of x is constant and eps is 0: it cannot be normalised; give the eps of the layer"
        )
    return _diagnose(problem, {"dx": dx, "dweight": dweight, "dbias": dbias}, arrays, tolerance)


def diagnose_dropout(
    mask: ArrayLike, dy: ArrayLike, *, dx: ArrayLike, p: float = 0.5, tolerance: float | None = None
) -> Diagnosis:
    """Judge dx of dropout in training, y = x mask / (1 - p); mask is 1 where a value is kept. See `diagnose_conv2d`."""
    arrays = [_numbers(mask, "mask"), _numbers(dy, "dy")]
    kept, upstream = (array.astype(np.float64) for array in arrays)
    if not ((kept == 0) | (kept == 1)).all():
        raise ArgumentError("mask must hold 1 where a value is kept and 0 where it is dropped, and nothing else")
    _expect(upstream, kept.shape, "dy")
    share = number("p", p, 0)
    if share >= 1:
        raise ArgumentError(f"p, the share that is dropped, must be less than 1, not {p}")
    return _diagnose(DropoutProblem(kept, upstream, share), {"dx": dx}, [arrays[1]], tolerance)


def diagnose_loss(
    outputs: ArrayLike, targets: ArrayLike, *, doutputs: ArrayLike, loss: Loss, tolerance: float | None = None
) -> Diagnosis:
    """Judge dL/doutputs of a loss. See `diagnose_conv2d`."""
    if not isinstance(loss, Loss):
        raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
    array: Any = _numbers(outputs, "outputs")
    values = array.astype(np.float64)
    prepared = loss.prepare_targets(targets, len(values), values.shape[1:])
    return _diagnose(LossProblem(loss, values, prepared), {"doutputs": doutputs}, [array], tolerance)
