"""Blocks in the terminal: readable from 40 columns on, in colour where there is any, and no number broken in two.

Lines are laid out here; rich only prints them. What does not fit beside one another goes below one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Words

from chainrule.explain.blocks import Equations, Grid, Heading, Listing, Reason, Row, Said, SumRows, Text
from chainrule.explain.listings import listing_lines
from chainrule.explain.messages import COMMA, Language, Message, say
from chainrule.explain.notations import to_text
from chainrule.explain.terms import SIGNS, Table, kinds_of
from chainrule.explain.words import short, words
from chainrule.explain.wrapping import equation_spans, spans
from chainrule.expressions import Expr, Num

MARKS = {"window": "bold green", "zero": "dim", "here": "bold yellow", "largest": "bold yellow", "winner": "bold cyan"}
STYLES = {"plain": "", "note": "dim", "detail": "dim", "good": "bold green"}
LABEL = 9
"""Columns of the labels on the left."""
LEAST = 40
"""Columns that numbers in full need."""
CELL_DIGITS = 3


class Terminal:
    """Lays out blocks in lines of at most `width` columns."""

    def __init__(self, lang: Language, digits: int, width: int) -> None:
        self.lang, self.digits, self.width = lang, digits, max(width, LEAST)

    def say(self, message: Message) -> str:
        return words(message, self.lang, self.digits)

    def math(self, expr: Expr) -> str:
        return to_text(expr, self.digits)

    def lines(self, block: Said) -> list[Words]:
        """A block as lines."""
        match block:
            case Heading(text, level):
                return self._heading(self.say(text), level)
            case Text(text, style):
                return self._flow(Words(self.say(text), style=STYLES[style]), LABEL if style == "detail" else 0)
            case Reason(label, text):
                room = Terminal(self.lang, self.digits, self.width - LABEL)
                room.width = self.width - LABEL
                return self._labelled(self.say(label), room._flow(Words(self.say(text))))
            case Equations(label, lines, sources, step):
                tail = [" ".join(sources)] if sources else []
                tail += [self.say(say("from_step", number=step))] if step is not None else []
                return self._equations(self.say(label), [self.math(line) for line in lines], tail)
            case SumRows():
                return self._labelled(self.say(block.label), self._sum(block))
            case Grid(table):
                return self._grid(table)
            case Listing():
                return listing_lines(block, self.lang, self.digits, self.width)

    def _flow(self, text: Words, indent: int = 0, hanging: int = 0) -> list[Words]:
        """A text in lines, all of them indented, those after the first by `hanging` more."""
        first = Words(" " * indent)
        found = spans(text.plain, self.width - indent)[:1]
        rest = text[found[0][1] :] if hanging and found else None
        if rest is None:
            return [Words.assemble(first, text[a:b]) for a, b in spans(text.plain, self.width - indent)]
        lines = [Words.assemble(first, text[slice(*found[0])])]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        return lines + (self._flow(rest, indent + hanging) if rest.plain else [])

    def _heading(self, text: str, level: int) -> list[Words]:
        if level == 3:
            return self._flow(Words(f"▸ {text}", style="bold"))
        sign, style = ("─", "cyan") if level == 2 else ("═", "bold")
        lines = self._flow(Words(text, style=style))
        room = self.width - cell_len(lines[-1].plain) - 1
        if room > 0:
            lines[-1].append(f" {sign * room}", style=style)
        return lines

    def _labelled(self, label: str, lines: Sequence[Words]) -> list[Words]:
        head = label + " " * (LABEL - cell_len(label))
        return [Words.assemble((" " * LABEL if k else head, "dim"), line) for k, line in enumerate(lines)]

    def _equations(self, label: str, lines: Sequence[str], tail: Sequence[str]) -> list[Words]:
        found: list[Words] = []
        for position, line in enumerate(lines):
            shown = Words(line)
            if tail and position == len(lines) - 1:
                shown.append("   [" + ", ".join(tail) + "]", style="dim cyan")
            found += [shown[a:b] for a, b in equation_spans(shown.plain, self.width - LABEL)]
        return self._labelled(label, found)

    # --- sums --------------------------------------------------------------------------------------------------

    def _sum(self, block: SumRows) -> list[Words]:
        """The terms in columns; where they are too narrow, numbers below letters; else as running lines."""
        rows = [self._row(row, block.digits) for row in block.rows]
        if block.rest is not None:
            rows.append((self.say(block.rest.message), "", self.math(Num(block.rest.total, block.digits)), ""))
        rows.append((self.math(block.left), "", self.math(Num(block.total)), ""))
        room = self.width - LABEL
        for arrange in (_beside, _below):
            lines = arrange(rows)
            if all(cell_len(line.plain) <= room for line in lines):
                return lines
        flowing = Terminal(self.lang, self.digits, room)
        flowing.width = room
        return [line for row in rows for line in flowing._flow(_joined(row), hanging=2)]

    def _row(self, row: Row, digits: int | None) -> tuple[str, str, str, str]:
        step = "" if row.step is None else self.say(say("step_short", number=row.step))
        value = self.math(Num(row.value, digits))
        symbols = self.math(row.symbols)
        if row.numbers is None:
            return "" if row.is_number else symbols, "", value, step
        return symbols, self.math(row.numbers), value, step

    # --- maps --------------------------------------------------------------------------------------------------

    def _grid(self, table: Table) -> list[Words]:
        """A map, in bands of as many columns as fit."""
        title = self._flow(Words(self.say(table.title), style="italic"))
        legend = COMMA[self.lang].join(f"{SIGNS[kind]} {self.say(say(f'mark_{kind}'))}" for kind in table.kinds)
        lines = title + (self._flow(Words(legend, style="dim")) if legend else [])
        width = len(table.cells[0]) if table.cells else 0
        signs = max((len(kinds_of(mark)) for mark in table.marks.values() if kinds_of(mark)[0] in SIGNS), default=0)
        labels = [label + " " * signs for label in table.column_labels or ("",) * width]
        cells = [[self._cell(table, r, c, signs) for c in range(width)] for r in range(len(table.cells))]
        sizes = [max(cell_len(labels[c]), *(len(row[c].plain) for row in cells)) for c in range(width)]
        margin = 4 + max((len(label) for label in table.row_labels), default=0)
        for band in _bands(sizes, self.width - margin):
            lines += self._band(table, cells, labels, sizes, band, margin)
        return [*lines, Words("")]

    def _band(
        self, table: Table, cells: list[list[Words]], labels: Sequence[str], sizes: list[int], band: range, margin: int
    ) -> list[Words]:
        head = "".join("  " + " " * (sizes[c] - cell_len(labels[c])) + labels[c] for c in band)
        lines = [Words(" " * margin + head, style="dim")] if table.column_labels else []
        for r, row in enumerate(cells):
            label = table.row_labels[r] if table.row_labels else ""
            line = Words(label.rjust(margin), style="dim")
            for c in band:
                line = Words.assemble(line, " " * (2 + sizes[c] - len(row[c].plain)), row[c])
            lines.append(line)
        return lines

    def _cell(self, table: Table, r: int, c: int, width: int) -> Words:
        mark = table.marks.get((r, c), "")
        signs = "".join(SIGNS.get(kind, "") for kind in kinds_of(mark)).ljust(width)
        style = MARKS.get(kinds_of(mark)[0], "") if mark else ""
        return Words(short(table.cells[r][c], table.digits.get((r, c), CELL_DIGITS)) + signs, style=style)


def _beside(rows: Sequence[tuple[str, str, str, str]]) -> list[Words]:
    """symbols = numbers = value (step), aligned."""
    sizes = [max(cell_len(row[k]) for row in rows) for k in range(3)]
    lines = []
    for position, (symbols, numbers, value, step) in enumerate(rows):
        middle = f" = {_left(numbers, sizes[1])}" if numbers else " " * (3 + sizes[1] if sizes[1] else 0)
        sign = " = " if symbols or numbers else "   "
        lines.append(_styled(position, rows, f"{_left(symbols, sizes[0])}{middle}{sign}", value, sizes[2], step))
    return lines


def _below(rows: Sequence[tuple[str, str, str, str]]) -> list[Words]:
    """The symbols on a line of their own, = numbers = value (step) below, aligned."""
    size, tall = max(cell_len(row[1]) for row in rows), max(cell_len(row[2]) for row in rows)
    lines = []
    for position, (symbols, numbers, value, step) in enumerate(rows):
        middle = f"  = {_left(numbers, size)}" if numbers else _left("", 4 + size)
        if not numbers and cell_len(symbols) <= 4 + size:
            middle = _left(symbols, 4 + size)
        else:
            lines.append(Words(symbols, style=_emphasis(position, rows)))
        lines.append(_styled(position, rows, f"{middle} = ", value, tall, step))
    return lines


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _emphasis(position: int, rows: Sequence[object]) -> str:
    return "bold" if position == len(rows) - 1 else ""


def _styled(position: int, rows: Sequence[object], before: str, value: str, width: int, step: str) -> Words:
    """One row; the total, which is the last, stands out."""
    style = "bold green" if position == len(rows) - 1 else ""
    line = Words.assemble((before, _emphasis(position, rows)), (" " * (width - cell_len(value)) + value, style))
    return line.append(f" {step}", style="dim") if step else line


def _joined(row: tuple[str, str, str, str]) -> Words:
    line = Words(" = ".join(part for part in row[:3] if part))
    return line.append(f" {row[3]}", style="dim") if row[3] else line


def _bands(sizes: Sequence[int], room: int) -> list[range]:
    """Columns in groups that fit, each column with two spaces before it."""
    bands, start, used = [], 0, 0
    for c, size in enumerate(sizes):
        if c > start and used + size + 2 > room:
            bands.append(range(start, c))
            start, used = c, 0
        used += size + 2
    return [*bands, range(start, len(sizes))] if sizes else []


def _print(console: Console, blocks: Sequence[Said], lang: Language, digits: int, width: int) -> None:
    terminal = Terminal(lang, digits, width)
    for block in blocks:
        if isinstance(block, Heading) and block.level < 3:
            console.print()
        for line in terminal.lines(block):
            console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _console(file: StringIO | None = None) -> Console:
    if file is None:
        return Console(highlight=False, emoji=False, markup=False)
    return Console(file=file, highlight=False, emoji=False, markup=False, force_terminal=False, color_system=None)


def plain(blocks: Sequence[Said], lang: Language, digits: int, width: int = 80) -> str:
    """The blocks as text without colour."""
    file = StringIO()
    _print(_console(file), blocks, lang, digits, width)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).strip("\n") + "\n"


def show(blocks: Sequence[Said], lang: Language, digits: int) -> None:
    """Print the blocks."""
    console = _console()
    _print(console, blocks, lang, digits, console.width)
