"""What a rule is: one use of a layer in a file, its forward equation beside its backward equations.

A rule belongs to a class of layers and is found by it. To export a layer of your own, write a rule for it:

    @rule(SiLU)
    class _SiLU(Rule):
        def forward(self):
            return self.x * self.op("Sigmoid", self.x)

        def backward_input(self, dy):
            s = self.op("Sigmoid", self.x)
            return dy * s * (1 + self.x * (1 - s))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.graph import Step
from chainrule.interchange.onnx.builder import Builder, Operand, Value
from chainrule.layers.activations import is_curve
from chainrule.layers.base import Layer
from chainrule.shapes import Shape

L = TypeVar("L", bound=Layer)
R = TypeVar("R", bound="type[Rule[Any]]")


@dataclass(eq=False)
class Rule(Generic[L]):
    """One use of a layer: what goes into it, and, after `forward`, what comes out. `values` are its arrays by name."""

    layer: L
    step: Step
    xs: tuple[Value, ...]
    values: Mapping[str, Value]
    training: bool
    builder: Builder
    y: Value = field(init=False)

    @property
    def x(self) -> Value:
        """The only input."""
        return self.xs[0]

    @property
    def shape(self) -> Shape:
        """Shape of a sample of the (first) input."""
        return self.step.input_shapes[0]

    def op(self, kind: str, *inputs: Operand, **attributes: Any) -> Value:
        """An operation on any values."""
        return self.builder.op(kind, *inputs, **attributes)

    def attribute_holds(self, *numbers: float) -> bool:
        """Whether attributes, which ONNX keeps in float32, are as exact as the file's numbers."""
        return self.builder.dtype.itemsize == 4 or all(float(np.float32(n)) == n for n in numbers)

    def forward(self) -> Value:
        """The output."""
        raise NotImplementedError

    def backward_input(self, dy: Value) -> Value | tuple[Value, ...]:
        """dL/dx from dL/dy; for several inputs a tuple in their order."""
        raise NotImplementedError

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        """dL/dparameter for every parameter, from dL/dy."""
        return {}

    def updated_buffers(self, buffers: Mapping[str, Value]) -> dict[str, Value]:
        """New values of the buffers after a training step, from those before it."""
        return {}


RULES: dict[type[Layer], type[Rule[Any]]] = {}
"""The rule of every layer class; a subclass has its own equations, and so needs a rule of its own."""


def rule(*classes: type[Layer]) -> Callable[[R], R]:
    """Make a class the rule of some layer classes."""

    def register(made: R) -> R:
        RULES.update(dict.fromkeys(classes, made))
        return made

    return register


def rule_of(step: Step) -> type[Rule[Any]]:
    """The rule for a step. Raises ArgumentError for a layer that has none."""
    import chainrule.interchange.onnx.layers  # noqa: F401  whose modules register the rules
    from chainrule.interchange.onnx.layers.curves import CurveRule

    found = RULES.get(type(step.layer))
    if found is None and is_curve(step.layer):
        return CurveRule
    if found is None:
        kind = type(step.layer).__name__
        raise ArgumentError(
            f"{step.name} = {step.layer!r} is no layer of chainrule's, and no ONNX operators are known for it: write a "
            f"rule, @rule({kind}) of chainrule.interchange.onnx.rules, or build the network without it"
        )
    return found
