"""A derivation as blocks: the one place that decides what is said, in which order, and in how many digits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from chainrule.explain.asking import place_text
from chainrule.explain.blocks import Block, Drawing, Equations, Grid, Heading, Reason, Rest, Row, SumRows, Text
from chainrule.explain.drawings import sketch_drawing, step_drawing
from chainrule.explain.messages import Message, say
from chainrule.explain.precision import digits_of_terms, precise, printed, rounded_relation
from chainrule.explain.short import short_steps
from chainrule.explain.steps import DerivationData, DerivationStep, Part
from chainrule.explain.terms import Term
from chainrule.expressions import Cases, Expr, Num, Rel, Sum, Sym, Words, equal, number, slope

MOST_DETAILS = 3
"""Formulas of local derivatives that are shown for one sum."""


def derivation_blocks(derivation: DerivationData) -> list[Block]:
    """The whole derivation: what is asked, the chain, every step, and the comparison with the engine."""
    many = derivation.samples > 1
    asked = place_text(derivation.place)
    title = say("heading_value" if derivation.place.quantity == "value" else "heading", place=asked)
    blocks: list[Block] = [Heading(title, 1), Text(say("network", text=derivation.network), "note")]
    blocks.append(Text(_notation(derivation), "note"))
    if derivation.sample is not None and many:
        blocks.append(Text(say("which_sample", sample=derivation.sample, samples=derivation.samples), "note"))
    elif many:
        blocks.append(Text(say("all_samples", samples=derivation.samples), "note"))
    blocks += [Text(note, "note") for note in derivation.notes]
    if derivation.route:
        blocks.append(Text(say("route", route=" → ".join(derivation.route))))
    if derivation.chain is not None:
        blocks.append(Equations(say("chain"), (derivation.chain,), ("S0-E35",)))
    blocks.append(Drawing(partial(sketch_drawing, derivation.nodes, styled=False)))
    if derivation.level == "short":
        return [*blocks, *short_steps(derivation), *_ending(derivation)]
    long_way: int | None = None
    told: set[str] = set()
    for step in derivation.steps:
        blocks += step_blocks(derivation, step, long_way, told)
        if long_way is None and any(part.alternative for part in step.parts):
            long_way = step.number
    return [*blocks, *_ending(derivation)]


def _notation(d: DerivationData) -> Message:
    """How numbers are called, with the node that comes last before the asked number as an example."""
    places = [step.place for step in d.steps if step.place is not None and step.place.is_node]
    place = next((place for place in reversed(places) if place.name != "input"), d.place)
    node = Words(place.name, place.index[1:])
    if d.place.quantity == "value":
        return say("notation_value", node=node, name=place.name)
    return say("notation", node=node, name=place.name, gradient=slope(node))


def _ending(derivation: DerivationData) -> list[Block]:
    asked: Message | str = place_text(derivation.place)
    if derivation.place.is_node and derivation.samples > 1:
        asked = say("place_of_sample", place=asked, sample=derivation.place.index[0])
    told = {
        "place": asked,
        "value": derivation.value,
        "engine": derivation.engine,
        "exact": repr(derivation.engine_value),
    }
    difference = abs(derivation.value - derivation.engine_value)
    result = say("result_rounded", **told, difference=Num(difference, 2)) if difference else say("result", **told)
    return [*_nudge(derivation, asked), Text(result, "good")]


def _nudge(d: DerivationData, asked: Message | str) -> list[Block]:
    """The check that anyone can do; the two losses in so many digits that their difference can be seen."""
    if d.nudge is None:
        return []
    shown = d.nudge
    enough = digits_of_terms([shown.after, -shown.before], shown.change, 3)
    told = say(
        "nudge",
        place=asked,
        start=Num(shown.start, d.digits),
        step=Num(shown.step),
        before=Num(shown.before, enough),
        after=Num(shown.after, enough),
        change=Sum((Num(shown.change, 3),)),
        gradient=Num(shown.gradient, 3),
        predicted=Num(shown.predicted, 3),
    )
    bent = abs(shown.change - shown.predicted) > 0.1 * abs(shown.predicted)
    return [Text(told), *([Text(say("nudge_bent"))] if bent else [])]


def step_blocks(derivation: DerivationData, step: DerivationStep, long_way: int | None, told: set[str]) -> list[Block]:
    """One step: each part with its formula and its numbers, then their sum. Another way to the same number is shown
    once; later steps name the step that showed it, `long_way`. A reason is `told` once, where its rule comes first."""
    blocks: list[Block] = [Heading(say("step", number=step.number, count=len(derivation.steps), title=step.title), 2)]
    blocks += [Text(note, "detail") for note in step.notes]
    for _, own in told_parts(derivation, step, long_way, told):
        blocks += own
    return [*blocks, Drawing(partial(step_drawing, step, styled=False))]


def told_parts(
    derivation: DerivationData, step: DerivationStep, long_way: int | None, told: set[str]
) -> Iterator[tuple[Part | None, list[Block]]]:
    """The parts of a step, each with its blocks; at the end the sum of several parts (None)."""
    added = [part for part in step.parts if not part.alternative]
    others = len(step.parts) > len(added)
    previous: Part | None = None
    for position, part in enumerate(step.parts if long_way is None else added, 1):  # what is added stands first
        blocks: list[Block] = []
        if part.because is not None and part.because.key not in told:
            told.add(part.because.key)
            blocks.append(Reason(say("because"), part.because))
        share = Sym("S", (position,)) if 1 < len(added) >= position else None
        about = None
        if others and position == len(added):
            about = say("long_way_follows") if long_way is None else say("long_way_before", number=long_way)
        yield part, blocks + _part_blocks(derivation, step, part, previous, share, about)
        previous = part
    if len(added) > 1:
        yield None, [_together(derivation, step, added)]


def _together(d: DerivationData, step: DerivationStep, parts: list[Part]) -> Block:
    """∂L/∂w = S[1] + S[2] = 6 − 1.75 = 4.25."""
    names = Sum(tuple(Sym("S", (k,)) for k in range(1, len(parts) + 1)))
    numbers = precise(Sum(tuple(number(part.total) for part in parts)), step.result, d.digits)
    return Equations(say("sum_of_parts"), (equal(step.symbol, names, numbers, number(step.result)),))


def _part_blocks(
    d: DerivationData,
    step: DerivationStep,
    part: Part,
    previous: Part | None,
    share: Sym | None,
    about: Message | None,
) -> list[Block]:
    """One part; of several the share that it is has a name, S_1, S_2, ... `about` speaks of another way."""
    blocks: list[Block] = []
    if part.label is not None:
        blocks.append(Heading(part.label, 3))
    elif share is not None and (previous is None or previous.node != part.node):
        blocks.append(Heading(say("through", node=part.node, layer=part.layer), 3))
    same = previous is not None and previous.formula == part.formula
    if not same:
        whole = share is None or step.kind == "value"
        rule = part.formula.rule if whole or share is None else Rel((share, *part.formula.rule.parts[1:]))
        blocks.append(Equations(say("formula"), (rule,), part.formula.sources))
        if part.formula.where:
            blocks.append(Equations(say("where"), part.formula.where))
    blocks += _numbers(d, step.symbol if share is None else share, part)
    blocks += [Text(note, "detail") for note in (*part.notes, *([] if about is None else [about]))]
    return blocks + [Grid(table) for table in part.tables]


def _numbers(d: DerivationData, left: Expr, part: Part) -> list[Block]:
    if part.expression is not None:
        shown = precise(part.expression, part.total, d.digits)
        sides = [left, shown, number(part.total)]
        if part.expression == number(part.total):
            sides = [left, number(part.total)]
        return [Equations(say("numbers"), (equal(*sides),))]
    if not part.count:
        return [Equations(say("numbers"), (equal(left, number(0.0)),)), Text(say("no_terms"), "detail")]
    if len(part.terms) == 1 and not part.rest_count:
        return [*_details(d, part), _single(d, left, part)]
    return [*_details(d, part), *_sum(d, left, part)]


def _single(d: DerivationData, left: Expr, part: Part) -> Block:
    """left = symbols = numbers = total, without repeating a side."""
    row = _row(d, part.terms[0], d.digits)
    written = [left, row.symbols, *([] if row.numbers is None else [row.numbers]), number(part.total)]
    unique = [side for k, side in enumerate(written) if not k or side != written[k - 1]]
    return Equations(say("numbers"), (equal(*unique),), step=row.step)


def _sum(d: DerivationData, left: Expr, part: Part) -> list[Block]:
    """The terms below one another, in as many digits as it takes for them to add up to the total."""
    hidden = [part.rest_total] if part.rest_count else []
    digits = digits_of_terms([*(term.value for term in part.terms), *hidden], part.total, d.digits)
    rows = tuple(_row(d, term, digits) for term in part.terms)
    rest = Rest(say("rest", count=part.rest_count, share=share_hidden(part)), part.rest_total) if hidden else None
    more = digits if digits > d.digits else None
    blocks: list[Block] = [SumRows(say("numbers"), left, rows, part.total, rest, more)]
    if abs(part.rest_total) > abs(part.total) / 2:
        blocks.append(Text(say("mostly_hidden"), "detail"))
    return blocks


def share_hidden(part: Part) -> Message:
    """What share of a sum the terms are that are left out."""
    if not part.rest_size:
        return say("share_zero")
    if not part.total:
        return say("share_of_zero")
    share = part.rest_total / part.total
    if abs(share) >= 10:
        return say("share_times", times=Num(share, 2))
    percent = 100 * share
    whole = abs(percent) >= 9.95
    return say("share_percent", percent=number(float(round(percent))) if whole else Num(percent, 2))


def _details(d: DerivationData, part: Part) -> list[Block]:
    """The formulas of the local derivatives of the terms that are shown, each once; at most three."""
    found: list[Expr] = []
    for term in part.terms:
        for factor in term.factors:
            if factor.detail is not None:
                line = _with_result(factor.detail, factor.value, d.digits)
                if line not in found:
                    found.append(line)
    more = len(found) - MOST_DETAILS
    blocks: list[Block] = [Equations(say("local"), tuple(found[:MOST_DETAILS]))] if found else []
    return [*blocks, Text(say("more_details", count=more), "detail")] if more > 0 else blocks


def _with_result(detail: Expr, value: float, digits: int) -> Expr:
    if not isinstance(detail, Rel) or detail.sign != "=":
        return detail
    last = detail.parts[-1]
    if isinstance(last, Num) and printed(last.value, digits) == printed(value, digits):
        return rounded_relation(detail, digits)
    return detail if isinstance(last, Cases) else rounded_relation(Rel((*detail.parts, number(value))), digits)


def _row(d: DerivationData, term: Term, digits: int) -> Row:
    steps = [d.step_of(factor.place) for factor in term.factors if factor.place is not None]
    taken = next((number for number in steps if number is not None), None)
    numbers = None if len(term.factors) == 1 else precise(term.numbers, term.value, d.digits, digits)
    return Row(term.symbols, numbers, term.value, taken)
