"""Questions that train: some steps on the copy of the network, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import NonFiniteError
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.changes import SampleAnswer
from chainrule.explorer.questions.overview import can_train
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from chainrule.optimizers import SGD

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

MOST_STEPS, MOST_BATCH = 200, 256
BATCH = 16
LARGEST_RATE = 100.0


class TrainAnswer(TypedDict):
    """The loss before the first step and after each, each of the batch that the next step learns from; `batch` is how
    many samples a step took, `learned_from` how many there are, `steps` how many steps were done since the start."""

    losses: list[float]
    batch: int
    learned_from: int
    steps: int


def train(exploration: Exploration, asked: Question) -> TrainAnswer:
    """{"ask": "train", "steps" (1 to 200), "learning_rate", "of"?: "sample" | "all", "batch"? (16, at most 256)} ->
    TrainAnswer.

    Plain stochastic gradient descent by `net.fit`: on the current sample, or (unless said otherwise) on batches drawn
    at random from all, from a fixed seed. The copy learns, not the network that was given; where training runs away,
    the weights stay as they were."""
    steps = asked.whole("steps", 1, MOST_STEPS)
    rate = asked.number("learning_rate", 0.0, LARGEST_RATE)
    exploration.require_small()
    if not can_train(exploration):
        raise QuestionError("no_training")
    one = asked.has("of") and asked.choice("of", ("sample", "all")) == "sample"
    x, targets = _of_sample(exploration) if one else exploration.lessons()
    batch = min(asked.whole("batch", 1, MOST_BATCH, BATCH), len(x))
    kept = exploration.values()
    try:
        with np.errstate(all="ignore"):  # what is not finite is found, and said
            losses = _steps(exploration, x, targets, steps, rate, batch)
        exploration.changed()
        exploration.view_of(exploration.current)
    except NonFiniteError:
        exploration.restore(kept)
        raise QuestionError("diverged") from None
    exploration.trained += steps
    return {"losses": losses, "batch": batch, "learned_from": len(x), "steps": exploration.trained}


def _of_sample(exploration: Exploration) -> tuple[Array, Array]:
    """The current sample, as it is now."""
    return exploration.sample(exploration.current)[None], exploration.target(exploration.current)


def _steps(exploration: Exploration, x: Array, targets: Array, steps: int, rate: float, batch: int) -> list[float]:
    """One `fit` of one step after the other; the samples of step k are the same whenever it is done."""
    net, loss, engine = exploration.net, exploration.subject.loss, _engine(exploration)
    losses = []
    for step in range(exploration.trained, exploration.trained + steps):
        chosen = _batch(step, len(x), batch)
        history = net.fit(
            x[chosen],
            targets[chosen],
            loss=loss,
            optimizer=SGD(rate),
            batch_size=batch,
            shuffle=False,
            progress=False,
            seed=step,
            engine=engine,
        )
        losses.append(float(history.rows[0].loss))
    chosen = _batch(exploration.trained + steps, len(x), batch)
    after, _, _ = net.gradients(x[chosen], targets[chosen], loss=loss, engine=engine)
    if not np.isfinite(after):
        raise NonFiniteError(f"the loss is {after} after the last step")
    return [*losses, float(after)]


def _batch(step: int, samples: int, batch: int) -> Array:
    """The numbers of the samples of one step."""
    return np.random.default_rng([7, step]).permutation(samples)[:batch]


def _engine(exploration: Exploration) -> Literal["native", "reference"]:
    """The native engine, unless there is something of the user's own, which it does not know."""
    parts: list[tuple[object, Mapping[str, type]]] = [(layer, LAYERS) for layer in exploration.net.layers.values()]
    parts.append((exploration.subject.loss, LOSSES))
    known = all(names.get(type(part).__name__) is type(part) for part, names in parts)
    return "native" if known else "reference"


def undo_training(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "undo_training"} -> SampleAnswer: the weights as at the start; samples stay as they are."""
    exploration.restore_weights()
    return {"sample": exploration.current}
