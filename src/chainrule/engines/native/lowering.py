"""Lowering: the groups of a graph become a program. What each layer becomes is in `rules`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chainrule.engines.native import core
from chainrule.engines.native.fusion import Group, Task, Traits, fused
from chainrule.engines.native.program import Program
from chainrule.engines.native.records import steps
from chainrule.engines.native.records.elementwise import Gather, Scatter, Sum
from chainrule.engines.native.slots import Slot
from chainrule.graph import Step
from chainrule.layers import Layer
from chainrule.shapes import product

Backward = Callable[[], None]
Rule = Callable[["Lowering", Group], Backward]
"""Emits the forward operations of a group, and returns what emits its backward operations."""


@dataclass(frozen=True)
class Rules:
    """How one layer class is lowered."""

    lower: Rule
    traits: Traits = field(default_factory=Traits)


@dataclass(frozen=True)
class LossPlan:
    """What the core computes of a loss."""

    label: str
    options: steps.LossOptions
    by_class: bool


@dataclass
class Contribution:
    """A gradient that flows back into a node; `exclusive` if nobody else reads the slot."""

    slot: Slot
    exclusive: bool


@dataclass
class Lowering:
    """The state of lowering one graph for one task."""

    task: Task
    program: Program
    rules: dict[type[Layer], Rules]
    loss: LossPlan | None
    values: dict[int, Slot] = field(default_factory=dict)
    contributions: dict[int, list[Contribution]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    finishes: dict[str, steps.Finish] = field(default_factory=dict)
    packs: dict[steps.Packing, steps.Pack] = field(default_factory=dict)
    folds: list[steps.Fold] = field(default_factory=list)
    zeroed: list[int] = field(default_factory=list)
    exports: list[tuple[str, str]] = field(default_factory=list)

    # --- what rules ask for ------------------------------------------------------------------------------------

    def x(self, group: Group, which: int = 0) -> Slot:
        """Value of an input of a group."""
        return self.values[group.first.inputs[which]]

    def needs_input(self, group: Group, which: int = 0) -> bool:
        """Whether the gradient of an input is wanted."""
        return self.task.needed[group.first.inputs[which]]

    def new_value(self, group: Group) -> Slot:
        """A slot for the value of a group: its input's where that may be overwritten."""
        last = group.last
        made = self.x(group) if group.in_place else self.program.slot(last.name, last.shape)
        self.values[last.index] = made
        return made

    def parameter(self, step: Step, name: str) -> int:
        """Offset of a parameter or buffer in the natural memory."""
        return self.offsets[f"{step.layer_name}.{name}"]

    def optional_parameter(self, step: Step, name: str) -> int | None:
        """The same, None if the layer has none of that name."""
        return self.offsets.get(f"{step.layer_name}.{name}")

    def gradient(self, group: Group) -> Contribution:
        """dL/d(group's value): the one contribution, or the sum of all."""
        return self._collect(group.last.index, group.last.name)

    def _collect(self, node: int, name: str) -> Contribution:
        parts = self.contributions.pop(node)
        if len(parts) > 1:
            total = self.program.slot(f"d {name}", parts[0].slot.elements)
            slots = tuple(part.slot for part in parts)
            elements = tuple(slot.elements for slot in slots)
            self.program.emit(Sum(y=total, sources=slots, elements=elements, count=len(slots)), f"d {name}")
            parts = [Contribution(total, True)]
        if self.task.mode == "trace":
            self._export("gradient", name, parts[0].slot)
            parts[0].exclusive = False
        return parts[0]

    def new_gradient(self, group: Group, which: int = 0) -> Slot:
        """A slot for the gradient that flows to an input of a group, entered as a contribution."""
        graph, source = self.task.graph, group.first.inputs[which]
        made = self.program.slot(f"d {graph.names[source]} from {group.step.name}", product(graph.shapes[source]))
        self.contribute(group, which, made, True)
        return made

    def contribute(self, group: Group, which: int, slot: Slot, exclusive: bool) -> None:
        """Enter a slot as gradient that flows to an input of a group."""
        self.contributions.setdefault(group.first.inputs[which], []).append(Contribution(slot, exclusive))

    def raw_gradient(self, step: Step, name: str, numbers: int, ending: steps.Ending) -> int:
        """Raw memory for a parameter's gradient that begins at zero in every step."""
        offset, first = self.starting_gradient(step, name, numbers, ending)
        if first:
            self.zeroed += [offset, offset + numbers]
        return offset

    def wanted_gradient(self, step: Step, name: str, numbers: int, ending: steps.Ending) -> int | None:
        """The same, None if the parameter is frozen or the layer has none of that name."""
        wanted = f"{step.layer_name}.{name}" in self.offsets and self.task.trains(step, name)
        return self.raw_gradient(step, name, numbers, ending) if wanted else None

    def starting_gradient(self, step: Step, name: str, numbers: int, ending: steps.Ending) -> tuple[int, bool]:
        """Raw memory for a parameter's gradient, shared by all uses of the layer; `ending` says how it ends.

        Also whether this use is the first, whose operation has to begin it.
        """
        full = f"{step.layer_name}.{name}"
        first = full not in self.finishes
        if first:
            raw = self.program.take("raw", numbers)
            self.finishes[full] = steps.Finish(ending=ending, raw=raw, natural=self.offsets[full])
        return self.finishes[full].raw, first

    def packed(self, packing: steps.Packing, numbers: int) -> int:
        """A packed copy of a weight, made once for all uses; offset in the parameter memory."""
        if packing not in self.packs:
            self.packs[packing] = steps.Pack(
                packing=packing, packed=self.natural_size + self.program.take("packed", numbers)
            )
        return self.packs[packing].packed

    @property
    def natural_size(self) -> int:
        """Where packed copies begin: after parameters and buffers, aligned."""
        graph = self.task.graph
        step = core.limits()["alignment"]
        return -(-(graph.parameters.flat.size + graph.buffers.flat.size) // step) * step

    # --- the whole program -------------------------------------------------------------------------------------

    def lower(self) -> None:
        """Emit everything."""
        task, graph = self.task, self.task.graph
        self.offsets = {name: part.start for name, part in graph.parameters.slices().items()}
        buffers = graph.parameters.flat.size
        self.offsets |= {name: buffers + part.start for name, part in graph.buffers.slices().items()}
        self.values[0] = self.program.slot("input", graph.input_shape)
        self.program.emit(Gather(x=self.values[0], elements=self.values[0].elements), "input")
        self._export_value("input", 0)
        backwards: list[tuple[Group, Backward]] = []
        for group in fused(task, {layer: rules.traits for layer, rules in self.rules.items()}):
            rule = alias if task.is_identity(group.step) else self.rules[type(group.step.layer)].lower
            backwards.append((group, rule(self, group)))
            self._export_value(group.last.name, group.last.index)
        if task.mode in ("inference", "gradients"):
            self._export("value", "output", self.values[len(graph.steps)])
        if self.loss is not None and task.backward:
            self._lower_loss(self.loss)
            for group, backward in reversed(backwards):
                if task.needed[group.last.index]:
                    backward()
            self._end_with_input()

    def _end_with_input(self) -> None:
        if self.task.needed[0]:
            slot = self._collect(0, "input").slot
            if self.task.mode == "gradients":
                self._export("gradient", "input", slot)

    def _export_value(self, name: str, node: int) -> None:
        if self.task.mode == "trace":
            self._export("value", name, self.values[node])

    def _export(self, kind: str, name: str, slot: Slot) -> None:
        record = Scatter(x=slot, elements=slot.elements, target=len(self.exports))
        self.program.emit(record, f"{kind} of {name}")
        self.exports.append((kind, name))

    def _lower_loss(self, loss: LossPlan) -> None:
        graph = self.task.graph
        last = len(graph.steps)
        outputs = self.values[last]
        classes = graph.output_shape[0] if loss.by_class or loss.options.guess != "none" else outputs.elements
        flowing = self.program.slot(f"d {graph.names[-1]}", outputs.elements)
        record = steps.Loss(
            x=outputs,
            dx=flowing,
            options=loss.options,
            classes=classes,
            places=outputs.elements // classes,
            gradient=True,
        )
        self.program.emit(record, loss.label)
        self.contributions[last] = [Contribution(flowing, True)]


def alias(low: Lowering, group: Group) -> Backward:
    """The group's value is its input's."""
    low.values[group.last.index] = low.x(group)

    def backward() -> None:
        flowing = low.gradient(group)
        low.contribute(group, 0, flowing.slot, flowing.exclusive)

    return backward
