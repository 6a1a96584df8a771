"""The contract of all preprocessing, composition, and the checks that they share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from numbers import Real
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.arrays import as_array, check_finite
from chainrule.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from chainrule.memory import MemoryErrorsNamed, require_memory

Floats: TypeAlias = NDArray[np.float64]


class Preprocessor(ABC):
    """The common contract: a subclass learns in `_fit`, maps checked arrays in `_transform`, `_inverse`."""

    _shape_in: tuple[int, ...] | None = None  # of one sample; None before fit
    _shape_out: tuple[int, ...] = ()

    def fit(self, x: ArrayLike) -> Self:
        """Learn from training data x and return self; an earlier fit is forgotten.

        Raises DataError (no samples, NaN), ShapeError, DtypeError, NonFiniteError (overflow).
        """
        with self._guard():
            array = as_samples(x, "x")
            self._shape_in = None
            self._fit(array)
        self._shape_out = self._output_shape(array.shape[1:])
        self._shape_in = array.shape[1:]
        return self

    def transform(self, x: ArrayLike) -> Floats:
        """The preprocessed x, a new array; the samples must have the shape seen by `fit`."""
        with self._guard():
            return self._transform(self._checked(x, "x", inverse=False))

    def inverse(self, y: ArrayLike) -> Floats:
        """The x that `transform` maps to y; as near as possible where information was dropped."""
        with self._guard():
            return self._inverse(self._checked(y, "y", inverse=True))

    def fit_transform(self, x: ArrayLike) -> Floats:
        """The same as fit(x).transform(x)."""
        return self.fit(x).transform(x)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """An overflow becomes an error that says why, not a silent infinity."""
        try:
            named = MemoryErrorsNamed(type(self).__name__, "give fewer samples")
            with np.errstate(over="raise", invalid="raise"), named:
                yield
        except FloatingPointError as error:
            raise NonFiniteError(
                f"{type(self).__name__}: values too large for float64 arithmetic ({error}); divide them first"
            ) from error

    def _checked(self, value: ArrayLike, what: str, *, inverse: bool) -> Floats:
        name = type(self).__name__
        if self._shape_in is None:
            raise DataError(f"{name} has learned nothing yet; call fit(x) with the training data first")
        expected = self._shape_out if inverse else self._shape_in
        array = as_array(value, what)
        if array.shape[1:] != expected or array.ndim != len(expected) + 1:
            sizes = ", ".join(map(str, expected))
            raise ShapeError(f"{name} was fitted for {what} of shape (n, {sizes}), got {array.shape}")
        return as_samples(array, what)

    def _output_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        return sample_shape

    @abstractmethod
    def _fit(self, x: Floats) -> None: ...

    @abstractmethod
    def _transform(self, x: Floats) -> Floats: ...

    @abstractmethod
    def _inverse(self, y: Floats) -> Floats: ...


class Compose(Preprocessor):
    """Several steps, one after the other: y = last(... first(x)); `inverse` runs them backwards."""

    def __init__(self, steps: Sequence[Preprocessor]) -> None:
        self.steps = tuple(steps)
        if not self.steps:
            raise ArgumentError("Compose needs at least one step")
        for step in self.steps:
            if not isinstance(step, Preprocessor):
                raise ArgumentError(f"every step of Compose must be a Preprocessor object, got {step!r}")
        if len({id(step) for step in self.steps}) < len(self.steps):
            raise ArgumentError("the same object stands twice in Compose; each step learns its own values")

    def __copy__(self) -> Self:
        """With steps of its own: fitting a copy must not change what the original has learned."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__, steps=tuple(map(copy, self.steps)))
        return made

    def _fit(self, x: Floats) -> None:
        for step in self.steps[:-1]:
            x = step.fit_transform(x)
        self.steps[-1].fit(x)

    def _output_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.steps[-1]._shape_out

    def _transform(self, x: Floats) -> Floats:
        for step in self.steps:
            x = step.transform(x)
        return x

    def _inverse(self, y: Floats) -> Floats:
        for step in reversed(self.steps):
            y = step.inverse(y)
        return y

    def __repr__(self) -> str:
        return f"Compose([{', '.join(map(repr, self.steps))}])"


def as_samples(value: ArrayLike, what: str) -> Floats:
    """`value` as finite float64 samples (n, features) or (n, channels, height, width), none of these 0."""
    array = as_array(value, what)
    if array.ndim not in (2, 4):
        raise ShapeError(f"{what} must be (n, features) or (n, channels, height, width), got shape {array.shape}")
    if array.size == 0:
        raise DataError(f"{what} is empty, shape {array.shape}")
    size = f"{what} of shape {array.shape} in float64"
    require_memory(8 * array.size, size, "give fewer samples")
    check_finite(array, what)
    return np.asarray(array, dtype=np.float64)


def exact_mean(x: Floats, axes: tuple[int, ...]) -> Floats:
    """The mean over `axes` (kept with size 1); of equal values exactly that value, without rounding.

    Otherwise the difference x - mean of a constant feature would be rounding noise, taken for variation.
    """
    low, high = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
    mean: Floats = np.where(low == high, low, x.mean(axis=axes, keepdims=True))
    return mean


def reciprocal(values: Floats) -> Floats:
    """1 / values, and 0 where a value is 0 or so small that its reciprocal is infinite."""
    normal = np.abs(values) >= np.finfo(np.float64).tiny
    return np.divide(1.0, values, out=np.zeros_like(values), where=normal)


def divisor(count: int, ddof: int) -> int:
    if count <= ddof:
        raise DataError(f"the divisor n - ddof = {count} - {ddof} must be positive; give more samples or ddof=0")
    return count - ddof


def check_ddof(ddof: int) -> int:
    if ddof not in (0, 1):
        raise ArgumentError(f"ddof must be 0 (divide by n) or 1 (divide by n - 1), got {ddof!r}")
    return int(ddof)


def is_finite(value: object) -> bool:
    """Whether `value` is a real number, neither NaN nor infinite."""
    return isinstance(value, Real) and math.isfinite(value)
