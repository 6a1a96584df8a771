"""A derivation as blocks: the one place that decides what is said, in which order."""

from __future__ import annotations

from chainrule.explain.asking import place_text
from chainrule.explain.blocks import Block, Equations, Grid, Heading, Letters, Row, SumRows, Text
from chainrule.explain.derivation import Derivation, DerivationStep, Part
from chainrule.explain.expressions import Cases, Expr, Rel, Sum, Sym, equal, number
from chainrule.explain.messages import Message, say
from chainrule.explain.terms import Term


def derivation_blocks(derivation: Derivation) -> list[Block]:
    """The whole derivation: what is asked, the chain, every step, and the comparison with the engine."""
    many = derivation.samples > 1
    asked = place_text(derivation.place)
    title = say("heading_value" if derivation.place.quantity == "value" else "heading", place=asked)
    blocks: list[Block] = [Heading(title, 1), Text(say("network", text=derivation.network), "note")]
    if derivation.sample is not None and many:
        blocks.append(Text(say("which_sample", sample=derivation.sample, samples=derivation.samples), "note"))
    elif many:
        blocks.append(Text(say("all_samples", samples=derivation.samples), "note"))
    blocks += [Text(note, "note") for note in derivation.notes]
    if derivation.route:
        blocks.append(Text(say("route", route=" → ".join(derivation.route))))
    if derivation.chain is not None:
        blocks.append(Equations(say("chain"), (derivation.chain,), ("S0-E35",)))
    long_way = True
    for step in derivation.steps:
        blocks += step_blocks(derivation, step, long_way)
        long_way = long_way and not any(part.alternative for part in step.parts)
    return [*blocks, *_ending(derivation)]


def _ending(derivation: Derivation) -> list[Block]:
    asked: Message | str = place_text(derivation.place)
    if derivation.place.is_node and derivation.samples > 1:
        asked = say("place_of_sample", place=asked, sample=derivation.place.index[0])
    result = say("result", place=asked, value=derivation.value,
                 engine=derivation.engine, exact=repr(derivation.engine_value))  # fmt: skip
    return [Text(result, "good")]


def step_blocks(derivation: Derivation, step: DerivationStep, long_way: bool = True) -> list[Block]:
    """One step: each part with its formula and its numbers, then their sum. Another way to the same number is shown
    only if `long_way`."""
    blocks: list[Block] = [Heading(say("step", number=step.number, count=len(derivation.steps), title=step.title), 2)]
    blocks += [Text(note, "detail") for note in step.notes]
    added = [part for part in step.parts if not part.alternative]
    previous: Part | None = None
    shown = step.parts if long_way else added
    for position, part in enumerate(shown, 1):  # what is added stands before the other ways
        share = Sym("S", (position,)) if 1 < len(added) >= position else None
        blocks += _part_blocks(derivation, step, part, previous, share)
        previous = part
    if len(added) > 1:
        names = Sum(tuple(Sym("S", (k,)) for k in range(1, len(added) + 1)))
        line = equal(step.symbol, names, Sum(tuple(number(part.total) for part in added)), number(step.result))
        blocks.append(Equations(say("sum_of_parts"), (line,)))
    return blocks


def _part_blocks(
    d: Derivation, step: DerivationStep, part: Part, previous: Part | None, share: Sym | None
) -> list[Block]:
    """One part; of several the share that it is has a name, S_1, S_2, ..."""
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
    if part.letters and (not same or previous is None or previous.letters != part.letters):
        blocks.append(Letters(say("letters"), part.letters))
    blocks += _numbers(d, step.symbol if share is None else share, part)
    blocks += [Text(note, "detail") for note in part.notes]
    return blocks + [Grid(table) for table in part.tables]


def _numbers(d: Derivation, left: Expr, part: Part) -> list[Block]:
    if part.expression is not None:
        sides = (left, number(part.total)) if part.expression == number(part.total) else (
            left, part.expression, number(part.total))  # fmt: skip
        return [Equations(say("numbers"), (equal(*sides),))]
    if not part.count:
        return [Equations(say("numbers"), (equal(left, number(0.0)),)), Text(say("no_terms"), "detail")]
    details = _details(part)
    found: list[Block] = [Equations(say("local"), details)] if details else []
    rows = tuple(_row(d, term) for term in part.terms)
    if len(rows) == 1 and not part.rest_count:
        (row,) = rows
        written = [left, row.symbols, *([] if row.numbers is None else [row.numbers]), number(part.total)]
        unique = [side for k, side in enumerate(written) if not k or side != written[k - 1]]
        return [*found, Equations(say("numbers"), (equal(*unique),), step=row.step)]
    return [*found, SumRows(say("numbers"), left, rows, part.total, part.rest_count, part.rest_total)]


def _details(part: Part) -> tuple[Expr, ...]:
    """The formulas of the local derivatives of the terms that are shown, each once; at most three."""
    found: list[Expr] = []
    for term in part.terms:
        for factor in term.factors:
            if factor.detail is not None:
                line = _with_result(factor.detail, factor.value)
                if line not in found:
                    found.append(line)
    return tuple(found[:3])


def _with_result(detail: Expr, value: float) -> Expr:
    if isinstance(detail, Rel) and detail.parts[-1] != number(value) and not _is_case(detail.parts[-1]):
        return equal(*detail.parts, number(value))
    return detail


def _is_case(expr: Expr) -> bool:
    return isinstance(expr, Cases)


def _row(d: Derivation, term: Term) -> Row:
    steps = [d.step_of(factor.place) for factor in term.factors if factor.place is not None]
    taken = next((number for number in steps if number is not None), None)
    plain = len(term.factors) == 1 and term.factors[0].symbol == number(term.value)
    return Row(term.symbols, None if plain or len(term.factors) == 1 else term.numbers, term.value, taken)
