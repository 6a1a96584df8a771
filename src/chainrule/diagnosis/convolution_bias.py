"""Likely mistakes in dbias of a convolution layer, one small function each."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.convolution import CONV, Conv2dProblem


@CONV(
    "dbias", "one_sample_only", "Only one sample's contribution is there: the batch was not summed (= instead of +=)."
)
def one_sample_only(p: Conv2dProblem) -> list[Array] | None:
    return None if len(p.dy) == 1 else [p.dy[n].sum(axis=(1, 2)) for n in (-1, 0)]


@CONV("dbias", "summed_over_the_batch_only", "dbias was summed over the batch only, not over the places.")
def summed_over_the_batch_only(p: Conv2dProblem) -> list[Array] | None:
    if p.places == (1, 1):
        return None
    per_place = p.dy.sum(axis=0)
    return [per_place, per_place[:, 0, 0], per_place[:, -1, -1]]


@CONV("dbias", "summed_over_the_places_only", "dbias was summed over the places only, not over the batch.")
def summed_over_the_places_only(p: Conv2dProblem) -> Array:
    return np.asarray(p.dy.sum(axis=(2, 3)))


@CONV("dbias", "summed_over_one_axis_too_few", "One of the two axes of the map was not summed over.")
def summed_over_one_axis_too_few(p: Conv2dProblem) -> list[Array]:
    return [p.dy.sum(axis=(0, 2)), p.dy.sum(axis=(0, 3))]


@CONV("dbias", "summed_over_the_channels", "dbias was summed over the channels too.")
def summed_over_the_channels(p: Conv2dProblem) -> list[Array]:
    total = p.dy.sum()
    return [np.full(p.dy.shape[1], total), total.reshape(1), total.reshape(())]


@CONV("dbias", "summed_over_the_wrong_axis", "dbias was summed over the wrong axis: the channels instead of the batch.")
def summed_over_the_wrong_axis(p: Conv2dProblem) -> list[Array]:
    return [p.dy.sum(axis=(1, 2, 3)), p.dy.sum(axis=(0, 1, 2)), p.dy.sum(axis=(0, 1, 3))]


@CONV(
    "dbias",
    "kernel_sized_sum",
    "Only as many places as the kernel has taps were added; all places belong in the sum (ER1-11).",
)
def kernel_sized_sum(p: Conv2dProblem) -> Array | None:
    rows, columns = p.weight.shape[2:]
    if rows >= p.places[0] and columns >= p.places[1]:
        return None
    return np.asarray(p.dy[:, :, :rows, :columns].sum(axis=(0, 2, 3)))
