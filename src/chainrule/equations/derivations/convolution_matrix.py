"""Convolution as one matrix: z = M x + b, with M sparse and its few distinct entries shared (S2-E01).

Row (o, p, q) holds filter o as it lies on the input at place (p, q); all maps are flattened row-major
(S2-F04), so M is (out * places, in * pixels). For S2's 4x4 image and a 2x2 kernel it is 9 x 16 (ER2-01).
Dense arrays: for reading and checking, not for speed.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.convolution import Convention, window_of
from chainrule.equations.derivations.terms import Meeting, meetings
from chainrule.shapes import IntOrPair, PaddingArgument, Pair

BLOCK_POSITIONS = {
    "a": ("top-left", (0, 0)), "b": ("top", (0, 1)), "c": ("top-right", (0, 2)),
    "d": ("left", (1, 0)), "e": ("centre", (1, 1)), "f": ("right", (1, 2)),
    "g": ("bottom-left", (2, 0)), "h": ("bottom", (2, 1)), "i": ("bottom-right", (2, 2)),
}  # fmt: skip
"""S2's nine places of a 2x2 block in a 4x4 image: name and (row, column), row-major as the rows of M
(S2-F03)."""


def ungroup(weight: Array, groups: int) -> Array:
    """(out, in / groups, F, F) as (out, in, F, F), with zeros where a filter does not see a channel."""
    filters, per_group, kh, kw = weight.shape
    full = np.zeros((filters, groups * per_group, kh, kw), weight.dtype)
    for o in range(filters):
        first = o // (filters // groups) * per_group
        full[o, first : first + per_group] = weight[o]
    return full


def _flat(term: Meeting, size: Pair, places: Pair) -> Pair:
    """Row-major numbers of the term's place and pixel."""
    return term.place[0] * places[1] + term.place[1], term.pixel[0] * size[1] + term.pixel[1]


def convolution_matrix(
    weight: Array,
    size: Pair,
    *,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    mode: Convention = "correlation",
) -> Array:
    """M[(o, p, q), (d, x, y)] = w[o, d, i, j] where tap (i, j) lies on pixel (x, y) at place (p, q), else 0.

    weight (out, in / groups, F, F); size (rows, columns) of the input map.
    """
    window = window_of((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    full = ungroup(weight, groups)
    places = window.output_size(size)
    matrix = np.zeros((full.shape[0], places[0] * places[1], full.shape[1], size[0] * size[1]))
    for term in meetings(size, window, mode):
        place, pixel = _flat(term, size, places)
        matrix[:, place, :, pixel] = full[:, :, *term.tap]
    return matrix.reshape(full.shape[0] * places[0] * places[1], -1)


def matrix_forward(matrix: Array, x: Array, bias: Array | None = None) -> Array:
    """z = M x + b for every sample (S2-E01). x (n, in, h, w) -> (n, out * places); b (out,), one per filter."""
    z: Array = x.reshape(len(x), -1) @ matrix.T
    return z if bias is None else z + np.repeat(bias, matrix.shape[0] // len(bias))


def matrix_backward_input(matrix: Array, dz: Array) -> Array:
    """dx = Mᵀ dz: the zero-padded, rotated kernel of the other forms is the transposed matrix. (n, in * pixels)."""
    result: Array = dz.reshape(len(dz), -1) @ matrix
    return result


def matrix_backward_weight(
    dz: Array,
    x: Array,
    kernel_size: Pair,
    *,
    stride: IntOrPair = 1,
    padding: PaddingArgument = 0,
    dilation: IntOrPair = 1,
    mode: Convention = "correlation",
) -> Array:
    """dM = dz xᵀ as for any matrix; then each weight collects the entries of dM that it stands in: weight sharing.

    dz (n, out, places, places), x (n, in, h, w) -> (out, in, F, F). S0-F03, S2-F09.
    """
    size = (x.shape[2], x.shape[3])
    dm = np.einsum("nop,ndx->opdx", dz.reshape(*dz.shape[:2], -1), x.reshape(*x.shape[:2], -1))
    dw = np.zeros((dz.shape[1], x.shape[1], *kernel_size))
    for term in meetings(size, window_of(kernel_size, stride, padding, dilation), mode):
        place, pixel = _flat(term, size, (dz.shape[2], dz.shape[3]))
        dw[:, :, *term.tap] += dm[:, place, :, pixel]
    return dw
