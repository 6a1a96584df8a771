"""The axis orders of the sources, and the way between them (ERX-06).

A layout is a word of axis letters, slowest first: N samples, C channels (or features), H rows, W columns.
chainrule computes in NCHW. The one trap: flattening two layouts gives two orders of features; `flat_order`
translates.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError, ShapeError
from chainrule.shapes import Shape, product

LAYOUTS = {
    "chainrule": "NCHW",  # samples first, as torch.nn
    "S2": "CHW",  # one sample, [D, H, W] (S2-E08)
    "S3": "HWC",  # one sample, x[:, :, c] (S3-E05)
    "S4": "HWCN",  # [n_H, n_W, n_c, m] (S4-F06)
    "rows": "NC",  # dense, one sample per row
    "columns": "CN",  # dense, one sample per column (S4-E38)
}


def _letters(layout: str) -> str:
    word = LAYOUTS.get(layout, layout)
    if not word or len(set(word)) != len(word) or not set(word) <= set("NCHW"):
        known = ", ".join(f"{name} ({axes})" for name, axes in LAYOUTS.items())
        raise ArgumentError(f"a layout is a word of the letters N, C, H, W, or one of {known}; not {layout!r}")
    return word


def convert_layout(array: Array, source: str, target: str) -> Array:
    """The same values with the axes of `target`. A view.

    A missing sample axis N is added with length 1, and is dropped again if its length is 1.
    """
    before, after = _letters(source), _letters(target)
    if array.ndim != len(before):
        raise ShapeError(f"layout {before} has {len(before)} axes, but the array has the shape {array.shape}")
    if set(before) - {"N"} != set(after) - {"N"}:
        raise ArgumentError(f"{before} and {after} do not have the same axes")
    if "N" not in before and "N" in after:
        array, before = array[None], "N" + before
    if "N" in before and "N" not in after:
        axis = before.index("N")
        if array.shape[axis] != 1:
            raise ShapeError(f"{after} holds one sample, but the array in {before} has {array.shape[axis]}")
        array, before = array.squeeze(axis), before.replace("N", "")
    return array.transpose([before.index(letter) for letter in after])


def flatten_maps(x: Array) -> Array:
    """(n, channels, rows, columns) -> (n, features), row-major: pixels 0..9, A..F of a 4x4 image (S2-F04, S3-F09)."""
    return x.reshape(len(x), -1)


def flat_order(shape: Shape, source: str, target: str) -> Array:
    """order with flat_target = flat_source[order], for one sample whose shape in `source` is `shape`.

    A dense layer trained behind a flattened `source` works behind `target` as weight[:, order].
    """
    before, after = _letters(source).replace("N", ""), _letters(target).replace("N", "")
    return convert_layout(np.arange(product(shape)).reshape(shape), before, after).reshape(-1)
