"""Weight gradients of convolutions and dense layers in a native program."""

from __future__ import annotations

from dataclasses import replace

from chainrule.engines.native.lowering import Lowering
from chainrule.engines.native.records.convolution import (
    ChannelGradient,
    TransposeInput,
    WeightGradient,
    WinogradWeightGradient,
)
from chainrule.engines.native.records.steps import Ending
from chainrule.engines.native.rules.geometry import Geometry
from chainrule.engines.native.rules.winograd import Winograd, winograd
from chainrule.engines.native.slots import Slot
from chainrule.graph import Step


def weight_gradient(low: Lowering, step: Step, geometry: Geometry, x: Slot, dy: Slot, winners: Slot | None) -> None:
    """By vectors of channels where there are enough of them, else by vectors of lanes."""
    vector = low.task.channel_vector
    padded = -(-geometry.inputs // vector) * vector if geometry.inputs >= vector else 0
    ending = Ending(
        layout="channels" if padded else "numbers",
        rows=geometry.groups * geometry.outputs,
        columns=geometry.inputs * geometry.taps,
        taps_rows=geometry.rows.kernel,
        taps_columns=geometry.columns.kernel,
        padded_in=padded,
        rotated=geometry.rotated,
        mask=geometry.links,
    )
    # All uses add to one raw gradient; maps of other sizes might want it in the other form.
    once = low.task.used_once(step)
    if once and padded and geometry.dense and low.task.small:
        _at_the_end(low, step, geometry, x, dy, ending)
        return
    fast = winograd(low.task, geometry, weights=True) if once else None
    if fast is not None:
        ending = replace(ending, points=fast.points, point_rows=geometry.outputs)
    taps = geometry.rows.kernel * (geometry.columns.kernel if fast is None else fast.points)
    numbers = ending.rows * (padded or geometry.inputs) * taps
    raw, starts = low.starting_gradient(step, "weight", numbers, ending)
    if fast is not None:
        _by_winograd(low, step, fast, x, dy, winners, raw, numbers, padded, starts)
    elif padded:
        _by_channels(low, step, geometry, x, dy, raw, padded, starts)
    else:
        _by_lanes(low, step, geometry, x, dy, raw, numbers, starts)


def _at_the_end(low: Lowering, step: Step, geometry: Geometry, x: Slot, dy: Slot, ending: Ending) -> None:
    """A dense layer's, when all blocks have kept what it needs."""
    padded = ending.padded_in
    xt = low.program.slot(f"{step.name} transposed", padded, outlives=True)
    low.program.emit(TransposeInput(x=x, xt=xt, in_=geometry.inputs, padded_in=padded), f"d {step.layer_name}.weight")
    dy.outlives = True
    low.starting_gradient(step, "weight", 0, replace(ending, layout="dense", xt=xt, dy=dy))


def _by_winograd(
    low: Lowering,
    step: Step,
    way: Winograd,
    x: Slot,
    dy: Slot,
    winners: Slot | None,
    raw: int,
    numbers: int,
    padded: int,
    starts: bool,
) -> None:
    label = f"d {step.layer_name}.weight"
    strips = way.strips(low.program, label, weights=True)
    map_values = (strips.strip + way.geometry.rows.kernel - 1) * way.tiles * padded
    transposed = low.program.slot(f"{label}: transposed", map_values or _whole_lanes(low, numbers))
    record = WinogradWeightGradient(
        strips=strips,
        pairs=winners is not None,
        source=x,
        result=dy,
        winners=winners,
        transposed=transposed,
        raw=raw,
        padded_in=padded,
        starts=starts,
    )
    low.program.emit(record, label)


def _by_channels(
    low: Lowering, step: Step, geometry: Geometry, x: Slot, dy: Slot, raw: int, padded: int, starts: bool
) -> None:
    places = geometry.rows.source_size * geometry.columns.source_size
    record = ChannelGradient(
        x=x,
        xt=low.program.slot(f"{step.name} transposed", places * padded),
        dy=dy,
        raw=raw,
        groups=geometry.groups,
        kernels=geometry.kernels,
        padded_in=padded,
        starts=starts,
    )
    low.program.emit(record, f"d {step.layer_name}.weight")


def _by_lanes(
    low: Lowering, step: Step, geometry: Geometry, x: Slot, dy: Slot, raw: int, numbers: int, starts: bool
) -> None:
    transposed = geometry.rows.size * geometry.columns.size * (geometry.outputs + low.task.channel_vector)
    label = f"d {step.layer_name}.weight"
    record = WeightGradient(
        x=x,
        dy=dy,
        sums=low.program.slot(f"{label} sums", transposed if low.task.lanes == 1 else _whole_lanes(low, numbers)),
        raw=raw,
        groups=geometry.groups,
        kernels=geometry.kernels,
        starts=starts,
    )
    low.program.emit(record, label)


def _whole_lanes(low: Lowering, numbers: int) -> int:
    """Elements of a tensor that holds so many numbers with a lane axis."""
    return -(-numbers // low.task.lanes) * low.task.lanes
