"""The right gradients of a dense layer, and likely mistakes in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.problem import Problem, Suspects
from chainrule.diagnosis.truth import Truth
from chainrule.diagnosis.upstream import Upstream

DENSE: Suspects[LinearProblem] = Suspects()


@dataclass(frozen=True)
class LinearProblem(Problem):
    """x (n, in), weight (out, in), dy (n, out) in float64; `shared`: one bias for all outputs."""

    x: Array
    weight: Array
    dy: Array
    shared: bool = False
    above: Upstream | None = None

    suspects: ClassVar[Suspects[Any]] = DENSE

    def truths(self) -> dict[str, Truth]:
        dy, x, w = self.dy, self.x, self.weight
        fine = np.abs(dy) if self.above is None else self.above.size()
        loose = np.zeros_like(dy) if self.above is None else self.above.slack()
        input_rule = ("dx = dy W", "S4-E08, S0-E31, S0-E34")
        weight_rule = ("dW[o,i] = sum_n dy[n,o] x[n,i], that is dyᵀ x", "S4-E18, S2-E11")
        weight_axes = ("output", "input")
        return {
            "dx": Truth(dy @ w, fine @ np.abs(w), len(w), ("sample", "feature"), *input_rule, loose @ np.abs(w)),
            "dweight": Truth(
                dy.T @ x, fine.T @ np.abs(x), len(x), weight_axes, *weight_rule, slack=loose.T @ np.abs(x)
            ),
            "dbias": self._bias_truth(fine, loose),
        }

    def _bias_truth(self, fine: Array, loose: Array) -> Truth:
        sums = [a.sum(axis=0) for a in (self.dy, fine, loose)]
        if not self.shared:
            return Truth(sums[0], sums[1], len(self.x), ("output",), "db[o] = sum_n dy[n,o]", "S4-E24", sums[2])
        one = [a.sum(keepdims=True) for a in sums]
        formula = ("db = sum_{n,o} dy[n,o]: one scalar acts in every output", "ERX-08")
        return Truth(one[0], one[1], self.dy.size, (), *formula, one[2])

    def counts(self) -> Mapping[str, int]:
        outputs, inputs = self.weight.shape
        return {
            "the batch size": len(self.x),
            "the number of outputs": outputs,
            "the number of inputs": inputs,
            "batch size times outputs": len(self.x) * outputs,
        }

    def upstream(self) -> Iterator[tuple[str, str, Problem]]:
        if self.above is not None:
            for key, sentence, dy in self.above.mistakes():
                yield key, sentence, replace(self, dy=dy, above=None)


@DENSE(
    "dx",
    "weight_transposed",
    "The weight is transposed the wrong way: the forward pass takes Wᵀ, so dx takes W (S4-E08).",
)
def weight_transposed(p: LinearProblem) -> Array | None:
    return p.dy @ p.weight.T if p.weight.shape[0] == p.weight.shape[1] else None


@DENSE(
    "dx",
    "one_output_only",
    "Only one output's contribution is there; all outputs that use a unit contribute to its gradient (S0-E31).",
)
def one_output_only(p: LinearProblem) -> list[Array] | None:
    if len(p.weight) == 1:
        return None
    return [p.dy[:, [o]] * p.weight[o] for o in (-1, 0)]


@DENSE(
    "dx",
    "slope_of_the_layer_before",
    "dx was multiplied by an f'; f' of the layer before belongs to that layer (S0-E34).",
)
def slope_of_the_layer_before(p: LinearProblem) -> list[Array]:
    dx = p.dy @ p.weight
    return [dx * (p.x > 0), dx * p.x * (1 - p.x), dx * (1 - p.x * p.x)]


@DENSE(
    "dx",
    "updated_weights",
    "dx was computed with weights that are already updated; gradients come first, then the update (S0-A02, ER0-14).",
    fitted="a learning rate",
)
def updated_weights(p: LinearProblem) -> Array:
    return np.asarray(-p.dy @ (p.dy.T @ p.x))


@DENSE(
    "dweight", "one_sample_only", "Only one sample's contribution is there: the batch was not summed (= instead of +=)."
)
def one_sample_only(p: LinearProblem) -> list[Array] | None:
    return None if len(p.x) == 1 else [np.outer(p.dy[n], p.x[n]) for n in (-1, 0)]


@DENSE("dweight", "not_summed_over_the_batch", "dweight was not summed over the batch.")
def not_summed_over_the_batch(p: LinearProblem) -> Array:
    return np.asarray(p.dy[:, :, None] * p.x[:, None, :])


@DENSE("dweight", "summed_over_outputs", "dy was summed over the outputs: every output has the same gradient.")
def summed_over_outputs(p: LinearProblem) -> Array | None:
    if len(p.weight) == 1:
        return None
    return np.broadcast_to(p.dy.sum(axis=1), (len(p.weight), len(p.x))) @ p.x


@DENSE(
    "dweight", "output_instead_of_input", "dy was multiplied by the layer's output; it is its input that belongs there."
)
def output_instead_of_input(p: LinearProblem) -> list[Array] | None:
    if p.weight.shape[0] != p.weight.shape[1]:
        return None
    y = p.x @ p.weight.T
    return [p.dy.T @ y, p.dy.T @ np.maximum(y, 0)]


@DENSE(
    "dweight", "weight_instead_of_input", "The weight was used in its own gradient; the input belongs there (ER1-09)."
)
def weight_instead_of_input(p: LinearProblem) -> Array:
    return np.asarray(p.weight * p.dy.sum(axis=0)[:, None])


@DENSE(
    "dweight",
    "weight_decay_left_in",
    "Weight decay was added to the gradient: λ W belongs to the update, not to dL/dW.",
    fitted="a weight decay",
)
def weight_decay_left_in(p: LinearProblem) -> Array:
    return p.weight


@DENSE(
    "dbias", "one_sample_only", "Only one sample's contribution is there: the batch was not summed (= instead of +=)."
)
def bias_of_one_sample(p: LinearProblem) -> list[Array] | None:
    return None if len(p.dy) == 1 or p.shared else [p.dy[-1], p.dy[0]]


@DENSE("dbias", "summed_over_the_wrong_axis", "dbias was summed over the outputs instead of the batch (S4-E24).")
def summed_over_the_wrong_axis(p: LinearProblem) -> Array:
    return np.asarray(p.dy.sum(axis=1))


@DENSE("dbias", "not_summed_over_the_batch", "dbias was not summed over the batch.")
def bias_not_summed(p: LinearProblem) -> Array:
    return p.dy


@DENSE("dbias", "summed_over_everything", "dbias was summed over the outputs too: that is one shared bias (ERX-08).")
def summed_over_everything(p: LinearProblem) -> list[Array] | None:
    total = p.dy.sum()
    return None if p.shared else [np.full(p.dy.shape[1], total), total.reshape(1), total.reshape(())]


@DENSE("dbias", "one_bias_per_output", "A bias that all outputs share collects from all of them (ERX-08).")
def one_bias_per_output(p: LinearProblem) -> list[Array] | None:
    return [p.dy.sum(axis=0), p.dy[:, 0].sum(keepdims=True)] if p.shared else None
