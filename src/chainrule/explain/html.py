"""Blocks as HTML with MathML: no script, no picture, no style from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from chainrule.explain.blocks import (
    Block,
    Drawing,
    Equations,
    Grid,
    Heading,
    Listing,
    Reason,
    Row,
    SumRows,
    Text,
)
from chainrule.explain.mathml import to_mathml
from chainrule.explain.messages import COMMA, Language, Message, say
from chainrule.explain.style import STYLE
from chainrule.explain.terms import SIGNS, Table, kinds_of
from chainrule.explain.words import short, words
from chainrule.expressions import Expr, Num, equal, number

CELL_DIGITS = 4
OPEN = ' open=""'
"""As XML wants it, too."""


class Html:
    """Writes blocks."""

    def __init__(self, lang: Language, digits: int) -> None:
        self.lang, self.digits = lang, digits

    def math(self, expr: Expr) -> str:
        """A <math> element within a line."""
        return to_mathml(expr, self.digits)

    def block(self, expr: Expr) -> str:
        """A <math> element with room around it."""
        return to_mathml(expr, self.digits, block=True)

    def say(self, message: Message) -> str:
        """A message; its expressions become inline MathML."""
        return "".join(self.inline(piece) for piece in message.pieces(self.lang))

    def inline(self, piece: Any) -> str:
        """A piece of a message or a cell of a list."""
        if isinstance(piece, Message):
            return self.say(piece)
        if isinstance(piece, float):
            return self.math(number(piece))
        return escape(str(piece)) if isinstance(piece, str | int) else self.math(piece)

    def write(self, block: Block) -> str:
        """One block."""
        match block:
            case Heading(text, level):
                return f"<h{level}>{self.say(text)}</h{level}>"
            case Text(text, style):
                return f'<p class="{style}">{self.say(text)}</p>'
            case Reason(label, text):
                return f'<p class="because"><span class="label">{self.say(label)}</span>{self.say(text)}</p>'
            case Equations(label, lines, sources, step):
                tail = [*sources, *([] if step is None else [self.say(say("from_step", number=step))])]
                return self._equations(self.say(label), lines, tail)
            case SumRows():
                return self._sum(block)
            case Grid():
                return self._grid(block)
            case Drawing(svg):
                drawn = svg(self.lang)
                return f'<div class="drawing" tabindex="0">{drawn}</div>' if drawn else ""
            case Listing(title, columns, rows):
                head = "".join(f"<th>{self.say(column)}</th>" for column in columns)
                body = "".join(f"<tr>{''.join(f'<td>{self.inline(c)}</td>' for c in row)}</tr>" for row in rows)
                return f'<p class="caption">{self.say(title)}</p><table class="list"><tr>{head}</tr>{body}</table>'

    def _equations(self, label: str, lines: Sequence[Expr], sources: Sequence[str]) -> str:
        shown = []
        for position, line in enumerate(lines):
            last = position == len(lines) - 1 and sources
            tag = f'<td class="source">{escape(", ".join(sources))}</td>' if last else ""
            head = label if not position else ""
            shown.append(f'<tr><td class="label">{head}</td><td>{self.block(line)}</td>{tag}</tr>')
        return f"<table>{''.join(shown)}</table>"

    def _sum(self, block: SumRows) -> str:
        shown = []
        head = self.say(block.label)
        for row in block.rows:
            shown.append(self._line(head, *self._row(row, block.digits)))
            head = ""
        if block.rest is not None:
            rest = self.say(block.rest.message)
            shown.append(self._line("", rest, self.math(Num(block.rest.total, block.digits)), ""))
        shown.append(self._line("", self.block(equal(block.left, number(block.total))), "", ""))
        return f"<table>{''.join(shown)}</table>"

    @staticmethod
    def _line(head: str, left: str, right: str, tag: str) -> str:
        sign = "=" if right else ""
        return (
            f'<tr><td class="label">{head}</td><td>{left}</td><td>{sign}</td><td>{right}</td>'
            f'<td class="source">{tag}</td></tr>'
        )

    def _row(self, row: Row, digits: int | None) -> tuple[str, str, str]:
        tag = "" if row.step is None else self.say(say("from_step", number=row.step))
        left = row.symbols if row.numbers is None else equal(row.symbols, row.numbers)
        return self.block(left), "" if row.is_number else self.math(Num(row.value, digits)), tag

    def _grid(self, block: Grid) -> str:
        table = block.table
        head = "".join(f"<th>{escape(label)}</th>" for label in ("", *table.column_labels))
        rows = [f"<tr>{head}</tr>"] if table.column_labels else []
        for r, cells in enumerate(table.cells):
            label = escape(table.row_labels[r]) if table.row_labels else ""
            shown = "".join(self._cell(table, r, c) for c in range(len(cells)))
            rows.append(f"<tr><th>{label}</th>{shown}</tr>")
        title = f'<p class="caption">{self.say(table.title)}</p>{self._legend(table)}'
        shown = f'{title}<table class="map">{"".join(rows)}</table>'
        return f'<div class="drawn">{shown}</div>' if table.role else shown

    def _cell(self, table: Table, r: int, c: int) -> str:
        """A number with its marks: a colour, and a sign that is there without colours, too."""
        mark = table.marks.get((r, c), "")
        signs = "".join(SIGNS.get(kind, "") for kind in kinds_of(mark))
        number = short(table.cells[r][c], table.digits.get((r, c), CELL_DIGITS))
        sign = f"<sup>{signs}</sup>" if signs else ""
        return f'<td class="{mark}">{number}{sign}</td>' if mark else f"<td>{number}</td>"

    def _legend(self, table: Table) -> str:
        """What the marks mean that occur in a table."""
        named = [f'<span class="{kind}">{SIGNS[kind]}</span> {self.say(say(f"mark_{kind}"))}' for kind in table.kinds]
        return f'<p class="legend">{COMMA[self.lang].join(named)}</p>' if named else ""


def _folded(writer: Html, blocks: Sequence[Block]) -> list[str]:
    """The blocks, every step in a part that folds; the last step of a derivation, which has the answer, is open."""
    steps = [k for k, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    written, inside = [], False
    for k, block in enumerate(blocks):
        if inside and _stands_alone(block):
            written.append("</details>")
            inside = False
        if k in steps:
            following = next((j for j in range(k + 1, len(blocks)) if _stands_alone(blocks[j])), None)
            answers = following not in steps
            written.append(f"<details{OPEN if answers else ''}><summary>{writer.write(block)}</summary>")
            inside = True
        else:
            written.append(writer.write(block))
    return [*written, *(["</details>"] if inside else [])]


def _stands_alone(block: Block) -> bool:
    """Whether a block is not a part of the step before it."""
    return (isinstance(block, Heading) and block.level < 3) or (
        isinstance(block, Text) and block.style in ("plain", "good")
    )


def html(blocks: Sequence[Block], lang: Language, digits: int, *, page: bool) -> str:
    """The blocks as a page of their own, or as one <div> for a notebook."""
    writer = Html(lang, digits)
    inner = "\n".join(_folded(writer, blocks))
    body = f'<div class="chainrule" lang="{"zh-Hans" if lang == "zh" else "en"}"><style>{STYLE}</style>{inner}</div>'
    if not page:
        return body
    title = next((words(b.text, lang, digits) for b in blocks if isinstance(b, Heading)), "chainrule")
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"></head><body style="margin:0">{body}</body></html>\n'
    )
