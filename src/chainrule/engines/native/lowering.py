"""Lowering: a graph becomes a program. What each layer becomes is in `layer_rules`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from chainrule.engines.native.program import Program, Slot
from chainrule.graph import Graph, Step
from chainrule.layers import Flatten, Identity, Layer, MaxPool2d, ReLU
from chainrule.layers.dropout import Dropout
from chainrule.losses import BCEWithLogitsLoss, CrossEntropyLoss, HalfSquaredErrorLoss, Loss, MAPLoss, MSELoss
from chainrule.shapes import product

Mode = Literal["inference", "gradients", "trace", "train"]
NOWHERE = [0, 0]

Rule = Callable[["Lowering", Step], None]


@dataclass(frozen=True)
class Rules:
    """How one layer class is lowered: its forward and backward operations."""

    forward: Rule
    backward: Rule


@dataclass
class Contribution:
    """A gradient that flows back into a node; `exclusive` if nobody else reads the slot."""

    slot: Slot
    exclusive: bool


@dataclass
class Lowering:
    """The state of lowering one graph for one mode and geometry."""

    graph: Graph
    program: Program
    rules: dict[type[Layer], Rules]
    mode: Mode
    training: bool
    loss: Loss | None
    guesses: bool
    small: bool
    channel_vector: int
    registers: int
    values: list[Slot] = field(default_factory=list)
    contributions: dict[int, list[Contribution]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    raw: dict[str, int] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)
    zeroed: list[int] = field(default_factory=list)
    finishes: list[dict[str, Any]] = field(default_factory=list)
    packs: list[dict[str, Any]] = field(default_factory=list)
    exports: list[tuple[str, str]] = field(default_factory=list)

    # --- what rules ask for ------------------------------------------------------------------------------------

    @property
    def backward(self) -> bool:
        """Whether gradients are wanted."""
        return self.mode != "inference"

    @property
    def optimizing(self) -> bool:
        """Whether values may be overwritten in place: not in a trace, which shows each of them."""
        return self.mode != "trace"

    def x(self, step: Step, which: int = 0) -> Slot:
        """Value of an input of a step."""
        return self.values[step.inputs[which]]

    def y(self, step: Step) -> Slot:
        """Value of a step."""
        return self.values[step.index]

    def new_value(self, step: Step, *, locked: bool = False) -> Slot:
        """A slot for the value of a step; `locked` if backward reads it."""
        made = self.program.slot(step.name, step.shape, locked=locked and self.backward)
        self.values.append(made)
        return made

    def alias_value(self, step: Step) -> None:
        """The step's value is its input's."""
        self.values.append(self.x(step))

    def trains(self, step: Step, name: str) -> bool:
        """Whether the gradient of a parameter is wanted."""
        return self.mode != "train" or f"{step.layer_name}.{name}" not in self.graph.frozen

    def parameter(self, step: Step, name: str) -> int | None:
        """Offset of a parameter or buffer in the natural memory; None if the layer has none of that name."""
        return self.offsets.get(f"{step.layer_name}.{name}")

    def needs(self, node: int) -> bool:
        """Whether dL/d(node) is wanted."""
        if node == 0:
            return self.mode in ("gradients", "trace")
        step = self.graph.steps[node - 1]
        key = ("needs", node)
        if key not in self.memory:
            own = any(self.trains(step, name) for name in step.layer.parameter_shapes(*step.input_shapes))
            self.memory[key] = own or any(self.needs(source) for source in step.inputs)
        return bool(self.memory[key])

    def uses(self, node: int) -> int:
        """How many operations read the value of a node, through aliases."""
        count = int(node == len(self.graph.names) - 1)
        for step in self.graph.steps:
            times = step.inputs.count(node)
            if times:
                count += times * (self.uses(step.index) if is_alias(step, self.training) else 1)
        return count

    def in_place(self, step: Step) -> bool:
        """Whether an elementwise step may overwrite its input's value."""
        source = self.x(step)
        owner = step.inputs[0]
        while owner and is_alias(self.graph.steps[owner - 1], self.training):
            owner = self.graph.steps[owner - 1].inputs[0]
        return self.optimizing and not source.locked and owner != 0 and self.uses(owner) == 1

    def gradient(self, step: Step) -> Contribution:
        """dL/d(step): the one contribution, or the sum of all."""
        return self._collect(step.index, step.name)

    def _collect(self, node: int, name: str) -> Contribution:
        parts = self.contributions.pop(node)
        if len(parts) > 1:
            total = self.program.slot(f"d {name}", parts[0].slot.elements)
            self.program.emit(
                "sum",
                f"d {name}",
                y=total,
                sources=[part.slot for part in parts],
                elements=[part.slot.elements for part in parts],
                count=len(parts),
            )
            parts = [Contribution(total, True)]
        if self.mode == "trace":
            self._export("gradient", name, parts[0].slot)
            parts[0].exclusive = False
        return parts[0]

    def new_gradient(self, step: Step, which: int = 0) -> Slot:
        """A slot for the gradient that flows to an input of a step, entered as a contribution."""
        source = step.inputs[which]
        made = self.program.slot(f"d {self.graph.names[source]} from {step.name}", product(self.graph.shapes[source]))
        self.contribute(step, which, made, True)
        return made

    def contribute(self, step: Step, which: int, slot: Slot, exclusive: bool) -> None:
        """Enter a slot as gradient that flows to an input of a step."""
        self.contributions.setdefault(step.inputs[which], []).append(Contribution(slot, exclusive))

    def raw_gradient(self, step: Step, name: str, numbers: int, **finish: Any) -> int:
        """Raw memory for a parameter's gradient that begins at zero in every step."""
        offset, first = self.starting_gradient(step, name, numbers, **finish)
        if first:
            self.zeroed += [offset, offset + numbers]
        return offset

    def starting_gradient(self, step: Step, name: str, numbers: int, **finish: Any) -> tuple[int, bool]:
        """Raw memory for a parameter's gradient, shared by all uses of the layer; `finish` says how it ends.

        Also whether this use is the first, whose operation has to begin it.
        """
        full = f"{step.layer_name}.{name}"
        first = full not in self.raw
        if first:
            self.raw[full] = self.program.take("raw", numbers)
            defaults = {"taps_rows": 1, "taps_columns": 1, "padded_in": 0, "flip": False, "mask": [],
                        "points": 0, "point_rows": 0, "xt": NOWHERE, "dy": NOWHERE}  # fmt: skip
            self.finishes.append({**defaults, **finish, "raw": self.raw[full], "natural": self.offsets[full]})
        return self.raw[full], first

    def packed(self, key: tuple[Any, ...], numbers: int, **pack: Any) -> int:
        """A packed copy of a weight, made once for all uses; offset in the parameter memory."""
        if key not in self.memory:
            offset = self.natural_size + self.program.take("packed", numbers)
            self.memory[key] = offset
            defaults = {"groups": 1, "out": 1, "in": 1, "taps": 1, "backward": False, "flip": False, "mask": [],
                        "copies": 0, "points": 0, "point_taps": 0, "in_registers": False}  # fmt: skip
            self.packs.append({**defaults, **pack, "packed": offset})
        return int(self.memory[key])

    @property
    def natural_size(self) -> int:
        """Where packed copies begin: after parameters and buffers, aligned."""
        total = self.graph.parameters.flat.size + self.graph.buffers.flat.size
        return -(-total // 64) * 64

    # --- the whole program -------------------------------------------------------------------------------------

    def lower(self) -> None:
        """Emit everything."""
        graph, program = self.graph, self.program
        for name, part in graph.parameters.slices().items():
            self.offsets[name] = part.start
        for name, part in graph.buffers.slices().items():
            self.offsets[name] = graph.parameters.flat.size + part.start
        first = program.slot("input", graph.input_shape)
        self.values.append(first)
        program.emit("gather", "input", x=first, elements=first.elements)
        for step in graph.steps if self.backward else ():
            self.needs(step.index)  # in this order each answer is known to the next, however deep the network
        self._export_value("input", 0)
        for step in graph.steps:
            if is_alias(step, self.training):
                self.alias_value(step)
            else:
                self.rules[type(step.layer)].forward(self, step)
            self._export_value(step.name, step.index)
        if self.mode in ("inference", "gradients"):
            self._export("value", "output", self.values[-1])
        if self.backward:
            self._loss()
            for step in reversed(graph.steps):
                if self.needs(step.index):
                    self._backward_step(step)
            if self.needs(0):
                slot = self._collect(0, "input").slot
                if self.mode == "gradients":
                    self._export("gradient", "input", slot)

    def _backward_step(self, step: Step) -> None:
        if is_alias(step, self.training):
            flowing = self.gradient(step)
            self.contribute(step, 0, flowing.slot, flowing.exclusive)
        else:
            self.rules[type(step.layer)].backward(self, step)

    def _export_value(self, name: str, node: int) -> None:
        if self.mode == "trace":
            self._export("value", name, self.values[node])

    def _export(self, kind: str, name: str, slot: Slot) -> None:
        self.program.emit("scatter", f"{kind} of {name}", x=slot, elements=slot.elements, target=len(self.exports))
        self.exports.append((kind, name))

    def _loss(self) -> None:
        loss, outputs = self.loss, self.values[-1]
        assert loss is not None
        classes, places = outputs.elements, 1
        if isinstance(loss, CrossEntropyLoss | MAPLoss) or self.guesses:
            classes = self.graph.output_shape[0]
            places = outputs.elements // classes
        flowing = self.program.slot(f"d {self.graph.names[-1]}", outputs.elements)
        self.program.emit(
            "loss",
            type(loss).__name__,
            x=outputs,
            dx=flowing,
            kind=self.memory["loss kind"],
            guess=guess_of(loss, classes) if self.guesses else 0,
            classes=classes,
            places=places,
            scale=1.0,
            rubbish=loss.rubbish if isinstance(loss, MAPLoss) else 0.0,
            gradient=True,
        )
        self.contributions[len(self.graph.names) - 1] = [Contribution(flowing, True)]


def is_alias(step: Step, training: bool) -> bool:
    """Whether a step only renames its input's values."""
    if isinstance(step.layer, Dropout):
        return not training
    return type(step.layer) in (Flatten, Identity)


def guess_of(loss: Loss, classes: int) -> int:
    """How a class is read off the outputs: 1 largest, 2 smallest, 3 sign."""
    if isinstance(loss, MAPLoss):
        return 2
    return 3 if isinstance(loss, BCEWithLogitsLoss) and classes == 1 else 1


LOSS_KINDS: dict[type[Loss], int] = {
    CrossEntropyLoss: 0,
    MSELoss: 2,
    HalfSquaredErrorLoss: 3,
    BCEWithLogitsLoss: 4,
    MAPLoss: 5,
}


def loss_divisor(loss: Loss, output_elements: int, classes: int) -> int:
    """What "mean" divides by for each sample; 0 for "sum"."""
    if loss.reduction == "sum":
        return 0
    if isinstance(loss, CrossEntropyLoss | MAPLoss):
        return output_elements // classes
    return 1 if isinstance(loss, HalfSquaredErrorLoss) else output_elements


def relu_after_pool(low: Lowering, step: Step) -> Step | None:
    """The max pooling behind a ReLU that only it reads. Both orders give the same numbers and the same gradients: the
    maximum of max(0, x) is max(0, maximum of x), and where the maximum is not positive nothing flows back in either."""
    reader = _only_reader(low, step)
    if low.optimizing and isinstance(step.layer, ReLU) and reader is not None and type(reader.layer) is MaxPool2d:
        return reader
    return None


def pool_of_pairs(low: Lowering, step: Step) -> Step | None:
    """The max pooling by two rows and two columns that alone reads a step, behind a ReLU or not."""
    reader = _only_reader(low, step)
    pool = relu_after_pool(low, reader) if reader is not None and isinstance(reader.layer, ReLU) else reader
    if not low.optimizing or pool is None or type(pool.layer) is not MaxPool2d:
        return None
    layer = pool.layer
    return pool if layer.kernel_size == layer.stride == (2, 2) and not any(layer.padding) else None


def _only_reader(low: Lowering, step: Step) -> Step | None:
    """The one step that reads the value of another, which is not the network's output."""
    readers = [other for other in low.graph.steps if step.index in other.inputs]
    return readers[0] if len(readers) == 1 and step.index != len(low.graph.names) - 1 else None
