"""TensorFlow: one tf.function for a step, images with the channels last, the fused momentum update."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.rivals import Contender, Job
from benchmarks.rivals.channels_last import from_channels_last, images, to_channels_last
from benchmarks.tasks import Array, Description, NetworkTask, Node

EPS, KEEP = 1e-5, 0.9

Values = dict[str, Any]


def convolution(node: Node, values: Values, x: Any) -> Any:
    """Cross-correlation of images with the channels last."""
    sides = [[0, 0], *([side, side] for side in node.padding), [0, 0]]
    y = tf.nn.conv2d(x, values[str(node.weight)], node.stride, sides)
    return tf.nn.bias_add(y, values[node.bias]) if node.bias else y


def dense(node: Node, values: Values, x: Any) -> Any:
    """x W + b."""
    y = tf.matmul(x, values[str(node.weight)])
    return y + values[node.bias] if node.bias else y


def max_pool(node: Node, values: Values, x: Any) -> Any:
    """Windows without padding."""
    return tf.nn.max_pool2d(x, node.kernel, node.stride, "VALID")


def batch_norm(node: Node, values: Values, x: Any, training: bool) -> Any:
    """Fused; the running statistics are assigned in training."""
    mean, variance = values[f"{node.prefix}.running_mean"], values[f"{node.prefix}.running_var"]
    given = {} if training else {"mean": mean, "variance": variance}
    y, batch_mean, batch_variance = tf.compat.v1.nn.fused_batch_norm(
        x, values[str(node.weight)], values[str(node.bias)], epsilon=EPS, is_training=training, **given
    )
    if training:
        mean.assign(KEEP * mean + (1 - KEEP) * batch_mean)
        variance.assign(KEEP * variance + (1 - KEEP) * batch_variance)
    return y


SIMPLE: dict[str, Callable[..., Any]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.nn.sigmoid,
    "flatten": lambda x: tf.reshape(x, (tf.shape(x)[0], -1)),
    "add": lambda a, b: a + b,
    "average": lambda x: tf.reduce_mean(x, (1, 2), keepdims=True),
}


def outputs(description: Description, training: bool, values: Values, x: Any) -> Any:
    """What the network makes of a batch."""
    found = [x]
    for node in description.nodes:
        sources = [found[place] for place in node.inputs]
        if node.op in SIMPLE:
            found.append(SIMPLE[node.op](*sources))
        elif node.op == "batch_norm2d":
            found.append(batch_norm(node, values, sources[0], training))
        else:
            rule = {"conv2d": convolution, "linear": dense, "max_pool2d": max_pool}[node.op]
            found.append(rule(node, values, sources[0]))
    return found[-1]


def loss_of(description: Description, y: Any, targets: Any) -> Any:
    """The mean loss of a batch."""
    if description.loss == "half_squared":
        return 0.5 * tf.reduce_mean(tf.reduce_sum(tf.square(y - targets), 1))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, y))


class _Job:
    def __init__(self, task: NetworkTask) -> None:
        self.task = task
        x, targets = task.samples()
        pairs = zip(np.split(images(x), task.batches), np.split(targets, task.batches), strict=True)
        self.batches = [(tf.constant(a), tf.constant(b)) for a, b in pairs]
        self.values = {name: tf.Variable(value) for name, value in to_channels_last(task.network).items()}
        self.around = cycle(self.batches)


class Training(_Job):
    """A plain loop around the step's function."""

    def __init__(self, task: NetworkTask) -> None:
        super().__init__(task)
        frozen = task.network.frozen
        learning = [v for n, v in self.values.items() if n not in frozen and ".running_" not in n]
        velocity = [tf.Variable(tf.zeros_like(variable)) for variable in learning]

        def step(x: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = loss_of(task.network, outputs(task.network, True, self.values, x), targets)
            for variable, memory, gradient in zip(learning, velocity, tape.gradient(loss, learning), strict=True):
                tf.raw_ops.ResourceApplyMomentum(
                    var=variable.handle,
                    accum=memory.handle,
                    lr=task.learning_rate,
                    grad=gradient,
                    momentum=task.momentum,
                )
            return loss

        self.step = tf.function(step)

    def run(self, steps: int) -> int:
        loss = None
        for _ in range(steps):
            loss = self.step(*next(self.around))
        if loss is not None:
            loss.numpy()  # waits
        return steps

    def first(self) -> dict[str, Array]:
        self.run(2)
        found = {name: value.numpy() for name, value in self.values.items()}
        return from_channels_last(self.task.network, found)


class Inference(_Job):
    """The forward pass as a function."""

    def __init__(self, task: NetworkTask) -> None:
        super().__init__(task)
        self.outputs = tf.function(lambda x: outputs(task.network, False, self.values, x))

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self.outputs(next(self.around)[0]).numpy()
        return steps

    def first(self) -> dict[str, Array]:
        return {"outputs": self.outputs(self.batches[0][0]).numpy()}


class TensorFlow(Contender):
    """Its own thread pools, as large as asked."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def version(self) -> str:
        return str(tf.__version__)

    def network(self, task: NetworkTask) -> Job:
        return Training(task) if task.kind == "train" else Inference(task)


def make(threads: int) -> Contender:
    return TensorFlow(threads)
