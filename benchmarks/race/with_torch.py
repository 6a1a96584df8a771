"""The race in PyTorch: a plain loop over shuffled indices of tensors in memory, without a DataLoader."""

from __future__ import annotations

import gzip
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (as everyone calls it)

from benchmarks.recipe import BATCH, EPOCHS, GOAL, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, rate


def read(folder: Path, name: str, header: int) -> Any:
    """An IDX file of bytes, compressed or not."""
    plain = folder / name
    content = plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).copy())


def load(folder: Path, part: str) -> tuple[Any, Any]:
    """Images from 0 to 1, and classes."""
    images = read(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28).float() / 255
    return images, read(folder, f"{part}-labels-idx1-ubyte", 8).long()


def lenet5() -> nn.Module:
    """61,706 parameters, started as chainrule's."""
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    for layer in net:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


def accuracy(net: nn.Module, images: Any, labels: Any) -> float:
    """Part of the images whose class is right."""
    with torch.inference_mode():
        right = sum(
            int((net(x).argmax(1) == t).sum()) for x, t in zip(images.split(256), labels.split(256), strict=True)
        )
    return right / len(labels)


def main(folder: Path, seed: int) -> None:
    """Train and print."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(seed)
    images, labels = load(folder, "train")
    test_images, test_labels = load(folder, "t10k")
    net = lenet5()
    optimizer = torch.optim.SGD(
        net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True
    )
    last = EPOCHS * math.ceil(len(images) / BATCH) - 1
    step = 0
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.param_groups[0]["lr"] = rate(step / last)
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(net(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            step += 1
        reached = accuracy(net, test_images, test_labels)
        print(reached, flush=True)
        if reached >= GOAL:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
