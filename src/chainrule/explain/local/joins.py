"""Local terms of the layers that only move values: Flatten, Add, Concat."""

from __future__ import annotations

import numpy as np

from chainrule.explain.local.base import Local, Value, gradient_rule, one, rule, told
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Index, Terms, Use
from chainrule.expressions import Sym, slope


class Moving(Local):
    """Every output is one input, or a sum of inputs: the gradient goes back unchanged."""

    sources: tuple[str, ...] = ()

    def goes_to(self, use: Use, which: int, index: Index) -> Index:
        """The output element that an input element becomes."""
        return index

    def comes_from(self, use: Use, index: Index) -> list[tuple[int, Index]]:
        """The input elements that an output element is the sum of."""
        return [(which, index) for which in range(len(use.xs))]

    def note(self, use: Use, which: int, index: Index) -> Message | None:
        """What to say about the move."""
        return None

    def input(self, use: Use, which: int, index: Index) -> list[Terms]:
        formula = gradient_rule(Sym("x"), slope(Sym("y")), *self.sources)
        note = self.note(use, which, index)
        column = use.upstream(one(self.goes_to(use, which, index)))
        return [Terms(formula, (column,), use.letters(which=which), notes=() if note is None else (note,))]

    def value(self, use: Use, index: Index) -> Value:
        formula = rule(Sym("y"), Sym("x"), *self.sources)
        found = self.comes_from(use, index)
        return [Terms(formula, (use.inputs(one(place), which),), use.letters(which=which)) for which, place in found]


class FlattenTerms(Moving):
    """(c, h, w) becomes c h w numbers in row-major order."""

    reasons = told(x="why_flatten")

    sources = ("S2-F04",)

    def goes_to(self, use: Use, which: int, index: Index) -> Index:
        return index[0], int(np.ravel_multi_index(index[1:], use.x.shape[1:]))

    def comes_from(self, use: Use, index: Index) -> list[tuple[int, Index]]:
        return [(0, (index[0], *(int(i) for i in np.unravel_index(index[1], use.x.shape[1:]))))]

    def note(self, use: Use, which: int, index: Index) -> Message | None:
        return say("flatten_place", source=str(list(index[1:])), place=self.goes_to(use, which, index)[1])


class AddTerms(Moving):
    """y = x_1 + x_2 + ...: each input gets the whole gradient."""

    reasons = told(x="why_add")

    sources = ("S2-B05",)

    def note(self, use: Use, which: int, index: Index) -> Message | None:
        return say("add_whole", count=len(use.xs))


class ConcatTerms(Moving):
    """Channels side by side."""

    reasons = told(x="why_concat")

    def _offset(self, use: Use, which: int) -> int:
        return sum(x.shape[1] for x in use.xs[:which])

    def goes_to(self, use: Use, which: int, index: Index) -> Index:
        return index[0], index[1] + self._offset(use, which), *index[2:]

    def comes_from(self, use: Use, index: Index) -> list[tuple[int, Index]]:
        which = 0
        while index[1] >= self._offset(use, which + 1):
            which += 1
        return [(which, (index[0], index[1] - self._offset(use, which), *index[2:]))]

    def note(self, use: Use, which: int, index: Index) -> Message | None:
        return say("concat_place", channel=index[1], place=self.goes_to(use, which, index)[1])
