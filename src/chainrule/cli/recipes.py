"""How a network is trained where the user says nothing: found on validation data, never on test data."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import NameLookupError
from chainrule.losses import Loss, MAPLoss
from chainrule.optimizers import SGD, Adam, AdamW, Optimizer
from chainrule.schedules import Constant, Cosine, OneCycle, Schedule, StepDecay

FEW = 20_000
"""Data sets of fewer training images are passed through more often."""

LEARNING_RATES = {"sgd": 0.03, "adam": 2e-3, "adamw": 3e-3}
PENALTY_RATES = {"sgd": 3e-3, "adam": 6e-3, "adamw": 6e-3}
"""For MAPLoss: the penalties of LeNet-5's RBF units are squared distances, so their gradients are larger."""
DECAYS = {"sgd": 5e-4, "adam": 0.0, "adamw": 0.05}


@dataclass(frozen=True)
class Settings:
    """Options of `train`; None stands for what suits the data and the other options."""

    epochs: int | None
    batch_size: int
    optimizer: str
    learning_rate: float | None
    momentum: float
    weight_decay: float | None
    schedule: str
    shifts: int | None = None

    def shifts_for(self, name: str) -> int:
        """9 copies of each of the few bundled digits; none of other images, whose place may matter."""
        return (9 if name == "digits" else 0) if self.shifts is None else self.shifts

    def epochs_for(self, samples: int) -> int:
        """15 for small data sets, 5 for large ones."""
        return (15 if samples < FEW else 5) if self.epochs is None else self.epochs

    def make_optimizer(self, loss: Loss) -> Optimizer:
        """The optimizer that is named, at a rate that suits the loss."""
        name = self.optimizer.lower()
        if name not in LEARNING_RATES:
            raise NameLookupError("optimizer", self.optimizer, LEARNING_RATES)
        usual = PENALTY_RATES if isinstance(loss, MAPLoss) else LEARNING_RATES
        rate = usual[name] if self.learning_rate is None else self.learning_rate
        decay = DECAYS[name] if self.weight_decay is None else self.weight_decay
        if name == "sgd":
            return SGD(rate, momentum=self.momentum, weight_decay=decay)
        return (Adam if name == "adam" else AdamW)(rate, weight_decay=decay)

    def make_schedule(self, epochs: int) -> Schedule:
        """The schedule that is named."""
        schedules: dict[str, Schedule] = {
            "one-cycle": OneCycle(),
            "cosine": Cosine(),
            "constant": Constant(),
            "step": StepDecay(max(1, -(-epochs // 3))),
        }
        name = self.schedule.lower().replace("_", "-").replace("onecycle", "one-cycle")
        if name not in schedules:
            raise NameLookupError("schedule", self.schedule, schedules)
        return schedules[name]
