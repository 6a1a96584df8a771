"""S0's network of two inputs, two hidden and two output units: 24 printed numbers, and the riddle of ER0-14."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid
from chainrule.explain.api import derive
from chainrule.explain.blocks import Block, Listing, Text
from chainrule.explain.derivation import Derivation
from chainrule.explain.messages import Message, say
from chainrule.losses import HalfSquaredErrorLoss
from chainrule.zoo.perceptrons import two_two_two

INPUTS, TARGETS = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
RATE, UPDATES, EARLY = 0.5, 10000, 6
WEIGHTS = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)
BIASES = ("bias_frozen", "bias_shared", "bias_own")
ORDERS = ("order_original", "order_updated")


class Variants(NamedTuple):
    """The six ways to train (biases x order): E, outputs and parameters (w1..w8, b1 of h1 and h2, b2 of o1 and o2)
    before every one of the first updates, and after the last."""

    errors: Array
    first_outputs: Array
    first_parameters: Array
    after_all: Array
    outputs: Array
    parameters: Array

    @property
    def after_one(self) -> Array:
        """E after one update."""
        return np.asarray(self.errors[1])


def train_variants(updates: int = UPDATES) -> Variants:
    """All six at once, side by side: rows are frozen, shared and own biases, each in the original and updated order."""
    w1 = np.tile([[0.15, 0.20], [0.25, 0.30]], (6, 1, 1))
    w2 = np.tile([[0.40, 0.45], [0.50, 0.55]], (6, 1, 1))
    b1, b2 = np.full((6, 2), 0.35), np.full((6, 2), 0.60)
    shared = np.repeat([0.0, 1.0, 0.0], 2)[:, None]
    own = np.repeat([0.0, 0.0, 1.0], 2)[:, None]
    sequential = np.tile([False, True], 3)[:, None, None]
    i, t = INPUTS[0], TARGETS[0]
    early: list[tuple[Array, Array, Array]] = []
    for step in range(updates + 1):
        h = sigmoid(w1 @ i + b1)
        o = sigmoid((w2 @ h[:, :, None])[:, :, 0] + b2)
        if step < EARLY or step == updates:
            parameters = np.concatenate([w1.reshape(6, 4), w2.reshape(6, 4), b1, b2], axis=1)
            early.append((((t - o) ** 2).sum(axis=1) / 2, o, parameters))
        if step == updates:
            break
        do = (o - t) * o * (1 - o)
        new = w2 - RATE * do[:, :, None] * h[:, None, :]
        back = np.where(sequential, new, w2)
        dh = (back.transpose(0, 2, 1) @ do[:, :, None])[:, :, 0] * h * (1 - h)
        w1, w2 = w1 - RATE * dh[:, :, None] * i, new
        b2 = b2 - RATE * (own * do + shared * do.sum(axis=1, keepdims=True))
        b1 = b1 - RATE * (own * dh + shared * dh.sum(axis=1, keepdims=True))
    errors, outputs, parameters = (np.array(part) for part in zip(*early[:EARLY], strict=True))
    return Variants(errors, outputs, parameters, *early[-1])


def _numbers(variants: Variants) -> list[tuple[str, str, str, float | str, Message]]:
    """(ID, quantity, printed, ours, remark) of S0-N01 to S0-N24."""
    net = two_two_two()
    trace = net.trace(INPUTS, TARGETS, loss=HalfSquaredErrorLoss(), dtype="float64", engine="reference")
    value = {name: trace[name].value[0] for name in net.names}
    slope = {name: trace[name].gradient[0] for name in net.names}
    h, o, w2 = value["sigmoid1"], value["sigmoid2"], trace["linear2.weight"].value
    errors = (TARGETS[0] - o) ** 2 / 2
    dw1, dw5 = trace["linear1.weight"].gradient[0, 0], trace["linear2.weight"].gradient[0, 0]
    back = slope["linear2"] * w2[:, 0]
    fine = say("as_printed")
    one, end, out = (
        tuple(float(v) for v in row[:2]) for row in (variants.after_one, variants.after_all, variants.outputs[:, 0])
    )
    second = tuple(float(v) for v in variants.outputs[:2, 1])
    return [
        ("S0-N01", "samples", "(0.05,0.01), (0.01,0.99)", "(0.05,0.10) → (0.01,0.99)", say("ER0-01")),
        ("S0-N02", "w1 w2 b1 w5 w6 b2", "0.15 0.2 0.35 0.4 0.45 0.6", "0.15 0.2 0.35 0.4 0.45 0.6", say("ER0-17")),
        ("S0-N03", "net_h1", "0.3775", float(value["linear1"][0]), fine),
        ("S0-N04", "out_h1", "0.593269992", float(h[0]), fine),
        ("S0-N05", "out_h2", "0.596884378", float(h[1]), fine),
        ("S0-N06", "net_o1", "1.105905967", float(value["linear2"][0]), fine),
        ("S0-N07", "out_o1", "0.75136507", float(o[0]), fine),
        ("S0-N08", "out_o2", "0.772928465", float(o[1]), fine),
        ("S0-N09", "E_o1", "0.274811083", float(errors[0]), fine),
        ("S0-N10", "E_o2", "0.023560026", float(errors[1]), fine),
        ("S0-N11", "E_total", "0.298371109", float(trace.loss), say("ER0-02")),
        ("S0-N12", "dE/dout_o1", "0.74136507", float(slope["sigmoid2"][0]), fine),
        ("S0-N13", "dout_o1/dnet_o1", "0.186815602", float(o[0] * (1 - o[0])), fine),
        ("S0-N14", "dE/dw5", "0.082167041", float(dw5), say("ER0-03")),
        ("S0-N15", "δ_o1", "0.138498562", float(slope["linear2"][0]), say("ER0-07")),
        ("S0-N16", "dE_o1/dout_h1", "0.055399425", float(back[0]), fine),
        ("S0-N17", "dE_o2/dout_h1", "-0.019049119", float(back[1]), say("ER0-08")),
        ("S0-N18", "dE/dout_h1", "0.036350306", float(slope["sigmoid1"][0]), fine),
        ("S0-N19", "dout_h1/dnet_h1", "0.241300709", float(h[0] * (1 - h[0])), say("ER0-09")),
        ("S0-N20", "dE/dw1", "0.000438568", float(dw1), say("ER0-10")),
        ("S0-N21", "w1+", "0.149780716", float(0.15 - RATE * dw1), fine),
        ("S0-N22", "E, 1 update", "0.291027924", one[0], say("ER0-14", value=one[0], other=one[1])),
        ("S0-N23", "E, 10000 updates", "0.000035085", end[0], say("ER0-14", value=end[0], other=end[1])),
        ("S0-N24", "out_o1, 10000", "0.015912196", out[0], say("ER0-14", value=out[0], other=out[1])),
        ("S0-N24", "out_o2, 10000", "0.98406734", second[0], say("ER0-15", value=second[0], other=second[1])),
    ]


def _variant_table(variants: Variants) -> Listing:
    columns = tuple(say(key) for key in ("col_biases", "col_order", "col_after_one", "col_after_all", "col_outputs"))
    rows = []
    for number, (biases, order) in enumerate(product(BIASES, ORDERS)):
        first, second = (f"{v:.9f}" for v in variants.outputs[number])
        rows.append(
            (
                say(biases),
                say(order),
                float(variants.after_one[number]),
                float(variants.after_all[number]),
                f"{first} {second}",
            )
        )
    return Listing(say("mazur_variants"), columns, tuple(rows))


def _gradient_table() -> Listing:
    """Every gradient, and every parameter after one update (W01)."""
    net = two_two_two()
    options: dict[str, Any] = {"loss": HalfSquaredErrorLoss(), "dtype": "float64", "engine": "reference"}
    trace = net.trace(INPUTS, TARGETS, **options)
    first, second = (trace[f"linear{k}"].gradient[0] for k in (1, 2))
    gradients = [*trace["linear1.weight"].gradient.ravel(), *trace["linear2.weight"].gradient.ravel()]
    rows = [(f"w{k}", float(g), float(w)) for k, (g, w) in enumerate(zip(gradients, WEIGHTS, strict=True), 1)]
    rows += [("b1 (h1, h2)", float(first.sum()), 0.35), ("b2 (o1, o2)", float(second.sum()), 0.60)]
    rows += [(f"b1 (h{k})", float(g), 0.35) for k, g in enumerate(first, 1)]
    rows += [(f"b2 (o{k})", float(g), 0.60) for k, g in enumerate(second, 1)]
    columns = tuple(say(key) for key in ("col_parameter", "col_gradient", "col_updated"))
    return Listing(say("mazur_gradients"), columns, tuple((name, g, w - RATE * g) for name, g, w in rows))


def _course_table(variants: Variants) -> Listing:
    """E of the stated rule after 0 to 5 updates, biases frozen (W01)."""
    rows = tuple((k, float(error)) for k, error in enumerate(variants.errors[:, 0]))
    return Listing(say("mazur_course"), (say("col_updates"), say("col_error")), rows)


def _final_table(variants: Variants) -> Listing:
    """The parameters after all updates of the four ways that W01 lists."""
    names = [*(f"w{k}" for k in range(1, 9)), "b1 h1", "b1 h2", "b2 o1", "b2 o2"]
    shown = [(say("bias_frozen"), 0), (say("order_updated"), 1), (say("bias_shared"), 2), (say("bias_own"), 4)]
    rows = [(name, *(float(variants.parameters[way, k]) for _, way in shown)) for k, name in enumerate(names)]
    return Listing(say("mazur_final"), (say("col_parameter"), *(title for title, _ in shown)), tuple(rows))


def parts() -> list[Block | Derivation]:
    """The story."""
    variants = train_variants()
    columns = tuple(say(key) for key in ("col_id", "col_quantity", "col_printed", "col_ours", "col_remark"))
    net = two_two_two()
    derivations = [
        derive(net, INPUTS, TARGETS, HalfSquaredErrorLoss(), of, digits=9, learning_rate=RATE)
        for of in ("linear2.weight[0,0]", "linear1.weight[0,0]")
    ]
    return [
        Text(say("mazur_intro")),
        Listing(say("printed_beside_ours"), columns, tuple(_numbers(variants))),
        Text(say("mazur_answer")),
        _variant_table(variants),
        _gradient_table(),
        _course_table(variants),
        _final_table(variants),
        Text(say("derivations_follow")),
        *derivations,
    ]
