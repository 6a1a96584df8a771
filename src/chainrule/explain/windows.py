"""Which places of a window cover a pixel, and which pixels a place covers: the index arithmetic of all sliding layers.

A tap is a place in the kernel as it slides; `pixel = place S + tap D - P` on each axis (S4-E26, ER2-13).
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Pair, Window


def covering(window: Window, size: Pair, pixel: Pair) -> Array:
    """(m, 4) rows (p, q, i, j): window (p, q) covers the pixel with its tap (i, j)."""
    sides, places = window.sides(size), window.output_size(size)
    axes = []
    for axis in range(2):
        taps = np.arange(window.kernel_size[axis])
        reach = pixel[axis] + sides[2 * axis] - taps * window.dilation[axis]
        place = reach // window.stride[axis]
        good = (reach % window.stride[axis] == 0) & (place >= 0) & (place < places[axis])
        axes.append((place[good], taps[good]))
    (p, i), (q, j) = axes
    return np.stack([np.repeat(p, len(q)), np.tile(q, len(p)), np.repeat(i, len(q)), np.tile(j, len(p))], axis=1)


def covered(window: Window, size: Pair, place: Pair) -> Array:
    """(m, 4) rows (r, c, i, j): tap (i, j) of the window at `place` lies on pixel (r, c). Padding is left out."""
    sides = window.sides(size)
    axes = []
    for axis in range(2):
        taps = np.arange(window.kernel_size[axis])
        pixels = place[axis] * window.stride[axis] + taps * window.dilation[axis] - sides[2 * axis]
        good = (pixels >= 0) & (pixels < size[axis])
        axes.append((pixels[good], taps[good]))
    (r, i), (c, j) = axes
    return np.stack([np.repeat(r, len(c)), np.tile(c, len(r)), np.repeat(i, len(c)), np.tile(j, len(r))], axis=1)


def under_tap(window: Window, size: Pair, tap: Pair) -> Array:
    """(m, 4) rows (p, q, r, c): at place (p, q) the tap lies on pixel (r, c). Padding is left out."""
    sides, places = window.sides(size), window.output_size(size)
    axes = []
    for axis in range(2):
        steps = np.arange(places[axis])
        pixels = steps * window.stride[axis] + tap[axis] * window.dilation[axis] - sides[2 * axis]
        good = (pixels >= 0) & (pixels < size[axis])
        axes.append((steps[good], pixels[good]))
    (p, r), (q, c) = axes
    return np.stack([np.repeat(p, len(q)), np.tile(q, len(p)), np.repeat(r, len(q)), np.tile(c, len(p))], axis=1)


def crossed(first: Array, second: Array) -> tuple[Array, Array]:
    """Every row of one table with every row of another."""
    return np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1))
