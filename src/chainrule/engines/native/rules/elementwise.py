"""Activations, softmax and dropout in a native program."""

from __future__ import annotations

from chainrule.engines.native.fusion import Group, Traits
from chainrule.engines.native.lowering import Backward, Contribution, Lowering, Rules
from chainrule.engines.native.records import elementwise as records
from chainrule.engines.native.records.activations import (
    ActivationBackward,
    ActivationBackwardByInput,
    ActivationForward,
    LeakyReluBackward,
    LeakyReluForward,
    ReluBackward,
    ReluForward,
)
from chainrule.engines.native.records.base import Record
from chainrule.engines.native.slots import Slot
from chainrule.graph import Step
from chainrule.layers import Dropout, LeakyReLU
from chainrule.shapes import product


def activation(
    forward: type[ActivationForward], backward: type[ActivationBackward] | type[ActivationBackwardByInput]
) -> Rules:
    """Rules of an activation from its two records: x may be overwritten where the derivative is written in y."""

    def lower(low: Lowering, group: Group) -> Backward:
        x, y = low.x(group), low.new_value(group)
        low.program.emit(forward(x=x, y=y, elements=y.elements), group.step.name)

        def back() -> None:
            flowing = low.gradient(group)
            if low.needs_input(group):
                dx, record = _gradient_over(low, group, flowing), backward
                if issubclass(record, ActivationBackward):
                    done: Record = record(y=y, dx=dx, dy=flowing.slot, elements=y.elements)
                else:
                    done = record(x=x, dx=dx, dy=flowing.slot, elements=y.elements)
                low.program.emit(done, f"d input of {group.step.name}")

        return back

    by_output = issubclass(backward, ActivationBackward)
    return Rules(lower, Traits(keeps_output=True, overwrites=True) if by_output else Traits())


def _gradient_over(low: Lowering, group: Group, flowing: Contribution) -> Slot:
    """Where the input's gradient goes: over the output's, if nobody else reads that."""
    if not (flowing.exclusive and low.task.optimizing):
        return low.new_gradient(group)
    low.contribute(group, 0, flowing.slot, True)
    return flowing.slot


def relu_in_place(low: Lowering, relu: Step | None, y: Slot) -> None:
    """The ReLU that a group ends with."""
    if relu is not None:
        low.program.emit(ReluForward(x=y, y=y, elements=y.elements), relu.name)


def relu_backward(low: Lowering, relu: Step | None, y: Slot, flowing: Contribution) -> Contribution:
    """The gradient before the ReLU that a group ends with."""
    if relu is None:
        return flowing
    dx = flowing.slot if flowing.exclusive else low.program.slot(f"d {relu.name}", y.elements)
    low.program.emit(ReluBackward(y=y, dx=dx, dy=flowing.slot, elements=y.elements), f"d input of {relu.name}")
    return Contribution(dx, True)


def _leaky_relu(low: Lowering, group: Group) -> Backward:
    layer, x, y = group.step.layer, low.x(group), low.new_value(group)
    assert isinstance(layer, LeakyReLU)
    slope = layer.negative_slope
    low.program.emit(LeakyReluForward(x=x, y=y, elements=y.elements, slope=slope), group.step.name)

    def back() -> None:
        flowing = low.gradient(group)
        if low.needs_input(group):
            dx = _gradient_over(low, group, flowing)
            record = LeakyReluBackward(x=x, dx=dx, dy=flowing.slot, elements=y.elements, slope=slope)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _softmax(low: Lowering, group: Group) -> Backward:
    x, y = low.x(group), low.new_value(group)
    classes, places = group.step.shape[0], product(group.step.shape[1:])
    low.program.emit(records.SoftmaxForward(x=x, y=y, classes=classes, places=places), group.step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            record = records.SoftmaxBackward(y=y, dx=low.new_gradient(group), dy=dy, classes=classes, places=places)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _dropout(low: Lowering, group: Group) -> Backward:
    step = group.step
    assert isinstance(step.layer, Dropout)
    elements, p = product(step.shape), step.layer.p
    mask = low.program.slot(f"{step.name} mask", elements)
    record = records.DropoutForward(
        x=low.x(group), y=low.new_value(group), mask=mask, elements=elements, p=p, node=step.index
    )
    low.program.emit(record, step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            dx = low.new_gradient(group)
            record = records.DropoutBackward(dx=dx, dy=dy, mask=mask, elements=elements, p=p, node=step.index)
            low.program.emit(record, f"d input of {step.name}")

    return back


LEAKY_RELU = Rules(_leaky_relu)
SOFTMAX = Rules(_softmax, Traits(keeps_output=True))
DROPOUT = Rules(_dropout)
