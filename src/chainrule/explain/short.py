"""A derivation in its short form, one line for each number: for a slide, or for those who know the way."""

from __future__ import annotations

from chainrule.explain.blocks import Block, Equations, Reason
from chainrule.explain.messages import say
from chainrule.explain.steps import DerivationData, DerivationStep
from chainrule.expressions import Expr, Sum, equal, number


def short_steps(derivation: DerivationData) -> list[Block]:
    """Each step as its name, its rule in letters and its number; before the last, why its rule is what it is."""
    lines: list[Block] = [_line(step) for step in derivation.steps]
    asked = next(step for step in reversed(derivation.steps) if step.kind != "update")
    reasons = dict.fromkeys(part.because for part in asked.parts if part.because is not None)
    at = asked.number - 1
    return [*lines[:at], *(Reason(say("because"), reason) for reason in reasons), *lines[at:]]


def _line(step: DerivationStep) -> Equations:
    added = [part for part in step.parts if not part.alternative]
    rules = tuple(part.formula.rule.parts[-1] for part in added)
    shown: Expr = rules[0] if len(rules) == 1 else Sum(rules)
    sources = tuple(dict.fromkeys(source for part in added for source in part.formula.sources))
    line = equal(step.symbol, shown, number(step.result))
    return Equations(say("short_step", number=step.number), (line,), sources)
