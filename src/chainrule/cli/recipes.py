"""How a network is trained where the user says nothing: found on validation data, never on test data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from chainrule.errors import NameLookupError
from chainrule.losses import Loss, MAPLoss
from chainrule.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from chainrule.schedules import Constant, Cosine, OneCycle, Schedule, StepDecay

FEW = 20_000
"""Data sets of fewer training images are passed through more often."""

LEARNING_RATES = {"sgd": 0.03, "adam": 2e-3, "adamw": 3e-3, "rmsprop": 1e-3}
PENALTY_RATES = {"sgd": 3e-3, "adam": 6e-3, "adamw": 6e-3, "rmsprop": 6e-3}
"""For MAPLoss: the penalties of LeNet-5's RBF units are squared distances, so their gradients are larger."""
DECAYS = {"sgd": 5e-4, "adam": 0.0, "adamw": 0.05, "rmsprop": 0.0}


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

    def rates_for(self, loss: Loss) -> tuple[float, float]:
        """(learning rate, weight decay): as given, else what suits the optimizer and the loss."""
        name = self._known_optimizer()
        usual = PENALTY_RATES if isinstance(loss, MAPLoss) else LEARNING_RATES
        rate = usual[name] if self.learning_rate is None else self.learning_rate
        return rate, DECAYS[name] if self.weight_decay is None else self.weight_decay

    def resolved(self, loss: Loss, name: str, samples: int) -> Settings:
        """The same with every default put in, for a data set of `name` with so many images to train on."""
        copies, (rate, decay) = self.shifts_for(name), self.rates_for(loss)
        return replace(
            self,
            epochs=self.epochs_for(samples * (1 + copies)),
            optimizer=self._known_optimizer(),
            learning_rate=rate,
            weight_decay=decay,
            schedule=self._known_schedule(),
            shifts=copies,
        )

    def report(self) -> dict[str, Any]:
        """What was used; momentum is a matter of sgd alone."""
        values = asdict(self)
        if self.optimizer != "sgd":
            del values["momentum"]
        return values

    def _known_optimizer(self) -> str:
        name = self.optimizer.lower()
        if name not in LEARNING_RATES:
            raise NameLookupError("optimizer", self.optimizer, LEARNING_RATES)
        return name

    def make_optimizer(self, loss: Loss) -> Optimizer:
        """The optimizer that is named, at a rate that suits the loss."""
        name, (rate, decay) = self._known_optimizer(), self.rates_for(loss)
        if name == "sgd":
            return SGD(rate, momentum=self.momentum, weight_decay=decay)
        others: dict[str, type[Adam | AdamW | RMSprop]] = {"adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}
        return others[name](rate, weight_decay=decay)

    def make_schedule(self, epochs: int) -> Schedule:
        """The schedule that is named."""
        return self._schedules(epochs)[self._known_schedule()]

    def _known_schedule(self) -> str:
        name, known = self.schedule.lower().replace("_", "-").replace("onecycle", "one-cycle"), self._schedules(1)
        if name not in known:
            raise NameLookupError("schedule", self.schedule, known)
        return name

    def _schedules(self, epochs: int) -> dict[str, Schedule]:
        return {
            "one-cycle": OneCycle(),
            "cosine": Cosine(),
            "constant": Constant(),
            "step": StepDecay(max(1, -(-epochs // 3))),
        }
