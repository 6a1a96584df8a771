"""How LeNet-5 learns full MNIST in the race to 99 %: the same for every framework, so plain Python and nothing else."""

from __future__ import annotations

import math

GOAL = 0.99
EPOCHS, BATCH = 5, 64
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.05, 0.9, 5e-4
WARM_UP, START, FINAL = 0.3, 0.04, 1e-4
"""One cycle: from START times the rate up to it during the first steps, then down to FINAL times it."""


def rate(progress: float) -> float:
    """The learning rate where 0 is the first step of all and 1 the last."""
    if progress < WARM_UP:
        return LEARNING_RATE * (1 + (START - 1) * (1 + math.cos(math.pi * progress / WARM_UP)) / 2)
    after = (progress - WARM_UP) / (1 - WARM_UP)
    return LEARNING_RATE * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * after)) / 2)
