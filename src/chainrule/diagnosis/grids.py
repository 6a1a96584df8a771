"""The sums of a convolution layer over any grid of places and taps, right or wrong.

    pixel = place * step + tap * spacing - origin

is the one line in which stride, dilation and padding act. With step = stride, spacing = dilation and origin = (top,
left) padding these sums are the gradients of the layer; with another grid they are those of somebody who mixed up
one of the three. Pixels outside the map count as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Pair


@dataclass(frozen=True)
class Grid:
    """Which pixel lies under a tap of the kernel at a place."""

    step: Pair
    spacing: Pair
    origin: Pair

    def pixels(self, axis: int, places: int, taps: int) -> Array:
        """(places, taps) pixel numbers on one axis."""
        place, tap = np.arange(places)[:, None], np.arange(taps)
        result: Array = place * self.step[axis] + tap * self.spacing[axis] - self.origin[axis]
        return result


def gather(x: Array, grid: Grid, places: Pair, taps: Pair) -> Array:
    """v[n, d, p, i, q, j] = x[n, d, row(p, i), column(q, j)], 0 outside."""
    rows, columns = (grid.pixels(axis, places[axis], taps[axis]) for axis in (0, 1))
    inside_rows, inside_columns = (
        (pixels >= 0) & (pixels < size) for pixels, size in zip((rows, columns), x.shape[2:], strict=True)
    )
    inside = inside_rows[:, :, None, None] & inside_columns
    clipped = (np.where(ok, p, 0) for ok, p in ((inside_rows, rows), (inside_columns, columns)))
    first, second = clipped
    result: Array = np.where(inside, x[:, :, first[:, :, None, None], second], 0)
    return result


def weight_sum(dy: Array, x: Array, grid: Grid, kernel: Pair, groups: int) -> Array:
    """dw[o, d, i, j] = sum_{n, p, q} dy[n, o, p, q] x[n, d, row(p, i), column(q, j)]."""
    n, filters, *places = dy.shape
    seen = gather(x, grid, (places[0], places[1]), kernel)
    split = seen.reshape(n, groups, -1, *seen.shape[2:])
    deltas = dy.reshape(n, groups, filters // groups, *places)
    dw: Array = np.einsum("ngopq,ngdpiqj->godij", deltas, split, optimize=True)
    return dw.reshape(filters, x.shape[1] // groups, *kernel)


def flowing(dy: Array, weight: Array, groups: int) -> Array:
    """v[n, d, i, j] = sum_o dy[n, o] w[o, d, i, j]: what each tap at one place passes back."""
    n, filters = dy.shape
    kernels = weight.reshape(groups, filters // groups, -1)
    v: Array = dy.reshape(n, groups, filters // groups).transpose(1, 0, 2) @ kernels
    return v.transpose(1, 0, 2).reshape(n, groups * weight.shape[1], *weight.shape[2:])


def input_sum(dy: Array, weight: Array, grid: Grid, size: Pair, groups: int, overwrite: bool = False) -> Array:
    """dx[n, d, x, y] = sum of dy[n, o, p, q] w[o, d, i, j] over the places and taps that meet on the pixel.

    With `overwrite` the last place that meets it, in row-major order, replaces what was there.
    """
    taps = (weight.shape[2], weight.shape[3])
    rows, columns = (grid.pixels(axis, dy.shape[2 + axis], taps[axis]) for axis in (0, 1))
    dx = np.zeros((len(dy), groups * weight.shape[1], *size))
    for p, q in np.ndindex(*dy.shape[2:]):
        kept_rows = np.flatnonzero((rows[p] >= 0) & (rows[p] < size[0]))
        kept_columns = np.flatnonzero((columns[q] >= 0) & (columns[q] < size[1]))
        here = rows[p][kept_rows][:, None], columns[q][kept_columns]
        part = flowing(dy[:, :, p, q], weight, groups)[:, :, kept_rows[:, None], kept_columns]
        dx[:, :, here[0], here[1]] = part if overwrite else dx[:, :, here[0], here[1]] + part
    return dx
