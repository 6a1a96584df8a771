"""Plain Unicode and LaTeX: two ways that the parts of an expression may look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from chainrule.explain.writing import DIGITS, Writer, write
from chainrule.expressions import Expr


class TextWriter(Writer):
    """Plain Unicode in one line."""

    flat_fractions = True
    _UP = str.maketrans("0123456789()-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻ⁿ")

    def number(self, digits: str, power: int | None) -> str:
        return digits if power is None else f"{digits}·10{str(power).translate(self._UP)}"

    def symbol(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        above = "" if sample is None else f"({sample})".translate(self._UP)
        below = f"[{','.join(i.replace(' ', '') for i in index)}]" if index else ""
        marks = {"": "", "hat": "\u0302", "bar": "\u0304", "plus": "⁺"}
        return f"{name}{marks[accent]}{above}{below}"

    def words(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        return self.symbol(name, index, sample, accent)

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def partial(self, of: str, by: str) -> str:
        return f"∂{of}/∂{by}"

    def product(self, factors: Sequence[str]) -> str:
        return " · ".join(factors)

    def joined(self, terms: Sequence[tuple[str, str]]) -> str:
        (sign, first), *rest = terms
        start = "−" if sign == "-" else ""
        return start + first + "".join(f" {'−' if s == '-' else '+'} {t}" for s, t in rest)

    def big_sum(self, over: Sequence[str], condition: str | None, body: str) -> str:
        where = "" if condition is None else f" : {condition}"
        return f"Σ({','.join(over)}{where}) {body}"

    def power(self, base: str, exponent: str) -> str:
        if exponent.isdigit():
            return base + exponent.translate(self._UP)
        return f"{base}^({exponent})" if len(exponent) > 1 else f"{base}^{exponent}"

    def root(self, body: str) -> str:
        return f"√({body})"

    def function(self, name: str, arguments: Sequence[str]) -> str:
        return f"{name}({', '.join(arguments)})"

    def relation(self, parts: Sequence[str], sign: str) -> str:
        return f" {sign} ".join(parts)

    def brackets(self, body: str, kind: str = "()") -> str:
        return f"{kind[0]}{body}{kind[1]}"

    def cases(self, choices: Sequence[tuple[str, str | None]]) -> str:
        return "{" + "; ".join(value if when is None else f"{value}: {when}" for value, when in choices) + "}"

    def dots(self) -> str:
        return "…"


class LatexWriter(Writer):
    """LaTeX as amsmath and KaTeX read it."""

    _GREEK: ClassVar = {
        "δ": r"\delta",
        "σ": r"\sigma",
        "μ": r"\mu",
        "η": r"\eta",
        "ε": r"\varepsilon",
        "α": r"\alpha",
        "β": r"\beta",
        "λ": r"\lambda",
        "∞": r"\infty",
    }
    _SIGNS: ClassVar = {"≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx"}
    _FUNCTIONS = ("max", "min", "exp", "log", "tanh")

    def number(self, digits: str, power: int | None) -> str:
        digits = r"\mathrm{nan}" if digits == "nan" else self._GREEK.get(digits, digits)
        return digits if power is None else rf"{digits}\cdot 10^{{{power}}}"

    def _name(self, name: str) -> str:
        if name in self._GREEK:
            return self._GREEK[name]
        return name if len(name) == 1 else rf"\mathrm{{{self._escape(name)}}}"

    @staticmethod
    def _escape(name: str) -> str:
        return "".join(rf"\{c}" if c in "_%#&$" else c for c in name)

    def _scripts(self, index: Sequence[str], sample: str | None) -> str:
        above = "" if sample is None else "^{+}" if sample == "+" else f"^{{({sample})}}"
        return above + (f"_{{{','.join(index)}}}" if index else "")

    def symbol(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        shown = self._name(name)
        if accent == "plus":
            sample = "+"
        elif accent:
            shown = rf"\{accent}{{{shown}}}"
        return shown + self._scripts(index, sample)

    def words(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        return rf"\mathrm{{{self._escape(name)}}}" + self._scripts(index, "+" if accent == "plus" else sample)

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def partial(self, of: str, by: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def product(self, factors: Sequence[str]) -> str:
        return r" \cdot ".join(factors)

    def joined(self, terms: Sequence[tuple[str, str]]) -> str:
        (sign, first), *rest = terms
        return sign + first + "".join(f" {s} {t}" for s, t in rest)

    def big_sum(self, over: Sequence[str], condition: str | None, body: str) -> str:
        letters = ",".join(over)
        below = letters if condition is None else rf"\substack{{{letters} \\ {condition}}}"
        return rf"\sum_{{{below}}} {body}"

    def power(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def root(self, body: str) -> str:
        return rf"\sqrt{{{body}}}"

    def function(self, name: str, arguments: Sequence[str]) -> str:
        head = rf"\{name}" if name in self._FUNCTIONS else self._name(name)
        return rf"{head}\left({', '.join(arguments)}\right)"

    def relation(self, parts: Sequence[str], sign: str) -> str:
        return f" {self._SIGNS.get(sign, sign)} ".join(parts)

    def brackets(self, body: str, kind: str = "()") -> str:
        return rf"\left{kind[0]}{body}\right{kind[1]}"

    def cases(self, choices: Sequence[tuple[str, str | None]]) -> str:
        rows = [value if when is None else rf"{value} & {when}" for value, when in choices]
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"

    def dots(self) -> str:
        return r"\dots"


def to_text(expr: Expr, digits: int = DIGITS) -> str:
    """The expression in one line of Unicode."""
    return write(expr, TextWriter(digits))


def to_latex(expr: Expr, digits: int = DIGITS) -> str:
    """The expression in LaTeX."""
    return write(expr, LatexWriter(digits))
