"""What is to be computed, and which steps of the graph become one, before anything is lowered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from chainrule.graph import Graph, Step
from chainrule.layers import BatchNorm1d, BatchNorm2d, Layer, MaxPool2d, ReLU
from chainrule.walk import gradients_wanted

Mode = Literal["inference", "gradients", "trace", "train"]


@dataclass(frozen=True)
class Task:
    """A graph, what is wanted of it, and the kernels that will do it."""

    graph: Graph
    mode: Mode
    training: bool
    small: bool
    lanes: int
    number_bytes: int
    channel_vector: int
    registers: int

    @property
    def backward(self) -> bool:
        """Whether gradients are wanted."""
        return self.mode != "inference"

    @property
    def optimizing(self) -> bool:
        """Whether steps may become one: not in a trace, which shows each of them."""
        return self.mode != "trace"

    def trains(self, step: Step, name: str) -> bool:
        """Whether the gradient of a parameter is wanted."""
        return self.mode != "train" or f"{step.layer_name}.{name}" not in self.graph.frozen

    @cached_property
    def needed(self) -> list[bool]:
        """Whether dL/d(node) is wanted, for every node."""
        return gradients_wanted(self.graph, self.trains, dx=self.mode in ("gradients", "trace"))

    @cached_property
    def readers(self) -> list[list[Step]]:
        """The steps that read each node, each as often as it does."""
        found: list[list[Step]] = [[] for _ in self.graph.names]
        for step in self.graph.steps:
            for source in step.inputs:
                found[source].append(step)
        return found

    def only_reader(self, step: Step) -> Step | None:
        """The one step that reads another's value, which is not the network's output."""
        readers = self.readers[step.index]
        return readers[0] if len(readers) == 1 and step.index != len(self.graph.names) - 1 else None

    def used_once(self, step: Step) -> bool:
        """Whether this is the layer's only use."""
        return sum(other.layer_name == step.layer_name for other in self.graph.steps) == 1

    def is_identity(self, step: Step) -> bool:
        """Whether a step only renames its input's values."""
        return step.layer.is_identity(self.training)


@dataclass(frozen=True)
class Traits:
    """What fusion asks about a layer class.

    `keeps_output`: its backward pass reads its output. `overwrites`: it may write its output over its input.
    `takes_pairs`: whether it can give the maxima of pairs of rows and columns in place of its outputs.
    `takes_norm`: whether its weights can take the batch normalisation behind it into them.
    """

    keeps_output: bool = False
    overwrites: bool = False
    takes_pairs: Callable[[Task, Step], bool] = field(default=lambda _task, _step: False)
    takes_norm: Callable[[Task, Step], bool] = field(default=lambda _task, _step: False)


@dataclass(frozen=True)
class Group:
    """Steps that one rule lowers together: that of `step`, and what else becomes part of it.

    `norm`: batch normalisation of the output by running statistics, first of all. `relu`: a ReLU of the output, last of
    all. `pool`: only the maxima of pairs of rows and columns are wanted. `in_place`: the output may be written over the
    input.
    """

    step: Step
    steps: tuple[Step, ...]
    norm: Step | None = None
    relu: Step | None = None
    pool: Step | None = None
    in_place: bool = False

    @property
    def first(self) -> Step:
        """The step that reads the group's inputs."""
        return self.steps[0]

    @property
    def last(self) -> Step:
        """The step whose value is the group's."""
        return self.steps[-1]


def fused(task: Task, traits: dict[type[Layer], Traits]) -> list[Group]:
    """Every step in one group, in the order of their first steps."""
    groups: list[Group] = []
    taken: set[int] = set()
    makers: dict[int, Group] = {}
    for step in task.graph.steps:
        if step.index in taken:
            continue
        group = _group_of(task, step, traits)
        if _in_place(task, group, traits, makers):
            group = Group(step, (step,), in_place=True)
        groups.append(group)
        taken |= {own.index for own in group.steps}
        makers[group.last.index] = group
    return groups


def _group_of(task: Task, step: Step, traits: dict[type[Layer], Traits]) -> Group:
    if task.optimizing and not task.is_identity(step):
        if type(step.layer) is ReLU and (pool := _max_pool_after(task, step)) is not None:
            return Group(pool, (step, pool), relu=step)
        own = traits[type(step.layer)]
        norm = _reader_of_type(task, step, BatchNorm1d, BatchNorm2d) if own.takes_norm(task, step) else None
        norm = norm if norm is not None and task.used_once(norm) else None
        relu = _reader_of_type(task, norm or step, ReLU)
        pool = _max_pool_after(task, relu or norm or step)
        if pool is not None and _by_pairs(pool) and own.takes_pairs(task, step):
            return Group(step, tuple(one for one in (step, norm, relu, pool) if one is not None), norm, relu, pool)
        if norm is not None:
            return Group(step, (step, norm), norm)
    return Group(step, (step,))


def _reader_of_type(task: Task, step: Step, *types: type[Layer]) -> Step | None:
    reader = task.only_reader(step)
    return reader if reader is not None and type(reader.layer) in types else None


def _max_pool_after(task: Task, step: Step) -> Step | None:
    """The max pooling that alone reads a step. Behind a ReLU both orders give the same numbers and the same gradients:
    the maximum of max(0, x) is max(0, maximum of x), and where that is not positive nothing flows back in either."""
    return _reader_of_type(task, step, MaxPool2d)


def _by_pairs(pool: Step) -> bool:
    layer = pool.layer
    assert isinstance(layer, MaxPool2d)
    return layer.kernel_size == layer.stride == (2, 2) and not any(layer.padding)


def _in_place(task: Task, group: Group, traits: dict[type[Layer], Traits], makers: dict[int, Group]) -> bool:
    """Whether a group is an elementwise step that alone reads a value which nobody needs afterwards."""
    if not task.optimizing or task.is_identity(group.step) or not traits[type(group.step.layer)].overwrites:
        return False
    owner, uses = group.first.inputs[0], len(task.readers[group.first.inputs[0]])
    while owner and uses == 1 and task.is_identity(task.graph.steps[owner - 1]):
        owner = task.graph.steps[owner - 1].inputs[0]
        uses = len(task.readers[owner])
    if owner == 0 or uses != 1:
        return False
    maker = makers[owner]
    keeps = maker.relu is not None or maker.pool is not None or traits[type(maker.step.layer)].keeps_output
    return not (task.backward and keeps)
