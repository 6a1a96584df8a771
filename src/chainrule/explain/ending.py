"""Where a chain begins: the loss of a batch, with what its letters stand for."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Index
from chainrule.expressions import (
    Expr,
    Frac,
    Num,
    Sym,
    mul,
    number,
)
from chainrule.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    Loss,
)

OMEGA = Sym("ω", ("n",))
"""The weight of a sample."""


@dataclass(frozen=True)
class Ending:
    """Where the chain begins: a loss, the outputs it is computed from, the prepared targets, and the weights of the
    samples where they have some."""

    loss: Loss
    outputs: Array
    targets: Array
    node: str
    weights: Array | None = None

    @property
    def scale(self) -> float:
        """1, or 1 / what the mean divides by."""
        return self.loss.scale(self.outputs.shape, self.loss.masses(self.targets, self.weights))

    @property
    def divisor(self) -> float:
        """What the mean divides by: a count, or a sum of weights."""
        masses = self.loss.masses(self.targets, self.weights)
        return float(masses.sum()) * self.loss.count((1, *self.outputs.shape[1:]))

    @property
    def scale_expr(self) -> Expr:
        """The scale as a fraction."""
        if self.loss.reduction == "sum" or not self.divisor:
            return Num(self.scale)
        return Frac(Num(1), Num(self.divisor))

    def weight(self, sample: int) -> float:
        """What a sample counts for."""
        return 1.0 if self.weights is None else float(self.weights[sample])

    @property
    def factor(self) -> Expr:
        """What stands before a term in letters: s, or s times the weight of its sample."""
        return Sym("s") if self.weights is None else mul(Sym("s"), OMEGA)

    def factor_expr(self, sample: int) -> Expr:
        """The same in numbers."""
        return self.scale_expr if self.weights is None else mul(self.scale_expr, number(self.weight(sample)))

    def target(self, index: Index) -> float:
        """The target of one output, as the loss computes with it: a class index becomes 1 or 0."""
        if isinstance(self.loss, CrossEntropyLoss):
            sample = index[0]
            given = self.outputs[sample : sample + 1], self.targets[sample : sample + 1]
            return float(self.loss.effective_targets(*given)[(0, *index[1:])])
        if self.targets.shape == self.outputs.shape:
            return float(self.targets[index])
        return float(int(self.targets[(index[0], *index[2:])]) == index[1])

    def reduction_notes(self) -> tuple[Message, ...]:
        """What the loss divides by, and what the weights are."""
        weighted = (say("sample_weights"),) if self.weights is not None else ()
        if self.loss.reduction == "sum":
            return (say("loss_sum"), *weighted)
        if self.divisor == self.loss.count(self.outputs.shape):
            return (say("loss_mean", count=self.loss.count(self.outputs.shape)), *weighted)
        return (say("loss_weighted_mean", sum=Num(self.divisor)), *weighted)

    def option_notes(self) -> tuple[Message, ...]:
        """What the letters of the loss's own options stand for."""
        match self.loss:
            case CrossEntropyLoss(weight=weight, label_smoothing=smoothing) if weight or smoothing:
                return (say("effective_targets", smoothing=Num(smoothing), classes=self.outputs.shape[1]),)
            case BCEWithLogitsLoss(weight=weight, pos_weight=positive) if weight or positive:
                return (say("binary_weights"),)
        return ()

    def output_weight(self, name: str, index: Index) -> float:
        """The number of one output in a list of the loss: `weight`, `pos_weight`."""
        factors = getattr(self.loss, name) or (1.0,)
        return float(factors[index[1] if len(factors) > 1 else 0])
