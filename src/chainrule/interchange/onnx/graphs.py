"""The three functions that a file may hold: inference, gradients, one training step.

    inference     (x) -> y
    gradients     (x, targets, parameters) -> loss, gradients, dx
    train_step    (x, targets, learning rate, parameters, buffers, memory) -> loss, new parameters, buffers, memory

What stands in parentheses are the file's inputs, beside a mask for each dropout layer in training, and the number of
the step where the optimizer counts. Everything that a step changes is an input NAME and an output new.NAME.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.graph import Graph, Step
from chainrule.interchange.onnx import losses, optimizers
from chainrule.interchange.onnx.builder import Builder, Value
from chainrule.interchange.onnx.rules import Rule, rule_of
from chainrule.layers import Dropout
from chainrule.losses import Loss
from chainrule.optimizers import Optimizer
from chainrule.walk import walk_back


@dataclass(frozen=True)
class Pixels:
    """How bytes become the numbers that a network takes: black + (white - black) byte / 255."""

    black: float = 0.0
    white: float = 1.0

    def numbers(self, x: Value) -> Value:
        """The floats that bytes stand for."""
        share = x.cast() / 255.0
        return share if (self.black, self.white) == (0.0, 1.0) else share * (self.white - self.black) + self.black


@dataclass(frozen=True)
class Request:
    """What of a graph becomes a file, and how."""

    graph: Graph
    arrays: dict[str, Array]
    """Parameters and buffers in the file's precision."""
    builder: Builder
    pixels: Pixels | None = None
    given: bool = False
    """Whether parameters are inputs of the file."""
    stored: bool = True
    """Whether those that are have their values in the file as defaults."""
    loss: Loss | None = None
    optimizer: Optimizer | None = None
    soft_targets: bool = False
    weighted: bool = False
    """Whether samples have weights, which are an input."""
    training: bool = False
    dx: bool = False


class _Writing:
    """A graph on its way into a builder."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.graph = request.graph
        self.builder = request.builder
        self.values: dict[str, Value] = {}
        self.rules: list[Rule[Any]] = []

    def sample_shape(self, *shape: int) -> tuple[int | None, ...]:
        """Of a batch of samples."""
        return (self.builder.batch, *shape)

    def x(self) -> Value:
        """The file's first input, as the network takes it."""
        pixels = self.request.pixels
        x = self.builder.input("x", self.sample_shape(*self.graph.input_shape), np.uint8 if pixels else None)
        return pixels.numbers(x) if pixels else x

    def targets(self) -> Value:
        """The file's second input, as losses take it."""
        request, shape = self.request, self.graph.output_shape
        assert request.loss is not None
        if not request.loss.by_class or request.soft_targets:
            return self.builder.input("targets", self.sample_shape(*shape))
        given = self.builder.input("targets", self.sample_shape(*shape[1:]), np.int64)
        return losses.one_hot(given, shape)

    def declare(self) -> None:
        """Parameters and buffers: arrays of the file, or inputs, with these as defaults where they are stored."""
        for name, array in self.request.arrays.items():
            if not self.request.given:
                self.values[name] = self.builder.array(name, array)
                continue
            self.values[name] = self.builder.input(name, array.shape, optional=True)
            if self.request.stored:
                self.builder.arrays[self.values[name]] = array

    def forward(self, x: Value) -> Value:
        """Every step by its rule; the output of the network."""
        nodes = [x]
        for step in self.graph.steps:
            own = self._own(step.layer_name)
            if isinstance(step.layer, Dropout) and self.request.training:
                own["mask"] = self.builder.input(f"mask.{step.name}", self.sample_shape(*step.shape), np.bool_)
            xs = tuple(nodes[source] for source in step.inputs)
            rule = rule_of(step)(step.layer, step, xs, own, self.request.training, self.builder)
            rule.y = rule.forward()
            self.rules.append(rule)
            nodes.append(rule.y)
        return nodes[-1]

    def _own(self, layer: str) -> dict[str, Value]:
        """The arrays of a layer by their own names."""
        own = (*self.graph.parameters.of(layer), *self.graph.buffers.of(layer))
        return {name: self.values[f"{layer}.{name}"] for name in own}

    def backward(self, dy: Value) -> tuple[Value, dict[str, Value]]:
        """(dL/dx, dL/dparameter by name). What is not wanted of it leads to no output, and so is not written."""
        gradients: dict[str, Value] = {}

        def through(step: Step, flowing: Value) -> tuple[Value, ...]:
            rule = self.rules[step.index - 1]
            for own, part in rule.backward_parameters(flowing).items():
                name = f"{step.layer_name}.{own}"
                gradients[name] = gradients[name] + part if name in gradients else part  # shared: S0-E07
            dx = rule.backward_input(flowing)
            return dx if isinstance(dx, tuple) else (dx,)

        dx = walk_back(self.graph, dy, through, operator.add)[0]
        assert dx is not None
        return dx, gradients

    def buffers(self) -> dict[str, Value]:
        """The buffers after the step; a layer that is used twice moves its own twice."""
        now = {name: self.values[name] for name in self.graph.buffers}
        for rule in self.rules:
            layer = rule.step.layer_name
            before = {own: now[f"{layer}.{own}"] for own in self.graph.buffers.of(layer)}
            now |= {f"{layer}.{own}": value for own, value in rule.updated_buffers(before).items()}
        return now

    def call_by_their_names(self) -> None:
        """Values between input and output are called as the graph's nodes."""
        for rule in self.rules:
            self.builder.call(rule.y, rule.step.name)


def inference(request: Request) -> None:
    """(x) -> y."""
    writing = _Writing(request)
    x = writing.x()
    writing.declare()
    y = writing.forward(x)
    request.builder.output("y", y, writing.sample_shape(*request.graph.output_shape))
    writing.call_by_their_names()


def _through_the_loss(writing: _Writing, x: Value, targets: Value) -> tuple[Value, dict[str, Value]]:
    """Forward, loss and backward: (dL/dx, dL/dparameter by name); the loss becomes the first output."""
    request = writing.request
    assert request.loss is not None
    y = writing.forward(x)
    weights = request.builder.input("sample_weight", writing.sample_shape()) if request.weighted else None
    shape, soft = request.graph.output_shape, request.soft_targets
    loss, dy = losses.value_and_gradient(request.loss, y, targets, shape, soft=soft, weights=weights)
    request.builder.output("loss", loss, ())
    return writing.backward(dy)


def gradients(request: Request) -> None:
    """(x, targets, parameters) -> loss, gradient.NAME of every parameter, gradient.x."""
    writing = _Writing(request)
    x, targets = writing.x(), writing.targets()
    writing.declare()
    dx, found = _through_the_loss(writing, x, targets)
    for name, shape in request.graph.parameters.shapes.items():
        request.builder.output(f"gradient.{name}", found[name], shape)
    request.builder.output("gradient.x", dx, writing.sample_shape(*request.graph.input_shape))
    writing.call_by_their_names()


def train_step(request: Request) -> None:
    """(x, targets, learning_rate, parameters, buffers, memory) -> loss, all of these after the step."""
    writing, builder = _Writing(request), request.builder
    optimizer = request.optimizer
    assert optimizer is not None
    rule = optimizers.rule_of(optimizer)
    x, targets = writing.x(), writing.targets()
    rate = builder.input("learning_rate", ())
    clock = optimizers.Clock(rate, builder.input("step", (), np.int64) if rule.counts else None)
    writing.declare()
    dx, found = _through_the_loss(writing, x, targets)
    for name, shape in request.graph.parameters.shapes.items():
        if name in request.graph.frozen:
            continue
        names = [f"{memory}.{name}" for memory in rule.memories(optimizer)]
        memory = [builder.input(each, shape) for each in names]
        moved, after = rule.update(optimizer, writing.values[name], found[name], memory, clock)
        for each, value in ((name, moved), *zip(names, after, strict=True)):
            builder.output(f"new.{each}", value, shape)
    for name, value in writing.buffers().items():
        builder.output(f"new.{name}", value, request.graph.buffers.shapes[name])
    if request.dx:
        builder.output("gradient.x", dx, writing.sample_shape(*request.graph.input_shape))
    writing.call_by_their_names()
