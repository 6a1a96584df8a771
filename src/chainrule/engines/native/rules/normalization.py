"""Local response and batch normalisation in a native program."""

from __future__ import annotations

from chainrule.engines.native.fusion import Group
from chainrule.engines.native.lowering import Backward, Lowering, Rules
from chainrule.engines.native.records import normalization as records
from chainrule.engines.native.records.steps import Ending
from chainrule.graph import Step
from chainrule.layers import BatchNorm1d, BatchNorm2d, LocalResponseNorm
from chainrule.shapes import product


def _channels(step: Step) -> records.Channels:
    return records.Channels(channels=step.shape[0], places=product(step.shape[1:]))


def _response(low: Lowering, group: Group) -> Backward:
    layer, channels, x = group.step.layer, _channels(group.step), low.x(group)
    assert isinstance(layer, LocalResponseNorm)
    size, alpha, beta, k = layer.size, layer.alpha, layer.beta, layer.k
    scale = low.program.slot(f"{group.step.name} scale", group.step.shape)
    record = records.ResponseNormForward(
        x=x, y=low.new_value(group), scale=scale, channels=channels, size=size, alpha=alpha, beta=beta, k=k
    )
    low.program.emit(record, group.step.name)

    def back() -> None:
        dy = low.gradient(group).slot
        if low.needs_input(group):
            dx = low.new_gradient(group)
            record = records.ResponseNormBackward(
                x=x, dx=dx, dy=dy, scale=scale, channels=channels, size=size, alpha=alpha, beta=beta, k=k
            )
            low.program.emit(record, f"d input of {group.step.name}")

    return back


def _batch_norm(low: Lowering, group: Group) -> Backward:
    step, layer, channels, program = group.step, group.step.layer, _channels(group.step), low.program
    assert isinstance(layer, BatchNorm1d | BatchNorm2d)
    training = low.task.training
    forward, backward = (program.take("statistics", 2 * channels.channels) for _ in range(2))
    mean, variance = low.parameter(step, "running_mean"), low.parameter(step, "running_var")
    weight, bias = low.optional_parameter(step, "weight"), low.optional_parameter(step, "bias")
    norm = records.Normalization(
        channels=channels,
        running_mean=mean,
        running_var=variance,
        forward_statistics=forward,
        eps=layer.eps,
        training=training,
    )
    x = low.x(group)
    if training:
        record = records.BatchNormStatistics(channels=channels, x=x, forward_statistics=forward)
        program.emit(record, f"statistics of {step.name}")
        program.cut(
            records.BatchNormFinishForward(
                channels=channels,
                running_mean=mean,
                running_var=variance,
                forward_statistics=forward,
                eps=layer.eps,
                momentum=layer.momentum,
            )
        )
    program.emit(records.BatchNormForward(norm=norm, x=x, y=low.new_value(group), weight=weight, bias=bias), step.name)

    def back() -> None:
        dy, count = low.gradient(group).slot, channels.channels
        raw = [
            low.wanted_gradient(step, name, count, Ending(layout="numbers", rows=1, columns=count))
            for name in ("weight", "bias")
        ]
        if training or any(place is not None for place in raw):
            sums = records.BatchNormBackwardSums(norm=norm, x=x, dy=dy, backward_statistics=backward)
            program.emit(sums, f"d {step.layer_name}")
            program.cut(
                records.BatchNormFinishBackward(
                    channels=channels, backward_statistics=backward, raw_weight=raw[0], raw_bias=raw[1]
                )
            )
        if low.needs_input(group):
            dx = low.new_gradient(group)
            record = records.BatchNormBackwardInput(
                norm=norm, x=x, dx=dx, dy=dy, weight=weight, backward_statistics=backward
            )
            program.emit(record, f"d input of {step.name}")

    return back


RESPONSE_NORM = Rules(_response)
BATCH_NORM = Rules(_batch_norm)
