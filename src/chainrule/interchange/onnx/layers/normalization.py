"""Batch normalisation and local response normalisation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chainrule import layers
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.layers.windows import weighted_sums
from chainrule.interchange.onnx.rules import Rule, rule
from chainrule.shapes import Window, product


@rule(layers.BatchNorm1d, layers.BatchNorm2d)
class _BatchNorm(Rule[layers.BatchNorm2d]):
    @property
    def _over(self) -> tuple[int, ...]:
        return (0, *range(2, len(self.shape) + 1))

    def _channels(self, name: str) -> Value:
        """An array (c,) so that it broadcasts over (n, c, ...)."""
        return self.values[name].reshape(1, -1, *(1,) * (len(self.shape) - 1))

    def _mean(self) -> Value:
        return self.x.mean(*self._over, keepdims=True) if self.training else self._channels("running_mean")

    def _variance(self) -> Value:
        if not self.training:
            return self._channels("running_var")
        apart = self.x - self._mean()
        return (apart * apart).mean(*self._over, keepdims=True)

    def _deviation(self) -> Value:
        return (self._variance() + self.layer.eps).op("Sqrt")

    def _normalized(self) -> Value:
        return (self.x - self._mean()) / self._deviation()

    def forward(self) -> Value:
        # y = weight (x - mean) / sqrt(variance + eps) + bias
        if not self.training and self.attribute_holds(self.layer.eps):
            one, none = np.ones(self.shape[0], self.builder.dtype), np.zeros(self.shape[0], self.builder.dtype)
            given = [self.values.get("weight", one), self.values.get("bias", none)]
            running = [self.values["running_mean"], self.values["running_var"]]
            return self.op("BatchNormalization", self.x, *given, *running, epsilon=self.layer.eps)
        normalized = self._normalized()
        if not self.layer.affine:
            return normalized
        return normalized * self._channels("weight") + self._channels("bias")

    def backward_input(self, dy: Value) -> Value:
        dn = dy * self._channels("weight") if self.layer.affine else dy
        if not self.training:
            return dn / self._deviation()
        # dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / sqrt(variance + eps): every x moves mean and variance too
        normalized = self._normalized()
        mean_dn = dn.mean(*self._over, keepdims=True)
        mean_product = (dn * normalized).mean(*self._over, keepdims=True)
        return (dn - mean_dn - normalized * mean_product) / self._deviation()

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        if not self.layer.affine:
            return {}
        return {"weight": (dy * self._normalized()).sum(*self._over), "bias": dy.sum(*self._over)}

    def updated_buffers(self, buffers: Mapping[str, Value]) -> dict[str, Value]:
        # running = (1 - momentum) running + momentum batch, the variance with divisor n - 1
        keep, new = 1 - self.layer.momentum, self.layer.momentum
        count = self.builder.size_of(self.x, product(self.shape))
        each = count / self.layer.num_features
        unbiased = self._variance().reshape(-1) * (each / (each - 1.0))
        return {
            "running_mean": buffers["running_mean"] * keep + self._mean().reshape(-1) * new,
            "running_var": buffers["running_var"] * keep + unbiased * new,
        }


@rule(layers.LocalResponseNorm)
class _LocalResponseNorm(Rule[layers.LocalResponseNorm]):
    def _window_sum(self, values: Value, before: int, after: int) -> Value:
        """out_c = x_{c-before} + ... + x_{c+after}: a window that slides over the channels."""
        channels, *rest = self.shape
        window = Window((self.layer.size, 1), padding=(before, after, 0, 0))
        shape = (1, channels, product(tuple(rest)))
        return weighted_sums(values, shape, window, np.ones(window.kernel_size)).reshape(-1, *self.shape)

    def _scale(self) -> Value:
        # s_c = k + alpha / size sum x² over the channels around c
        size = self.layer.size
        near = self._window_sum(self.x * self.x, size // 2, (size - 1) // 2)
        return near * (self.layer.alpha / size) + self.layer.k

    def forward(self) -> Value:
        layer = self.layer
        usual = layer.size % 2 == 1 and len(self.shape) == 3  # ONNX leans to the other side where the size is even
        if usual and self.attribute_holds(layer.alpha, layer.beta, layer.k):
            return self.op("LRN", self.x, size=layer.size, alpha=layer.alpha, beta=layer.beta, bias=layer.k)
        return self.x * self._scale() ** (-layer.beta)

    def backward_input(self, dy: Value) -> Value:
        # dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum_c' dy_c' x_c' s_c'^(-beta-1): the mirrored window
        size, alpha, beta = self.layer.size, self.layer.alpha, self.layer.beta
        scale = self._scale()
        through = self._window_sum(dy * self.x * scale ** (-beta - 1), (size - 1) // 2, size // 2)
        return dy * scale ** (-beta) - self.x * through * (2 * alpha * beta / size)
