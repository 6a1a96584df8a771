"""A graph as a program in C: the uses of layers forward and backward, and where each value lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from chainrule.graph import Graph, Step
from chainrule.interchange.c.rules import Rule, in_c
from chainrule.interchange.c.timeline import Tensor, Timeline
from chainrule.layers import Layer
from chainrule.shapes import Shape, product, shape_text
from chainrule.walk import gradients_wanted, walk_back


@dataclass(eq=False)
class Use:
    """One use of a layer, as its template sees it."""

    name: str
    step: Step
    rule: Rule
    x: list[Tensor]
    y: Tensor
    training_flag: bool
    value: Callable[[str], str]
    """The C expression of one of the layer's arrays."""
    index: Callable[[str], str]
    """The constant that says where a parameter begins among those that learn."""
    saved: dict[str, Tensor] = field(default_factory=dict)
    scratch: dict[str, Tensor] = field(default_factory=dict)
    dy: Tensor | None = None
    dx: list[Tensor | None] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)

    @property
    def layer(self) -> Layer:
        """The layer with its hyperparameters."""
        return self.step.layer

    @property
    def kind(self) -> str:
        """The stem of its template."""
        return self.rule.template

    @property
    def shape(self) -> Shape:
        """Of one output sample."""
        return self.step.shape

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        """Of one sample of each input."""
        return self.step.input_shapes

    @property
    def turned(self) -> bool:
        """Whether its kernels are turned before they slide."""
        return getattr(self.step.layer, "mode", "correlation") == "convolution"

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """Padding of a layer with a window."""
        _, rows, columns = self.step.input_shapes[0]
        found: tuple[int, int, int, int] = self.step.layer.window.sides((rows, columns))  # type: ignore[attr-defined]
        return found

    @property
    def starts(self) -> list[int]:
        """Where each input begins in the output of Concat."""
        return [0, *accumulate(tensor.size for tensor in self.x)]

    @property
    def dx_wanted(self) -> bool:
        """Whether the gradient goes on through it by an operation of its own."""
        return any(tensor is not None for tensor in self.dx)

    @property
    def backward(self) -> bool:
        """Whether it does anything on the way back."""
        return self.dx_wanted or bool(self.trained)

    @property
    def description(self) -> str:
        """The layer as one would write it in Python."""
        return repr(self.step.layer)

    @property
    def sizes(self) -> str:
        """Shapes in and out."""
        return f"{' + '.join(map(shape_text, self.step.input_shapes))} -> {shape_text(self.step.shape)}"


@dataclass(frozen=True)
class Sum:
    """Two gradients of one value meet."""

    a: Tensor
    b: Tensor
    y: Tensor


@dataclass
class Program:
    """What a C file computes. `block` samples lie side by side: all of a batch where a layer couples them, else one."""

    graph: Graph
    learns: bool
    trained: frozenset[str]
    block: int
    name_of: Callable[[Step], str]
    value: Callable[[Step, str], str]
    index: Callable[[Step, str], str]
    uses: list[Use] = field(default_factory=list)
    backward: list[Use | Sum] = field(default_factory=list)
    values: Timeline = field(default_factory=Timeline)
    winners: list[Tensor] = field(default_factory=list)
    arena: int = 0

    def __post_init__(self) -> None:
        self.input = Tensor("input", product(self.graph.input_shape), external=True)
        self.output = self._forward()
        self.doutput = Tensor("dy_output", self.output.size)
        if self.learns:
            self.values.operation([self.output], [self.doutput], [(self.output, self.doutput)])
            walk_back(self.graph, self.doutput, self._backward, self._sum)
        else:
            self.values.operation([self.output], [])
        self.arena = self.values.place(self.block)
        for before, tensor in zip([None, *self.winners], self.winners, strict=False):
            tensor.offset = 0 if before is None else before.offset + before.size * self.block

    def _forward(self) -> Tensor:
        wanted = gradients_wanted(self.graph, self._trains, dx=False)
        made = [self.input]
        self._by_step: dict[int, Use] = {}
        self._wanted = wanted
        for step in self.graph.steps:
            rule = in_c(step.layer, self.learns)
            xs = [made[i] for i in step.inputs]
            made.append(xs[0] if rule is None else self._use(step, rule, xs))
        return made[-1]

    def _trains(self, step: Step, name: str) -> bool:
        return self.learns and f"{step.layer_name}.{name}" in self.trained

    def _use(self, step: Step, rule: Rule, xs: list[Tensor]) -> Tensor:
        name = self.name_of(step)
        use = Use(
            name=name,
            step=step,
            rule=rule,
            x=xs,
            y=Tensor(f"y_{name}", product(step.shape)),
            training_flag=rule.has_training and self.learns,
            value=lambda own: self.value(step, own),
            index=lambda own: self.index(step, own),
        )
        back = any(self._wanted[i] for i in step.inputs)
        for own, size in rule.saves(step).items():
            if own == "winners":
                if back:
                    use.saved[own] = Tensor(f"winners_{name}", size)
                    self.winners.append(use.saved[own])
            elif self.learns or rule.saves_always:
                use.saved[own] = Tensor(f"{own}_{name}", size, whole_batch=rule.whole_batch)
        kept = [tensor for own, tensor in use.saved.items() if own != "winners"]
        first_again = xs[0] in xs[2:]  # a sum reads it once more when part of it is written
        in_place = rule.in_place or (rule.template == "add" and not first_again)
        over = [(xs[0], use.y)] if in_place else []
        self.values.operation(xs, [use.y, *kept], over)
        self.uses.append(use)
        self._by_step[step.index] = use
        return use.y

    def _backward(self, step: Step, dy: Tensor) -> list[Tensor | None]:
        use = self._by_step.get(step.index)
        wanted = [self._wanted[i] for i in step.inputs]
        if use is None or use.rule.template == "add":
            return [dy if want else None for want in wanted]  # the gradient itself goes on
        use.dy = dy
        use.trained = [own for own in step.layer.parameter_shapes(*step.input_shapes) if self._trains(step, own)]
        names = [f"dx_{use.name}"] if len(use.x) == 1 else [f"dx{k}_{use.name}" for k in range(len(use.x))]
        use.dx = [Tensor(n, x.size) if want else None for n, x, want in zip(names, use.x, wanted, strict=True)]
        if not use.backward:
            return list(use.dx)
        reads = [dy]
        asked = use.rule.input_reads if use.dx_wanted else ""
        asked += "".join(use.rule.parameter_reads.get(own, "") for own in use.trained)
        reads += use.x if "x" in asked else []
        reads += [use.y] if "y" in asked else []
        reads += [tensor for own, tensor in use.saved.items() if own != "winners"]
        if use.dx_wanted:
            use.scratch = {own: Tensor(f"{own}_{use.name}", size) for own, size in use.rule.scratch(step).items()}
        made = [tensor for tensor in use.dx if tensor is not None]
        over = [(dy, made[0])] if use.rule.in_place and made and not use.trained else []
        self.values.operation(reads, [*made, *use.scratch.values()], over)
        self.backward.append(use)
        return list(use.dx)

    def _sum(self, present: Tensor, part: Tensor) -> Tensor:
        number = sum(isinstance(operation, Sum) for operation in self.backward) + 1
        total = Tensor(f"dsum{number}", present.size)
        self.values.operation([present, part], [total], [(present, total), (part, total)])
        self.backward.append(Sum(present, part, total))
        return total
