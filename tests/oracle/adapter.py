"""Every layer and loss in PyTorch, and whole graphs by walking their steps. Gradients come from torch's autograd.

Where torch has the function it is used as it is; where it has not, the equation is written anew in tensor expressions.
Nothing here calls `chainrule.equations`, except for the mask of dropout, which is chosen and not computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

import chainrule as cr
from chainrule.equations.dropout import dropout_mask
from tests.helpers import Array, assert_close
from tests.layers.rows import ACTIVATIONS

Values = dict[str, Tensor]


def tensor(array: Any, grad: bool = False) -> Tensor:
    """A copy of an array as a tensor."""
    return torch.tensor(np.ascontiguousarray(array), requires_grad=grad)


def near(name: str, actual: Any, expected: Tensor | None, rel: float = 1e-12) -> None:
    """Fail unless the values agree to `rel` of the largest, or of 1 where all are smaller. No gradient means zeros."""
    wanted = np.zeros_like(actual) if expected is None else expected.detach().numpy()
    assert_close(name, actual, wanted, atol=rel * max(1.0, float(np.abs(wanted).max(initial=0))))


# --- layers ----------------------------------------------------------------------------------------------------------


def _padded(x: Tensor, layer: Any, dilation: Sequence[int] = (1, 1), value: float = 0.0) -> Tensor:
    if layer.padding == "same":
        sides: list[int] = []
        for n, k, s, d in zip(x.shape[2:], layer.kernel_size, layer.stride, dilation, strict=True):
            total = max((math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n, 0)
            sides += [total // 2, total - total // 2]
    else:
        sides = list(layer.padding)
    return F.pad(x, (sides[2], sides[3], sides[0], sides[1]), value=value)


def _conv(layer: cr.Conv2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    weight = p["weight"]
    if layer.connections is not None:
        weight = weight * tensor(layer.connections)[:, :, None, None]
    if layer.mode == "convolution":
        weight = weight.flip(2, 3)
    options = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    sides = layer.padding
    if sides != "same" and sides[0] == sides[1] and sides[2] == sides[3]:
        return F.conv2d(x, weight, p.get("bias"), padding=(sides[0], sides[2]), **options)
    return F.conv2d(_padded(x, layer, layer.dilation), weight, p.get("bias"), **options)


def _local(layer: cr.LocallyConnected2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    columns = F.unfold(_padded(x, layer, layer.dilation), layer.kernel_size, layer.dilation, stride=layer.stride)
    filters, rows, cols = p["weight"].shape[:3]
    weight = p["weight"].reshape(filters, rows * cols, -1)
    y = torch.einsum("nkl,olk->nol", columns, weight).reshape(-1, filters, rows, cols)
    return y + p["bias"] if layer.bias else y


def _max_pool(layer: cr.MaxPool2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    top, bottom, left, right = layer.padding
    if top == bottom and left == right:
        return F.max_pool2d(x, layer.kernel_size, layer.stride, (top, left))
    return F.max_pool2d(_padded(x, layer, value=-math.inf), layer.kernel_size, layer.stride)


def _avg_pool(layer: cr.AvgPool2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    top, bottom, left, right = layer.padding
    if top == bottom and left == right:
        return F.avg_pool2d(x, layer.kernel_size, layer.stride, (top, left), count_include_pad=True)
    return F.avg_pool2d(_padded(x, layer), layer.kernel_size, layer.stride)


def _window_sum(x: Tensor, layer: Any) -> Tensor:
    return F.avg_pool2d(x, layer.kernel_size, layer.stride, divisor_override=1)


def _lp_pool(layer: cr.LPPool2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    power = layer.norm_type
    powers = x.pow(int(power)) if power.is_integer() else x.abs().pow(power)
    total = _window_sum(powers, layer)
    if bool((total > 1e-3).all()) and power.is_integer():
        return F.lp_pool2d(x, power, layer.kernel_size, layer.stride)
    zero = total == 0  # torch would give NaN: a norm of 0 passes no gradient
    root = torch.where(zero, torch.ones_like(total), total).abs().pow(1 / power) * total.sign()
    return torch.where(zero, total if power == 1 else torch.zeros_like(total), root)


def _gaussian_pool(layer: cr.GaussianPool2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    rows, columns = (
        [math.exp(-((i - (k - 1) / 2) ** 2) / (2 * layer.sigma**2)) for i in range(k)] for k in layer.kernel_size
    )
    kernel = torch.outer(torch.tensor(rows, dtype=torch.float64), torch.tensor(columns, dtype=torch.float64))
    weight = (kernel / kernel.sum()).to(x.dtype).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, weight, stride=layer.stride, groups=x.shape[1])


def _trainable_pool(layer: cr.TrainablePool2d, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    return p["weight"][:, None, None] * _window_sum(x, layer) + p["bias"][:, None, None]


def _linear(layer: cr.Linear, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    if layer.bias == "shared":
        return F.linear(x, p["weight"], p["bias"].expand(layer.out_features))
    return F.linear(x, p["weight"], p.get("bias"))


def _rbf(layer: cr.RBF, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    return (x[:, None, :] - p["weight"][None]).square().sum(dim=2)


def _local_response_norm(layer: cr.LocalResponseNorm, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    shaped = x if x.ndim > 2 else x[:, :, None]  # torch wants at least one axis after the channels
    return F.local_response_norm(shaped, layer.size, layer.alpha, layer.beta, layer.k).reshape(x.shape)


def _batch_norm(layer: Any, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    eps = max(layer.eps, 1e-300)  # torch refuses 0
    return F.batch_norm(
        x, p["running_mean"], p["running_var"], p.get("weight"), p.get("bias"),
        context.training, layer.momentum, eps,
    )  # fmt: skip


def _dropout(layer: cr.Dropout, p: Values, x: Tensor, context: cr.Context) -> Tensor:
    if not context.training:
        return x
    mask = dropout_mask(tuple(x.shape), layer.p, context.seed, context.step, context.node)
    return x * tensor(mask) * (0.0 if layer.p == 1 else 1 / (1 - layer.p))


LAYERS: dict[str, Callable[..., Tensor]] = {
    "Conv2d": _conv,
    "LocallyConnected2d": _local,
    "MaxPool2d": _max_pool,
    "AvgPool2d": _avg_pool,
    "LPPool2d": _lp_pool,
    "GaussianPool2d": _gaussian_pool,
    "TrainablePool2d": _trainable_pool,
    "AdaptiveAvgPool2d": lambda layer, p, x, context: F.adaptive_avg_pool2d(x, layer.output_size),
    "Linear": _linear,
    "RBF": _rbf,
    **{a.name: (lambda layer, p, x, context, a=a: a.torch(torch, x)) for a in ACTIVATIONS},
    "LeakyReLU": lambda layer, p, x, context: F.leaky_relu(x, layer.negative_slope),
    "Softmax": lambda layer, p, x, context: torch.softmax(x, dim=1),
    "LocalResponseNorm": _local_response_norm,
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "Dropout": _dropout,
    "Flatten": lambda layer, p, x, context: torch.flatten(x, 1),
    "Add": lambda layer, p, *xs, context: sum(xs[1:], xs[0]),
    "Concat": lambda layer, p, *xs, context: torch.cat(xs, dim=1),
}
"""forward(layer, values, *inputs, context=...) of every layer by class name."""


def layer_forward(layer: cr.Layer, values: Values, xs: Sequence[Tensor], context: cr.Context) -> Tensor:
    """The layer in torch. Running statistics among `values` are updated in place in training."""
    return LAYERS[type(layer).__name__](layer, values, *xs, context=context)


# --- losses ----------------------------------------------------------------------------------------------------------


def _half_squared_error(loss: cr.HalfSquaredErrorLoss, y: Tensor, t: Tensor) -> Tensor:
    total = (t - y).square().sum() / 2
    return total / len(y) if loss.reduction == "mean" else total


def _map(loss: cr.MAPLoss, y: Tensor, t: Tensor) -> Tensor:
    right = y.gather(1, t[:, None])[:, 0]
    rubbish = torch.full_like(y[:, :1], -loss.rubbish)
    terms = right + torch.logsumexp(torch.cat([rubbish, -y], dim=1), dim=1)
    return terms.mean() if loss.reduction == "mean" else terms.sum()


def _factors(values: tuple[float, ...] | None, y: Tensor) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=y.dtype)


LOSSES: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "CrossEntropyLoss": lambda loss, y, t: F.cross_entropy(
        y, t, _factors(loss.weight, y), reduction=loss.reduction, label_smoothing=loss.label_smoothing
    ),
    "L1Loss": lambda loss, y, t: F.l1_loss(y, t, reduction=loss.reduction),
    "HuberLoss": lambda loss, y, t: F.huber_loss(y, t, reduction=loss.reduction, delta=loss.delta),
    "MSELoss": lambda loss, y, t: F.mse_loss(y, t, reduction=loss.reduction),
    "BCEWithLogitsLoss": lambda loss, y, t: F.binary_cross_entropy_with_logits(
        y, t, _factors(loss.weight, y), reduction=loss.reduction, pos_weight=_factors(loss.pos_weight, y)
    ),
    "HalfSquaredErrorLoss": _half_squared_error,
    "MAPLoss": _map,
}
"""Every loss by class name."""


def loss_value(loss: cr.Loss, outputs: Tensor, targets: Array) -> Tensor:
    """The loss in torch, in the precision of the outputs."""
    t = tensor(targets)
    return LOSSES[type(loss).__name__](loss, outputs, t.to(outputs.dtype) if t.is_floating_point() else t)


# --- graphs ----------------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """A graph in torch: its parameters as leaves with gradients, its buffers beside them."""

    graph: cr.Graph
    parameters: Values
    buffers: Values

    @staticmethod
    def of(graph: cr.Graph, dtype: Any = np.float64) -> Model:
        """Copies of the graph's values."""
        parameters = {name: tensor(value.astype(dtype), True) for name, value in graph.parameters.items()}
        return Model(graph, parameters, {name: tensor(value.astype(dtype)) for name, value in graph.buffers.items()})

    def _values(self, layer: str) -> Values:
        every = self.parameters | self.buffers
        return {name.rpartition(".")[2]: value for name, value in every.items() if name.rpartition(".")[0] == layer}

    def nodes(self, x: Tensor, training: bool, step: int = 0) -> list[Tensor]:
        """The value of every node."""
        values = [x]
        for use in self.graph.steps:
            context = cr.Context(training, self.graph.seed, step, use.index)
            inputs = [values[i] for i in use.inputs]
            y = layer_forward(use.layer, self._values(use.layer_name), inputs, context)
            values.append(y.clone() if any(y is x for x in inputs) else y)  # each node has a gradient of its own
            if values[-1].requires_grad:
                values[-1].retain_grad()
        return values
