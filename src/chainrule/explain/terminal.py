"""Blocks in the terminal, with rich: readable at 80 columns, in colour where there is any."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from chainrule.explain.blocks import Block, Equations, Grid, Heading, Letters, Listing, Row, SumRows, Text
from chainrule.explain.expressions import Expr, number
from chainrule.explain.messages import Language, Message, say
from chainrule.explain.notations import to_text
from chainrule.explain.writing import number_parts

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as Grid_

MARKS = {"window": "bold green", "zero": "dim", "here": "bold yellow", "winner": "bold cyan",
         "winner_here": "bold green"}  # fmt: skip
SIGNS = {"window": "·", "here": "*", "winner": "^", "winner_here": "^"}
"""Marks that can be seen without colour, behind the number."""
STYLES = {"plain": "", "note": "dim", "detail": "dim", "good": "bold green"}
LABEL = 8
"""Columns of the labels on the left."""
LONGEST_REMARK = 24
"""Longer remarks are written below a list."""


def words(message: Message, lang: Language, digits: int) -> str:
    """A message in plain words."""
    return "".join(inline(piece, lang, digits) for piece in message.pieces(lang))


def inline(piece: Any, lang: Language, digits: int) -> str:
    """A piece of a message or a cell of a list."""
    if isinstance(piece, Message):
        return words(piece, lang, digits)
    if isinstance(piece, float):
        return to_text(number(piece), digits)
    return str(piece) if isinstance(piece, str | int) else to_text(piece, digits)


def short(value: float | None, digits: int = 4) -> str:
    """A number for a narrow cell."""
    if value is None:
        return ""
    negative, text, power = number_parts(value, digits)
    return ("-" if negative else "") + text + ("" if power is None else f"e{power}")


class Terminal:
    """Draws blocks on a console."""

    def __init__(self, lang: Language, digits: int) -> None:
        self.lang, self.digits = lang, digits

    def say(self, message: Message) -> str:
        return words(message, self.lang, self.digits)

    def math(self, expr: Expr) -> str:
        return to_text(expr, self.digits)

    def draw(self, block: Block) -> RenderableType:
        """A block as something that rich can print."""
        from rich.padding import Padding
        from rich.text import Text as Words

        match block:
            case Heading(text, level):
                return self._heading(self.say(text), level)
            case Text(text, style):
                shown = Words(self.say(text), style=STYLES[style])
                return Padding(shown, (0, 0, 0, LABEL + 1 if style == "detail" else 0))
            case Equations(label, lines, sources, step):
                tail = [" ".join(sources)] if sources else []
                tail += [self.say(say("from_step", number=step))] if step is not None else []
                return self._equations(self.say(label), [self.math(line) for line in lines], tail)
            case Letters(label, names):
                return self._equations(self.say(label), [", ".join(f"{k} = {v}" for k, v in names)], [])
            case SumRows():
                return self._sum(block)
            case Grid():
                return self._grid(block)
            case Listing(title, columns, rows):
                return self._listing(title, columns, rows)

    def _heading(self, text: str, level: int) -> RenderableType:
        from rich.rule import Rule
        from rich.text import Text as Words

        if level == 3:
            return Words(f"▸ {text}", style="bold")
        return Rule(text, align="left", style="cyan" if level == 2 else "bold", characters="─" if level == 2 else "═")

    def _columns(self, *options: dict[str, Any]) -> Grid_:
        from rich.table import Table

        table = Table.grid(padding=(0, 1), pad_edge=False)
        for option in options:
            table.add_column(**option)
        return table

    def _equations(self, label: str, lines: Sequence[str], tail: Sequence[str]) -> RenderableType:
        from rich.text import Text as Words

        table = self._columns({"style": "dim", "width": LABEL}, {"overflow": "fold"})
        for position, line in enumerate(lines):
            shown = Words(line)
            if tail and position == len(lines) - 1:
                shown.append("   [" + ", ".join(tail) + "]", style="dim cyan")
            table.add_row(label if not position else "", shown)
        return table

    def _sum(self, block: SumRows) -> RenderableType:
        from rich.text import Text as Words

        table = self._columns(
            {"style": "dim", "width": LABEL}, {"overflow": "fold"}, {}, {"overflow": "fold"}, {},
            {"justify": "right", "no_wrap": True}, {"style": "dim"},
        )  # fmt: skip
        label = self.say(block.label)
        for row in block.rows:
            table.add_row(label, *self._row(row))
            label = ""
        if block.rest_count:
            rest = self.say(say("rest", count=block.rest_count))
            table.add_row("", Words(rest, style="dim"), "", "", "=", self.math(number(block.rest_total)), "")
        table.add_row(
            "", Words(self.math(block.left), style="bold"), "", "", "=",
            Words(self.math(number(block.total)), style="bold green"), "",
        )  # fmt: skip
        return table

    def _row(self, row: Row) -> list[str]:
        step = "" if row.step is None else f"({row.step})"
        value = self.math(number(row.value))
        if row.numbers is None:
            symbols = self.math(row.symbols)
            return [symbols if symbols != value else "", "", "", "=" if symbols != value else "", value, step]
        return [self.math(row.symbols), "=", self.math(row.numbers), "=", value, step]

    def _grid(self, block: Grid) -> RenderableType:
        from rich.console import Group
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text as Words

        table = block.table
        drawn = Table(box=None, padding=(0, 1), show_header=bool(table.column_labels), header_style="dim")
        drawn.add_column("", style="dim", justify="right")
        width = len(table.cells[0]) if table.cells else 0
        for label in table.column_labels or [""] * width:
            drawn.add_column(label, justify="right", no_wrap=True)
        for r, cells in enumerate(table.cells):
            shown = [self._cell(value, table.marks.get((r, c))) for c, value in enumerate(cells)]
            drawn.add_row(table.row_labels[r] if table.row_labels else "", *shown)
        return Group(Words(self.say(table.title), style="italic"), Padding(drawn, (0, 0, 1, 4)))

    def _cell(self, value: float | None, mark: str | None) -> Any:
        from rich.text import Text as Words

        digits = 3
        return Words(short(value, digits) + (SIGNS.get(mark or "", " ")), style=MARKS.get(mark or "", ""))

    def _listing(self, title: Message, columns: Sequence[Message], rows: Sequence[Sequence[Any]]) -> RenderableType:
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text as Words

        notes: list[str] = []
        table = Table(box=SIMPLE_HEAD, padding=(0, 1))
        for position, column in enumerate(columns):
            numbers = all(isinstance(row[position], float) for row in rows)
            table.add_column(self.say(column), overflow="fold", no_wrap=numbers)
        for row in rows:
            table.add_row(*(self._listed(cell, notes) for cell in row))
        below = [f"({k}) {note}" for k, note in enumerate(notes, 1)]
        return Group(Words(self.say(title), style="italic"), table, *(Words(note, style="dim") for note in below), "")

    def _listed(self, cell: Any, notes: list[str]) -> str:
        """A cell of a list; a long remark goes below, and its number stays."""
        text = inline(cell, self.lang, self.digits)
        if not isinstance(cell, Message) or len(text) <= LONGEST_REMARK:
            return text
        if text not in notes:
            notes.append(text)
        return f"({notes.index(text) + 1})"


def _console(file: StringIO | None, width: int | None) -> Console:
    from rich.console import Console

    if file is None:
        return Console(highlight=False, emoji=False, markup=False)
    return Console(file=file, width=width, highlight=False, emoji=False, markup=False, force_terminal=False,
                   color_system=None)  # fmt: skip


def _print(console: Console, blocks: Sequence[Block], lang: Language, digits: int) -> None:
    terminal = Terminal(lang, digits)
    for block in blocks:
        if isinstance(block, Heading) and block.level < 3:
            console.print()
        console.print(terminal.draw(block))


def plain(blocks: Sequence[Block], lang: Language, digits: int, width: int = 80) -> str:
    """The blocks as text without colour."""
    file = StringIO()
    _print(_console(file, width), blocks, lang, digits)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).strip("\n") + "\n"


def show(blocks: Sequence[Block], lang: Language, digits: int) -> None:
    """Print the blocks."""
    _print(_console(None, None), blocks, lang, digits)
