"""What convolutions and dense layers become in a native program: the plain sum, or Winograd's algorithm."""

from __future__ import annotations

from dataclasses import replace

from chainrule.engines.native import core
from chainrule.engines.native.axes import Axis, forward_axis
from chainrule.engines.native.fusion import Group, Task, Traits
from chainrule.engines.native.lowering import Backward, Lowering, Rules
from chainrule.engines.native.records import convolution as records
from chainrule.engines.native.records.steps import Ending, Fold, Packing
from chainrule.engines.native.rules.convolution_gradients import weight_gradient
from chainrule.engines.native.rules.elementwise import relu_backward, relu_in_place
from chainrule.engines.native.rules.geometry import Geometry
from chainrule.engines.native.rules.winograd import Winograd, takes_pairs, winograd
from chainrule.engines.native.slots import Slot
from chainrule.graph import Step
from chainrule.layers import BatchNorm1d, BatchNorm2d, Linear
from chainrule.shapes import product

CACHED_WEIGHTS = 256 * 1024  # bytes: larger weights are walked once, maps many times
LARGE_WEIGHTS = 2**20
"""Bytes of weights that still stay in a core's cache from block to block. Several blocks use larger ones together."""


def _convolution(low: Lowering, group: Group) -> Backward:
    step, geometry = group.step, Geometry(group.step)
    x, bias = low.x(group), _bias(low, group)
    fast = winograd(low.task, geometry)
    y = low.new_value(group)
    winners = _winograd_forward(low, group, fast, x, y, bias) if fast is not None else None
    if fast is None:
        rows, columns = geometry.rows, geometry.columns
        from_x = x
        if _wants_border(low, geometry):
            from_x, rows, columns = _padded(low, step, geometry, x)
        _convolve(low, step, step.name, geometry, False, x=from_x, y=y, bias=bias, rows=rows, columns=columns)
    relu_in_place(low, group.relu, y)

    def back() -> None:
        dy = relu_backward(low, group.relu, y, low.gradient(group)).slot
        if low.task.trains(step, "weight"):
            weight_gradient(low, step, geometry, x, dy, winners)
        _bias_gradient(low, step, geometry, dy)
        if low.needs_input(group):
            _input_gradient(low, group, geometry, dy, winners)

    return back


def _takes_norm(task: Task, step: Step) -> bool:
    """Running statistics are known before the batch comes; a weight that others use must stay what it is."""
    shared = isinstance(step.layer, Linear) and step.layer.bias == "shared"
    return task.mode == "inference" and task.used_once(step) and not shared


def _bias(low: Lowering, group: Group) -> int | None:
    layer, step = group.step.layer, group.step
    natural = low.optional_parameter(step, "bias")
    if group.norm is not None:
        return _folded(low, step, group.norm, natural)
    if natural is None or not (isinstance(layer, Linear) and layer.bias == "shared"):
        return natural
    return low.packed(Packing(natural=natural, copies=layer.out_features), layer.out_features)


def _folded(low: Lowering, step: Step, norm: Step, bias: int | None) -> int:
    """The bias of weights that have taken batch normalisation into them. It lies where the running means lay."""
    layer, shape = norm.layer, step.layer.parameter_shapes(*step.input_shapes)["weight"]
    assert isinstance(layer, BatchNorm1d | BatchNorm2d)
    fold = Fold(
        weight=low.parameter(step, "weight"),
        rows=shape[0],
        columns=product(shape[1:]),
        bias=bias,
        norm_weight=low.optional_parameter(norm, "weight"),
        norm_bias=low.optional_parameter(norm, "bias"),
        running_mean=low.parameter(norm, "running_mean"),
        running_var=low.parameter(norm, "running_var"),
        eps=layer.eps,
    )
    low.folds.append(fold)
    return fold.running_mean


def _winograd_forward(low: Lowering, group: Group, way: Winograd, x: Slot, y: Slot, bias: int | None) -> Slot | None:
    """Down to the maxima of pairs of rows and columns, if those are all that is wanted. Returns which of four won."""
    step, pool, winners = group.step, group.pool, None
    if pool is not None and low.task.backward:
        winners = low.program.slot(f"winners of {pool.name}", pool.shape)
    record = records.WinogradForward(
        strips=way.strips(low.program, step.name),
        pairs=pool is not None,
        source=x,
        result=y,
        winners=winners,
        weight=packed_points(low, step, way, False),
        bias=bias,
        in_registers=way.in_registers,
    )
    low.program.emit(record, step.name if pool is None else f"{step.name}, {pool.name}")
    return winners


def _input_gradient(low: Lowering, group: Group, geometry: Geometry, dy: Slot, winners: Slot | None) -> None:
    step, label = group.step, f"d input of {group.step.name}"
    dx = low.new_gradient(group)
    fast = winograd(low.task, geometry, backward=True)
    if fast is None:
        axes = {"rows": geometry.rows_back, "columns": geometry.columns_back}
        _convolve(low, step, label, geometry, True, x=dy, y=dx, bias=None, **axes)
        return
    strips = fast.strips(low.program, label, backward=True)
    weight = packed_points(low, step, fast, True)
    record = records.WinogradBackwardInput(
        strips=strips, pairs=winners is not None, source=dy, result=dx, winners=winners, weight=weight
    )
    low.program.emit(record, label)


def _bias_gradient(low: Lowering, step: Step, geometry: Geometry, dy: Slot) -> None:
    shared = isinstance(step.layer, Linear) and step.layer.bias == "shared"
    out = geometry.groups * geometry.outputs
    columns = 1 if shared else out
    raw = low.wanted_gradient(step, "bias", columns * low.task.lanes, Ending(layout="lanes", rows=1, columns=columns))
    if raw is not None:
        record = records.BiasGradient(dy=dy, raw=raw, out=out, places=dy.elements // out, shared=shared)
        low.program.emit(record, f"d {step.layer_name}.bias")


def _convolve(
    low: Lowering,
    step: Step,
    label: str,
    geometry: Geometry,
    backward: bool,
    *,
    x: Slot,
    y: Slot,
    bias: int | None,
    rows: Axis,
    columns: Axis,
) -> None:
    """The plain sum, forward or backward, in the way that suits the size of the weights."""
    source, result = (geometry.outputs, geometry.inputs) if backward else (geometry.inputs, geometry.outputs)
    lanes = low.task.lanes
    weight_bytes = source * result * geometry.taps * low.task.number_bytes
    smaller_maps = x.elements * lanes * low.task.number_bytes < 2 * weight_bytes
    large = lanes > 1 and weight_bytes > LARGE_WEIGHTS and smaller_maps
    natural = large and geometry.plain and not backward
    convolve = records.Convolve(
        x=x,
        y=y,
        weight=low.parameter(step, "weight") if natural else _packed_weight(low, step, geometry, backward),
        bias=bias,
        groups=geometry.groups,
        kernels=records.Kernels(in_=source, out=result, rows=rows, columns=columns),
        filters_outer=weight_bytes > CACHED_WEIGHTS and smaller_maps,
    )
    if not large:
        low.program.emit(convolve, label)
        return
    limits = core.limits()
    numbers = max(limits["tile_weights"], geometry.taps) * limits["tile_filters"]
    tile = low.program.slot(f"{label}: a tile of weights", -(-numbers // lanes))
    low.program.emit(records.ConvolveLarge(**vars(convolve), tile=tile, natural_order=natural), label)


def _packed_weight(low: Lowering, step: Step, geometry: Geometry, backward: bool) -> int:
    """The weight in the order that a convolution walks it; the natural one where that is the same."""
    natural = low.parameter(step, "weight")
    if geometry.plain and backward and geometry.taps == 1:
        return natural
    if geometry.plain and not backward and (geometry.outputs == 1 or geometry.inputs * geometry.taps == 1):
        return natural
    numbers = geometry.groups * geometry.outputs * geometry.inputs * geometry.taps
    return low.packed(_packing(geometry, natural, backward), numbers)


def packed_points(low: Lowering, step: Step, way: Winograd, backward: bool) -> int:
    """The weight's values at the points."""
    geometry = way.geometry
    numbers = geometry.groups * way.points * geometry.outputs * geometry.inputs * geometry.rows.kernel
    plain = _packing(geometry, low.parameter(step, "weight"), backward)
    packing = replace(plain, points=way.points, point_taps=geometry.columns.kernel, in_registers=way.in_registers)
    return low.packed(packing, numbers)


def _packing(geometry: Geometry, natural: int, backward: bool) -> Packing:
    return Packing(
        natural=natural,
        groups=geometry.groups,
        out=geometry.outputs,
        in_=geometry.inputs,
        taps=geometry.taps,
        backward=backward,
        rotated=geometry.rotated,
        mask=geometry.links,
    )


def _wants_border(low: Lowering, geometry: Geometry) -> bool:
    """Whether the kernel for one sample will take vectors of pixels, and rows of them be cut short by padding."""
    columns, vector = geometry.columns, low.task.channel_vector
    vectors = -(-columns.size // vector) * geometry.outputs
    by_pixels = columns.stride == 1 and columns.size >= vector
    by_pixels = by_pixels and vectors < -(-geometry.outputs // vector) * columns.size
    return low.task.lanes == 1 and by_pixels and len(columns.runs) > 1


def _padded(low: Lowering, step: Step, geometry: Geometry, x: Slot) -> tuple[Slot, Axis, Axis]:
    """(input with a border of zeros, rows, columns)."""
    rows, columns = (
        forward_axis(axis.reach, axis.size, axis.kernel, axis.stride, 0, axis.dilation)
        for axis in (geometry.rows, geometry.columns)
    )
    channels = geometry.groups * geometry.inputs
    y = low.program.slot(f"{step.name}: input with a border", (channels, rows.source_size, columns.source_size))
    record = records.Pad(
        x=x,
        y=y,
        channels=channels,
        rows=geometry.rows.source_size,
        columns=geometry.columns.source_size,
        padded_rows=rows.source_size,
        padded_columns=columns.source_size,
        top=geometry.rows.padding,
        left=geometry.columns.padding,
    )
    low.program.emit(record, f"border of {step.name}")
    return y, rows, columns


CONVOLUTION = Rules(_convolution, Traits(takes_pairs=takes_pairs, takes_norm=_takes_norm))
