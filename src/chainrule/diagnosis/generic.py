"""Mistakes that can happen in any gradient: signs, factors, axes. They need nothing but the right numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.truth import Truth

Named = tuple[str, str, Array]
"""(key, sentence, the wrong gradient)."""


RARELY_SUMMED = ("channels", "filters", "inputs", "outputs")
"""Counts that are divided by in error, but that nobody forgets to divide by."""


def factors(counts: Mapping[str, int]) -> Iterator[tuple[str, str, float, str]]:
    """(key, sentence, factor, name of the count) of everything that people multiply a gradient by in error."""
    yield (
        "sign_flipped",
        "The sign is flipped; gradients point uphill, and the update subtracts them (S0-E28, ER0-18).",
        -1.0,
        "",
    )
    yield "accumulated_twice", "The result is exactly doubled: a buffer was not zeroed and holds two passes.", 2.0, ""
    yield "half", "The result is exactly half: a factor 2, or the 1/2 of the loss counted twice.", 0.5, ""
    yield "never_written", "The gradient is zero everywhere: it was never written, or was cut off.", 0.0, ""
    for name, count in counts.items():
        if count > 1:
            yield (
                "extra_mean",
                f"Divided by {name} ({count}); a sum belongs here, the 1/n is in the loss (ER4-27).",
                1 / count,
                name,
            )
            if not name.endswith(RARELY_SUMMED):
                said = f"Multiplied by {name} ({count}): a 1/{count} is missing (ER4-27)."
                yield "missing_mean", said, float(count), name
            if name == "the batch size":
                said = f"Divided by {count}², the square of {name}: the mean was taken twice."
                yield "mean_taken_twice", said, 1 / count**2, name


def axis_orders(truth: Truth) -> Iterator[Named]:
    """The axes in another order."""
    value = truth.value
    if value.ndim > 5:
        return
    for order in permutations(range(value.ndim)):
        if order == tuple(range(value.ndim)):
            continue
        moved = value.transpose(order)
        names = [truth.axes[i] if truth.axes else str(i) for i in order]
        yield "axes_exchanged", f"The axes are in the wrong order: ({', '.join(names)}).", moved
        if moved.shape != value.shape:
            said = f"The axes ({', '.join(names)}) were reshaped where they should have been transposed."
            yield "reshaped_not_transposed", said, moved.reshape(value.shape)


def flips(truth: Truth) -> Iterator[Named]:
    """Some axes backwards."""
    long = [axis for axis, size in enumerate(truth.value.shape) if size > 1]
    for count in range(1, len(long) + 1):
        for chosen in combinations(long, count):
            names = [truth.axes[i] if truth.axes else f"axis {i}" for i in chosen]
            yield "flipped", f"The result is backwards along: {', '.join(names)}.", np.flip(truth.value, chosen)


def shifts(truth: Truth) -> Iterator[Named]:
    """Moved by one along an axis; what is pushed out is lost, or comes in again on the other side."""
    for axis, size in enumerate(truth.value.shape):
        for step in (-1, 1) if size > 1 else ():
            rolled = np.roll(truth.value, step, axis)
            lost = rolled.copy()
            np.moveaxis(lost, axis, 0)[0 if step == 1 else -1] = 0
            name = truth.axes[axis] if truth.axes else f"axis {axis}"
            for moved in (lost, rolled):
                yield "shifted", f"The result is shifted by one along: {name}.", moved


def other_shapes(truth: Truth) -> Iterator[Named]:
    """The right numbers in another form, or summed over an axis."""
    value = truth.value
    for axis, size in enumerate(value.shape):
        name = truth.axes[axis] if truth.axes else f"axis {axis}"
        if size > 1:
            summed = value.sum(axis=axis)
            kept = np.broadcast_to(np.expand_dims(summed, axis), value.shape)
            for wrong in (summed, np.expand_dims(summed, axis), kept):
                yield "summed_over_an_axis", f"Summed over an axis that must stay: {name}.", wrong
            for index in (0, -1):
                yield "one_index_only", f"Only one entry is left of: {name}.", value.take(index, axis)


def broadcast_of(given: Array, truth: Truth) -> Array | None:
    """A given array with one axis too many at the front, summed over it: was the sum over it forgotten?"""
    if given.ndim == truth.value.ndim + 1 and given.shape[1:] == truth.value.shape:
        result: Array = given.sum(axis=0)
        return result
    return None
