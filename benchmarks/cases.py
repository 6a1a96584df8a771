"""All cases with a clock around steps or calls, in groups. Durations and sizes are in `footprint` and `accuracy`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.harness import Case
from benchmarks.networks import describe
from benchmarks.tasks import KernelTask, NetworkTask, Part

MOST_SAMPLES = 8192
"""Samples of 28x28 in memory; all contenders walk through the same ones."""


def training(network: str, batch: int, batches: int, learning_rate: float = 0.01) -> Case:
    """Steps of stochastic gradient descent with momentum."""
    task = NetworkTask("train", describe(network), batch, batches, learning_rate)
    return Case(f"{network} training, batch {batch}", task)


def inference(network: str, batch: int) -> Case:
    """Outputs for one batch."""
    task = NetworkTask("infer", describe(network), batch, max(1, min(64, 4096 // batch)))
    return Case(f"{network} inference, batch {batch}", task)


def lenet5() -> list[Case]:
    """The small network at every batch size."""
    sizes = (1, 16, 64, 256, 1024)
    steps = [training("lenet5", batch, min(1024, MOST_SAMPLES // batch)) for batch in sizes]
    return [*steps, inference("lenet5", 1), inference("lenet5", 256)]


def mlp() -> list[Case]:
    """784-256-128-10."""
    return [training("mlp", batch, MOST_SAMPLES // batch) for batch in (16, 64, 256)]


def cifar() -> list[Case]:
    """Middle-sized networks of 64 to 256 channels."""
    return [replace(training(name, 64, 2, 1e-3), repetitions=5) for name in ("vgg_like", "resnet_like")]


def two_two_two() -> list[Case]:
    """10,000 updates of the smallest network of all."""
    sample = np.array([0.05, 0.10], np.float32), np.array([0.01, 0.99], np.float32)
    task = NetworkTask("train", describe("two_two_two"), 1, 10_000, 0.5, 0.0, data=sample)
    return [Case("2-2-2 network, 10,000 updates", task, steps=10_000, unit="updates", repetitions=5)]


PARTS: tuple[Part, ...] = ("forward", "input", "weight")
WITHOUT_INPUT: tuple[Part, ...] = ("forward", "weight")
WITHOUT_WEIGHT: tuple[Part, ...] = ("forward", "input")


def kernels() -> list[Case]:
    """Single layers: LeNet-5's, then 3x3 convolutions of growing width, dense layers and pools."""
    tasks = [KernelTask("conv", part, 1, 6, 28, 5, 2) for part in WITHOUT_INPUT]
    tasks += [KernelTask("conv", part, 6, 16, 14, 5) for part in PARTS]
    for channels, size in ((16, 32), (32, 32), (64, 32), (128, 16), (256, 8)):
        tasks += [KernelTask("conv", part, channels, channels, size, 3, 1) for part in PARTS]
    for inputs, outputs in ((400, 120), (4096, 4096)):
        tasks += [KernelTask("dense", part, inputs, outputs) for part in PARTS]
    for channels, size in ((6, 28), (64, 32)):
        tasks += [KernelTask("max pool 2", part, channels, channels, size, 2) for part in WITHOUT_WEIGHT]
    return [Case(kernel_name(task), task, unit="calls", part=0.3) for task in tasks]


def kernel_name(task: KernelTask) -> str:
    """Such as "conv 6->16 5x5 on 14x14, forward"."""
    if task.layer == "dense":
        return f"dense {task.inputs}->{task.outputs}, {task.part}"
    window = f"{task.inputs}->{task.outputs} {task.kernel}x{task.kernel}" if task.layer == "conv" else f"{task.inputs}"
    return f"{task.layer} {window} on {task.size}x{task.size}, {task.part}"


GROUPS = {"lenet5": lenet5, "mlp": mlp, "cifar": cifar, "two_two_two": two_two_two, "kernels": kernels}
