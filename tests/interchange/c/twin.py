"""What the exported C computes, once more in NumPy: the same operations in the same order, so the same bits.

Batch normalisation in training, which couples samples, is not here; its C is compared with the reference engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from chainrule.walk import gradients_wanted, walk_back
from tests.helpers import Array
from tests.interchange.c.twin_layers import BACKWARD, FORWARD, PARAMETERS, Use
from tests.interchange.c.twin_numbers import Elementary, ordered_sum


class Twin:
    """A network in the precision and the order of its C."""

    def __init__(self, net: cr.Network, loss: cr.Loss, optimizer: cr.Optimizer, dtype: str = "float32") -> None:
        self.net, self.loss, self.optimizer = net, loss, optimizer
        self.f = Elementary(dtype)
        self.arrays = {name: value.astype(dtype) for name, value in (*net.parameters.items(), *net.buffers.items())}
        self.memory = {name: [np.zeros_like(a) for _ in range(optimizer.memories)] for name, a in self.arrays.items()}
        self.corrections = [self.f.real(0), self.f.real(0)]
        self.steps = 0

    @property
    def learning(self) -> list[str]:
        """Names of what trains."""
        return [name for name in self.net.parameters if name not in self.net.frozen]

    def learned(self) -> Array:
        """What trains, flat."""
        return np.concatenate([self.arrays[name].ravel() for name in self.learning])

    def _layer(self, name: str) -> dict[str, Array]:
        return {full.rpartition(".")[2]: a for full, a in self.arrays.items() if full.rpartition(".")[0] == name}

    def forward(self, x: Array, sample: int = 0, *, training: bool = False) -> list[Use]:
        """The uses of all layers on one sample."""
        made, uses = [x.astype(self.f.dtype)], []
        for step in self.net.steps:
            xs = [made[i] for i in step.inputs]
            moment = (self.net.seed, self.steps, sample)
            use = Use(step, self._layer(step.layer_name), xs, self.f, moment)
            same = isinstance(step.layer, cr.Dropout) and not training
            use.y = xs[0] if same else np.asarray(FORWARD[type(step.layer)](use), self.f.dtype)
            made.append(use.y)
            uses.append(use)
        return uses

    def predict(self, x: Array) -> Array:
        """Outputs of a batch."""
        return np.stack([self.forward(one)[-1].y for one in x])

    def train_step(self, x: Array, targets: Array, rate: float) -> Array:
        """One step; the loss."""
        real = self.f.real
        terms = self.loss.count((1, *self.net.output_shape)) * len(x)
        scale = real(1) if self.loss.reduction == "sum" else real(1) / real(terms)
        totals = {name: np.zeros_like(self.arrays[name]) for name in self.learning}
        loss = real(0)
        for sample, (one, wanted) in enumerate(zip(x, targets, strict=True)):
            uses = self.forward(one, sample, training=True)
            part, dy = loss_and_gradient(self.f, self.loss, uses[-1].y, wanted, scale)
            loss = loss + part
            self._backward(uses, dy, totals)
        self._begin()
        for name, gradient in totals.items():
            self._update(name, gradient, real(rate))
        self.steps += 1
        return np.asarray(loss * scale)

    def _backward(self, uses: list[Use], dy: Array, totals: dict[str, Array]) -> None:
        wanted = gradients_wanted(self.net, lambda step, own: f"{step.layer_name}.{own}" in totals, dx=False)

        def back(step: Any, flowing: Array) -> list[Array | None]:
            use = uses[step.index - 1]
            for own in step.layer.parameter_shapes(*step.input_shapes):
                name = f"{step.layer_name}.{own}"
                if name in totals:
                    totals[name] += PARAMETERS[type(step.layer), own](use, flowing)
            if not any(wanted[i] for i in step.inputs):
                return [None] * len(step.inputs)
            dx = BACKWARD[type(step.layer)](use, flowing)
            parts = dx if isinstance(dx, tuple) else (dx,)
            return [part if wanted[i] else None for part, i in zip(parts, step.inputs, strict=True)]

        walk_back(self.net, dy, back, np.add)

    def _begin(self) -> None:
        if isinstance(self.optimizer, cr.Adam):
            real = self.f.real
            betas = self.optimizer.betas
            self.corrections = [
                real(b) * c + real(1 - b) for b, c in zip(betas, self.corrections, strict=True)
            ]  # fmt: skip

    def _update(self, name: str, g: Array, rate: Any) -> None:
        w, o, real = self.arrays[name], self.optimizer, self.f.real
        if isinstance(o, cr.SGD):
            g = g + real(o.weight_decay) * w if o.weight_decay else g
            if o.momentum:
                v = real(o.momentum) * self.memory[name][0] + g
                self.memory[name][0] = v
                g = g + real(o.momentum) * v if o.nesterov else v
            self.arrays[name] = w - rate * g
            return
        assert isinstance(o, cr.Adam)
        b1, b2 = o.betas
        if o.decoupled and o.weight_decay:
            w = w * (real(1) - rate * real(o.weight_decay))
        elif o.weight_decay:
            g = g + real(o.weight_decay) * w
        m = real(b1) * self.memory[name][0] + real(1 - b1) * g
        v = real(b2) * self.memory[name][1] + real(1 - b2) * (g * g)
        self.memory[name] = [m, v]
        c1, c2 = self.corrections
        self.arrays[name] = w - rate / c1 * m / (np.sqrt(v) / np.sqrt(c2) + real(o.eps))


def loss_and_gradient(f: Elementary, loss: cr.Loss, y: Array, t: Any, scale: Any) -> tuple[Any, Array]:
    """The terms of one sample, summed in order, and dy."""
    real = f.real
    if isinstance(loss, cr.CrossEntropyLoss):
        flat, wanted = y.reshape(len(y), -1), np.asarray(t).reshape(-1)
        most = flat.max(axis=0)
        total = ordered_sum(0, f.exp(flat - most))
        hot = (np.arange(len(y))[:, None] == wanted).astype(f.dtype)
        terms = f.log(total) - (np.take_along_axis(flat, wanted[None], axis=0)[0] - most)
        dy = (f.exp(flat - most) / total - hot) * scale
        return ordered_sum(0, terms), dy.reshape(y.shape)
    if isinstance(loss, cr.MAPLoss):
        flat, wanted = y.reshape(len(y), -1), np.asarray(t).reshape(-1)
        rubbish = real(loss.rubbish)
        least = np.minimum(flat.min(axis=0), rubbish)
        total = ordered_sum(f.exp(least - rubbish), f.exp(least - flat))
        hot = (np.arange(len(y))[:, None] == wanted).astype(f.dtype)
        terms = np.take_along_axis(flat, wanted[None], axis=0)[0] - least + f.log(total)
        return ordered_sum(0, terms), ((hot - f.exp(least - flat) / total) * scale).reshape(y.shape)
    t = np.asarray(t, f.dtype)
    if isinstance(loss, cr.BCEWithLogitsLoss):
        terms = np.where(y > 0, y, real(0)) - y * t + f.log1p(f.exp(np.where(y < 0, y, -y)))
        return ordered_sum(0, terms.ravel()), (f.sigmoid(y) - t) * scale
    apart = y - t
    total = ordered_sum(0, (apart * apart).ravel())
    if isinstance(loss, cr.HalfSquaredErrorLoss):
        return total / real(2), apart * scale
    assert isinstance(loss, cr.MSELoss)
    return total, real(2) * apart * scale
