"""A derivation as dictionaries, lists, strings and numbers: what JSON can hold."""

from __future__ import annotations

from typing import Any

from chainrule.explain.mathml import to_mathml
from chainrule.explain.messages import Language, Message
from chainrule.explain.notations import to_latex, to_text
from chainrule.explain.precision import precise
from chainrule.explain.steps import DerivationData, DerivationStep, Part
from chainrule.explain.terms import Place, Table, Term
from chainrule.explain.words import words
from chainrule.expressions import Expr

VERSION = 1


def expression_dict(expr: Expr | None, digits: int) -> dict[str, str] | None:
    """One expression in all three notations."""
    if expr is None:
        return None
    return {"text": to_text(expr, digits), "latex": to_latex(expr, digits), "mathml": to_mathml(expr, digits)}


def place_dict(place: Place | None) -> dict[str, Any] | None:
    """Where a number lives; a node's index begins with the sample."""
    if place is None:
        return None
    return {"quantity": place.quantity, "name": place.name, "index": list(place.index)}


def table_dict(table: Table, lang: Language, digits: int) -> dict[str, Any]:
    """A map with its marks."""
    marks = [{"row": r, "column": c, "mark": mark} for (r, c), mark in sorted(table.marks.items())]
    return {
        "title": words(table.title, lang, digits),
        "cells": [list(row) for row in table.cells],
        "marks": marks,
        "row_labels": list(table.row_labels),
        "column_labels": list(table.column_labels),
    }


class _Writer:
    def __init__(self, lang: Language, digits: int) -> None:
        self.lang, self.digits = lang, digits

    def words(self, message: Message | None) -> str | None:
        return None if message is None else words(message, self.lang, self.digits)

    def term(self, term: Term) -> dict[str, Any]:
        factors = [
            {
                "symbol": expression_dict(factor.symbol, self.digits),
                "value": factor.value,
                "place": place_dict(factor.place),
                "formula": expression_dict(factor.detail, self.digits),
            }
            for factor in term.factors
        ]
        return {"factors": factors, "value": term.value}

    def expression(self, part: Part) -> dict[str, str] | None:
        """Numbers in as many digits as it takes to give the total."""
        if part.expression is None:
            return None
        return expression_dict(precise(part.expression, part.total, self.digits), self.digits)

    def part(self, part: Part) -> dict[str, Any]:
        return {
            "node": part.node,
            "layer": part.layer,
            "label": self.words(part.label),
            "because": self.words(part.because),
            "formula": expression_dict(part.formula.rule, self.digits),
            "where": [expression_dict(line, self.digits) for line in part.formula.where],
            "sources": list(part.formula.sources),
            "letters": dict(part.letters),
            "expression": self.expression(part),
            "terms": [self.term(term) for term in part.terms],
            "term_count": part.count,
            "rest": {"count": part.rest_count, "total": part.rest_total, "size": part.rest_size},
            "total": part.total,
            "alternative": part.alternative,
            "notes": [self.words(note) for note in part.notes],
            "tables": [table_dict(table, self.lang, self.digits) for table in part.tables],
        }

    def step(self, step: DerivationStep) -> dict[str, Any]:
        return {
            "number": step.number,
            "kind": step.kind,
            "place": place_dict(step.place),
            "title": self.words(step.title),
            "symbol": expression_dict(step.symbol, self.digits),
            "parts": [self.part(part) for part in step.parts],
            "result": step.result,
            "engine_value": step.engine_value,
            "notes": [self.words(note) for note in step.notes],
        }


def derivation_dict(derivation: DerivationData, lang: Language) -> dict[str, Any]:
    """The whole derivation; texts in `lang`."""
    writer = _Writer(lang, derivation.digits)
    return {
        "format": "chainrule.derivation",
        "version": VERSION,
        "of": derivation.of,
        "place": place_dict(derivation.place),
        "value": derivation.value,
        "engine_value": derivation.engine_value,
        "engine": derivation.engine,
        "network": derivation.network,
        "samples": derivation.samples,
        "sample": derivation.sample,
        "lang": lang,
        "route": list(derivation.route),
        "chain": expression_dict(derivation.chain, derivation.digits),
        "notes": [writer.words(note) for note in derivation.notes],
        "steps": [writer.step(step) for step in derivation.steps],
    }
