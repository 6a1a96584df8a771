"""Questions that train: some steps on the copy of the network, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import NonFiniteError
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.changes import SampleAnswer
from chainrule.explorer.questions.overview import can_train
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.optimizers import SGD

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

MOST_STEPS, MOST_BATCH = 200, 256
BATCH = 16
LARGEST_RATE = 100.0


class TrainAnswer(TypedDict):
    """The loss of each step's batch before its update; `batch` is how many samples a step took, `learned_from` how many
    there are to learn from, `steps` how many steps were done since the start."""

    losses: list[float]
    batch: int
    learned_from: int
    steps: int


def train(exploration: Exploration, asked: Question) -> TrainAnswer:
    """{"ask": "train", "steps" (1 to 200), "learning_rate", "batch"? (16, at most 256)} -> TrainAnswer.

    Plain stochastic gradient descent by `net.fit` on batches drawn at random, from a fixed seed. The copy learns, not
    the network that was given; where training runs away, the weights stay as they were."""
    steps = asked.whole("steps", 1, MOST_STEPS)
    rate = asked.number("learning_rate", 0.0, LARGEST_RATE)
    exploration.require_small()
    if not can_train(exploration):
        raise QuestionError("no_training")
    x, targets = exploration.lessons()
    batch = min(asked.whole("batch", 1, MOST_BATCH, BATCH), len(x))
    before = {name: value.copy() for name, value in {**exploration.net.parameters, **exploration.net.buffers}.items()}
    try:
        losses = _steps(exploration, x, targets, steps, rate, batch)
    except NonFiniteError as error:
        for values in (exploration.net.parameters, exploration.net.buffers):
            for name in values:
                values[name] = before[name]
        raise QuestionError("diverged", detail=str(error).rstrip(".")) from None
    exploration.trained += steps
    exploration.changed()
    return {"losses": losses, "batch": batch, "learned_from": len(x), "steps": exploration.trained}


def _steps(exploration: Exploration, x: Array, targets: Array, steps: int, rate: float, batch: int) -> list[float]:
    """One `fit` of one step after the other; the samples of step k are the same whenever it is done."""
    losses = []
    for step in range(exploration.trained, exploration.trained + steps):
        chosen = np.random.default_rng([7, step]).permutation(len(x))[:batch]
        history = exploration.net.fit(
            x[chosen],
            targets[chosen],
            loss=exploration.subject.loss,
            optimizer=SGD(rate),
            batch_size=batch,
            shuffle=False,
            progress=False,
            seed=step,
        )
        losses.append(float(history.rows[0].loss))
    return losses


def undo_training(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "undo_training"} -> SampleAnswer: the weights as at the start; samples stay as they are."""
    exploration.restore_weights()
    return {"sample": exploration.current}
