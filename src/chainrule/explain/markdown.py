"""Blocks as Markdown, with LaTeX between dollar signs as GitHub, Jupyter and pandoc read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.explain.blocks import Block, Equations, Grid, Heading, Letters, Listing, Row, SumRows, Text
from chainrule.explain.expressions import Expr, Rel, Sym, number
from chainrule.explain.messages import Language, Message, say
from chainrule.explain.notations import to_latex
from chainrule.explain.terminal import short

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

    def write(self, block: Block) -> str:
        """One block."""
        match block:
            case Heading(text, level):
                return f"{'#' * (level + 1)} {self.say(text)}"
            case Text(text, style):
                words = self.say(text)
                return words if style in ("plain", "detail") else f"*{words}*" if style == "note" else f"**{words}**"
            case Equations(label, lines, sources, step):
                tail = [*sources, *([] if step is None else [self.say(say("from_step", number=step))])]
                return self._equations(self.say(label), lines, tail)
            case Letters(label, names):
                return f"{self.say(label)}: " + ", ".join(f"${to_latex(Sym(k))}$ = `{v}`" for k, v in names)
            case SumRows():
                return self._sum(block)
            case Grid():
                return self._grid(block)
            case Listing(title, columns, rows):
                head = [self.say(column) for column in columns]
                body = [[self.inline(cell) for cell in row] for row in rows]
                return f"**{self.say(title)}**\n\n" + _table(head, body)

    def _equations(self, label: str, lines: Sequence[Expr], sources: Sequence[str]) -> str:
        tag = f" ({', '.join(sources)})" if sources else ""
        inner = r" \\ ".join(self._aligned(line) for line in lines)
        return f"{label}{tag}:\n\n$$\\begin{{aligned}} {inner} \\end{{aligned}}$$"

    def _aligned(self, line: Expr) -> str:
        if isinstance(line, Rel) and line.sign == "=":
            first, *rest = (self.math(Rel((part,))) for part in line.parts)
            return f"{first} &= " + " = ".join(rest)
        return self.math(line)

    def _sum(self, block: SumRows) -> str:
        """left = first term \\ + second \\ ... \\ = total, aligned at the signs."""
        lines = []
        for position, row in enumerate(block.rows):
            lines.append(f"{self.math(block.left) if not position else ''} &{'=' if not position else '+'} "
                         f"{self._row(row)}")  # fmt: skip
        if block.rest_count:
            words = self.say(say("rest_latex", count=block.rest_count), quote=False)
            rest = self.math(number(block.rest_total))
            sign = "+" if lines else "="
            lines.append(rf" &{sign} \underbrace{{{rest}}}_{{\text{{{words}}}}}")
        lines.append(f" &= {self.math(number(block.total))}")
        inner = " \\\\\n".join(lines)
        return f"{self.say(block.label)}:\n\n$$\\begin{{aligned}}\n{inner}\n\\end{{aligned}}$$"

    def _row(self, row: Row) -> str:
        symbols = self.math(row.symbols)
        shown = self.math(row.numbers if row.numbers is not None else number(row.value))
        text = shown if symbols == shown else rf"\underbrace{{{symbols}}}_{{{shown}}}"
        if row.value < 0 and symbols == shown:
            text = rf"\left({text}\right)"
        return text + ("" if row.step is None else rf" \quad \text{{({row.step})}}")

    def _grid(self, block: Grid) -> str:
        table = block.table
        width = len(table.cells[0]) if table.cells else 0
        marked = {"window": "**{}**", "here": "**{}**\\*", "winner": "**{}**^", "winner_here": "**{}**^\\*"}
        body = []
        for r, cells in enumerate(table.cells):
            row = [marked.get(table.marks.get((r, c), ""), "{}").format(short(v)) for c, v in enumerate(cells)]
            body.append([table.row_labels[r] if table.row_labels else "", *row])
        head = ["", *(table.column_labels or [""] * width)]
        return f"{self.say(table.title)}\n\n" + _table(head, body)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in body)])


def markdown(blocks: Sequence[Block], lang: Language, digits: int) -> str:
    """The blocks as one document."""
    writer = Markdown(lang, digits)
    return "\n\n".join(writer.write(block) for block in blocks) + "\n"
