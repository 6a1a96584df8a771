"""A derivation in its short form, one line for each number: for a slide, or for those who know the way."""

from __future__ import annotations

from chainrule.explain.blocks import Block, Equations, Reason
from chainrule.explain.messages import say
from chainrule.explain.steps import DerivationData, DerivationStep
from chainrule.expressions import Expr, Sum, Words, equal, number, slope


def short_steps(derivation: DerivationData) -> list[Block]:
    """Each step as its name, its rule in letters and its number; before the last, why its rule is what it is."""
    many = derivation.samples > 1
    lines: list[Block] = [_line(step, many) for step in derivation.steps]
    asked = next(step for step in reversed(derivation.steps) if step.kind != "update")
    reasons = dict.fromkeys(part.because for part in asked.parts if part.because is not None)
    at = asked.number - 1
    return [*lines[:at], *(Reason(say("because"), reason) for reason in reasons), *lines[at:]]


def _line(step: DerivationStep, many: bool) -> Equations:
    added = [part for part in step.parts if not part.alternative]
    rules = tuple(part.formula.rule.parts[-1] for part in added)
    shown: Expr = rules[0] if len(rules) == 1 else Sum(rules)
    sources = tuple(dict.fromkeys(source for part in added for source in part.formula.sources))
    line = equal(_name(step, many), shown, number(step.result))
    return Equations(say("short_step", number=step.number), (line,), sources)


def _name(step: DerivationStep, many: bool) -> Expr:
    """∂L/∂relu4[2]: names of nodes, since a line stands alone."""
    place = step.place
    if place is None or step.kind == "update":
        return step.symbol
    index = place.index[1:] if place.is_node else place.index
    named = Words(place.name, index, place.index[0] if many and place.is_node else None)
    return named if step.kind == "value" else slope(named)
