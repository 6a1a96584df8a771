"""Blocks as LaTeX: a document of its own, or a part of one that loads amsmath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.explain.blocks import Equations, Grid, Heading, Listing, Reason, Row, Said, SumRows, Text
from chainrule.explain.messages import BRACKETS, COLON, COMMA, Language, Message, say
from chainrule.explain.notations import to_latex
from chainrule.explain.terms import SIGNS, kinds_of
from chainrule.explain.words import short, words
from chainrule.expressions import Expr, Num, Rel, number

CELL_DIGITS = 4
_SPECIAL = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "→": r"$\to$", "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "°": r"$^{\circ}$", "√": r"$\surd$", "²": "$^2$",
    "…": r"\dots{}", "∂": r"$\partial$", "Σ": r"$\Sigma$", "δ": r"$\delta$", "η": r"$\eta$", "ε": r"$\varepsilon$",
    "σ": r"$\sigma$", "∘": r"$\circ$", "∗": r"$\ast$", "ᵀ": r"$^{\mathsf T}$", "“": "``", "”": "''",
})  # fmt: skip
_SIGNS = {"·": r"$^\cdot$", "*": r"$^*$", "^": r"$^\wedge$"}
_LEVELS = {1: "section", 2: "subsection", 3: "subsubsection"}
_PREAMBLE = {
    "en": "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n",
    "zh": "\\documentclass{article}\n\\usepackage[UTF8]{ctex} % compile with xelatex\n",
}


def escaped(text: str) -> str:
    """Words as LaTeX prints them."""
    return text.translate(_SPECIAL)


def aligned(line: Expr, digits: int) -> str:
    """A formula that is aligned at its first sign of equality."""
    if isinstance(line, Rel) and line.sign == "=":
        first, *rest = (to_latex(Rel((part,)), digits) for part in line.parts)
        return f"{first} &= " + " = ".join(rest)
    return to_latex(line, digits)


def sum_lines(block: SumRows, lang: Language, digits: int) -> str:
    r"""left = first term \\ + second \\ ... \\ = total, aligned at the signs."""
    lines = [_term(row, block.digits or digits, lang) for row in block.rows]
    if block.rest is not None:
        told = escaped(words(block.rest.message, lang, digits).lstrip("… ").replace("−", "-"))
        rest = to_latex(Num(block.rest.total, block.digits), digits)
        lines.append(rf"\underbrace{{{rest}}}_{{\text{{{told}}}}}")
    left = to_latex(block.left, digits)
    signs = [f"{left} &= ", *[" &+ "] * (len(lines) - 1)]
    lines = [sign + line for sign, line in zip(signs, lines, strict=True)]
    return " \\\\\n".join([*lines, f" &= {to_latex(number(block.total), digits)}"])


def _term(row: Row, digits: int, lang: Language) -> str:
    symbols = to_latex(row.symbols, digits)
    shown = to_latex(row.numbers if row.numbers is not None else number(row.value), digits)
    text = shown if symbols == shown else rf"\underbrace{{{symbols}}}_{{{shown}}}"
    if row.value < 0 and symbols == shown:
        text = rf"\left({text}\right)"
    step = "" if row.step is None else words(say("step_short", number=row.step), lang, digits)
    return text + (rf" \quad \text{{{step}}}" if step else "")


class Latex:
    """Writes blocks."""

    def __init__(self, lang: Language, digits: int) -> None:
        self.lang, self.digits = lang, digits

    def say(self, message: Message) -> str:
        """A message; its expressions become inline formulas."""
        return "".join(self.inline(piece) for piece in message.pieces(self.lang))

    def inline(self, piece: Any) -> str:
        """A piece of a message or a cell of a list."""
        if isinstance(piece, Message):
            return self.say(piece)
        if isinstance(piece, float):
            return f"${to_latex(number(piece), self.digits)}$"
        return escaped(str(piece)) if isinstance(piece, str | int) else f"${to_latex(piece, self.digits)}$"

    def write(self, block: Said) -> str:
        """One block."""
        match block:
            case Heading(text, level):
                return rf"\{_LEVELS[level]}*{{{self.say(text)}}}"
            case Text(text, style):
                shown = self.say(text)
                return rf"\emph{{{shown}}}" if style == "note" else rf"\textbf{{{shown}}}" if style == "good" else shown
            case Reason(label, text):
                return rf"\emph{{{self.say(label)}}}{COLON[self.lang]}{self.say(text)}"
            case Equations(label, lines, sources, step):
                tail = [*sources, *([] if step is None else [self.say(say("from_step", number=step))])]
                told = BRACKETS[self.lang].format(COMMA[self.lang].join(tail))
                tag = f"{'' if self.lang == 'zh' else ' '}{told}" if tail else ""
                inner = " \\\\\n".join(aligned(line, self.digits) for line in lines)
                return self._display(f"{self.say(label)}{tag}{COLON[self.lang].strip()}", inner)
            case SumRows():
                name = f"{self.say(block.label)}{COLON[self.lang].strip()}"
                return self._display(name, sum_lines(block, self.lang, self.digits))
            case Grid():
                return self._grid(block)
            case Listing(title, columns, rows):
                head = [rf"\textbf{{{self.say(column)}}}" for column in columns]
                width = 0.95 / len(columns)
                shape = f"@{{}}*{{{len(columns)}}}{{p{{{width:.3f}\\linewidth}}}}@{{}}"
                body = [[self.inline(cell) for cell in row] for row in rows]
                return rf"\textbf{{{self.say(title)}}}" + "\n\n" + _tabular(shape, [head, *body])

    @staticmethod
    def _display(label: str, inner: str) -> str:
        return f"{label}\n\\begin{{align*}}\n{inner}\n\\end{{align*}}"

    def _grid(self, block: Grid) -> str:
        table = block.table
        width = len(table.cells[0]) if table.cells else 0
        named = [f"{_SIGNS[SIGNS[kind]]} {self.say(say(f'mark_{kind}'))}" for kind in table.kinds]
        head = [["", *(escaped(label) for label in table.column_labels)]] if table.column_labels else []
        body = []
        for r, cells in enumerate(table.cells):
            label = table.row_labels[r] if table.row_labels else ""
            body.append([label, *(self._cell(block, r, c) for c in range(len(cells)))])
        legend = f"\n\n{COMMA[self.lang].join(named)}" if named else ""
        return f"{self.say(table.title)}{legend}\n\n" + _tabular("r" * (width + 1), [*head, *body])

    @staticmethod
    def _cell(block: Grid, r: int, c: int) -> str:
        table = block.table
        number = escaped(short(table.cells[r][c], table.digits.get((r, c), CELL_DIGITS)))
        kinds = [kind for kind in kinds_of(table.marks.get((r, c), "")) if kind in SIGNS]
        return rf"\textbf{{{number}}}" + "".join(_SIGNS[SIGNS[kind]] for kind in kinds) if kinds else number


def _tabular(shape: str, rows: Sequence[Sequence[str]]) -> str:
    inner = " \\\\\n".join(" & ".join(row) for row in rows)
    return f"\\begin{{tabular}}{{{shape}}}\n{inner}\n\\end{{tabular}}"


def latex(blocks: Sequence[Said], lang: Language, digits: int, *, page: bool) -> str:
    """The blocks as a document, or as a part of one."""
    writer = Latex(lang, digits)
    body = "\n\n".join(writer.write(block) for block in blocks) + "\n"
    if not page:
        return body
    setup = "\\usepackage{amsmath}\n\\usepackage[margin=2cm]{geometry}\n\\setlength{\\parindent}{0pt}\n"
    return f"{_PREAMBLE[lang]}{setup}\\begin{{document}}\n\n{body}\n\\end{{document}}\n"
