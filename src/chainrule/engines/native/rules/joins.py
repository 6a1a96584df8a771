"""Sums and concatenations, radial basis functions and locally connected layers in a native program."""

from __future__ import annotations

from chainrule.engines.native.fusion import Group
from chainrule.engines.native.lowering import Backward, Lowering, Rule, Rules
from chainrule.engines.native.records import convolution as records
from chainrule.engines.native.records.elementwise import Concat, Split, Sum
from chainrule.engines.native.records.steps import Ending
from chainrule.engines.native.rules.geometry import axes
from chainrule.graph import Step
from chainrule.layers import RBF, LocallyConnected2d
from chainrule.shapes import product


def _join(record: type[Sum | Concat], backward: Rule) -> Rules:
    def lower(low: Lowering, group: Group) -> Backward:
        sources = tuple(low.values[node] for node in group.step.inputs)
        elements = tuple(slot.elements for slot in sources)
        y = low.new_value(group)
        low.program.emit(record(y=y, sources=sources, elements=elements, count=len(sources)), group.step.name)
        return backward(low, group)

    return Rules(lower)


def _add_backward(low: Lowering, group: Group) -> Backward:
    def back() -> None:
        dy = low.gradient(group).slot
        for which in range(len(group.step.inputs)):
            if low.needs_input(group, which):
                low.contribute(group, which, dy, False)

    return back


def _concat_backward(low: Lowering, group: Group) -> Backward:
    def back() -> None:
        dy = low.gradient(group).slot
        parts = tuple(
            low.new_gradient(group, which)
            if low.needs_input(group, which)
            else low.program.slot("unused", product(low.task.graph.shapes[source]))
            for which, source in enumerate(group.step.inputs)
        )
        elements = tuple(slot.elements for slot in parts)
        record = Split(y=dy, sources=parts, elements=elements, count=len(parts))
        low.program.emit(record, f"d input of {group.step.name}")

    return back


def _rbf(low: Lowering, group: Group) -> Backward:
    step, layer, x, weight = group.step, group.step.layer, low.x(group), low.parameter(group.step, "weight")
    assert isinstance(layer, RBF)
    inputs, outputs = layer.in_features, layer.out_features
    low.program.emit(records.RbfForward(x=x, y=low.new_value(group), weight=weight, in_=inputs, out=outputs), step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        numbers = outputs * inputs * low.task.lanes
        raw = low.wanted_gradient(step, "weight", numbers, Ending(layout="lanes", rows=outputs, columns=inputs))
        if raw is not None:
            sums = records.RbfBackwardWeight(x=x, dy=dy, weight=weight, raw_weight=raw, in_=inputs, out=outputs)
            low.program.emit(sums, f"d {step.layer_name}")
        if low.needs_input(group):
            dx = low.new_gradient(group)
            record = records.RbfBackwardInput(x=x, dx=dx, dy=dy, weight=weight, in_=inputs, out=outputs)
            low.program.emit(record, f"d input of {step.name}")

    return back


def _local(low: Lowering, group: Group) -> Backward:
    step, layer, x = group.step, group.step.layer, low.x(group)
    assert isinstance(layer, LocallyConnected2d)
    (rows, columns), _ = axes(layer.window, (step.input_shapes[0][1], step.input_shapes[0][2]))
    kernels = records.Kernels(in_=layer.in_channels, out=layer.out_channels, rows=rows, columns=columns)
    weight, bias = low.parameter(step, "weight"), low.optional_parameter(step, "bias")
    low.program.emit(
        records.LocalForward(kernels=kernels, x=x, y=low.new_value(group), weight=weight, bias=bias), step.name
    )

    def back() -> None:
        dy = low.gradient(group).slot
        raw_weight, raw_bias = (_wanted(low, step, name) for name in ("weight", "bias"))
        if raw_weight is not None or raw_bias is not None:
            sums = records.LocalBackwardParameters(
                kernels=kernels, x=x, dy=dy, raw_weight=raw_weight, raw_bias=raw_bias
            )
            low.program.emit(sums, f"d {step.layer_name}")
        if low.needs_input(group):
            record = records.LocalBackwardInput(kernels=kernels, dx=low.new_gradient(group), dy=dy, weight=weight)
            low.program.emit(record, f"d input of {step.name}")

    return back


def _wanted(low: Lowering, step: Step, name: str) -> int | None:
    """Raw memory for a gradient of a kernel for each place."""
    shape = step.layer.parameter_shapes(*step.input_shapes).get(name, (0,))
    ending = Ending(layout="lanes", rows=shape[0], columns=product(shape[1:]))
    return low.wanted_gradient(step, name, product(shape) * low.task.lanes, ending)


ADD = _join(Sum, _add_backward)
CONCAT = _join(Concat, _concat_backward)
RADIAL_BASIS = Rules(_rbf)
LOCALLY_CONNECTED = Rules(_local)
