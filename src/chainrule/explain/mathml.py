"""MathML, which browsers show without any script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chainrule.explain.writing import DIGITS, Writer, write
from chainrule.expressions import Expr

NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def _row(*parts: str) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _sign(sign: str) -> str:
    return f"<mo>{escape('−' if sign == '-' else sign)}</mo>"


class MathMLWriter(Writer):
    """MathML Core elements; every argument is an element or a row of them."""

    def number(self, digits: str, power: int | None) -> str:
        if power is None:
            return f"<mn>{digits}</mn>"
        raised = f"<msup><mn>10</mn>{_row(*([_sign('-')] if power < 0 else []), f'<mn>{abs(power)}</mn>')}</msup>"
        return _row(f"<mn>{digits}</mn>", "<mo>·</mo>", raised)

    def _scripts(self, base: str, index: Sequence[str], sample: str | None) -> str:
        below = _row(*(part for i, text in enumerate(index) for part in (["<mo>,</mo>"] * (i > 0) + [text])))
        above = _row("<mo>(</mo>", f"<mn>{escape(sample or '')}</mn>", "<mo>)</mo>") if sample != "+" else "<mo>+</mo>"
        if index and sample is not None:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        if index:
            return f"<msub>{base}{below}</msub>"
        return base if sample is None else f"<msup>{base}{above}</msup>"

    def symbol(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        base = f"<mi>{escape(name)}</mi>"
        if accent == "plus":
            sample = "+"
        elif accent:
            base = f'<mover accent="true">{base}<mo>{"^" if accent == "hat" else "¯"}</mo></mover>'
        return self._scripts(base, index, sample)

    def words(self, name: str, index: Sequence[str], sample: str | None, accent: str) -> str:
        return self._scripts(f"<mtext>{escape(name)}</mtext>", index, "+" if accent == "plus" else sample)

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def partial(self, of: str, by: str) -> str:
        return f"<mfrac>{_row('<mi>∂</mi>', of)}{_row('<mi>∂</mi>', by)}</mfrac>"

    def product(self, factors: Sequence[str]) -> str:
        return _row(*(part for i, f in enumerate(factors) for part in (["<mo>·</mo>"] * (i > 0) + [f])))

    def joined(self, terms: Sequence[tuple[str, str]]) -> str:
        return _row(*(part for sign, term in terms for part in ([_sign(sign)] if sign else []) + [term]))

    def big_sum(self, over: Sequence[str], condition: str | None, body: str) -> str:
        letters = _row(
            *(p for i, letter in enumerate(over) for p in (["<mo>,</mo>"] * (i > 0) + [f"<mi>{letter}</mi>"]))
        )
        below = letters if condition is None else _row(letters, "<mo>:</mo>", condition)
        return _row(f"<munder><mo>∑</mo>{below}</munder>", body)

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{_row(base)}{_row(exponent)}</msup>"

    def root(self, body: str) -> str:
        return f"<msqrt>{body}</msqrt>"

    def function(self, name: str, arguments: Sequence[str]) -> str:
        inner = [part for i, a in enumerate(arguments) for part in (["<mo>,</mo>"] * (i > 0) + [a])]
        return _row(f"<mi>{escape(name)}</mi>", "<mo>(</mo>", *inner, "<mo>)</mo>")

    def relation(self, parts: Sequence[str], sign: str) -> str:
        return _row(*(part for i, p in enumerate(parts) for part in ([_sign(sign)] * (i > 0) + [p])))

    def brackets(self, body: str, kind: str = "()") -> str:
        return _row(f"<mo>{kind[0]}</mo>", body, f"<mo>{kind[1]}</mo>")

    def cases(self, choices: Sequence[tuple[str, str | None]]) -> str:
        rows = [f"<mtr><mtd>{value}</mtd><mtd>{when or ''}</mtd></mtr>" for value, when in choices]
        return _row("<mo>{</mo>", f"<mtable>{''.join(rows)}</mtable>")

    def dots(self) -> str:
        return "<mo>…</mo>"


def to_mathml(expr: Expr, digits: int = DIGITS, *, block: bool = False) -> str:
    """A whole <math> element; a `block` has tall fractions and letters under its sums."""
    display = ' displaystyle="true"' if block else ""
    return f'<math xmlns="{NAMESPACE}"{display}>{write(expr, MathMLWriter(digits))}</math>'
