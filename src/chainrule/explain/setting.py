"""What a derivation was asked about."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from chainrule.losses import Loss
from chainrule.network import Network


@dataclass(frozen=True)
class Setting:
    """A network at a batch: the very objects that were given, not copies."""

    net: Network
    x: ArrayLike
    targets: ArrayLike
    loss: Loss
    training: bool
