"""What each loss of the package becomes in a native program."""

from __future__ import annotations

from chainrule import losses
from chainrule.engines.native.lowering import LossPlan
from chainrule.engines.native.records.steps import LossKind
from chainrule.losses import Loss, MAPLoss
from chainrule.shapes import Shape

_KINDS: dict[type[Loss], LossKind] = {
    losses.CrossEntropyLoss: "cross_entropy",
    losses.MSELoss: "squared",
    losses.HalfSquaredErrorLoss: "half_squared",
    losses.BCEWithLogitsLoss: "binary",
    losses.MAPLoss: "map",
}


def is_known(loss: Loss) -> bool:
    """Whether the core computes this loss: those of the package, not subclasses of a user's own."""
    return type(loss) in _KINDS


def loss_plan(loss: Loss, shape: Shape, *, probabilities: bool, guesses: bool) -> LossPlan:
    """For outputs of `shape`: with target probabilities in place of classes, and counting right answers or not."""
    return LossPlan(
        label=type(loss).__name__,
        kind="cross_entropy_probabilities" if probabilities else _KINDS[type(loss)],
        guess=loss.guess(shape) if guesses else "none",
        by_class=loss.by_class,
        rubbish=loss.rubbish if isinstance(loss, MAPLoss) else 0.0,
    )
