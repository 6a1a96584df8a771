"""Dropout (named in S2-B05)."""

from __future__ import annotations

from chainrule.arrays import Array
from chainrule.equations import dropout
from chainrule.layers.base import Context, Layer, Values
from chainrule.shapes import Shape, number


class Dropout(Layer):
    """In training each value is zeroed with probability p and the rest divided by 1 - p; in inference y = x.

    The mask is a function of (seed, step, node, sample), the same on every engine and any number of threads.
    """

    def __init__(self, p: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.p = number("p", p, 0, 1)

    def is_identity(self, training: bool) -> bool:
        return not training

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Array | None]:
        (x,) = xs
        if not context.training:
            return x, None
        mask = dropout.dropout_mask(x.shape, self.p, context.seed, context.step, context.node)
        return dropout.dropout(x, mask, self.p), mask

    def backward_input(self, parameters: Values, dy: Array, saved: Array | None) -> Array:
        return dy if saved is None else dropout.dropout(dy, saved, self.p)


__all__ = ["Dropout"]
