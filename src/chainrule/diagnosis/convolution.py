"""The right gradients of a convolution layer at given numbers, with what rounding may do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.grids import Grid
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth
from chainrule.diagnosis.upstream import Upstream
from chainrule.equations import convolution
from chainrule.shapes import Pair, Sides, Window, product

CONV: Suspects[Conv2dProblem] = Suspects()
"""Filled by `convolution_input`, `convolution_weight` and `convolution_bias`."""

INPUT_FORMULAS = {
    "correlation": ("dx = dy ∗_full w: zeros restored, padded by F - 1, under the rotated kernel", "S2-E28, S4-E37"),
    "convolution": ("dx = dy ∗_full rot180(w), which is dy ⋆_full w: not rotated again", "S0-E17, S0-E18"),
}
WEIGHT_FORMULAS = {
    "correlation": (
        "dw[o,d,i,j] = sum_{n,p,q} dy[n,o,p,q] x[n,d,pS+iD-P,qS+jD-P], that is x ⋆ dy",
        "S2-E32..E35, S4-E28, ER4-14",
    ),
    "convolution": ("dw = rot180(x) ∗ dy, that is x ⋆ dy rotated by 180°", "S0-E10, S0-E12"),
}
BIAS_FORMULA = ("db[o] = sum_{n,p,q} dy[n,o,p,q]", "S1-E15, S2-E36, S4-E31")


@dataclass(frozen=True)
class Conv2dProblem(Problem):
    """x (n, in, h, w), weight (out, in / groups, kernel), dy (n, out, places) in float64."""

    x: Array
    weight: Array
    dy: Array
    window: Window
    groups: int = 1
    mode: convolution.Convention = "correlation"
    mask: Array | None = None
    above: Upstream | None = None

    suspects: ClassVar[Suspects[Any]] = CONV

    @property
    def size(self) -> Pair:
        """Rows and columns of the input."""
        return (self.x.shape[2], self.x.shape[3])

    @property
    def sides(self) -> Sides:
        """Padding as numbers."""
        return self.window.sides(self.size)

    @property
    def padded_size(self) -> Pair:
        """Rows and columns with the padding."""
        top, bottom, left, right = self.sides
        return (self.size[0] + top + bottom, self.size[1] + left + right)

    @property
    def grid(self) -> Grid:
        """The right one."""
        return Grid(self.window.stride, self.window.dilation, (self.sides[0], self.sides[2]))

    @property
    def places(self) -> Pair:
        """Rows and columns of the output."""
        return (self.dy.shape[2], self.dy.shape[3])

    @property
    def kernel(self) -> Array:
        """The weight as it slides: rotated in the convention of S0."""
        return convolution.rot180(self.weight) if self.mode == "convolution" else self.weight

    def options(self) -> dict[str, Any]:
        """Keyword arguments of the equations."""
        window = self.window
        return {
            "stride": window.stride,
            "padding": window.padding,
            "dilation": window.dilation,
            "groups": self.groups,
            "mode": self.mode,
        }

    def as_slid(self, dkernel: Array) -> Array:
        """A gradient of the sliding kernel as one of the weight."""
        rotated = convolution.rot180(dkernel) if self.mode == "convolution" else dkernel
        return self.linked(rotated)

    def linked(self, dweight: Array) -> Array:
        """Zero where the connection table has no link."""
        return dweight if self.mask is None else dweight * self.mask

    def input_gradient(self, dy: Array, weight: Array) -> Array:
        """The right rule on any dy and weight."""
        return convolution.conv2d_backward_input(dy, weight, self.size, **self.options())

    def weight_gradient(self, dy: Array, x: Array) -> Array:
        """The right rule on any dy and x."""
        kernel = (self.weight.shape[2], self.weight.shape[3])
        return self.linked(convolution.conv2d_backward_weight(dy, x, kernel, **self.options()))

    def truths(self) -> dict[str, Truth]:
        dy, x, w = self.dy, self.x, self.weight
        places, taps = product(dy.shape[2:]), product(w.shape[2:])
        map_axes = ("sample", "channel", "row", "column")
        filter_axes = ("out channel", "in channel", "kernel row", "kernel column")
        fine = np.abs(dy) if self.above is None else self.above.size()
        loose = np.zeros_like(dy) if self.above is None else self.above.slack()
        coarse = len(dy) * places
        return {
            "dx": Truth(
                self.input_gradient(dy, w),
                self.input_gradient(fine, np.abs(w)),
                len(w) // self.groups * taps,
                map_axes,
                *INPUT_FORMULAS[self.mode],
                slack=self.input_gradient(loose, np.abs(w)),
            ),
            "dweight": Truth(
                self.weight_gradient(dy, x),
                self.weight_gradient(fine, np.abs(x)),
                coarse,
                filter_axes,
                *WEIGHT_FORMULAS[self.mode],
                slack=self.weight_gradient(loose, np.abs(x)),
            ),
            "dbias": Truth(
                dy.sum(axis=(0, 2, 3)),
                fine.sum(axis=(0, 2, 3)),
                coarse,
                ("out channel",),
                *BIAS_FORMULA,
                slack=loose.sum(axis=(0, 2, 3)),
            ),
        }

    def counts(self) -> Mapping[str, int]:
        places = product(self.dy.shape[2:])
        return {
            "the batch size": len(self.x),
            "the number of places": places,
            "batch size times places": len(self.x) * places,
            "the kernel area": product(self.weight.shape[2:]),
            "the number of filters": self.weight.shape[0],
            "the number of input channels": self.x.shape[1],
        }

    def upstream(self) -> Iterator[tuple[str, str, Problem]]:
        if self.above is not None:
            for key, sentence, dy in self.above.mistakes():
                yield key, sentence, replace(self, dy=dy, above=None)


Rule = Callable[[Conv2dProblem], Array | list[Array] | None]
