"""Schedules: how the learning rate changes from step to step, as a factor of the optimizer's own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import integer, number


class Schedule(ABC):
    """factor(progress, epoch) with progress from 0 at the first step to 1 at the last."""

    @abstractmethod
    def factor(self, progress: float, epoch: int) -> float:
        """What the learning rate is multiplied by; epochs count from 0."""

    def rates(
        self, learning_rate: float, epochs: int, steps_per_epoch: int, *, first: int = 0, count: int | None = None
    ) -> Array:
        """(count, steps_per_epoch) learning rates of the epochs from `first` on, by default of all `epochs`."""
        last = max(epochs * steps_per_epoch - 1, 1)
        rates = np.empty((epochs - first if count is None else count, steps_per_epoch))
        for epoch in range(first, first + len(rates)):
            for step in range(steps_per_epoch):
                rates[epoch - first, step] = self.factor((epoch * steps_per_epoch + step) / last, epoch)
        return rates * learning_rate

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class Constant(Schedule):
    """factor = 1."""

    def factor(self, progress: float, epoch: int) -> float:
        return 1.0

    def rates(
        self, learning_rate: float, epochs: int, steps_per_epoch: int, *, first: int = 0, count: int | None = None
    ) -> Array:
        return np.full((epochs - first if count is None else count, steps_per_epoch), learning_rate)


class StepDecay(Schedule):
    """factor = gamma^floor(epoch / every)."""

    def __init__(self, every: int, gamma: float = 0.1) -> None:
        self.every = integer("every", every, 1)
        self.gamma = number("gamma", gamma, 0, 1)

    def factor(self, progress: float, epoch: int) -> float:
        return float(self.gamma ** (epoch // self.every))


class Cosine(Schedule):
    """factor = final + (1 - final) (1 + cos(pi progress)) / 2, after an optional linear warm-up."""

    def __init__(self, final: float = 0.0, warmup: float = 0.0) -> None:
        self.final = number("final", final, 0, 1)
        self.warmup = number("warmup", warmup, 0, 1)

    def factor(self, progress: float, epoch: int) -> float:
        if progress < self.warmup:
            return progress / self.warmup
        after = (progress - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 0.0
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * after)) / 2


class OneCycle(Schedule):
    """Warm up from `start` to 1 during the first `warmup` of the steps, then anneal to `final`, both along cosines."""

    def __init__(self, warmup: float = 0.3, start: float = 0.04, final: float = 1e-4) -> None:
        self.warmup = number("warmup", warmup, 0, 1)
        self.start = number("start", start, 0, 1)
        self.final = number("final", final, 0, 1)

    def factor(self, progress: float, epoch: int) -> float:
        if progress < self.warmup:
            return 1 + (self.start - 1) * (1 + math.cos(math.pi * progress / self.warmup)) / 2
        after = (progress - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 0.0
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * after)) / 2
