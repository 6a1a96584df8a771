"""Pooling: winners with ties, shares, and windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.pooling import PoolKind, PoolProblem
from chainrule.exercises.exercise import Case, Exercise, Random
from chainrule.shapes import Pair, Window


def _pool(x: Array, dy: Array, kernel: int, stride: int, kind: PoolKind, *names: str) -> Case:
    problem = PoolProblem(x, dy, Window((kernel, kernel), (stride, stride)), kind)
    known = {"x": x, "dy": dy, "kernel": kernel, "stride": stride, "size": (x.shape[2], x.shape[3])}
    return Case({name: known[name] for name in names}, problem)


def _max(x: Array, dy: Array, kernel: int) -> Case:
    return _pool(x, dy, kernel, kernel, "max", "x", "dy", "kernel")


def _mean(x: Array, dy: Array, kernel: int) -> Case:
    return _pool(x, dy, kernel, kernel, "average", "dy", "kernel", "size")


def _overlap(x: Array, dy: Array, kernel: int, stride: int) -> Case:
    return _pool(x, dy, kernel, stride, "max", "x", "dy", "kernel", "stride")


def _random(rng: Random, shape: tuple[int, int, int, int], kernel: int, stride: int, ties: bool) -> tuple[Array, Array]:
    """Maps, all negative or with many equal numbers, and what comes in from above."""
    size: Pair = (shape[2], shape[3])
    out = Window((kernel, kernel), (stride, stride)).output_size(size)
    x = rng.integers(-2, 1, shape).astype(float) if ties else rng.normal(size=shape) - 2
    return x, rng.normal(size=(*shape[:2], *out))


def _maxima(rng: Random) -> Iterator[Case]:
    for shape, kernel, ties in (
        ((3, 2, 4, 6), 2, False),
        ((5, 2, 6, 4), 2, True),
        ((1, 1, 7, 8), 3, True),
        ((1, 2, 5, 5), 2, False),
        ((3, 1, 4, 4), 4, True),
    ):
        yield _max(*_random(rng, shape, kernel, kernel, ties), kernel)


def _means(rng: Random) -> Iterator[Case]:
    for shape, kernel in (
        ((3, 2, 6, 4), 2),
        ((1, 1, 8, 11), 3),
        ((1, 2, 5, 5), 2),
        ((5, 1, 4, 4), 4),
        ((1, 1, 3, 3), 1),
    ):
        yield _mean(*_random(rng, shape, kernel, kernel, False), kernel)


def _overlaps(rng: Random) -> Iterator[Case]:
    for shape, kernel, stride, ties in (
        ((3, 2, 7, 7), 3, 2, False),
        ((1, 1, 5, 6), 3, 1, True),
        ((1, 3, 8, 6), 3, 2, True),
        ((5, 1, 4, 5), 2, 1, False),
    ):
        yield _overlap(*_random(rng, shape, kernel, stride, ties), kernel, stride)


def _example(case: Any, *options: int) -> Any:
    x = np.array([[[[1.0, 4.0, 2.0, 2.0], [3.0, 0.0, 1.0, 2.0]]]])
    return lambda: case(x, np.array([[[[10.0, 20.0]]]]), *options)


EXERCISES = (
    Exercise("max-pooling", 9, "write", "max_pool_backward", ("dx",), _maxima, _example(_max, 2)),
    Exercise("mean-pooling", 9, "write", "mean_pool_backward", ("dx",), _means, _example(_mean, 2)),
    Exercise("overlap-bug", 9, "bug", "overlapping_pool_backward", ("dx",), _overlaps, _example(_overlap, 2, 2)),
)
