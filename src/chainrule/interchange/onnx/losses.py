"""The losses: what is summed, and its gradient with respect to the outputs, as `equations.losses` has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from chainrule import losses
from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.interchange.onnx.builder import Value
from chainrule.losses import Loss
from chainrule.shapes import Shape

Equation: TypeAlias = Callable[[Any, Value, Value], Value]
"""(loss, outputs, targets) -> terms or their gradient; targets of classes come as rows with a single one."""


@dataclass(frozen=True)
class LossRule:
    """A loss's terms, of which it is the sum or the mean, and d(sum of terms)/d(outputs)."""

    terms: Equation
    gradient: Equation


def _lowest(loss: losses.MAPLoss, y: Value) -> Value:
    """The shift that keeps exponentials from overflowing."""
    return y.builder.op("Min", y.op("ReduceMin", np.array([1])), loss.rubbish)


def _map_terms(loss: losses.MAPLoss, y: Value, t: Value) -> Value:
    # y_D + log(exp(-rubbish) + sum_i exp(-y_i))
    low = _lowest(loss, y)
    others = (low - loss.rubbish).op("Exp") + (low - y).op("Exp").sum(1, keepdims=True)
    return (y * t).sum(1, keepdims=True) - low + others.op("Log")


def _map_gradient(loss: losses.MAPLoss, y: Value, t: Value) -> Value:
    # [i = D] - exp(-y_i) / (exp(-rubbish) + sum_k exp(-y_k))
    low = _lowest(loss, y)
    shares = (low - y).op("Exp")
    return t - shares / ((low - loss.rubbish).op("Exp") + shares.sum(1, keepdims=True))


def _cross_entropy(loss: Loss, y: Value, t: Value) -> Value:
    # -sum_k t_k log softmax(y)_k, nothing where t_k = 0
    return -t.equals(0.0).where(0.0, t * y.op("LogSoftmax", axis=1)).sum(1)


def _cross_entropy_gradient(loss: Loss, y: Value, t: Value) -> Value:
    # softmax(y) sum_k t_k - t (W15)
    return y.op("Softmax", axis=1) * t.sum(1, keepdims=True) - t


def _half_squared(loss: Loss, y: Value, t: Value) -> Value:
    # 1/2 sum_k (t_k - y_k)² (S0-E22)
    apart = t - y
    return (apart * apart).op("Flatten").sum(1) / 2.0


def _huber(loss: losses.HuberLoss, y: Value, t: Value) -> Value:
    # g (d - g / 2) with the gradient g
    g = _huber_gradient(loss, y, t)
    return g * (y - t - g / 2.0)


def _huber_gradient(loss: losses.HuberLoss, y: Value, t: Value) -> Value:
    # d = y - t, cut off at -delta and delta
    return (y - t).op("Clip", -loss.delta, loss.delta)


def _binary(loss: losses.BCEWithLogitsLoss, y: Value, t: Value) -> Value:
    # c (max(x, 0) - x t + r + (p - 1) t (max(-x, 0) + r)), r = log(1 + exp(-|x|))
    rest = (-y.op("Abs")).op("Softplus")
    terms = y.op("Relu") - y * t + rest
    if loss.pos_weight is not None:
        terms = terms + t * _list(y, loss.pos_weight, -1.0) * ((-y).op("Relu") + rest)
    return terms if loss.weight is None else terms * _list(y, loss.weight)


def _binary_gradient(loss: losses.BCEWithLogitsLoss, y: Value, t: Value) -> Value:
    # c (s - t + (p - 1) t (s - 1)), s = sigmoid(x)
    s = y.op("Sigmoid")
    gradient = s - t
    if loss.pos_weight is not None:
        gradient = gradient + t * _list(y, loss.pos_weight, -1.0) * (s - 1.0)
    return gradient if loss.weight is None else gradient * _list(y, loss.weight)


def _list(y: Value, factors: tuple[float, ...], plus: float = 0.0) -> Array:
    """Numbers of the classes, each with something added."""
    return y.builder.numbers(np.array(factors) + plus)


RULES: dict[type[Loss], LossRule] = {
    losses.CrossEntropyLoss: LossRule(_cross_entropy, _cross_entropy_gradient),
    losses.MSELoss: LossRule(lambda loss, y, t: (y - t) * (y - t), lambda loss, y, t: (y - t) * 2.0),
    losses.HalfSquaredErrorLoss: LossRule(_half_squared, lambda loss, y, t: y - t),
    losses.L1Loss: LossRule(lambda loss, y, t: (y - t).op("Abs"), lambda loss, y, t: (y - t).op("Sign")),
    losses.HuberLoss: LossRule(_huber, _huber_gradient),
    losses.BCEWithLogitsLoss: LossRule(_binary, _binary_gradient),
    losses.MAPLoss: LossRule(_map_terms, _map_gradient),
}


def rule_of(loss: Loss) -> LossRule:
    """The rule of a loss. Raises ArgumentError for one of the user's own."""
    found = RULES.get(type(loss))
    if found is None:
        raise ArgumentError(
            f"the loss {loss!r} is no loss of chainrule's, and no ONNX operators are known for it; "
            f"take one of {', '.join(kind.__name__ for kind in RULES)}"
        )
    return found


def one_hot(targets: Value, shape: Shape) -> Value:
    """Class indices (n, ...) as rows (n, classes, ...) with a single one."""
    classes, *rest = shape
    numbers = np.arange(classes).reshape(classes, *(1,) * len(rest))
    return targets.reshape(0, 1, *rest).equals(numbers).cast()


def _effective(loss: Loss, t: Value, shape: Shape) -> Value:
    """c_k ((1 - e) t_k + e / K): what class weights and smoothing make of targets."""
    if not isinstance(loss, losses.CrossEntropyLoss):
        return t
    if loss.label_smoothing:
        t = t * (1 - loss.label_smoothing) + loss.label_smoothing / shape[0]
    return t if loss.weight is None else t * t.builder.numbers(_by_class(loss.weight, shape))


def _by_class(factors: tuple[float, ...], shape: Shape) -> Array:
    return np.array(factors).reshape(-1, *(1,) * (len(shape) - 1))


def _summed(terms: Value) -> Value:
    """(n,): what each sample adds to the sum."""
    return terms.op("Flatten").sum(1)


def _divisor(loss: Loss, targets: Value, shape: Shape, weights: Value | None, soft: bool) -> Value | None:
    """What a mean divides by where that is not a number of terms: the sum of the masses (`equations.weighted_scale`).

    The mass of a sample is its weight, times that of its class where the loss has such, unless targets are
    probabilities (`soft`).
    """
    if isinstance(loss, losses.CrossEntropyLoss) and loss.weight is not None and not soft:
        classes = _summed(targets * targets.builder.numbers(_by_class(loss.weight, shape)))
        return (classes if weights is None else classes * weights).sum()
    return None if weights is None else weights.sum() * float(loss.count((1, *shape)))


def value_and_gradient(
    loss: Loss, y: Value, targets: Value, shape: Shape, *, soft: bool, weights: Value | None = None
) -> tuple[Value, Value]:
    """(loss, dL/dy) for outputs y of samples of `shape`, with `weights` (n,) of the samples.

    The division of a mean stands here alone (ER4-27).
    """
    rule, builder, t = rule_of(loss), y.builder, _effective(loss, targets, shape)
    terms, gradient = rule.terms(loss, y, t), rule.gradient(loss, y, t)
    if weights is not None:
        terms, gradient = _summed(terms) * weights, gradient * weights.reshape(-1, *(1,) * len(shape))
    if loss.reduction == "sum":
        return terms.sum(), gradient
    mass = _divisor(loss, targets, shape, weights, soft)
    if mass is not None:
        divisor = mass.equals(0.0).where(1.0, mass)  # a batch without mass has the loss 0, and teaches nothing
        return terms.sum() / divisor, (gradient / divisor) * (mass > 0.0).cast()
    count = float(loss.count((builder.batch, *shape))) if builder.batch is not None else terms.op("Size").cast()
    return terms.mean(), gradient / count
