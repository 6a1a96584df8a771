"""A layer at given numbers, and the table of mistakes that people make in its backward pass.

A suspect is one small function: it computes the gradient with one mistake planted. If it reproduces somebody's numbers,
that is probably the mistake they made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from chainrule.arrays import Array
from chainrule.diagnosis.truth import Truth

P = TypeVar("P", bound="Problem")
Wrong = Array | list[Array] | None
"""A gradient with a mistake, several ways to make it, or None where it cannot be made."""


@dataclass(frozen=True)
class Suspect(Generic[P]):
    """One likely mistake in the gradient of one tensor. With `fitted` its function gives the direction in which the
    mistake leads away from the truth; how far is not known, but is what `fitted` names, such as a learning rate."""

    tensor: str
    key: str
    sentence: str
    make: Callable[[P], Wrong]
    fitted: str = ""


@dataclass
class Suspects(Generic[P]):
    """A table of suspects, filled by decorating their functions."""

    rows: list[Suspect[P]] = field(default_factory=list)

    def __call__(
        self, tensors: str, key: str, sentence: str, *, fitted: str = ""
    ) -> Callable[[Callable[[P], Wrong]], Callable[[P], Wrong]]:
        """Register a function as the suspect `key` of the named tensors."""

        def register(make: Callable[[P], Wrong]) -> Callable[[P], Wrong]:
            self.rows += [Suspect(tensor, key, sentence, make, fitted) for tensor in tensors.split()]
            return make

        return register

    def of(self, tensor: str) -> Iterator[Suspect[P]]:
        """The suspects of one tensor."""
        return (row for row in self.rows if row.tensor == tensor)


class Problem(ABC):
    """A layer, its inputs and parameters, and the gradient that comes in from above."""

    suspects: ClassVar[Suspects[Any]] = Suspects()

    @abstractmethod
    def truths(self) -> dict[str, Truth]:
        """The right gradients by name: "dx", "dweight", "dbias"."""

    def counts(self) -> Mapping[str, int]:
        """Numbers that a sum may have been divided by, or should not have been: {"the batch size": 4}."""
        return {}

    def upstream(self) -> Iterator[tuple[str, str, Problem]]:
        """(key, sentence, the problem with that mistake in what comes in from above)."""
        return iter(())

    def wrong(self, tensor: str) -> Iterator[tuple[Suspect[Any], Array]]:
        """Every suspect of a tensor with the gradients that it makes."""
        for suspect in self.suspects.of(tensor):
            made = suspect.make(self)
            if made is None:
                continue
            for candidate in made if isinstance(made, list) else [made]:
                yield suspect, candidate
        for key, sentence, problem in self.upstream():
            truth = problem.truths().get(tensor)
            if truth is not None:
                yield Suspect(tensor, key, sentence, lambda p: None), truth.value
