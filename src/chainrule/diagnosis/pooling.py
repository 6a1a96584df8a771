"""The right gradients of pooling layers, and likely mistakes in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth
from chainrule.equations import pooling
from chainrule.equations.convolution import crop, pad, scatter_windows, windows_of
from chainrule.shapes import Pair, Sides, Window

POOL: Suspects[PoolProblem] = Suspects()
PoolKind = Literal["max", "average", "l2"]
KINDS: tuple[PoolKind, ...] = ("max", "average", "l2")

FORMULAS = {
    "max": ("dx = dy at the window's maximum, the first in row-major order; 0 elsewhere", "S1-E16, S2-E39, ER1-16"),
    "average": ("dx = dy / (kernel area) at every place of the window", "S0-E39, S2-E41, ER4-23"),
    "l2": ("dx_i = dy x_i / ||x||, 0 where the norm is 0", "ER0-32"),
}


@dataclass(frozen=True)
class PoolProblem(Problem):
    """x (n, channels, rows, columns), dy (n, channels, places) in float64."""

    x: Array
    dy: Array
    window: Window
    kind: PoolKind

    suspects: ClassVar[Suspects[Any]] = POOL

    @property
    def sides(self) -> Sides:
        """Padding as numbers."""
        return self.window.sides((self.x.shape[2], self.x.shape[3]))

    @property
    def area(self) -> int:
        """Places of a window."""
        return self.window.kernel_size[0] * self.window.kernel_size[1]

    def windows(self) -> Array:
        """(n, channels, places, kernel) of the padded input."""
        value = -np.inf if self.kind == "max" else 0.0
        return windows_of(pad(self.x, self.sides, value), self.window)

    def spread(self, parts: Array, overwrite: bool = False) -> Array:
        """Add up what each window passes back; with `overwrite` the last window wins."""
        top, bottom, left, right = self.sides
        size: Pair = (self.x.shape[2] + top + bottom, self.x.shape[3] + left + right)
        if not overwrite:
            return crop(scatter_windows(parts, self.window, size), self.sides)
        out = np.zeros((*self.x.shape[:2], *size))
        (kh, kw), (sh, sw) = self.window.kernel_size, self.window.stride
        for p, q in np.ndindex(*parts.shape[2:4]):
            out[..., p * sh : p * sh + kh, q * sw : q * sw + kw] = parts[:, :, p, q]
        return crop(out, self.sides)

    def parts(self, dy: Array) -> Array:
        """What each window passes back by the right rule."""
        kernel, windows = self.window.kernel_size, self.windows()
        if self.kind == "max":
            return pooling.max_pool_backward(dy, pooling.max_pool(windows)[1], kernel)
        if self.kind == "average":
            return pooling.weighted_pool_backward(dy, pooling.mean_weights(kernel))
        return pooling.lp_pool_backward(dy, windows, pooling.lp_pool(windows, 2), 2)

    def maxima(self) -> Array:
        """Which places of each window hold its maximum."""
        windows = self.windows()
        result: Array = windows == windows.max(axis=(-2, -1), keepdims=True)
        return result

    def truths(self) -> dict[str, Truth]:
        return {
            "dx": Truth(
                self.spread(self.parts(self.dy)),
                self.spread(np.abs(self.parts(self.dy))),
                2 * self.area,
                ("sample", "channel", "row", "column"),
                *FORMULAS[self.kind],
            )
        }

    def counts(self) -> Mapping[str, int]:
        sides = {"the window's side": self.window.kernel_size[0]} if len(set(self.window.kernel_size)) == 1 else {}
        return {"the window's area": self.area, "the batch size": len(self.x), **sides}


@POOL(
    "dx",
    "every_maximum_gets_it",
    "Every one of several equal maxima got the whole gradient; the first alone wins (ER1-16).",
)
def every_maximum_gets_it(p: PoolProblem) -> Array | None:
    return p.spread(p.dy[..., None, None] * p.maxima()) if p.kind == "max" else None


@POOL(
    "dx",
    "split_among_maxima",
    "Equal maxima share the gradient. That is a subgradient too, but here and in PyTorch the first wins (ER1-16).",
)
def split_among_maxima(p: PoolProblem) -> Array | None:
    if p.kind != "max":
        return None
    maxima = p.maxima()
    return p.spread(p.dy[..., None, None] * maxima / maxima.sum(axis=(-2, -1), keepdims=True))


@POOL(
    "dx",
    "another_maximum_wins",
    "Another of several equal maxima wins. That is a subgradient too, but here and in PyTorch the first wins (ER1-16).",
)
def another_maximum_wins(p: PoolProblem) -> list[Array] | None:
    if p.kind != "max":
        return None
    kernel, windows = p.window.kernel_size, p.windows()
    flat = windows.reshape(*windows.shape[:4], -1)
    columns_first = windows.swapaxes(-2, -1).reshape(flat.shape).argmax(axis=-1)
    last = flat.shape[-1] - 1 - flat[..., ::-1].argmax(axis=-1)
    by_columns = columns_first % kernel[0] * kernel[1] + columns_first // kernel[0]
    return [p.spread(pooling.max_pool_backward(p.dy, w, kernel)) for w in (last, by_columns)]


@POOL("dx", "everyone_gets_it", "Every place of the window got the whole gradient (ER1-01).")
def everyone_gets_it(p: PoolProblem) -> Array:
    return p.spread(np.broadcast_to(p.dy[..., None, None], (*p.dy.shape, *p.window.kernel_size)))


@POOL("dx", "minimum_instead_of_maximum", "The gradient went to the window's minimum.")
def minimum_instead_of_maximum(p: PoolProblem) -> Array | None:
    if p.kind != "max":
        return None
    lowest = pooling.max_pool(windows_of(pad(-p.x, p.sides, -np.inf), p.window))[1]
    return p.spread(pooling.max_pool_backward(p.dy, lowest, p.window.kernel_size))


@POOL("dx", "largest_magnitude_wins", "The gradient went to the largest absolute value instead of the maximum.")
def largest_magnitude_wins(p: PoolProblem) -> Array | None:
    if p.kind != "max":
        return None
    largest = pooling.max_pool(windows_of(pad(np.abs(p.x), p.sides, -np.inf), p.window))[1]
    return p.spread(pooling.max_pool_backward(p.dy, largest, p.window.kernel_size))


@POOL("dx", "multiplied_by_the_value", "dy was multiplied by the pixel's value; a maximum hands dy down unchanged.")
def multiplied_by_the_value(p: PoolProblem) -> Array | None:
    return p.spread(p.parts(p.dy)) * p.x if p.kind == "max" else None


@POOL("dx", "rule_of_another_pool", "This is the gradient of another kind of pooling.")
def rule_of_another_pool(p: PoolProblem) -> list[Array]:
    others = [PoolProblem(p.x, p.dy, p.window, kind) for kind in KINDS if kind != p.kind]
    return [other.spread(other.parts(p.dy)) for other in others]


@POOL(
    "dx",
    "overlaps_overwritten",
    "Where windows overlap, their contributions were assigned instead of added (= instead of +=, ER1-16).",
)
def overlaps_overwritten(p: PoolProblem) -> list[Array]:
    parts = p.parts(p.dy)
    made = [p.spread(parts, overwrite=True)]
    if p.kind == "max":  # only the winner is written
        made.append(_last_winner(p))
    return made


def _last_winner(p: PoolProblem, step: Pair | None = None) -> Array:
    """Each window's gradient at its winner, the last written stays; `step` takes the place of the stride."""
    return _each_winner(p, step or p.window.stride, overwrite=True)


def _each_winner(p: PoolProblem, step: Pair, overwrite: bool = False) -> Array:
    argmax = pooling.max_pool(p.windows())[1]
    rows, columns = np.divmod(argmax, p.window.kernel_size[1])
    top, bottom, left, right = p.sides
    out = np.zeros((*p.x.shape[:2], p.x.shape[2] + top + bottom, p.x.shape[3] + left + right))
    for n, c, i, j in np.ndindex(*p.dy.shape):
        at = n, c, i * step[0] + rows[n, c, i, j], j * step[1] + columns[n, c, i, j]
        out[at] = p.dy[n, c, i, j] + (0.0 if overwrite else out[at])
    return crop(out, p.sides)


@POOL("dx", "winner_transposed", "The winner's row and column in its window were exchanged.")
def winner_transposed(p: PoolProblem) -> Array | None:
    kernel = p.window.kernel_size
    if p.kind != "max" or min(kernel) == 1:
        return None
    row, column = np.divmod(pooling.max_pool(p.windows())[1], kernel[1])
    inside = (column < kernel[0]) & (row < kernel[1])  # elsewhere the slip would write outside of its window
    turned = np.where(inside, column * kernel[1] + row, row * kernel[1] + column)
    return p.spread(pooling.max_pool_backward(p.dy, turned, kernel))


@POOL(
    "dx",
    "window_start_forgotten",
    "The winner's place was not moved by stride times the window's number: p + row instead of p stride + row.",
)
def window_start_forgotten(p: PoolProblem) -> list[Array] | None:
    return None if p.kind != "max" or p.window.stride == (1, 1) else [_last_winner(p, (1, 1)), _each_winner(p, (1, 1))]


@POOL("dx", "one_sample_only", "Everything was written to one sample of the batch.")
def one_sample_only(p: PoolProblem) -> list[Array] | None:
    if len(p.x) == 1:
        return None
    made = []
    for whole in (p.spread(p.parts(p.dy)).sum(axis=0), _last_written(p)):
        for kept in (0, -1):
            alone = np.zeros_like(p.x)
            alone[kept] = whole
            made.append(alone)
    return made


def _last_written(p: PoolProblem) -> Array:
    """The samples written over one another: the last that is not zero stays."""
    result = np.zeros(p.x.shape[1:])
    for sample in p.spread(p.parts(p.dy)):
        result = np.where(sample != 0, sample, result)
    return result


@POOL("dx", "always_the_top_left", "The gradient always went to the window's top left corner; the maximum gets it.")
def always_the_top_left(p: PoolProblem) -> Array | None:
    if p.kind != "max":
        return None
    return p.spread(pooling.max_pool_backward(p.dy, np.zeros(p.dy.shape, np.int64), p.window.kernel_size))


@POOL(
    "dx",
    "one_place_of_the_window",
    "The averaged gradient went to one place of the window; every place gets its share (ER4-23).",
)
def one_place_of_the_window(p: PoolProblem) -> list[Array] | None:
    if p.kind != "average":
        return None
    made = []
    for share in (1.0, 1 / p.area):
        parts = np.zeros((*p.dy.shape, *p.window.kernel_size))
        parts[..., 0, 0] = share * p.dy
        made.append(p.spread(parts))
    return made


@POOL(
    "dx",
    "divided_by_valid_places",
    "At the border the division was by the pixels under the window; here padding counts (count_include_pad).",
)
def divided_by_valid_places(p: PoolProblem) -> Array | None:
    if p.kind != "average" or not any(p.sides):
        return None
    valid = windows_of(pad(np.ones_like(p.x), p.sides), p.window).sum(axis=(-2, -1))
    return p.spread(
        np.broadcast_to((p.dy / np.maximum(valid, 1))[..., None, None], (*p.dy.shape, *p.window.kernel_size))
    )


@POOL("dx", "padding_not_removed", "What fell on the padding was not cut off, or was cut off on one side only.")
def padding_not_removed(p: PoolProblem) -> list[Array] | None:
    if not any(p.sides):
        return None
    rows, columns = p.x.shape[2:]
    top, bottom, left, right = p.sides
    whole = scatter_windows(p.parts(p.dy), p.window, (rows + top + bottom, columns + left + right))
    return [whole, whole[..., :rows, :columns], whole[..., whole.shape[2] - rows :, whole.shape[3] - columns :]]
