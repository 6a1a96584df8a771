"""Batch normalisation and local response normalisation (named in S2-B05)."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.equations import normalization
from chainrule.errors import ArgumentError, DataError, ShapeError
from chainrule.layers.base import Context, Layer, Values
from chainrule.shapes import Shape, integer, number, product, shown


class _BatchNorm(Layer):
    """y = weight (x - mean) / sqrt(variance + eps) + bias, per channel.

    In training mean and variance (divisor n) are those of the batch, and the running ones follow:
    running = (1 - momentum) running + momentum batch, where the variance has divisor n - 1. In inference the running
    ones are used. weight and bias exist if `affine`. As torch's.
    """

    dimensions: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.num_features = integer("num_features", num_features, 1)
        self.eps = number("eps", eps, 0)
        self.momentum = number("momentum", momentum, 0, 1)
        if not isinstance(affine, bool):
            raise ArgumentError(f"affine must be True or False, not {shown(affine)}")
        self.affine = affine

    def couples_samples(self, training: bool) -> bool:
        return training

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) not in self.dimensions or shapes[0][0] != self.num_features:
            kind = "(features,) or (channels, length)" if 1 in self.dimensions else "(channels, rows, columns)"
            raise ShapeError(f"expects {kind} with {self.num_features} of the first, not {shapes[0]}")
        return shapes[0]

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_features,), "bias": (self.num_features,)} if self.affine else {}

    def buffer_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        return {"running_mean": (self.num_features,), "running_var": (self.num_features,)}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        ones, zeros = np.ones(self.num_features), np.zeros(self.num_features)
        affine = {"weight": ones, "bias": zeros} if self.affine else {}
        return affine | {"running_mean": zeros, "running_var": ones}

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Any]:
        (x,) = xs
        if context.training:
            count = x.size // self.num_features
            if count < 2:
                raise DataError(f"{self!r} needs at least 2 values per channel in training, but the batch has {count}")
            mean, variance = normalization.batch_statistics(x)
        else:
            count = 0
            mean, variance = parameters["running_mean"], parameters["running_var"]
        normalized = normalization.normalize(x, mean, variance, self.eps)
        y = normalized
        if self.affine:
            y = normalization.scale_and_shift(normalized, parameters["weight"], parameters["bias"])
        return y, (normalized, mean, variance, count)

    def backward_input(self, parameters: Values, dy: Array, saved: Any) -> Array:
        normalized, _, variance, count = saved
        dn = dy
        if self.affine:
            dn = normalization.scale_and_shift(dy, parameters["weight"], np.zeros_like(parameters["weight"]))
        if count == 0:
            return normalization.normalize_backward_running(dn, variance, self.eps)
        return normalization.normalize_backward_batch(dn, normalized, variance, self.eps)

    def backward_parameters(self, parameters: Values, dy: Array, saved: Any) -> dict[str, Array]:
        if not self.affine:
            return {}
        dweight, dbias = normalization.scale_and_shift_backward(dy, saved[0])
        return {"weight": dweight, "bias": dbias}

    def updated_buffers(self, parameters: Values, saved: Any) -> dict[str, Array]:
        _, mean, variance, count = saved
        keep, new = 1 - self.momentum, self.momentum
        unbiased = variance * (count / (count - 1))
        return {
            "running_mean": keep * parameters["running_mean"] + new * mean,
            "running_var": keep * parameters["running_var"] + new * unbiased,
        }

    def multiply_add_count(self, *shapes: Shape) -> int:
        return product(shapes[0])


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (n, features) or (n, channels, length)."""

    dimensions = (1, 2)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of maps (n, channels, rows, columns)."""

    dimensions = (3,)


class LocalResponseNorm(Layer):
    """y_c = x_c (k + alpha / size sum x²)^-beta over `size` neighbouring channels. As torch.nn.LocalResponseNorm."""

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0, *, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.size = integer("size", size, 1)
        self.alpha = number("alpha", alpha, 0)
        self.beta = number("beta", beta, 0)
        self.k = number("k", k, 0, open_low=True)  # at 0 the scale of a map of zeros would be 0

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, tuple[Array, Array]]:
        (x,) = xs
        scale = normalization.local_response_scale(x, self.size, self.alpha, self.k)
        return normalization.local_response_norm(x, scale, self.beta), (x, scale)

    def backward_input(self, parameters: Values, dy: Array, saved: tuple[Array, Array]) -> Array:
        x, scale = saved
        return normalization.local_response_norm_backward(dy, x, scale, self.size, self.alpha, self.beta)

    def multiply_add_count(self, *shapes: Shape) -> int:
        return product(shapes[0]) * self.size


__all__ = ["BatchNorm1d", "BatchNorm2d", "LocalResponseNorm"]
