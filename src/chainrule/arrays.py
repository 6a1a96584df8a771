"""What may enter a computation: checks and conversions of the user's arrays, in one place."""

from __future__ import annotations

from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import ArgumentError, DataError, DtypeError, ShapeError
from chainrule.memory import require_memory
from chainrule.shapes import Shape, integer

Array: TypeAlias = NDArray[Any]
"""A NumPy array of float32 or float64, unless said otherwise."""

FLOATS: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


def as_array(value: ArrayLike, what: str) -> Array:
    """`value` as a NumPy array of real numbers; nothing is copied that need not be."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise ShapeError(f"{what} is not a rectangular array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{what} must hold real numbers, not {array.dtype} ({type(value).__name__})")
    return array


def compute_dtype(x: Array, dtype: str | None) -> np.dtype[Any]:
    """The precision of a computation on `x`: as asked, else that of the data (float64 and integers: float64;
    float32, float16 and the bytes of images: float32)."""
    if dtype is not None:
        given: object = dtype  # np.float32 and np.dtype("float32") are as good as "float32"
        for name, known in FLOATS.items():
            if given in (name, known, known.type):
                return known
        raise ArgumentError(f'dtype must be "float32" or "float64", not {dtype!r}')
    small = x.dtype == np.uint8 or x.dtype == np.bool_ or (x.dtype.kind == "f" and x.dtype.itemsize <= 4)
    return FLOATS["float32" if small else "float64"]


def is_finite(array: Array) -> bool:
    """Whether `array` holds neither NaN nor infinity."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    return isfinite(total) or bool(np.isfinite(array).all())  # a sum of large finite numbers may overflow: look closer


def check_finite(array: Array, what: str) -> None:
    """Raise if `array` holds NaN or infinity, naming the first place."""
    if is_finite(array):
        return
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    raise DataError(f"{what} holds {array[index]} at index {list(index)}; remove or replace such values first")


def check_converted(numbers: Array, x: Array) -> None:
    """Raise if `numbers`, which are `x` in another precision, are not all finite. Only where they are not, x itself is
    looked at: to say whether it was so before."""
    if not is_finite(numbers):
        check_finite(x, "x")
        check_finite(numbers, f"x as {numbers.dtype.name}")


def as_batch(value: ArrayLike, shape: Shape, what: str = "x", *, check: bool = True) -> Array:
    """`value` as a batch of at least one sample of `shape`: (n, *shape), any real dtype, with `check` finite."""
    array = as_array(value, what)
    wanted = f"(n, {', '.join(map(str, shape))})" if shape else "(n,)"
    if array.shape == shape and shape:
        raise ShapeError(f"{what} is one sample of shape {shape}; a batch {wanted} is expected: pass {what}[None]")
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        raise ShapeError(f"{what} must have shape {wanted}, not {array.shape}")
    if array.shape[0] == 0:
        raise DataError(f"{what} holds no samples")
    if check:
        check_finite(array, what)
    return array


def to_floats(x: Array, dtype: np.dtype[Any], *, known_finite: bool = False) -> Array:
    """`x` in the compute dtype, C-contiguous and finite; the bytes of images become 0..1.

    What is known to be finite is looked at only where the compute dtype cannot hold all that x can.
    """
    if x.dtype == np.uint8:
        result: Array = np.ascontiguousarray(x, dtype) / dtype.type(255)
        return result
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(x, dtype)
    narrower = result.dtype.itemsize < x.dtype.itemsize
    if x.dtype.kind == "f" and (narrower or not known_finite):
        check_converted(result, x)
    return result


def one_hot(labels: ArrayLike, classes: int) -> Array:
    """(n,) class indices as (n, classes) rows of zeros with a single one."""
    array = as_labels(labels, classes)
    count = integer("classes", classes, 1)
    require_memory(8 * array.size * count, f"rows of {count:,} zeros and ones for {array.size:,} labels", "take fewer")
    rows = np.zeros((*array.shape, count))
    np.put_along_axis(rows, array[..., None], 1, axis=-1)
    return rows


def as_labels(value: ArrayLike, classes: int, what: str = "targets") -> Array:
    """`value` as int64 class indices between 0 and classes - 1."""
    array = as_array(value, what)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{what} must be integer class indices, not {array.dtype}; convert with .astype(int) if meant")
    if array.size and not (array.min() >= 0 and array.max() < classes):
        bad = int(array[(array < 0) | (array >= classes)].flat[0])
        raise DataError(f"{what} holds the label {bad}, but the network has {classes} outputs: 0..{classes - 1}")
    return array.astype(np.int64, copy=False)


def as_weights(value: ArrayLike, samples: int, what: str = "sample_weight") -> Array:
    """`value` as (n,) float64 weights of samples: finite, none below 0, not all 0."""
    array = as_array(value, what)
    if array.shape != (samples,):
        raise ShapeError(f"{what} must hold one weight for each of the {samples} samples, not shape {array.shape}")
    weights = array.astype(np.float64)
    check_finite(weights, what)
    if weights.min() < 0:
        raise DataError(f"{what} must not be negative, but weight {int(weights.argmin())} is {weights.min():g}")
    if not weights.any():
        raise DataError(f"{what} holds only zeros; at least one sample must count")
    return weights


__all__ = [
    "Array",
    "as_array",
    "as_batch",
    "as_labels",
    "as_weights",
    "check_converted",
    "check_finite",
    "compute_dtype",
    "is_finite",
    "one_hot",
    "to_floats",
]
