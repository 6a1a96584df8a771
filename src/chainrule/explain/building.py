"""Builds derivations: from the number asked for up to the loss (for a value, down to the input), one step each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from chainrule.engines import Trace
from chainrule.errors import EngineError
from chainrule.explain.ending import Ending
from chainrule.explain.local import local_terms
from chainrule.explain.lossterms import REASONS, loss_gradient, loss_value
from chainrule.explain.messages import Message, say
from chainrule.explain.naming import Names, name_of, named, named_formula, named_message, named_term, reason
from chainrule.explain.steps import DerivationStep, Part, StepKind
from chainrule.explain.terms import MAP_SIZE, Evaluation, Index, Place, Terms, Use
from chainrule.expressions import LOSS, Expr, slope
from chainrule.graph import Graph
from chainrule.layers.base import Context

TOLERANCE = 1e-10
"""How far a derived number may be from the engine's, relative to the size of what is summed."""

ENOUGH = 0.9
"""The share of a sum that the terms shown should account for."""

Share = tuple[Use | None, Terms | Evaluation, bool]
"""(through which use, what, whether it is an alternative)."""


@dataclass
class Builder:
    """One network with one traced pass, and the steps found so far."""

    graph: Graph
    trace: Trace
    ending: Ending
    training: bool
    most_terms: int
    breadth: int
    many: bool
    map_size: int = MAP_SIZE
    """Rows and columns shown of a larger map."""
    reach: int = 0
    """How many terms are shown at most where as many account for `ENOUGH` of a sum."""
    wanted: dict[int, dict[Index, float]] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    cut_depth: bool = False
    """Whether something was not opened because it lies too deep."""
    cut_breadth: bool = False
    """Whether something was not opened because larger numbers of its node were."""
    shares: list[Share] = field(default_factory=list)
    """All that the last step was made from."""

    def use(self, position: int) -> Use:
        """The use that makes node number `position`."""
        step = self.graph.steps[position - 1]
        names = self.graph.names
        shapes = step.layer.parameter_shapes(*step.input_shapes)
        arrays = {own: self.trace[f"{step.layer_name}.{own}"].value for own in shapes}
        made = self.trace[step.name]
        return Use(
            step,
            tuple(names[i] for i in step.inputs),
            {**arrays, **self.graph.buffers.of(step.layer_name)},
            tuple(self.trace[names[i]].value for i in step.inputs),
            made.value,
            made.gradient,
            Context(self.training, self.graph.seed, 0, step.index),
            self.many,
            self.map_size,
        )

    # --- gradients ---------------------------------------------------------------------------------------------

    def gradient_chain(self, place: Place, depth: int | None) -> list[DerivationStep]:
        """The steps from the loss down to the asked gradient, which is the last."""
        if place.quantity == "parameter":
            found = [self.parameter_step(place)]
            first = 0
            level = {use.step.index: 1 for use in self._users(place)}
        else:
            first = self.graph.index_of(place.name)
            self.wanted, level = {first: {place.index: math.inf}}, {first: 1}
            found = []
        self.levels = level
        for position in range(first, len(self.graph.names)):
            for index in self._opened(position, depth):
                found.append(self.node_step(position, index))
                for use, _ in self._consumers(position):
                    reached = self.levels.get(position, 0) + 1
                    self.levels[use.step.index] = min(self.levels.get(use.step.index, reached), reached)
        if any(step.place is not None and step.place.name == self.ending.node for step in found):
            found.append(self.loss_step())
        return found[::-1]

    def _opened(self, position: int, depth: int | None) -> list[Index]:
        """Which elements of a node get a step: those that weigh most, unless the node lies too deep."""
        weights = self.wanted.get(position, {})
        if any(weights.values()):  # a term of 0 needs no chain of its own
            weights = {index: weight for index, weight in weights.items() if weight}
        if depth is not None and self.levels.get(position, 0) > depth:
            self.cut_depth = self.cut_depth or bool(weights)
            return []
        self.cut_breadth = self.cut_breadth or len(weights) > self.breadth
        best = sorted(weights, key=lambda index: -weights[index])[: self.breadth]
        return sorted(best, reverse=True)

    def _consumers(self, position: int) -> Iterator[tuple[Use, int]]:
        for step in self.graph.steps:
            for which, source in enumerate(step.inputs):
                if source == position:
                    yield self.use(step.index), which

    def _users(self, place: Place) -> list[Use]:
        layer, _, _ = place.name.rpartition(".")
        return [self.use(step.index) for step in self.graph.steps if step.layer_name == layer]

    def node_step(self, position: int, index: Index) -> DerivationStep:
        """∂L/∂(one element of a node): from the loss if it is an output, and from all its consumers (S0-E31)."""
        name = self.graph.names[position]
        place = Place("gradient", name, index)
        shares: list[Share] = []
        if position == len(self.graph.names) - 1:
            ways = loss_gradient(self.ending, index, self.many)
            shares += [(None, way, number > 0) for number, way in enumerate(ways)]
        consumers = list(self._consumers(position))
        for use, which in consumers:
            shares += [(use, terms, False) for terms in local_terms(use.step.layer).input(use, which, index)]
        notes = [say("branches", count=len(consumers))] if len(consumers) > 1 else []
        if position and self.graph.steps[position - 1].layer.has_delta:
            notes.append(say("is_delta", node=name))
        symbol = slope(name_of(Place("value", name, index), self.many))
        engine = float(self.trace[name].gradient[index])
        title = say("title_gradient", node=name, index=_shown(index[1:]))
        if self.many:
            title = say("title_gradient_sample", node=name, index=_shown(index[1:]), sample=index[0])
        return self._step("gradient", place, symbol, title, shares, engine, notes)

    def parameter_step(self, place: Place) -> DerivationStep:
        """∂L/∂(one element of a parameter): the sum over all places, samples and uses where it acts (S0-E07)."""
        own = place.name.rpartition(".")[2]
        users = self._users(place)
        shares: list[Share] = []
        for use in users:
            shares += [(use, terms, False) for terms in local_terms(use.step.layer).parameter(use, own, place.index)]
        notes = [say("shared_layer", count=len(users))] if len(users) > 1 else []
        if place.name in self.graph.frozen:
            notes.append(say("frozen", name=place.name))
        symbol = slope(name_of(place, self.many))
        engine = float(self.trace[place.name].gradient[place.index])
        title = say("title_parameter", name=place.name, index=_shown(place.index))
        return self._step("parameter", place, symbol, title, shares, engine, notes)

    def loss_step(self) -> DerivationStep:
        """The loss itself."""
        share: Share = (None, loss_value(self.ending), False)
        title = say("title_loss", loss=type(self.ending.loss).__name__)
        return self._step("loss", None, LOSS, title, [share], self.trace.loss, [])

    # --- values ------------------------------------------------------------------------------------------------

    def value_chain(self, place: Place, depth: int | None) -> list[DerivationStep]:
        """The steps from the input to the asked value, which is the last."""
        last = self.graph.index_of(place.name)
        self.wanted, self.levels = {last: {place.index: math.inf}}, {last: 1}
        found = []
        for position in range(last, 0, -1):
            for index in self._opened(position, depth):
                found.append(self.value_step(position, index))
                for source in self.graph.steps[position - 1].inputs:
                    reached = self.levels.get(position, 0) + 1
                    self.levels[source] = min(self.levels.get(source, reached), reached)
        return found[::-1]

    def value_step(self, position: int, index: Index) -> DerivationStep:
        """One element of a node from its inputs."""
        use = self.use(position)
        place = Place("value", use.name, index)
        answer = local_terms(use.step.layer).value(use, index)
        shares: list[Share] = [(use, part, False) for part in (answer if isinstance(answer, list) else [answer])]
        title = say("title_value", node=use.name, index=_shown(index[1:]))
        if self.many:
            title = say("title_value_sample", node=use.name, index=_shown(index[1:]), sample=index[0])
        return self._step("value", place, name_of(place, self.many), title, shares, float(use.y[index]), [])

    # --- steps -------------------------------------------------------------------------------------------------

    def _step(
        self,
        kind: StepKind,
        place: Place | None,
        symbol: Expr,
        title: Message,
        shares: list[Share],
        engine: float,
        notes: list[Message],
    ) -> DerivationStep:
        self.shares = shares
        of = place.name.rpartition(".")[2] if kind == "parameter" and place is not None else "x"
        parts = [self._part(use, share, other, kind, of) for use, share, other in shares]
        result = math.fsum(part.total for part in parts if not part.alternative)
        step = DerivationStep(kind, 0, place, symbol, title, tuple(parts), result, engine, tuple(notes))
        for number in (result, *(part.total for part in parts if part.alternative)):
            self._check(step, number)
        return step

    def _check(self, step: DerivationStep, result: float) -> None:
        """The number of a step must be the engine's: the promise of every derivation."""
        assert step.engine_value is not None
        if not abs(result - step.engine_value) <= TOLERANCE * step.scale:
            where = "the loss" if step.place is None else f"{step.place.name}{list(step.place.index)}"
            raise EngineError(
                f"the terms of {where} add up to {result!r}, but the engine has {step.engine_value!r}; a layer of your "
                f"own must have backward passes that are linear in dy (check_gradients tests it)"
            )

    def _part(self, use: Use | None, share: Terms | Evaluation, alternative: bool, kind: StepKind, of: str) -> Part:
        names = dict(share.letters)
        wanted = kind in ("gradient", "parameter") and not alternative
        because = self._reason(use, of, names) if wanted else None
        formula = named_formula(share.formula, names)
        notes = tuple(named_message(note, names) for note in share.notes)
        node = self.ending.node if use is None else use.name
        layer = type(self.ending.loss).__name__ if use is None else type(use.step.layer).__name__
        if isinstance(share, Evaluation):
            if kind == "value":
                for place in share.sources:
                    self._want(place, 1.0)
            return Part(
                node,
                layer,
                formula,
                share.result,
                share.letters,
                because=because,
                expression=named(share.expression, names),
                count=1,
                notes=notes,
                tables=tuple(share.tables()),
                alternative=alternative,
                size=abs(share.result),
            )
        products = share.products
        order = np.argsort(-np.abs(products), kind="stable")
        kept = self._kept(products, order)
        hidden = np.delete(products, kept)
        self._want_largest(share, products, order, "value" if kind == "value" else "gradient")
        return Part(
            node,
            layer,
            formula,
            total=math.fsum(products),
            letters=share.letters,
            label=share.label,
            because=because,
            terms=tuple(named_term(share.term(k, float(products[k]), self.many), names) for k in kept),
            count=len(products),
            rest_count=len(hidden),
            rest_total=math.fsum(hidden),
            rest_size=math.fsum(np.abs(hidden)),
            notes=notes,
            tables=tuple(share.tables()),
            alternative=alternative,
            size=float(np.abs(products).sum()),
        )

    def _reason(self, use: Use | None, of: str, names: Names) -> Message | None:
        key = REASONS.get(type(self.ending.loss)) if use is None else local_terms(use.step.layer).because(use, of)
        return None if key is None else reason(key, names)

    def _kept(self, products: np.ndarray, order: np.ndarray) -> list[int]:
        """Which terms are shown: all, or the largest. No term of 0 is shown while others are hidden, except one that
        stands for all."""
        if len(products) <= self.most_terms:
            return list(range(len(products)))
        filled = max(1, np.count_nonzero(products))
        most = self._enough(products[order])
        return sorted(int(k) for k in order[: min(most, filled)])

    def _enough(self, products: np.ndarray) -> int:
        """How many of the terms, the largest first, are shown: more than usual where few more make up the sum."""
        left = np.abs(products.sum() - np.cumsum(products)) <= (1 - ENOUGH) * abs(products.sum()) * (1 + 1e-9)
        for count in range(self.most_terms, min(self.reach, len(products)) + 1):
            if left[count - 1]:
                return count
        return self.most_terms

    def _want_largest(self, share: Terms, products: np.ndarray, order: np.ndarray, quantity: str) -> None:
        """Note which numbers of other nodes the largest terms take, so that they are derived too."""
        for column in share.columns:
            if column.quantity == quantity and column.indices is not None:
                self.cut_breadth |= bool(np.count_nonzero(products) > self.breadth)
                for k in order[: self.breadth]:
                    place = Place(column.quantity, column.name, tuple(int(i) for i in column.indices[k]))
                    self._want(place, abs(float(products[k])))

    def _want(self, place: Place, weight: float) -> None:
        position = self.graph.index_of(place.name)
        weights = self.wanted.setdefault(position, {})
        weights[place.index] = max(weights.get(place.index, 0.0), weight)


def _shown(index: Index) -> str:
    return f"[{','.join(map(str, index))}]"
