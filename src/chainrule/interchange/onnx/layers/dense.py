"""Linear and RBF."""

from __future__ import annotations

from chainrule import layers
from chainrule.interchange.onnx.builder import Value
from chainrule.interchange.onnx.rules import Rule, rule


@rule(layers.Linear)
class _Linear(Rule[layers.Linear]):
    def forward(self) -> Value:
        # y = x Wᵀ + b (S4-E38); a shared bias is one number for all (ERX-08)
        return self.op("Gemm", self.x, self.values["weight"], self.values.get("bias"), transB=1)

    def backward_input(self, dy: Value) -> Value:
        return dy @ self.values["weight"]  # S4-E08

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        gradients = {"weight": self.op("Gemm", dy, self.x, transA=1)}  # dW = dyᵀ x (S4-E18)
        if self.layer.bias == "shared":
            gradients["bias"] = dy.sum().reshape(1)
        elif self.layer.bias:
            gradients["bias"] = dy.sum(0)  # S4-E24
        return gradients


@rule(layers.RBF)
class _RBF(Rule[layers.RBF]):
    def forward(self) -> Value:
        # y_o = sum_i (x_i - w_oi)²
        apart = self.x.reshape(0, 1, self.layer.in_features) - self.values["weight"]
        return (apart * apart).sum(2)

    def backward_input(self, dy: Value) -> Value:
        # dx_i = 2 (x_i sum_o dy_o - sum_o dy_o w_oi)
        return (dy.sum(1, keepdims=True) * self.x - dy @ self.values["weight"]) * 2.0

    def backward_parameters(self, dy: Value) -> dict[str, Value]:
        # dw_oi = 2 (w_oi sum_n dy_no - sum_n dy_no x_ni)
        weight = self.values["weight"]
        return {"weight": (dy.sum(0).reshape(-1, 1) * weight - self.op("Gemm", dy, self.x, transA=1)) * 2.0}
