"""JAX: one jitted step whose parameters are donated, images with the channels last, as XLA likes them on CPUs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.rivals import Contender, Job
from benchmarks.rivals.channels_last import from_channels_last, images, to_channels_last
from benchmarks.tasks import Array, Description, NetworkTask, Node

EPS, KEEP = 1e-5, 0.9

Values = dict[str, Any]


def convolution(node: Node, values: Values, x: Any) -> Any:
    """Cross-correlation of images with the channels last."""
    y = lax.conv_general_dilated(
        x,
        values[str(node.weight)],
        node.stride,
        [(side, side) for side in node.padding],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y + values[node.bias] if node.bias else y


def dense(node: Node, values: Values, x: Any) -> Any:
    """x W + b."""
    y = x @ values[str(node.weight)]
    return y + values[node.bias] if node.bias else y


def max_pool(node: Node, values: Values, x: Any) -> Any:
    """Windows that touch fold into axes of their own, whose maximum XLA differentiates much faster."""
    n, rows, columns, channels = x.shape
    if node.kernel == node.stride and rows % node.kernel[0] == columns % node.kernel[1] == 0:
        k, m = node.kernel
        return x.reshape(n, rows // k, k, columns // m, m, channels).max((2, 4))
    window, stride = (1, *node.kernel, 1), (1, *node.stride, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, "VALID")


def batch_norm(node: Node, values: Values, x: Any, training: bool, running: Values) -> Any:
    """The batch's statistics in training, else the running ones, which follow in `running`."""
    names = f"{node.prefix}.running_mean", f"{node.prefix}.running_var"
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        count = x.size / x.shape[-1]
        for name, new in zip(names, (mean, variance * count / (count - 1)), strict=True):
            running[name] = KEEP * values[name] + (1 - KEEP) * new
    else:
        mean, variance = values[names[0]], values[names[1]]
    return (x - mean) * (lax.rsqrt(variance + EPS) * values[str(node.weight)]) + values[str(node.bias)]


SIMPLE: dict[str, Callable[..., Any]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "flatten": lambda x: x.reshape(x.shape[0], -1),
    "add": lambda a, b: a + b,
    "average": lambda x: x.mean((1, 2), keepdims=True),
}


def outputs(description: Description, training: bool, values: Values, x: Any) -> tuple[Any, Values]:
    """(outputs, running statistics that changed)."""
    running: Values = {}
    found = [x]
    for node in description.nodes:
        sources = [found[place] for place in node.inputs]
        if node.op in SIMPLE:
            found.append(SIMPLE[node.op](*sources))
        elif node.op == "batch_norm2d":
            found.append(batch_norm(node, values, sources[0], training, running))
        else:
            rule = {"conv2d": convolution, "linear": dense, "max_pool2d": max_pool}[node.op]
            found.append(rule(node, values, sources[0]))
    return found[-1], running


def loss_of(description: Description, learning: Values, fixed: Values, x: Any, targets: Any) -> tuple[Any, Values]:
    """The loss, and the running statistics."""
    y, running = outputs(description, True, learning | fixed, x)
    if description.loss == "half_squared":
        return 0.5 * jnp.square(y - targets).sum(1).mean(), running
    taken = jnp.take_along_axis(jax.nn.log_softmax(y), targets[:, None], 1)
    return -taken.mean(), running


def step(
    task: NetworkTask, learning: Values, velocity: Values, fixed: Values, x: Any, targets: Any
) -> tuple[Values, Values, Values]:
    """One update by stochastic gradient descent with momentum."""
    gradients, running = jax.grad(partial(loss_of, task.network), has_aux=True)(learning, fixed, x, targets)
    velocity = {name: task.momentum * velocity[name] + gradients[name] for name in learning}
    learning = {name: learning[name] - task.learning_rate * velocity[name] for name in learning}
    return learning, velocity, fixed | running


class _Job:
    def __init__(self, task: NetworkTask) -> None:
        self.task = task
        x, targets = task.samples()
        count = task.batches
        # int32 classes, as JAX without 64-bit mode has them
        targets = targets.astype(np.int32 if targets.dtype.kind == "i" else np.float32)
        pairs = zip(np.split(images(x), count), np.split(targets, count), strict=True)
        self.batches = [(jnp.asarray(a), jnp.asarray(b)) for a, b in pairs]
        self.values = {name: jnp.asarray(value) for name, value in to_channels_last(task.network).items()}
        self.around = cycle(self.batches)


class Training(_Job):
    """A plain loop around the jitted step."""

    def __init__(self, task: NetworkTask) -> None:
        super().__init__(task)
        fixed = task.network.frozen | {name for name in self.values if ".running_" in name}
        self.fixed = {name: value for name, value in self.values.items() if name in fixed}
        self.learning = {name: value for name, value in self.values.items() if name not in fixed}
        self.velocity = {name: jnp.zeros_like(value) for name, value in self.learning.items()}
        self.step = jax.jit(partial(step, task), donate_argnums=(0, 1, 2))

    def run(self, steps: int) -> int:
        learning, velocity, fixed = self.learning, self.velocity, self.fixed
        for _ in range(steps):
            learning, velocity, fixed = self.step(learning, velocity, fixed, *next(self.around))
        jax.block_until_ready((learning, velocity, fixed))
        self.learning, self.velocity, self.fixed = learning, velocity, fixed
        return steps

    def first(self) -> dict[str, Array]:
        self.run(2)
        found = {name: np.array(value) for name, value in (self.learning | self.fixed).items()}
        return from_channels_last(self.task.network, found)


class Inference(_Job):
    """The jitted forward pass."""

    def __init__(self, task: NetworkTask) -> None:
        super().__init__(task)
        self.outputs = jax.jit(lambda values, x: outputs(task.network, False, values, x)[0])

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self.outputs(self.values, next(self.around)[0]).block_until_ready()
        return steps

    def first(self) -> dict[str, Array]:
        return {"outputs": np.array(self.outputs(self.values, self.batches[0][0]))}


class Jax(Contender):
    """Threads are as many as the process may use cores."""

    def version(self) -> str:
        return str(jax.__version__)

    def network(self, task: NetworkTask) -> Job:
        return Training(task) if task.kind == "train" else Inference(task)


def make(threads: int) -> Contender:
    return Jax(threads)
