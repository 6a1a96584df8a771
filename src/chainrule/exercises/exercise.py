"""An exercise: a function to be written, calls on which it is tried, and what each call should return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspect, Suspects
from chainrule.diagnosis.truth import Truth

Kind = Literal["write", "bug", "predict", "count", "matrix", "check"]
Random = np.random.Generator
Mistakes = Mapping[str, Any]
"""key of a mistake -> the result that it leads to; several results in a list."""


@dataclass(frozen=True)
class Case:
    """One call: the arguments in their order, and the problem whose tensors it should return."""

    arguments: Mapping[str, Any]
    problem: Problem


@dataclass(frozen=True)
class Exercise:
    """`returns` names the results, which are tensors of each case's problem. The texts stand in `tasks`."""

    name: str
    chapter: int
    kind: Kind
    function: str
    returns: tuple[str, ...]
    cases: Callable[[Random], Iterator[Case]]
    example: Callable[[], Case]


@dataclass(frozen=True)
class Asked(Problem):
    """Results that are known as they are, each with the results of likely mistakes."""

    values: Mapping[str, Any]
    wrong_values: Mapping[str, Mistakes]
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accuracy: float = 0.0
    """Errors allowed in addition to rounding, as a share of the largest number."""
    divisors: Mapping[str, int] = field(default_factory=dict)

    suspects: ClassVar[Suspects[Any]] = Suspects()

    def truths(self) -> dict[str, Truth]:
        return {name: self._truth(name, np.asarray(value, float)) for name, value in self.values.items()}

    def _truth(self, name: str, value: Array) -> Truth:
        size = np.full(value.shape, max(float(np.abs(value).max(initial=0.0)), float(np.finfo(float).tiny)))
        return Truth(value, size, 64, self.axes.get(name, ()), "", "", slack=self.accuracy * size)

    def counts(self) -> Mapping[str, int]:
        return self.divisors

    def wrong(self, tensor: str) -> Iterator[tuple[Suspect[Any], Array]]:
        for key, made in self.wrong_values.get(tensor, {}).items():
            for candidate in made if isinstance(made, list) else [made]:
                yield Suspect(tensor, key, key, lambda p: None), np.asarray(candidate, float)


@dataclass(frozen=True)
class Named(Problem):
    """One tensor of a problem under the name and with the axes that an exercise gives it."""

    problem: Problem
    tensor: str
    name: str
    axes: tuple[str, ...]

    def truths(self) -> dict[str, Truth]:
        return {self.name: replace(self.problem.truths()[self.tensor], axes=self.axes)}

    def counts(self) -> Mapping[str, int]:
        return self.problem.counts()

    def wrong(self, tensor: str) -> Iterator[tuple[Suspect[Any], Array]]:
        return self.problem.wrong(self.tensor)


def slope(f: Callable[[Array], Any], x: Array) -> Array:
    """The gradient of a number by x, exact to rounding: f(x + ih) has the derivative in its imaginary part.

    f must be made of operations that know complex numbers, and nothing else.
    """
    gradient = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        gradient[index] = np.imag(f(moved)) / 1e-30
    return gradient
