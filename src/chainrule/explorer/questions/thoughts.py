"""A step cut into thoughts: the blocks that `explain` writes, grouped by what a reader stops at.

Nothing is said here that `explain` does not say: text, formulas and tables come from `explain.layout` and are written
by `explain.html`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal, TypedDict

from chainrule.explain.bibliography import without_sources
from chainrule.explain.blocks import Block, Equations, Grid, Heading, Reason, Row, SumRows, Text
from chainrule.explain.data import table_dict
from chainrule.explain.html import Html
from chainrule.explain.layout import told_parts
from chainrule.explain.mathml import to_mathml
from chainrule.explain.messages import Language, say
from chainrule.explain.notations import to_text
from chainrule.explain.steps import DerivationData, DerivationStep, Part
from chainrule.explain.terms import Table
from chainrule.explorer.questions.places import outer_dict
from chainrule.explorer.views import View
from chainrule.expressions import Expr, Sym, equal, number

Kind = Literal["reason", "branch", "formula", "numbers", "sum", "window", "winner", "result"]
DIGITS = 6


class TermDict(TypedDict):
    """One term of a sum: in letters and in numbers ({"text", "mathml"}; numbers are null where the letters say all),
    its value, and the places of its factors."""

    symbols: dict[str, str]
    numbers: dict[str, str] | None
    value: float
    places: list[dict[str, Any]]


class ThoughtDict(TypedDict):
    """What the player stops at. `kind`:
    "reason"   why the rule is what it is, or what kind of number this is
    "branch"   what follows is the share that comes through one consumer
    "formula"  the rule in letters, with what the letters stand for
    "numbers"  the numbers put in: at most one term
    "sum"      the terms under one another, `rest` = {"count", "total", "html"} being what is left out; or the shares
    "window"   a map with marks, "winner" one in which a maximum is marked
    "result"   the number

    `html` is explain's own, with MathML. `table` is that of explain's JSON ({"title", "cells", "marks", "row_labels",
    "column_labels"}) with its "role" in a drawing ("slid", "kernel", "product", ...; or ""), else null. `part` counts
    the shares of the number from 0 (null: belongs to the whole)."""

    kind: Kind
    html: str
    part: int | None
    table: dict[str, Any] | None
    terms: list[TermDict]
    rest: dict[str, Any] | None


@dataclass
class _Thought:
    kind: Kind
    part: int | None
    blocks: list[Block]
    table: Table | None = None
    terms: list[TermDict] = field(default_factory=list)
    rest: dict[str, Any] | None = None


class Teller:
    """Cuts one step of a derivation into thoughts."""

    def __init__(self, view: View, lang: Language) -> None:
        self.view, self.lang = view, lang
        self.html = Html(lang, DIGITS)

    def tell(self, derivation: DerivationData, step: DerivationStep) -> list[ThoughtDict]:
        """All thoughts in reading order; the last is the result."""
        found: list[_Thought] = []
        if step.notes:
            notes = without_sources([Text(note, "detail") for note in step.notes])
            found.append(_Thought("reason", None, notes))
        for number_, (part, blocks) in enumerate(told_parts(derivation, step, None, set())):
            self._part(found, None if part is None else number_, part, without_sources(blocks), step)
        if step.place is None or step.parts:
            found.append(self._result(step))
        return [self._written(thought) for thought in found]

    def given(self, sentence: str, symbol: Expr, value: float) -> list[ThoughtDict]:
        """A sentence and a number that nothing computes."""
        shown = self.html.block(equal(symbol, number(value)))
        reason: ThoughtDict = {
            "kind": "reason",
            "html": f'<p class="detail">{escape(sentence)}</p>',
            "part": None,
            "table": None,
            "terms": [],
            "rest": None,
        }
        return [reason, {**reason, "kind": "result", "html": shown}]

    def _part(
        self, found: list[_Thought], number_: int | None, part: Part | None, blocks: list[Block], step: DerivationStep
    ) -> None:
        waiting: list[Block] = []
        for block in blocks:
            if isinstance(block, Heading) and block.text.key != "through":
                waiting.append(block)
                continue
            thought = self._thought(block, number_, part, step)
            if thought is None and found and not waiting:
                found[-1].blocks.append(block)
                continue
            thought = thought or _Thought("reason", number_, [block])
            thought.blocks[:0] = waiting
            waiting = []
            found.append(thought)

    def _thought(self, block: Block, number_: int | None, part: Part | None, step: DerivationStep) -> _Thought | None:
        """The thought that a block begins; None for one that goes on with the thought before it."""
        match block:
            case Reason():
                return _Thought("reason", number_, [block])
            case Heading():
                return _Thought("branch", number_, [block])
            case SumRows():
                rest = None if block.rest is None or part is None else self._rest(block, part)
                return _Thought("sum", number_, [block], terms=self._terms(part, block.rows), rest=rest)
            case Equations(label) if label.key == "sum_of_parts":
                return _Thought("sum", None, [block], terms=self._shares(step))
            case Equations(label) if label.key == "numbers":
                rows = [_row_of(part)] if part is not None and len(part.terms) == 1 else []
                return _Thought("numbers", number_, [block], terms=self._terms(part, rows))
            case Equations(label) if label.key in ("formula", "local"):
                return _Thought("formula", number_, [block])
            case Grid(table):
                return _Thought(
                    "winner" if "winner" in table.kinds else "window",
                    number_,
                    [Grid(replace(table, role=""))],
                    table=table,
                )
        assert isinstance(block, Equations | Text), block
        return None

    def _terms(self, part: Part | None, rows: Any) -> list[TermDict]:
        if part is None:
            return []
        return [
            {
                "symbols": self._expression(row.symbols),
                "numbers": None if row.numbers is None else self._expression(row.numbers),
                "value": row.value,
                "places": [outer_dict(self.view, factor.place) for factor in term.factors if factor.place is not None],
            }
            for row, term in zip(rows, part.terms, strict=True)
        ]

    def _shares(self, step: DerivationStep) -> list[TermDict]:
        added = [part for part in step.parts if not part.alternative]
        return [
            {"symbols": self._expression(Sym("S", (k,))), "numbers": None, "value": part.total, "places": []}
            for k, part in enumerate(added, 1)
        ]

    def _rest(self, block: SumRows, part: Part) -> dict[str, Any]:
        assert block.rest is not None
        return {
            "count": part.rest_count,
            "total": part.rest_total,
            "html": self.html.say(block.rest.message),
        }

    def _expression(self, expr: Expr) -> dict[str, str]:
        return {"text": to_text(expr, DIGITS), "mathml": to_mathml(expr, DIGITS)}

    def _result(self, step: DerivationStep) -> _Thought:
        return _Thought("result", None, [Equations(say("numbers"), (equal(step.symbol, number(step.result)),))])

    def _table(self, table: Table) -> dict[str, Any]:
        return {**table_dict(table, self.lang, DIGITS), "role": table.role}

    def _written(self, thought: _Thought) -> ThoughtDict:
        return {
            "kind": thought.kind,
            "html": "".join(self.html.write(block) for block in thought.blocks),
            "part": thought.part,
            "table": None if thought.table is None else self._table(thought.table),
            "terms": thought.terms,
            "rest": thought.rest,
        }


def _row_of(part: Part) -> Row:
    """The only term of a part as a row."""
    term = part.terms[0]
    return Row(term.symbols, None if len(term.factors) == 1 else term.numbers, term.value)
