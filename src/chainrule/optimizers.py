"""Optimizers: how parameters move against their gradients. They work elementwise on flat buffers, in place.

    memory = optimizer.initial_state(parameters)
    optimizer.update(parameters, gradients, memory, learning_rate, step)        step counts from 1

All gradients of a step are computed before any parameter moves (S0-A02). The update formulas are torch.optim's.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.shapes import number, shown

_UNUSED = {"momentum": 0.0, "nesterov": False, "centered": False, "beta1": 0.0, "beta2": 0.0, "eps": 0.0}
"""Settings of the core's updates for rules that have none of that name."""


class Optimizer(ABC):
    """Moves parameters; `learning_rate` is the base that a schedule multiplies."""

    memories = 0
    """How many arrays of the parameters' size it remembers from step to step."""

    learning_rate: float

    def initial_state(self, parameters: Array) -> list[Array]:
        """Memory before the first step: zeros."""
        return [np.zeros_like(parameters) for _ in range(self.memories)]

    @abstractmethod
    def update(self, parameters: Array, gradients: Array, memory: Sequence[Array], rate: float, step: int) -> None:
        """Move `parameters` and `memory` in place."""

    def native_update(self) -> dict[str, Any]:
        """The update for the native core; empty where it has none, and training runs on the reference engine."""
        return {}

    def hyperparameters(self) -> dict[str, Any]:
        """Constructor arguments that build this optimizer again."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class SGD(Optimizer):
    """g = dL/dw + weight_decay w;  v = momentum v + g;  w = w - learning_rate v (S0-E29 where momentum is 0).

    With `nesterov` the step is g + momentum v instead of v.
    """

    def __init__(
        self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        self.learning_rate = number("learning_rate", learning_rate, 0)
        self.momentum = number("momentum", momentum, 0)
        if not isinstance(nesterov, bool):
            raise ArgumentError(f"nesterov must be True or False, not {shown(nesterov)}")
        self.nesterov = nesterov
        self.weight_decay = number("weight_decay", weight_decay, 0)
        if self.nesterov and not self.momentum:
            raise ArgumentError("nesterov=True needs a momentum above 0")

    @property
    def memories(self) -> int:  # type: ignore[override]
        """A velocity where there is momentum."""
        return 1 if self.momentum else 0

    def native_update(self) -> dict[str, Any]:
        if type(self) is not SGD:
            return {}
        own = {"momentum": self.momentum, "nesterov": self.nesterov, "weight_decay": self.weight_decay}
        return {**_UNUSED, "rule": "sgd", **own}

    def update(self, parameters: Array, gradients: Array, memory: Sequence[Array], rate: float, step: int) -> None:
        g = gradients + self.weight_decay * parameters if self.weight_decay else gradients
        if self.momentum:
            velocity = memory[0]
            velocity *= self.momentum
            velocity += g
            g = g + self.momentum * velocity if self.nesterov else velocity
        parameters -= rate * g


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²;  w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).

    weight_decay is added to the gradient (an L2 term); AdamW decays the parameters themselves.
    """

    memories = 2
    decoupled = False

    def __init__(
        self,
        learning_rate: float = 1e-3,
        betas: Sequence[float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.learning_rate = number("learning_rate", learning_rate, 0)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ArgumentError(f"betas must be two numbers (b1, b2), not {shown(betas)}")
        self.betas = (number("betas[0]", betas[0], 0, 1), number("betas[1]", betas[1], 0, 1))
        if max(self.betas) == 1:
            raise ArgumentError(f"betas must be below 1, not {betas!r}: with 1 the averages never move")
        self.eps = number("eps", eps, 0)
        self.weight_decay = number("weight_decay", weight_decay, 0)

    def native_update(self) -> dict[str, Any]:
        if type(self) not in (Adam, AdamW):
            return {}
        own = {"beta1": self.betas[0], "beta2": self.betas[1], "eps": self.eps, "weight_decay": self.weight_decay}
        return {**_UNUSED, "rule": "adamw" if self.decoupled else "adam", **own}

    def update(self, parameters: Array, gradients: Array, memory: Sequence[Array], rate: float, step: int) -> None:
        mean, square = memory
        b1, b2 = self.betas
        if self.decoupled:
            parameters *= 1 - rate * self.weight_decay
        g = gradients if self.decoupled or not self.weight_decay else gradients + self.weight_decay * parameters
        mean *= b1
        mean += (1 - b1) * g
        square *= b2
        square += (1 - b2) * (g * g)
        denominator = np.sqrt(square) / math.sqrt(1 - b2**step) + self.eps
        parameters -= (rate / (1 - b1**step)) * mean / denominator


class AdamW(Adam):
    """Adam with decoupled weight decay: w = w (1 - rate weight_decay) before Adam's step."""

    decoupled = True

    def __init__(
        self,
        learning_rate: float = 1e-3,
        betas: Sequence[float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(learning_rate, betas, eps, weight_decay)


class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g²;  w = w - rate g / (sqrt(v) + eps), with g = dL/dw + weight_decay w.

    With `centered` sqrt(v - m²) with the mean m = alpha m + (1 - alpha) g, never below 0; with `momentum` the step is
    u = momentum u + g / (...).
    """

    def __init__(
        self,
        learning_rate: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        self.learning_rate = number("learning_rate", learning_rate, 0)
        self.alpha = number("alpha", alpha, 0, 1)
        if self.alpha == 1:
            raise ArgumentError("alpha must be below 1: with 1 the average never moves")
        self.eps = number("eps", eps, 0)
        self.weight_decay = number("weight_decay", weight_decay, 0)
        self.momentum = number("momentum", momentum, 0)
        if not isinstance(centered, bool):
            raise ArgumentError(f"centered must be True or False, not {shown(centered)}")
        self.centered = centered

    @property
    def memories(self) -> int:  # type: ignore[override]
        """The squares' average, then the mean where it is centered, then a velocity where there is momentum."""
        return 1 + self.centered + bool(self.momentum)

    def native_update(self) -> dict[str, Any]:
        if type(self) is not RMSprop:
            return {}
        own = {"momentum": self.momentum, "centered": self.centered, "weight_decay": self.weight_decay}
        return {**_UNUSED, "rule": "rmsprop", **own, "beta2": self.alpha, "eps": self.eps}

    def update(self, parameters: Array, gradients: Array, memory: Sequence[Array], rate: float, step: int) -> None:
        g = gradients + self.weight_decay * parameters if self.weight_decay else gradients
        square = memory[0]
        square *= self.alpha
        square += (1 - self.alpha) * (g * g)
        spread = square
        if self.centered:
            mean = memory[1]
            mean *= self.alpha
            mean += (1 - self.alpha) * g
            spread = np.maximum(square - mean * mean, 0)  # by rounding it may come out below 0
        move = g / (np.sqrt(spread) + self.eps)
        if self.momentum:
            velocity = memory[-1]
            velocity *= self.momentum
            velocity += move
            move = velocity
        parameters -= rate * move
