"""Poolings in a native program."""

from __future__ import annotations

from typing import Any

from chainrule.engines.native.fusion import Group, Traits
from chainrule.engines.native.lowering import Backward, Lowering, Rules
from chainrule.engines.native.records import pooling as records
from chainrule.engines.native.records.steps import Ending
from chainrule.engines.native.rules.elementwise import relu_backward, relu_in_place
from chainrule.errors import EngineError
from chainrule.graph import Step
from chainrule.layers import AvgPool2d, GaussianPool2d, LPPool2d
from chainrule.memory import require_memory
from chainrule.shapes import LARGEST, product


def _maps(step: Step) -> records.Maps:
    channels, rows, columns = step.input_shapes[0]
    return records.Maps(
        channels=channels, rows=rows, columns=columns, out_rows=step.shape[1], out_columns=step.shape[2]
    )


def _check_reach(step: Step) -> None:
    """The core counts pixels in 32 bits, those of the padding too."""
    layer: Any = step.layer
    for axis in (0, 1):
        pixels = step.input_shapes[0][1 + axis] + sum(layer.padding[2 * axis : 2 * axis + 2])
        if pixels > LARGEST:
            raise EngineError(
                f"{step.name}: a window of {layer.kernel_size[axis]} pixels reaches {pixels} pixels far with its "
                f"padding; the native engine can index {LARGEST}"
            )


def _windows(step: Step) -> records.Windows:
    _check_reach(step)
    layer: Any = step.layer
    return records.Windows(
        maps=_maps(step),
        kernel_rows=layer.kernel_size[0],
        kernel_columns=layer.kernel_size[1],
        stride_rows=layer.stride[0],
        stride_columns=layer.stride[1],
        top=layer.padding[0],
        left=layer.padding[2],
    )


def _max_pool(low: Lowering, group: Group) -> Backward:
    windows, x, y = _windows(group.step), low.x(group), low.new_value(group)
    low.program.emit(records.MaxPoolForward(windows=windows, x=x, y=y), group.step.name)
    relu_in_place(low, group.relu, y)

    def back() -> None:
        dy = relu_backward(low, group.relu, y, low.gradient(group)).slot
        if low.needs_input(group):
            record = records.MaxPoolBackward(windows=windows, x=x, y=y, dx=low.new_gradient(group), dy=dy)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _weights(layer: AvgPool2d | GaussianPool2d) -> tuple[bool, tuple[float, ...]]:
    """Whether all are the same, and the weights: of a mean, which may have any number of them, only one."""
    if isinstance(layer, AvgPool2d):
        return True, (1 / product(layer.kernel_size),)
    require_memory(64 * product(layer.kernel_size), f"the weights of {layer!r}", "use a smaller window")
    return False, tuple(layer.weights().reshape(-1).tolist())


def _weighted_pool(low: Lowering, group: Group) -> Backward:
    layer, windows = group.step.layer, _windows(group.step)
    assert isinstance(layer, AvgPool2d | GaussianPool2d)
    uniform, weights = _weights(layer)
    x, y = low.x(group), low.new_value(group)
    record = records.WeightedPoolForward(windows=windows, x=x, y=y, uniform=uniform, weights=weights)
    low.program.emit(record, group.step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            dx = low.new_gradient(group)
            record = records.WeightedPoolBackward(windows=windows, dx=dx, dy=dy, uniform=uniform, weights=weights)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _lp_pool(low: Lowering, group: Group) -> Backward:
    layer, windows, x, y = group.step.layer, _windows(group.step), low.x(group), low.new_value(group)
    assert isinstance(layer, LPPool2d)
    norm = float(layer.norm_type)
    low.program.emit(records.LpPoolForward(windows=windows, x=x, y=y, norm=norm), group.step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            record = records.LpPoolBackward(windows=windows, x=x, y=y, dx=low.new_gradient(group), dy=dy, norm=norm)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _trainable_pool(low: Lowering, group: Group) -> Backward:
    step, windows, x = group.step, _windows(group.step), low.x(group)
    weight, bias = low.parameter(step, "weight"), low.parameter(step, "bias")
    record = records.TrainablePoolForward(windows=windows, x=x, y=low.new_value(group), weight=weight, bias=bias)
    low.program.emit(record, step.name)

    def back() -> None:
        dy, channels = low.gradient(group).slot, step.shape[0]
        raw_weight, raw_bias = (
            low.wanted_gradient(step, name, channels * low.task.lanes, Ending(layout="lanes", rows=1, columns=channels))
            for name in ("weight", "bias")
        )
        if raw_weight is not None or raw_bias is not None:
            sums = records.TrainablePoolBackwardParameters(
                windows=windows, x=x, dy=dy, raw_weight=raw_weight, raw_bias=raw_bias
            )
            low.program.emit(sums, f"d {step.layer_name}")
        if low.needs_input(group):
            record = records.TrainablePoolBackwardInput(
                windows=windows, dx=low.new_gradient(group), dy=dy, weight=weight
            )
            low.program.emit(record, f"d input of {step.name}")

    return back


def _adaptive_pool(low: Lowering, group: Group) -> Backward:
    maps = _maps(group.step)
    low.program.emit(records.AdaptivePoolForward(maps=maps, x=low.x(group), y=low.new_value(group)), group.step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            record = records.AdaptivePoolBackward(maps=maps, dx=low.new_gradient(group), dy=dy)
            low.program.emit(record, f"d input of {group.step.name}")

    return back


MAX_POOL = Rules(_max_pool, Traits(keeps_output=True))
WEIGHTED_POOL = Rules(_weighted_pool)
LP_POOL = Rules(_lp_pool, Traits(keeps_output=True))
TRAINABLE_POOL = Rules(_trainable_pool)
ADAPTIVE_POOL = Rules(_adaptive_pool)
