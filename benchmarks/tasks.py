"""What is measured, said in a way that every framework understands: networks as lists of nodes, kernels as shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Part: TypeAlias = Literal["forward", "input", "weight"]

ITEM_BYTES = 4
"""Everything is float32."""


@dataclass(frozen=True)
class Node:
    """One operation: conv2d, linear, relu, sigmoid, max_pool2d, batch_norm2d, average, flatten or add.

    `inputs` are places of nodes, 0 being the network's input. `shape` is the output's. Without `weight` and `bias`
    there is none. `prefix` names the batch normalisation whose running_mean and running_var this is.
    """

    op: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    weight: str | None = None
    bias: str | None = None
    prefix: str = ""
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    kernel: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Description:
    """A network with its initial numbers: channels first, weights as in chainrule and PyTorch."""

    name: str
    input_shape: tuple[int, ...]
    nodes: tuple[Node, ...]
    parameters: dict[str, Array]
    frozen: frozenset[str]
    loss: Literal["cross_entropy", "half_squared"]

    def shape(self, place: int) -> tuple[int, ...]:
        """The shape of a node's value; 0 is the input."""
        return self.nodes[place - 1].shape if place else self.input_shape

    def multiply_adds(self, training: bool) -> int:
        """Necessary multiply-adds for one sample, by weights alone, without those by the zeros of the padding.

        Forward, and in training as many again for the weight's gradient and for the input's gradient, which is not
        needed where nothing before it learns.
        """
        total = 0
        learns = [False]
        for node in self.nodes:
            below = any(learns[place] for place in node.inputs)
            trained = {node.weight, node.bias} - {None} - self.frozen
            learns.append(below or bool(trained))
            once = self._forward(node)
            total += once
            if training:
                total += once * (int(node.weight in trained) + int(below))
        return total

    def _forward(self, node: Node) -> int:
        if node.op == "linear":
            return int(self.parameters[str(node.weight)].size)
        if node.op != "conv2d":
            return 0
        out, per_group = self.parameters[str(node.weight)].shape[:2]
        source = self.shape(node.inputs[0])
        taps = [
            taps_inside(source[1 + k], node.shape[1 + k], node.kernel[k], node.stride[k], node.padding[k])
            for k in (0, 1)
        ]
        return int(out * per_group * taps[0] * taps[1])


def taps_inside(size: int, out: int, kernel: int, stride: int, padding: int) -> int:
    """How many taps of all windows along one axis lie on the map, not on its padding."""
    return sum(0 <= p * stride - padding + i < size for p in range(out) for i in range(kernel))


@dataclass(frozen=True)
class NetworkTask:
    """Train or run a network on batches that were made before the clock starts."""

    kind: Literal["train", "infer"]
    network: Description
    batch: int
    batches: int
    learning_rate: float = 0.01
    momentum: float = 0.9
    data: tuple[Array, Array] | None = None
    """One sample and its target, repeated; random samples without."""

    def samples(self) -> tuple[Array, Array]:
        """(x, targets) of all batches: random images of the range 0 .. 1 with random classes, always the same ones."""
        count = self.batch * self.batches
        if self.data is not None:
            return tuple(np.repeat(part[None], count, axis=0) for part in self.data)  # type: ignore[return-value]
        rng = np.random.default_rng(2024)
        x = rng.random((count, *self.network.input_shape), np.float32)
        return x, rng.integers(0, self.network.nodes[-1].shape[0], count)

    @property
    def flops(self) -> int:
        """Necessary floating-point operations of one step."""
        return 2 * self.batch * self.network.multiply_adds(self.kind == "train")


@dataclass(frozen=True)
class KernelTask:
    """One kernel on its own: layer "conv" (kernel x kernel, padding kernel // 2 or 0), "dense" or "max pool 2".

    part "forward"; "input" and "weight" are the gradients. For dense and pooling `size` is the side of the map, or 1.
    """

    layer: Literal["conv", "dense", "max pool 2"]
    part: Part
    inputs: int
    outputs: int
    size: int = 1
    kernel: int = 1
    padding: int = 0
    batch: int = 64
    kind: Literal["kernel"] = field(default="kernel", init=False)

    @property
    def out_size(self) -> int:
        """Side of the output map."""
        return self.size // 2 if self.layer == "max pool 2" else self.size + 2 * self.padding - self.kernel + 1

    @property
    def flops(self) -> int:
        """Necessary floating-point operations of one call; 0 for pooling."""
        if self.layer == "max pool 2":
            return 0
        taps = taps_inside(self.size, self.out_size, self.kernel, 1, self.padding)
        return 2 * self.batch * self.inputs * self.outputs * taps * taps

    @property
    def bytes_moved(self) -> int:
        """Of input and output, each once."""
        numbers = self.inputs * self.size**2 + self.outputs * self.out_size**2
        return ITEM_BYTES * self.batch * numbers


Task: TypeAlias = NetworkTask | KernelTask
