"""PyTorch, operation by operation: modules, torch.optim.SGD (fused), batches that are tensors already."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (as everyone calls it)

from benchmarks.rivals import Contender, Job
from benchmarks.tasks import Array, Description, KernelTask, NetworkTask, Node


class SharedBias(nn.Linear):
    """A dense layer with one bias for all its outputs."""

    def forward(self, x: Any) -> Any:
        return F.linear(x, self.weight) + self.bias


class Sum(nn.Module):
    """a + b."""

    def forward(self, a: Any, b: Any) -> Any:
        return a + b


def module_of(node: Node, parameters: dict[str, Array]) -> nn.Module:
    """The module of a node, with its initial numbers."""
    weight = parameters.get(node.weight or "")
    bias = parameters.get(node.bias or "")
    made: nn.Module
    if node.op == "conv2d":
        assert weight is not None
        made = nn.Conv2d(
            weight.shape[1], weight.shape[0], node.kernel, node.stride, node.padding, bias=bias is not None
        )
    elif node.op == "linear":
        assert weight is not None
        shared = bias is not None and bias.size != weight.shape[0]
        made = (SharedBias if shared else nn.Linear)(weight.shape[1], weight.shape[0], bias=bias is not None)
        if shared:
            made.bias = nn.Parameter(torch.empty(1))
    elif node.op == "batch_norm2d":
        made = nn.BatchNorm2d(node.shape[0])
    else:
        made = {
            "relu": nn.ReLU,
            "sigmoid": nn.Sigmoid,
            "flatten": nn.Flatten,
            "add": Sum,
            "average": lambda: nn.AdaptiveAvgPool2d(1),
            "max_pool2d": lambda: nn.MaxPool2d(node.kernel, node.stride, node.padding),
        }[node.op]()
    with torch.no_grad():
        if weight is not None:
            made.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            made.bias.copy_(torch.from_numpy(bias))
    return made


class Net(nn.Module):
    """Any description."""

    def __init__(self, description: Description) -> None:
        super().__init__()
        self.layers = nn.ModuleList(module_of(node, description.parameters) for node in description.nodes)
        self.sources = [node.inputs for node in description.nodes]
        self.is_chain = all(source == (place,) for place, source in enumerate(self.sources))
        self.names: dict[str, nn.Parameter] = {}
        for node, layer in zip(description.nodes, self.layers, strict=True):
            for name, parameter in ((node.weight, "weight"), (node.bias, "bias")):
                if name is not None:
                    self.names[name] = getattr(layer, parameter)
                    getattr(layer, parameter).requires_grad_(name not in description.frozen)

    def forward(self, x: Any) -> Any:
        if self.is_chain:
            for layer in self.layers:
                x = layer(x)
            return x
        values = [x]
        for layer, sources in zip(self.layers, self.sources, strict=True):
            values.append(layer(*[values[source] for source in sources]))
        return values[-1]


def half_squared(outputs: Any, targets: Any) -> Any:
    """Half the squared error of a sample, averaged over samples."""
    return 0.5 * (outputs - targets).square().sum(1).mean()


LOSSES: dict[str, Callable[[Any, Any], Any]] = {"cross_entropy": F.cross_entropy, "half_squared": half_squared}


def batches(task: NetworkTask, layout: Any) -> list[tuple[Any, Any]]:
    """The task's batches as tensors."""
    x, targets = (torch.from_numpy(part) for part in task.samples())
    if x.ndim == 4:
        x = x.contiguous(memory_format=layout)
    return list(zip(x.split(task.batch), targets.split(task.batch), strict=True))


class Training:
    """A plain training loop."""

    def __init__(self, task: NetworkTask, layout: Any, compiled: bool) -> None:
        self.net = Net(task.network).train().to(memory_format=layout)
        self.batches = batches(task, layout)
        learning = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(learning, lr=task.learning_rate, momentum=task.momentum, fused=True)
        loss = LOSSES[task.network.loss]

        def loss_of(x: Any, targets: Any) -> Any:
            return loss(self.net(x), targets)

        self.loss_of = torch.compile(loss_of, dynamic=False) if compiled else loss_of
        self.around = cycle(self.batches)

    def run(self, steps: int) -> int:
        for _ in range(steps):
            x, targets = next(self.around)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss_of(x, targets).backward()
            self.optimizer.step()
        return steps

    def first(self) -> dict[str, Array]:
        self.run(2)
        return {name: p.detach().numpy().copy() for name, p in self.net.names.items()}


class Inference:
    """Outputs in inference mode."""

    def __init__(self, task: NetworkTask, layout: Any, compiled: bool) -> None:
        net = Net(task.network).eval().to(memory_format=layout)
        self.net = torch.compile(net, dynamic=False) if compiled else net
        self.batches = batches(task, layout)
        self.around = cycle(self.batches)

    def run(self, steps: int) -> int:
        with torch.inference_mode():
            for _ in range(steps):
                self.net(next(self.around)[0])
        return steps

    def first(self) -> dict[str, Array]:
        with torch.inference_mode():
            return {"outputs": self.net(self.batches[0][0]).numpy()}


def network_job(task: NetworkTask, layout: Any, compiled: bool) -> Job:
    """Training or inference."""
    return (Training if task.kind == "train" else Inference)(task, layout, compiled)


def faster(make: Callable[[Any], Any], layouts: Sequence[Any]) -> Any:
    """Of the memory layouts the one in which a few steps take the least time."""

    def seconds(layout: Any) -> float:
        job = make(layout)
        job.run(1)
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            job.run(1)
            times.append(time.perf_counter() - begin)
        return min(times)

    return min(layouts, key=seconds)


class Kernel:
    """One call of an operation."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call

    def run(self, steps: int) -> int:
        with torch.inference_mode():
            for _ in range(steps):
                self.call()
        return steps

    def first(self) -> dict[str, Array]:
        return {}


def kernel_call(task: KernelTask, layout: Any) -> Callable[[], Any]:
    """Forward or gradient of one layer, called without autograd."""
    shape = (task.batch, task.inputs) if task.layer == "dense" else (task.batch, task.inputs, task.size, task.size)
    x = torch.rand(shape)
    if task.layer == "dense":
        w, dy = torch.rand(task.outputs, task.inputs), torch.rand(task.batch, task.outputs)
        return {"forward": lambda: F.linear(x, w), "input": lambda: dy @ w, "weight": lambda: dy.T @ x}[task.part]
    x = x.contiguous(memory_format=layout)
    dy = torch.rand(task.batch, task.outputs, task.out_size, task.out_size).contiguous(memory_format=layout)
    if task.layer == "max pool 2":
        taken = F.max_pool2d(x, 2, return_indices=True)[1]
        backward = torch.ops.aten.max_pool2d_with_indices_backward
        if task.part == "forward":
            return lambda: F.max_pool2d(x, 2)
        return lambda: backward(dy, x, [2, 2], [2, 2], [0, 0], [1, 1], False, taken)
    w = torch.rand(task.outputs, task.inputs, task.kernel, task.kernel).contiguous(memory_format=layout)
    padding = [task.padding] * 2
    if task.part == "forward":
        return lambda: F.conv2d(x, w, padding=task.padding)
    mask = [task.part == "input", task.part == "weight", False]
    gradients = torch.ops.aten.convolution_backward
    return lambda: gradients(dy, x, w, [0], [1, 1], padding, [1, 1], False, [0, 0], 1, mask)


class Torch(Contender):
    """Eager or compiled."""

    def __init__(self, threads: int, compiled: bool) -> None:
        super().__init__(threads)
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.compiled = compiled

    def version(self) -> str:
        return str(torch.__version__)

    def network(self, task: NetworkTask) -> Job:
        layouts = [torch.contiguous_format]
        if len(task.network.input_shape) == 3 and not self.compiled and task.network.input_shape[0] > 1:
            layouts.append(torch.channels_last)
        best = faster(lambda layout: network_job(task, layout, False), layouts) if len(layouts) > 1 else layouts[0]
        return network_job(task, best, self.compiled)

    def kernel(self, task: KernelTask) -> Job:
        if self.compiled:
            raise NotImplementedError("a single kernel has nothing to compile")
        layouts = [torch.contiguous_format, torch.channels_last]
        best = faster(lambda layout: Kernel(kernel_call(task, layout)), layouts)
        return Kernel(kernel_call(task, best))


def make(threads: int) -> Contender:
    return Torch(threads, compiled=False)
