"""What each loss of the package becomes in a native program."""

from __future__ import annotations

from typing import Any

from chainrule import losses
from chainrule.engines.native.lowering import LossPlan
from chainrule.engines.native.records.steps import LossKind, LossOptions
from chainrule.losses import Loss
from chainrule.shapes import Shape

_KINDS: dict[type[Loss], LossKind] = {
    losses.CrossEntropyLoss: "cross_entropy",
    losses.MSELoss: "squared",
    losses.L1Loss: "absolute",
    losses.HuberLoss: "huber",
    losses.HalfSquaredErrorLoss: "half_squared",
    losses.BCEWithLogitsLoss: "binary",
    losses.MAPLoss: "map",
}


def is_known(loss: Loss) -> bool:
    """Whether the core computes this loss: those of the package, not subclasses of a user's own."""
    return type(loss) in _KINDS


def loss_plan(loss: Loss, shape: Shape, *, probabilities: bool, guesses: bool) -> LossPlan:
    """For outputs of `shape`: with target probabilities in place of classes, and counting right answers or not."""
    kind = "cross_entropy_probabilities" if probabilities else _KINDS[type(loss)]
    guess = loss.guess(shape) if guesses else "none"
    options = LossOptions(kind=kind, guess=guess, **_numbers(loss, shape))
    return LossPlan(label=type(loss).__name__, options=options, by_class=loss.by_class)


def _numbers(loss: Loss, shape: Shape) -> dict[str, Any]:
    """What the constructor was given, under the core's names."""
    match loss:
        case losses.CrossEntropyLoss(weight=weight, label_smoothing=smoothing):
            return {**_factors(shape, weights=weight), "smoothing": smoothing}
        case losses.BCEWithLogitsLoss(weight=weight, pos_weight=positive):
            return _factors(shape, weights=weight, positive=positive)
        case losses.HuberLoss(delta=delta):
            return {"delta": delta}
        case losses.MAPLoss(rubbish=rubbish):
            return {"rubbish": rubbish}
    return {}


def _factors(shape: Shape, **given: tuple[float, ...] | None) -> dict[str, Any]:
    """Lists of one number each, or, where one of them has several, of as many as there are classes."""
    lists = {name: factors or (1.0,) for name, factors in given.items()}
    weighted = any(len(factors) > 1 for factors in lists.values())
    if not weighted:
        return lists
    ones = {"weights": (1.0,), "positive": (1.0,)}
    full = {name: factors * (shape[0] // len(factors)) for name, factors in {**ones, **lists}.items()}
    return {"weighted": True, **full}
