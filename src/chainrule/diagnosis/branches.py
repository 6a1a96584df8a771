"""A node that several layers take, or a layer of whose mistakes no table exists, as problems with mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth

BRANCH: Suspects[BranchProblem] = Suspects()


@dataclass(frozen=True)
class BranchProblem(Problem):
    """dL/d(node) = the sum of what comes back from each layer that takes the node (S0-E31)."""

    shares: tuple[Array, ...]

    suspects: ClassVar[Suspects[Any]] = BRANCH

    def truths(self) -> dict[str, Truth]:
        size = np.sum([np.abs(share) for share in self.shares], axis=0)
        formula = ("dL/dx = the sum of the shares of all layers that take x", "S0-E31")
        return {"dx": Truth(np.sum(self.shares, axis=0), size, len(self.shares), (), *formula)}

    def counts(self) -> Mapping[str, int]:
        return {"the number of branches": len(self.shares)}


@BRANCH(
    "dx",
    "one_branch_only",
    "Only one branch's share is there: the shares were assigned instead of added (= instead of +=, S0-E31).",
)
def one_branch_only(p: BranchProblem) -> list[Array]:
    return [p.shares[-1], *p.shares[:-1]]


@BRANCH("dx", "branches_multiplied", "The branches' shares were multiplied; along a path factors multiply, paths add.")
def branches_multiplied(p: BranchProblem) -> Array:
    return np.asarray(np.prod(p.shares, axis=0))


@dataclass(frozen=True)
class PlainProblem(Problem):
    """A layer of whose own mistakes no table exists: its gradients are known, and any gradient's mistakes are tried."""

    gradients: Mapping[str, Array]
    samples: int

    def truths(self) -> dict[str, Truth]:
        formula = ("the layer's own backward pass", "S4-E10")
        return {name: Truth(array, np.abs(array), 16, (), *formula) for name, array in self.gradients.items()}

    def counts(self) -> Mapping[str, int]:
        return {"the batch size": self.samples}
