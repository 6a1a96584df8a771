"""Training: epochs of shuffled batches on an engine, with validation, early stopping and the history of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_batch, as_weights, compute_dtype, to_floats
from chainrule.callbacks import Answer, EpochCallback
from chainrule.engines import Engine, EpochTotals, Recipe, Samples
from chainrule.equations.random_bits import shuffled_orders
from chainrule.errors import ArgumentError, DataError, NonFiniteError
from chainrule.graph import Graph
from chainrule.history import EpochRow as EpochRow
from chainrule.history import History as History
from chainrule.losses import Loss
from chainrule.memory import require_memory
from chainrule.metrics import Evaluation, class_count, determination
from chainrule.optimizers import Optimizer
from chainrule.progress import EpochBar
from chainrule.schedules import Constant, Schedule
from chainrule.shapes import integer, number, product, shape_text

EVALUATION_BATCH = 256
GROUP_SAMPLES = 65536
"""Short epochs are trained together up to so many samples."""


@dataclass(frozen=True)
class Plan:
    """Everything that `fit` was asked for, checked."""

    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int
    validation: Samples | None
    seed: int
    shuffle: bool
    progress: bool
    patience: int | None
    keep_best: bool
    dtype: np.dtype[Any]
    sequential: bool
    on_epoch: EpochCallback | None


def plan_training(
    graph: Graph,
    x: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    schedule: Schedule | None,
    epochs: int,
    batch_size: int,
    validation: tuple[ArrayLike, ...] | None,
    seed: int,
    shuffle: bool,
    progress: bool,
    patience: int | None,
    keep_best: bool,
    dtype: str | None,
    update_order: str,
    on_epoch: Callable[[EpochRow], Answer] | None,
) -> Plan:
    """Check the arguments of `fit`."""
    if not isinstance(loss, Loss):
        raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"optimizer must be an optimizer such as SGD(0.1), not {optimizer!r}")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise ArgumentError(f"schedule must be a schedule such as Cosine(), not {schedule!r}")
    if update_order not in ("simultaneous", "sequential"):
        raise ArgumentError(f'update_order must be "simultaneous" or "sequential", not {update_order!r}')
    if (patience is not None or keep_best) and validation is None:
        raise ArgumentError("patience and keep_best judge by validation data; give validation=(x, targets)")
    return Plan(
        loss=loss,
        optimizer=optimizer,
        schedule=schedule or Constant(),
        epochs=integer("epochs", epochs, 0),
        batch_size=integer("batch_size", batch_size, 1),
        validation=None if validation is None else check_validation(graph, loss, validation),
        seed=integer("seed", seed, 0),
        shuffle=bool(shuffle),
        progress=bool(progress),
        patience=None if patience is None else integer("patience", patience, 1),
        keep_best=bool(keep_best),
        dtype=compute_dtype(x, dtype),
        sequential=update_order == "sequential",
        on_epoch=None if on_epoch is None else EpochCallback(graph, optimizer, on_epoch),
    )


def split_validation(
    x: Array, targets: ArrayLike, sample_weight: ArrayLike | None, share: float, seed: int
) -> tuple[Array, tuple[Array, ...]]:
    """(places of the samples to train on, what to validate by): a share of the samples, drawn by the seed."""
    array = as_array(targets, "targets")
    if array.ndim == 0 or len(array) != len(x):
        raise DataError(
            f"x has {len(x)} samples, but targets has {array.shape[0] if array.ndim else 'a single number'}"
        )
    part = number("validation_split", share, 0, 1, open_low=True)
    held = max(1, round(part * len(x)))
    if held >= len(x):
        raise ArgumentError(f"validation_split={share} of {len(x)} sample(s) leaves none to train on; give less")
    order = np.random.default_rng([integer("seed", seed, 0), len(x)]).permutation(len(x))
    kept, apart = np.sort(order[held:]), np.sort(order[:held])
    weights = () if sample_weight is None else (as_weights(sample_weight, len(x))[apart],)
    return kept, (x[apart], array[apart], *weights)


def check_validation(graph: Graph, loss: Loss, given: tuple[ArrayLike, ...]) -> Samples:
    """(x, targets) or (x, targets, sample_weight), checked; targets in the form that the loss computes with."""
    if len(given) not in (2, 3):
        raise ArgumentError("validation must be (x, targets) or (x, targets, sample_weight)")
    batch = as_batch(given[0], graph.input_shape, "validation x")
    targets = check_targets(graph, loss, len(batch), given[1], "validation ")
    no_weights = len(given) == 2 or given[2] is None
    return Samples(batch, targets, None if no_weights else as_weights(given[2], len(batch), "validation sample_weight"))


def check_targets(graph: Graph, loss: Loss, samples: int, targets: ArrayLike, prefix: str = "") -> Array:
    """Targets for so many samples, checked against the graph and the loss, in the form that the loss computes with."""
    array = as_array(targets, f"{prefix}targets")
    if array.ndim == 0 or len(array) != samples:
        given = array.shape[0] if array.ndim else "a single number"
        raise DataError(f"{prefix}x has {samples} samples, but {prefix}targets has {given}")
    return loss.prepare_targets(array, samples, graph.output_shape)


def train(graph: Graph, engine: Engine, data: Samples, plan: Plan) -> History:
    """Run the plan; samples of weight 0 are left out.

    The graph always ends with finite parameters: those of the last good step, or the best epoch's.

    Ctrl-C stops within a step, stores what was learned, and returns the history with stopped="interrupted".
    Raises NonFiniteError, naming epoch and tensor, where NaN or infinity appears.
    """
    if data.weights is not None and not data.weights.all():
        data = data.at(np.flatnonzero(data.weights))
    x = data.x
    trainer = engine.trainer(graph, Recipe(plan.loss, plan.optimizer, plan.dtype, plan.seed, plan.sequential))
    steps = -(-len(x) // plan.batch_size)
    history = History()
    best = _Best(plan)
    with ExitStack() as stack:
        stack.callback(best.restore, graph)
        bar = stack.enter_context(EpochBar(plan.epochs, len(x), enabled=plan.progress))
        try:
            for first, count in _groups(plan, len(x)):
                bar.start(first)
                group = _rates(plan, steps, first, count)
                totals = trainer.epochs(data, _orders(plan, first, count, len(x)), plan.batch_size, group, bar.advance)
                trainer.store()
                rows = _rows(graph, engine, plan, first, totals, group, bar.elapsed())
                history.rows += rows
                bar.finish(rows[-1])
                early = best.see(graph, rows[-1])
                asked = plan.on_epoch is not None and plan.on_epoch(rows[-1])
                if early or asked:
                    history.stopped = "early" if early else "on_epoch"
                    break
        except KeyboardInterrupt:
            trainer.store()
            history.stopped = "interrupted"
        except DataError:
            to_floats(x, plan.dtype)  # names the place in all of x, not in a batch
            raise
        except NonFiniteError as error:
            trainer.store()
            raise NonFiniteError(f"in epoch {trainer.step // steps + 1}, {error}") from None
    history.best_epoch = best.epoch
    return history


def _groups(plan: Plan, samples: int) -> Iterator[tuple[int, int]]:
    """(first epoch, epochs) that the engine trains at a time: several where they are short and nobody looks between."""
    together = max(1, GROUP_SAMPLES // samples)
    if plan.validation is not None or plan.on_epoch is not None:
        together = 1
    elif plan.progress:
        together = max(1, min(together, plan.epochs // 100))
    for first in range(0, plan.epochs, together):
        yield first, min(together, plan.epochs - first)


def _orders(plan: Plan, first: int, count: int, samples: int) -> Array:
    """The order of the samples in each of `count` epochs: functions of (seed, epoch) alone."""
    if plan.shuffle:
        return shuffled_orders(plan.seed, first, count, samples)
    return np.tile(np.arange(samples), (count, 1))


def _rates(plan: Plan, steps: int, first: int, count: int) -> Array:
    """The learning rate of every step of `count` epochs."""
    rate = plan.optimizer.learning_rate
    return plan.schedule.rates(rate, plan.epochs, steps, first=first, count=count)


def _rows(
    graph: Graph, engine: Engine, plan: Plan, first: int, totals: list[EpochTotals], rates: Array, seconds: float
) -> list[EpochRow]:
    judged = None
    if plan.validation is not None:
        judged = evaluate(graph, engine, plan.validation, plan.loss, plan.dtype)
    loss, accuracy = (None, None) if judged is None else (judged.loss, judged.accuracy)
    seconds /= len(totals)
    speed = totals[0].samples / max(seconds, 1e-9)
    return [
        EpochRow(epoch, total.loss, total.accuracy, loss, accuracy, rate, seconds, speed)
        for epoch, (total, rate) in enumerate(zip(totals, rates[:, -1].tolist(), strict=True), start=first + 1)
    ]


class _Best:
    """Remembers the epoch with the lowest validation loss, and when to give up."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loss = np.inf
        self.epoch: int | None = None
        self.kept: tuple[Array, Array] | None = None

    def see(self, graph: Graph, row: EpochRow) -> bool:
        """Take note of an epoch; True if training should stop."""
        if row.validation_loss is None:
            return False
        if row.validation_loss < self.loss:
            self.loss, self.epoch = row.validation_loss, row.epoch
            if self.plan.keep_best:
                self.kept = (graph.parameters.flat.copy(), graph.buffers.flat.copy())
        return self.plan.patience is not None and row.epoch - (self.epoch or 0) >= self.plan.patience

    def restore(self, graph: Graph) -> None:
        """Put the best epoch's values back."""
        if self.kept is not None:
            graph.parameters.flat[:], graph.buffers.flat[:] = self.kept


def predict(graph: Graph, engine: Engine, x: Array, dtype: np.dtype[Any], batch_size: int = EVALUATION_BATCH) -> Array:
    """Outputs in inference, batch by batch so that memory stays bounded."""
    what = f"outputs of {shape_text(graph.output_shape)} for {len(x):,} samples"
    require_memory(len(x) * product(graph.output_shape) * dtype.itemsize, what, "predict fewer samples at a time")
    outputs = np.empty((len(x), *graph.output_shape), dtype)
    try:
        for start in range(0, len(x), batch_size):
            outputs[start : start + batch_size] = engine.forward(graph, x[start : start + batch_size], dtype)
    except DataError:
        to_floats(x, dtype)  # names the place in all of x, not in the batch
        raise
    return outputs


def evaluate(
    graph: Graph,
    engine: Engine,
    data: Samples,
    loss: Loss,
    dtype: np.dtype[Any],
    batch_size: int = EVALUATION_BATCH,
    class_names: tuple[str, ...] | None = None,
) -> Evaluation:
    """Loss, accuracy and confusion matrix in inference; targets prepared by the loss."""
    samples, targets, weights = len(data.x), data.targets, data.weights
    outputs = predict(graph, engine, data.x, dtype, batch_size)
    with np.errstate(all="ignore"):
        value = loss.forward(outputs, targets, weights)[0]
    truth, guess = loss.true_classes(targets), loss.predicted_classes(outputs)
    if truth is None or guess is None:
        return Evaluation(value, samples, r2=determination(outputs, targets, weights))
    if weights is not None:
        weights = np.repeat(weights, truth.size // samples)
    classes = class_count(graph.output_shape)
    return Evaluation(value, samples, truth.reshape(-1), guess.reshape(-1), classes, class_names, weights)
