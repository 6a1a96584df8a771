"""One tree, three notations: the same parentheses, the same signs."""

from __future__ import annotations

import pytest

from chainrule.explain.mathml import to_mathml
from chainrule.explain.notations import to_latex, to_text
from chainrule.expressions import (
    BigSum,
    Cases,
    Dots,
    Expr,
    Fn,
    Frac,
    Iverson,
    Mul,
    Neg,
    Num,
    Partial,
    Pow,
    Rel,
    Root,
    Sum,
    Sym,
    Words,
    equal,
    minus,
)  # fmt: skip
from tests.explain.formulas import check_mathml

X, Y = Sym("x"), Sym("y", (0, 1))
CASES: list[tuple[Expr, str, str]] = [
    (Num(0.1), "0.1", "0.1"),
    (Num(-2.5), "−2.5", "-2.5"),
    (Num(1.5e-7), "1.5·10⁻⁷", r"1.5\cdot 10^{-7}"),
    (Num(1234567.0), "1234567", "1234567"),
    (Num(1 / 3), "0.333333", "0.333333"),
    (Num(1 / 3, 3), "0.333", "0.333"),
    (Mul((X, Num(-2))), "x · (−2)", r"x \cdot \left(-2\right)"),
    (Mul((X, minus(X, Y))), "x · (x − y[0,1])", r"x \cdot \left(x - y_{0,1}\right)"),
    (minus(X, Sum((X, Y))), "x − (x + y[0,1])", r"x - \left(x + y_{0,1}\right)"),
    (Sum((X, Num(-2))), "x − 2", "x - 2"),
    (Neg(Sum((X, Y))), "−(x + y[0,1])", r"-\left(x + y_{0,1}\right)"),
    (Pow(Num(-2), Num(2)), "(−2)²", r"{\left(-2\right)}^{2}"),
    (Pow(Pow(X, Num(2)), Num(3)), "(x²)³", r"{\left({x}^{2}\right)}^{3}"),
    (Pow(X, Num(-0.75)), "x^(−0.75)", "{x}^{-0.75}"),
    (Frac(Num(1), Sum((Num(1), X))), "1/(1 + x)", r"\frac{1}{1 + x}"),
    (Frac(X, Mul((X, Y))), "x/(x · y[0,1])", r"\frac{x}{x \cdot y_{0,1}}"),
    (Partial(Sym("L"), Sym("x", (2,), 1)), "∂L/∂x⁽¹⁾[2]", r"\frac{\partial L}{\partial x^{(1)}_{2}}"),
    (Mul((BigSum(("o",), X), Y)), "(Σ(o) x) · y[0,1]", r"\left(\sum_{o} x\right) \cdot y_{0,1}"),
    (Mul((Y, BigSum(("o", "p"), X))), "y[0,1] · Σ(o,p) x", r"y_{0,1} \cdot \sum_{o,p} x"),
    (BigSum(("i",), Sum((X, Y))), "Σ(i) (x + y[0,1])", r"\sum_{i} \left(x + y_{0,1}\right)"),
    (Fn("max", (Num(0), X)), "max(0, x)", r"\max\left(0, x\right)"),
    (Root(Sum((X, Sym("ε")))), "√(x + ε)", r"\sqrt{x + \varepsilon}"),
    (Iverson(equal(X, Y)), "[x = y[0,1]]", r"\left[x = y_{0,1}\right]"),
    (Cases(((Num(1), Rel((X, Num(0)), ">")), (Num(0), None))), "{1: x > 0; 0}",
     r"\begin{cases}1 & x > 0 \\ 0\end{cases}"),
    (Sym("x", (), None, "hat"), "x\u0302", r"\hat{x}"),
    (Sym("w", (0, 0), None, "plus"), "w⁺[0,0]", "w^{+}_{0,0}"),
    (Words("conv1.weight"), "conv1.weight", r"\mathrm{conv1.weight}"),
    (Sum((X, Dots())), "x + …", r"x + \dots"),
    (Sym("x", (Sum((Sym("p"), Sym("i"), Neg(Num(2)))),)), "x[p+i−2]", "x_{p + i - 2}"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "text", "latex"), CASES, ids=[text for _, text, _ in CASES])
def test_the_three_notations(expr: Expr, text: str, latex: str) -> None:
    assert to_text(expr) == text
    assert to_latex(expr) == latex
    check_mathml(to_mathml(expr))


@pytest.mark.parametrize("expr", [expr for expr, _, _ in CASES])
def test_parentheses_are_the_same_everywhere_but_in_fractions(expr: Expr) -> None:
    if isinstance(expr, Frac | Partial | Root | Cases):
        return
    sample = to_text(expr).count("(") - to_text(expr).count("Σ(") - to_text(expr).count("^(")
    mathml = to_mathml(expr)
    assert mathml.count("<mo>(</mo>") == sample
    assert mathml.count("<mo>(</mo>") == to_latex(expr).count(r"\left(")


def test_numbers_have_the_digits_that_are_asked_for() -> None:
    assert to_text(Num(0.593269992107), 9) == "0.593269992"
    assert to_latex(Num(0.593269992107), 3) == "0.593"
