"""PyTorch with torch.compile: forward, loss and backward are compiled for the batch's shape."""

from __future__ import annotations

from benchmarks.rivals import Contender
from benchmarks.rivals.torch_eager import Torch


def make(threads: int) -> Contender:
    return Torch(threads, compiled=True)
