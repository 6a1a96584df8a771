"""Losses: one scalar for a batch, and its gradient with respect to the network's outputs.

    value, saved = loss.forward(outputs, targets)
    doutputs     = loss.backward(saved)

reduction="mean" divides by what each loss's docstring names; the division is part of the loss and stands nowhere else
(ER4-27). reduction="sum" does not divide. Where samples have weights, w_n stands before the terms of sample n, and a
mean divides by the weights' sum in place of the number of samples: `equations.weighted_scale` says why.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from chainrule.arrays import as_array
from chainrule.class_losses import CrossEntropyLoss, MAPLoss
from chainrule.loss import Judged, Loss, Reduction
from chainrule.value_losses import BCEWithLogitsLoss, HalfSquaredErrorLoss, HuberLoss, L1Loss, MSELoss

LOSSES: dict[str, type[Loss]] = {
    loss.__name__: loss
    for loss in (CrossEntropyLoss, MSELoss, L1Loss, HuberLoss, HalfSquaredErrorLoss, BCEWithLogitsLoss, MAPLoss)
}
"""Every loss by class name."""


def default_loss(targets: ArrayLike) -> Loss:
    """Cross-entropy for integer class indices, squared error for values: used by `evaluate` before training."""
    return CrossEntropyLoss() if as_array(targets, "targets").dtype.kind in "iu" else MSELoss()


__all__ = [
    "LOSSES",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HalfSquaredErrorLoss",
    "HuberLoss",
    "Judged",
    "L1Loss",
    "Loss",
    "MAPLoss",
    "MSELoss",
    "Reduction",
    "default_loss",
]
