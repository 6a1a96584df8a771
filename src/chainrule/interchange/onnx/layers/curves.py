"""Any layer that is a curve, y = f(x) for one number at a time, from the expressions that it is written in."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.errors import ArgumentError
from chainrule.expressions import Cases, Expr, Fn, Frac, Mul, Neg, Num, Pow, Rel, Sum, Sym
from chainrule.interchange.onnx.builder import Operand, Value
from chainrule.interchange.onnx.rules import Rule
from chainrule.layers.activations import SIGMA, Activation, Curve

_OPERATORS = {"exp": "Exp", "log": "Log", "tanh": "Tanh"}


class CurveRule(Rule[Activation]):
    """Forward the function, backward dx = dy f'(x) (S4-E10)."""

    def _curve(self) -> Curve:
        found = self.layer.curve()
        assert found is not None
        return found

    def forward(self) -> Value:
        y = self._written(self._curve().function, {"x": self.x})
        return y if isinstance(y, Value) else self.x * 0.0 + y

    def backward_input(self, dy: Value) -> Value:
        return dy * self._written(self._curve().derivative, {"x": self.x, "y": self.y})

    def _written(self, expr: Expr, values: Mapping[str, Value]) -> Operand:
        """The operations of an expression."""

        def write(part: Expr) -> Operand:
            return self._written(part, values)

        if expr == SIGMA:
            return self.op("Sigmoid", values["x"])
        match expr:
            case Num(number):
                return float(number)
            case Sym(name):
                return values[name]
            case Neg(body):
                return self.op("Neg", write(body))
            case Sum(terms):
                return self._folded("Add", terms, values)
            case Mul(factors):
                return self._folded("Mul", factors, values)
            case Frac(top, bottom):
                return self.op("Div", write(top), write(bottom))
            case Pow(base, exponent):
                return self.op("Pow", write(base), write(exponent))
            case Fn("max", (first, second)):
                return self.op("Max", write(first), write(second))
            case Fn(name, (argument,)) if name in _OPERATORS:
                return self.op(_OPERATORS[name], write(argument))
            case Cases(((value, Rel((left, right), ">")), (other, _))):
                return self.op("Where", self.op("Greater", write(left), write(right)), write(value), write(other))
        raise ArgumentError(
            f"{self.step.name} = {self.layer!r} is written with {expr!r}, for which no ONNX operators are known: write "
            f"a rule, @rule({type(self.layer).__name__}) of chainrule.interchange.onnx.rules"
        )

    def _folded(self, kind: str, parts: tuple[Expr, ...], values: Mapping[str, Value]) -> Operand:
        total = self._written(parts[0], values)
        for part in parts[1:]:
            total = self.op(kind, total, self._written(part, values))
        return total
