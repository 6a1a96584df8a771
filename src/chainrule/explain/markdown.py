"""Blocks as Markdown, with LaTeX between dollar signs as GitHub, Jupyter and pandoc read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.explain.blocks import Equations, Grid, Heading, Listing, Reason, Said, SumRows, Text
from chainrule.explain.latex import aligned, sum_lines
from chainrule.explain.messages import BRACKETS, COLON, COMMA, Language, Message, say
from chainrule.explain.notations import to_latex
from chainrule.explain.terms import SIGNS, Table, kinds_of
from chainrule.explain.words import short
from chainrule.expressions import Expr, number

CELL_DIGITS = 4
_SIGNS = {kind: "\\*" if sign == "*" else sign for kind, sign in SIGNS.items()}
_SPECIAL = str.maketrans({c: "\\" + c for c in "\\`*_[]<>|$#"})


class Markdown:
    """Writes blocks."""

    def __init__(self, lang: Language, digits: int) -> None:
        self.lang, self.digits = lang, digits

    def math(self, expr: Expr) -> str:
        """LaTeX of an expression."""
        return to_latex(expr, self.digits)

    def say(self, message: Message, quote: bool = True) -> str:
        """A message; its expressions become inline LaTeX."""
        return "".join(self.inline(piece, quote) for piece in message.pieces(self.lang))

    def inline(self, piece: Any, quote: bool = True) -> str:
        """A piece of a message or a cell of a list."""
        if isinstance(piece, Message):
            return self.say(piece, quote)
        if isinstance(piece, float):
            return f"${self.math(number(piece))}$"
        if isinstance(piece, str | int):
            return str(piece).translate(_SPECIAL) if quote else str(piece)
        return f"${self.math(piece)}$"

    def write(self, block: Said) -> str:
        """One block."""
        match block:
            case Heading(text, level):
                return f"{'#' * (level + 1)} {self.say(text)}"
            case Text(text, style):
                words = self.say(text)
                return words if style in ("plain", "detail") else f"*{words}*" if style == "note" else f"**{words}**"
            case Reason(label, text):
                return f"*{self.say(label)}*{COLON[self.lang]}{self.say(text)}"
            case Equations(label, lines, sources, step):
                tail = [*sources, *([] if step is None else [self.say(say("from_step", number=step))])]
                return self._equations(self.say(label), lines, tail)
            case SumRows():
                return self._sum(block)
            case Grid():
                return self._grid(block)
            case Listing(title, columns, rows):
                head = [self.say(column) for column in columns]
                body = [[self.inline(cell) for cell in row] for row in rows]
                return f"**{self.say(title)}**\n\n" + _table(head, body)

    def _equations(self, label: str, lines: Sequence[Expr], sources: Sequence[str]) -> str:
        tag = (
            f"{'' if self.lang == 'zh' else ' '}{BRACKETS[self.lang].format(COMMA[self.lang].join(sources))}"
            if sources
            else ""
        )
        inner = r" \\ ".join(aligned(line, self.digits) for line in lines)
        return f"{label}{tag}{COLON[self.lang].strip()}\n\n$$\\begin{{aligned}} {inner} \\end{{aligned}}$$"

    def _sum(self, block: SumRows) -> str:
        inner = sum_lines(block, self.lang, self.digits)
        return f"{self.say(block.label)}{COLON[self.lang].strip()}\n\n$$\\begin{{aligned}}\n{inner}\n\\end{{aligned}}$$"

    def _grid(self, block: Grid) -> str:
        table = block.table
        width = len(table.cells[0]) if table.cells else 0
        body = []
        for r, cells in enumerate(table.cells):
            row = [self._cell(table, r, c) for c in range(len(cells))]
            body.append([table.row_labels[r] if table.row_labels else "", *row])
        head = ["", *(table.column_labels or [""] * width)]
        named = COMMA[self.lang].join(f"{_SIGNS[kind]} {self.say(say(f'mark_{kind}'))}" for kind in table.kinds)
        return f"{self.say(table.title)}\n\n{named}{2 * chr(10) if named else ''}" + _table(head, body)

    def _cell(self, table: Table, r: int, c: int) -> str:
        number = short(table.cells[r][c], table.digits.get((r, c), CELL_DIGITS))
        signs = "".join(_SIGNS.get(kind, "") for kind in kinds_of(table.marks.get((r, c), "")))
        return f"**{number}**{signs}" if signs else number


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in body)])


def markdown(blocks: Sequence[Said], lang: Language, digits: int) -> str:
    """The blocks as one document."""
    writer = Markdown(lang, digits)
    return "\n\n".join(writer.write(block) for block in blocks) + "\n"
