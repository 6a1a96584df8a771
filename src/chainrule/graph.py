"""The graph of layers: nodes in an order in which each comes after its inputs, names, parameters and buffers.

A graph computes nothing itself; the engines walk it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from chainrule.errors import ArgumentError, NameLookupError, ShapeError
from chainrule.layers.base import Layer, Node, Origin, Scope, require_sample
from chainrule.layers.names import Layers, layer_names
from chainrule.memory import MemoryErrorsNamed, require_memory
from chainrule.parameters import Parameters
from chainrule.shapes import LARGEST, Shape, integer, product, shape_text

FEWER = "use smaller or fewer layers"


def Input(shape: Sequence[int] | int) -> Node:  # noqa: N802 (reads as a layer does)
    """Where a graph begins: the place of one sample of `shape`, such as (3, 32, 32)."""
    given: object = shape
    if isinstance(given, np.ndarray):
        given = given.tolist()
    extents = given if isinstance(given, Sequence) else (given,)
    sizes = tuple(integer("an extent of the input shape", extent, 1) for extent in extents)
    if not sizes:
        raise ArgumentError("the input shape must have at least one extent, such as (784,) or (1, 28, 28)")
    require_sample(sizes, "an input")
    return Node(None, (), sizes)


@dataclass(frozen=True)
class Step:
    """One use of a layer: the node it makes, and the earlier nodes that it takes."""

    index: int
    name: str
    layer: Layer
    layer_name: str
    inputs: tuple[int, ...]
    shape: Shape
    input_shapes: tuple[Shape, ...]


class Graph:
    """A directed acyclic graph of layers with one input and one output.

    A layer may be used at several places; it then has one set of parameters, and its second place is "conv1@2".
    A graph can be a part of another, which begins with copies of its values: `placed`.
    """

    given_name: str | None = None
    """What it is called where it is a part of another; None where it is numbered: "block1"."""

    def __init__(self, input: Node, output: Node, *, seed: int = 0) -> None:
        self.seed = integer("seed", seed, 0)
        nodes = _in_order(input, output)
        self.input_shape = input.shape
        self.output_shape = output.shape
        self.steps: tuple[Step, ...] = tuple(self._name_steps(nodes))
        self._layers = Layers({step.layer_name: step.layer for step in self.steps})
        self.names: tuple[str, ...] = ("input", *(step.name for step in self.steps))
        self.shapes: tuple[Shape, ...] = (input.shape, *(step.shape for step in self.steps))
        with MemoryErrorsNamed("the network", FEWER):
            self._initialize()
        self._take_values_of_origins(nodes[1:])

    def _name_steps(self, nodes: list[Node]) -> list[Step]:
        """Layers are named at their first use."""
        places = {id(node): index for index, node in enumerate(nodes)}
        names = layer_names(nodes[1:])
        uses: dict[str, int] = {}
        steps = []
        for index, node in enumerate(nodes[1:], start=1):
            layer = node.layer
            assert layer is not None
            name = names[id(layer)]
            uses[name] = uses.get(name, 0) + 1
            shapes = tuple(parent.shape for parent in node.inputs)
            steps.append(
                Step(
                    index=index,
                    name=name if uses[name] == 1 else f"{name}@{uses[name]}",
                    layer=layer,
                    layer_name=name,
                    inputs=tuple(places[id(parent)] for parent in node.inputs),
                    shape=node.shape,
                    input_shapes=shapes,
                )
            )
        return steps

    def _initialize(self) -> None:
        """Draw initial values: each layer from a generator of its own, keyed by (seed, its number)."""
        parameter_shapes: dict[str, Shape] = {}
        buffer_shapes: dict[str, Shape] = {}
        first_uses: dict[str, Step] = {}
        for step in self.steps:
            shapes = step.layer.parameter_shapes(*step.input_shapes)
            first = first_uses.setdefault(step.layer_name, step)
            if step is not first and shapes != first.layer.parameter_shapes(*first.input_shapes):
                raise ShapeError(
                    f"{step.name}: {step.layer!r} is shared, but needs other parameters here ({shapes}) than at "
                    f"{first.name}"
                )
        for name, step in first_uses.items():
            for own, shape in step.layer.parameter_shapes(*step.input_shapes).items():
                require_parameters(f"{name}.{own} of {step.layer!r}", shape)
                parameter_shapes[f"{name}.{own}"] = shape
            for own, shape in step.layer.buffer_shapes(*step.input_shapes).items():
                buffer_shapes[f"{name}.{own}"] = shape
        _require_all(parameter_shapes, buffer_shapes)
        self._parameters = Parameters(parameter_shapes)
        self._buffers = Parameters(buffer_shapes)
        self.frozen: set[str] = set()
        for number, (name, step) in enumerate(first_uses.items()):
            rng = np.random.default_rng([self.seed, number])
            for own, value in step.layer.initialize(rng, *step.input_shapes).items():
                (self.parameters if f"{name}.{own}" in parameter_shapes else self.buffers)[f"{name}.{own}"] = value
            self.frozen.update(f"{name}.{own}" for own in step.layer.frozen)

    def _take_values_of_origins(self, nodes: list[Node]) -> None:
        """Layers of networks that became blocks begin with the values that they had, frozen as they were."""
        for step, node in zip(self.steps, nodes, strict=True):
            if node.origin is None or node.origin.graph is None or step.name != step.layer_name:
                continue
            before: Graph = node.origin.graph
            for old, new in ((before.parameters, self.parameters), (before.buffers, self.buffers)):
                for own, value in old.of(node.origin.name).items():
                    new[f"{step.layer_name}.{own}"] = value
            for own in before.parameters.of(node.origin.name):
                frozen = f"{node.origin.name}.{own}" in before.frozen
                (self.frozen.add if frozen else self.frozen.discard)(f"{step.layer_name}.{own}")

    def placed(self, node: Node, scope: Scope) -> Node:
        """All its layers applied to a node of another graph, which begins with copies of their values."""
        if node.shape != self.input_shape:
            raise ShapeError(f"takes inputs of {shape_text(self.input_shape)}, not of {shape_text(node.shape)}")
        nodes = [node]
        for step in self.steps:
            inputs = tuple(nodes[index] for index in step.inputs)
            nodes.append(Node(step.layer, inputs, scope=(*scope, self), origin=Origin(step.layer_name, self)))
        return nodes[-1]

    @property
    def layers(self) -> Layers:
        """The layers by name, in the order of their first use; a mapping to read."""
        return self._layers

    # --- values ------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> Parameters:
        """What is learned, by name; assigning a mapping of the same names copies its values in."""
        return self._parameters

    @parameters.setter
    def parameters(self, values: Mapping[str, ArrayLike]) -> None:
        self._parameters.take(values)

    @property
    def buffers(self) -> Parameters:
        """What is kept and saved but not learned by gradient, such as running means; assigned as `parameters` are."""
        return self._buffers

    @buffers.setter
    def buffers(self, values: Mapping[str, ArrayLike]) -> None:
        self._buffers.take(values)

    def with_values(self, parameters: Parameters, buffers: Parameters) -> Self:
        """The same layers around other values, which are taken over, not copied."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._parameters, made._buffers, made.frozen = parameters, buffers, set(self.frozen)
        return made

    def __copy__(self) -> Self:
        """A graph with parameters, buffers and frozen names of its own; layers, which hold no values, are shared."""
        return self.with_values(copy(self.parameters), copy(self.buffers))

    # --- which parameters train --------------------------------------------------------------------------------

    def _matching(self, patterns: tuple[str, ...]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            names = set(fnmatch.filter(self.parameters, pattern))
            if not names:
                raise NameLookupError("parameter", pattern, self.parameters)
            found |= names
        return found

    def freeze(self, *patterns: str) -> None:
        """Keep parameters as they are in training: `net.freeze("*.bias")`. Gradients are still computed."""
        self.frozen |= self._matching(patterns)

    def unfreeze(self, *patterns: str) -> None:
        """Train parameters that were frozen."""
        self.frozen -= self._matching(patterns)

    @property
    def parameter_count(self) -> int:
        """Trainable numbers."""
        return sum(count for name, count in self.parameter_counts().items() if name not in self.frozen)

    def parameter_counts(self) -> dict[str, int]:
        """Free numbers of each parameter; absent links of a connection table are not counted."""
        counts: dict[str, int] = {}
        for step in self.steps:
            for own, count in step.layer.parameter_counts(*step.input_shapes).items():
                counts[f"{step.layer_name}.{own}"] = count
        return counts

    def index_of(self, name: str) -> int:
        """Position of a node by name; "input" is 0."""
        try:
            return self.names.index(name)
        except ValueError:
            raise NameLookupError("node", name, self.names) from None

    @property
    def is_chain(self) -> bool:
        """Whether each node takes only the one before it and each layer is used once."""
        return len(self.layers) == len(self.steps) and all(s.inputs == (s.index - 1,) for s in self.steps)

    @property
    def value_count(self) -> int:
        """How many numbers the nodes hold for one sample."""
        return sum(product(shape) for shape in self.shapes)


def require_parameters(what: str, shape: Shape) -> None:
    """Refuse an array of parameters that no index reaches or no memory holds, twice: it is drawn, then put in place."""
    count = product(shape)
    subject = f"{what}, {shape_text(shape)} = {count:,} numbers in float64,"
    require_memory(16 * count, subject, FEWER, ShapeError)
    if count > LARGEST:
        raise ShapeError(f"{what} would hold {shape_text(shape)} numbers; at most {LARGEST} fit")


def _require_all(*arrays: Mapping[str, Shape]) -> None:
    """Refuse a network whose arrays fit one by one, but not together."""
    counts = {name: product(shape) for shapes in arrays for name, shape in shapes.items()}
    total = sum(counts.values())

    def what() -> str:
        largest = max(counts, key=counts.__getitem__)
        return f"a network of {total:,} parameters in float64, of which {largest} has {counts[largest]:,},"

    require_memory(8 * total, what, FEWER, ShapeError)


def _in_order(input: Node, output: Node) -> list[Node]:
    """All nodes between input and output, each after its inputs, else in the order in which the output needs them."""
    for what, node in (("input", input), ("output", output)):
        if not isinstance(node, Node):
            raise ArgumentError(f"the {what} of a network must be a node of a graph, not {type(node).__name__}")
    if input.layer is not None:
        raise ArgumentError("the first argument of Network must be what Input(shape) returned")
    order: list[Node] = [input]
    seen = {id(input)}
    stack: list[tuple[Node, int]] = [(output, 0)]
    while stack:
        node, done = stack.pop()
        if id(node) in seen:
            continue
        if node.layer is None:
            raise ArgumentError(f"the output depends on a second Input of shape {node.shape}; a network has one")
        if done < len(node.inputs):
            stack.append((node, done + 1))
            stack.append((node.inputs[done], 0))
        else:
            seen.add(id(node))
            order.append(node)
    return order
