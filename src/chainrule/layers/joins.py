"""Layers that move values without changing them: Flatten, and the joins of a graph, Add and Concat."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ShapeError
from chainrule.layers.base import Context, Layer, Values
from chainrule.shapes import ReceptiveField, Shape, product


class Flatten(Layer):
    """(n, c, h, w) -> (n, c h w), row-major (S2-F04). The gradient takes the shape of the input again."""

    def is_identity(self, training: bool) -> bool:
        return True

    def output_shape(self, *shapes: Shape) -> Shape:
        return (product(shapes[0]),)

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Shape]:
        (x,) = xs
        return x.reshape(len(x), -1), x.shape

    def backward_input(self, parameters: Values, dy: Array, saved: Shape) -> Array:
        return dy.reshape(saved)

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        if len(shapes[0]) != 3:
            return field
        return ReceptiveField(field.size, field.jump, (shapes[0][1], shapes[0][2]))


class Add(Layer):
    """y = x_1 + x_2 + ...; every input gets the whole gradient. Residual links end here (S2-B05)."""

    arity = None

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) != 1:
            raise ShapeError(f"adds inputs of one shape, but they have {', '.join(map(str, shapes))}")
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, int]:
        y = xs[0] + xs[1]
        for x in xs[2:]:
            y = y + x
        return y, len(xs)

    def backward_input(self, parameters: Values, dy: Array, saved: int) -> tuple[Array, ...]:
        return (dy,) * saved


class Concat(Layer):
    """Features or channels side by side: (n, c1, ...) and (n, c2, ...) -> (n, c1 + c2, ...)."""

    arity = None

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[1:] for shape in shapes}) != 1 or not all(shapes):
            raise ShapeError(f"joins inputs that differ in channels only, but they have {', '.join(map(str, shapes))}")
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, list[int]]:
        return np.concatenate(xs, axis=1), [x.shape[1] for x in xs]

    def backward_input(self, parameters: Values, dy: Array, saved: list[int]) -> tuple[Array, ...]:
        return tuple(np.split(dy, np.cumsum(saved)[:-1], axis=1))


__all__ = ["Add", "Concat", "Flatten"]
