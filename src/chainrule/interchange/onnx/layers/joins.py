"""Flatten, Add and Concat: values that move, and gradients that move back."""

from __future__ import annotations

import functools
import operator

import numpy as np

from chainrule import layers
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.rules import Rule, rule


@rule(layers.Flatten)
class _Flatten(Rule[layers.Flatten]):
    def forward(self) -> Value:
        return self.x if len(self.shape) == 1 else self.op("Flatten", self.x)

    def backward_input(self, dy: Value) -> Value:
        return dy if len(self.shape) == 1 else dy.reshape(0, *self.shape)


@rule(layers.Add)
class _Add(Rule[layers.Add]):
    def forward(self) -> Value:
        return functools.reduce(operator.add, self.xs)

    def backward_input(self, dy: Value) -> tuple[Value, ...]:
        return (dy,) * len(self.xs)


@rule(layers.Concat)
class _Concat(Rule[layers.Concat]):
    def forward(self) -> Value:
        return self.op("Concat", *self.xs, axis=1)

    def backward_input(self, dy: Value) -> tuple[Value, ...]:
        channels = [shape[0] for shape in self.step.input_shapes]
        return self.builder.ops(len(channels), "Split", dy, np.array(channels, np.int64), axis=1)
