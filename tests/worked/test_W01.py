# ruff: noqa: N999
"""W01: the 2-2-2 network of S0, number by number, and six ways to train it 10,000 times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import assert_close

X, TARGETS = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
LOSS = cr.HalfSquaredErrorLoss()
EXACT = {"rtol": 1e-9}
WEIGHTS = ("linear1.weight", "linear2.weight")


def network(bias: bool | Literal["shared"]) -> cr.Network:
    """w1..w8 and b1, b2 as S0 gives them; `bias` is one number per layer ("shared") or per neuron (True)."""
    net = cr.Sequential(cr.Linear(2, 2, bias=bias), cr.Sigmoid(), cr.Linear(2, 2, bias=bias), cr.Sigmoid())
    net.parameters["linear1.weight"] = [[0.15, 0.20], [0.25, 0.30]]
    net.parameters["linear2.weight"] = [[0.40, 0.45], [0.50, 0.55]]
    net.parameters["linear1.bias"][:] = 0.35
    net.parameters["linear2.bias"][:] = 0.60
    return net


def test_W01_forward_pass() -> None:
    trace = network("shared").trace(X, TARGETS, loss=LOSS)
    expected = {
        "linear1": [0.3775, 0.39249999999999996],  # net_h1, net_h2
        "sigmoid1": [0.5932699921071872, 0.596884378259767],  # out_h1, out_h2
        "linear2": [1.10590596705977, 1.2249214040964653],  # net_o1, net_o2
        "sigmoid2": [0.7513650695523157, 0.7729284653214625],  # out_o1, out_o2
    }
    for name, values in expected.items():
        assert_close(name, trace[name].value[0], values, **EXACT)
    errors = 0.5 * (TARGETS - trace["sigmoid2"].value) ** 2
    assert_close("E_o1, E_o2", errors[0], [0.274811083176155, 0.023560025583847746], **EXACT)
    assert trace.loss == pytest.approx(0.2983711087600027, rel=1e-12)


def test_W01_deltas_and_their_factors() -> None:
    trace = network(True).trace(X, TARGETS, loss=LOSS)
    out_h, out_o = trace["sigmoid1"].value[0], trace["sigmoid2"].value[0]
    assert_close("dE/dout_o", trace["sigmoid2"].gradient[0], [0.7413650695523157, -0.21707153467853746], **EXACT)
    assert_close("dout/dnet o", out_o * (1 - out_o), [0.18681560180895948, 0.17551005281727122], **EXACT)
    delta_o = trace["linear2"].gradient[0]
    assert_close("delta_o", delta_o, [0.13849856162855695, -0.038098236516556236], **EXACT)
    shares = delta_o[:, None] * trace["linear2.weight"].value
    assert_close("dE_o1/dout_h", shares[0], [0.05539942465142278, 0.06232435273285063], **EXACT)
    assert_close("dE_o2/dout_h", shares[1], [-0.019049118258278118, -0.020954030084105933], **EXACT)
    assert_close("dE/dout_h", trace["sigmoid1"].gradient[0], [0.03635030639314466, 0.0413703226487447], **EXACT)
    assert_close("dout/dnet h", out_h * (1 - out_h), [0.24130070857232525, 0.2406134172492184], **EXACT)
    assert_close("delta_h", trace["linear1"].gradient[0], [0.00877135468948693, 0.009954254705217196], **EXACT)


GRADIENTS = {
    "linear1.weight": [[0.0004385677344743465, 0.000877135468948693], [0.0004977127352608599, 0.0009954254705217198]],
    "linear2.weight": [[0.08216704056423077, 0.08266762784753325], [-0.02260254047747507, -0.022740242215978222]],
}
UPDATED = {
    "linear1.weight": [[0.1497807161327628, 0.19956143226552567], [0.24975114363236958, 0.29950228726473915]],
    "linear2.weight": [[0.35891647971788465, 0.4086661860762334], [0.5113012702387375, 0.5613701211079891]],
}
SHARED = {"linear1.bias": [0.018725609394704128], "linear2.bias": [0.10040032511200071]}
SHARED_UPDATED = {"linear1.bias": [0.3406371953026479], "linear2.bias": [0.5497998374439996]}
OWN = {
    "linear1.bias": [0.00877135468948693, 0.009954254705217196],
    "linear2.bias": [0.13849856162855695, -0.038098236516556236],
}
OWN_UPDATED = {
    "linear1.bias": [0.3456143226552565, 0.3450228726473914],
    "linear2.bias": [0.5307507191857215, 0.6190491182582781],
}


def train(net: cr.Network, updates: int, order: str = "simultaneous") -> cr.training.History:
    """The sequential order is one that only the reference engine has."""
    options: dict[str, Any] = {"update_order": order, "engine": "reference" if order == "sequential" else None}
    return net.fit(X, TARGETS, loss=LOSS, optimizer=cr.SGD(0.5), epochs=updates, progress=False, **options)


@pytest.mark.parametrize("bias, gradients, updated", [("shared", SHARED, SHARED_UPDATED), (True, OWN, OWN_UPDATED)])
def test_W01_gradients_and_one_update(bias: Any, gradients: Any, updated: Any) -> None:
    net = network(bias)
    found = net.gradients(X, TARGETS, loss=LOSS)[1]
    for name, values in {**GRADIENTS, **gradients}.items():
        assert_close(f"gradient of {name}", found[name], values, **EXACT)
    train(net, 1)
    for name, values in {**UPDATED, **updated}.items():
        assert_close(f"{name} after one update", net.parameters[name], values, **EXACT)


def test_W01_gradients_agree_with_differences() -> None:
    report = cr.check_gradients(network(True), X, TARGETS, LOSS)
    assert report.ok
    assert report.worst.error < 1e-9
    assert sum(tensor.checked for tensor in report.tensors) == 12 + 2  # twelve parameters and two inputs


def test_W01_after_one_update_with_frozen_biases() -> None:
    net = network("shared")
    net.freeze("*.bias")
    train(net, 1)
    trace = net.trace(X, TARGETS, loss=LOSS)
    assert_close("out_h", trace["sigmoid1"].value[0], [0.593256763701416, 0.5968694086242864], **EXACT)
    out = trace["sigmoid2"].value[0]
    assert_close("out_o", out, [0.7420881111907824, 0.7752849682944595], **EXACT)
    assert_close("E_o", 0.5 * (TARGETS[0] - out) ** 2, [0.2679765012734437, 0.023051272420155634], **EXACT)
    assert net.parameters["linear1.bias"] == 0.35
    assert net.parameters["linear2.bias"] == 0.60


def test_W01_the_first_five_losses_with_frozen_biases() -> None:
    net = network("shared")
    net.freeze("*.bias")
    history = net.fit(X, TARGETS, loss=LOSS, optimizer=cr.SGD(0.5), epochs=6, progress=False)
    losses = [0.2983711087600027, 0.29102777369359933, 0.28354713312241997,
              0.27594328888945185, 0.2682327611533904, 0.2604343927553956]  # fmt: skip
    assert_close("losses before each update", history["loss"], losses, **EXACT)


def test_W01_one_update_with_the_hidden_delta_of_updated_weights() -> None:
    """ER0-14: the printed numbers of S0 come about when w5..w8 move before the hidden deltas are computed."""
    net = network("shared")
    net.freeze("*.bias")
    moved = np.array(UPDATED["linear2.weight"])
    trace = net.trace(X, TARGETS, loss=LOSS)
    out_h = trace["sigmoid1"].value[0]
    delta_h = (trace["linear2"].gradient[0] @ moved) * out_h * (1 - out_h)
    assert_close("delta_h", delta_h, [0.007294457551881869, 0.008472592089352561], **EXACT)
    train(net, 1, "sequential")
    weights = [[0.14981763856120295, 0.19963527712240592], [0.2497881851977662, 0.29957637039553237]]
    assert_close("w1..w4", net.parameters["linear1.weight"], weights, **EXACT)
    assert_close("w5..w8", net.parameters["linear2.weight"], moved, **EXACT)


@dataclass(frozen=True)
class Variant:
    """A row of the table: how the biases train, which weights the hidden delta uses, and what comes out."""

    bias: Literal["frozen", "shared", "own"]
    order: str
    first_loss: float
    last_loss: float
    outputs: tuple[float, float]
    weights: tuple[float, ...] = ()
    biases: tuple[float, ...] = ()


VARIANTS = [
    Variant("frozen", "simultaneous", 0.29102777369359933, 3.510187782978859e-05,
            (0.01591362044355068, 0.9840642735146238),
            (0.3785099883501318, 0.6570199767002626, 0.47730070568478583, 0.754601411369569,
             -3.8929771988657236, -3.868416687703616, 2.861810948620059, 2.9256889667716157), (0.35, 0.60)),
    Variant("frozen", "sequential", 0.29102792390544197, 3.5084786296312774e-05,
            (0.0159121963260343, 0.9840657344856291),
            (0.3799191828619932, 0.6598383657239865, 0.47871403613004904, 0.7574280722600977,
             -3.8925190044940288, -3.8679530430838187, 2.861489889945744, 2.925364276805392), (0.35, 0.60)),
    Variant("shared", "simultaneous", 0.2857508866992965, 4.355321066163729e-06,
            (0.012102159123466431, 0.9879283897200597),
            (0.19970950103836688, 0.2994190020767337, 0.2990099571088421, 0.39801991421767957,
             -2.2419292550542154, -2.20225264269978, 2.5637822302093953, 2.6208504932268566),
            (2.324389162944144, -0.3373733264336137)),
    Variant("shared", "sequential", 0.28577447006940215, 4.367310582616621e-06,
            (0.012104739358410894, 0.9879252244944599)),
    Variant("own", "simultaneous", 0.28047144679143016, 2.4475622359322627e-06,
            (0.011587527390870093, 0.9884589350256716),
            (0.18247629859909445, 0.2649525971981903, 0.2817499976086276, 0.36349999521725185,
             -1.450012594107061, -1.403312449216215, 1.5220676561032973, 1.5729703483198136),
            (0.9995259719818812, 0.9849999521725323, -2.34058821745986, 2.1662804505854516)),
    Variant("own", "sequential", 0.2804840766059972, 2.4373324124650675e-06,
            (0.01158382711768914, 0.9884617683899352)),
]  # fmt: skip


@pytest.mark.parametrize("row", VARIANTS, ids=lambda row: f"{row.bias}-{row.order}")
def test_W01_ten_thousand_updates(row: Variant) -> None:
    net = network(True if row.bias == "own" else "shared")
    if row.bias == "frozen":
        net.freeze("*.bias")
    history = train(net, 10_000, row.order)
    assert history["loss"][1] == pytest.approx(row.first_loss, rel=1e-12)
    assert net.evaluate(X, TARGETS).loss == pytest.approx(row.last_loss, rel=1e-9)
    assert_close("outputs", net(X)[0], row.outputs, **EXACT)
    if row.weights:
        weights = np.concatenate([net.parameters[name].ravel() for name in WEIGHTS])
        biases = np.concatenate([net.parameters["linear1.bias"], net.parameters["linear2.bias"]])
        assert_close("w1..w8", weights, row.weights, **EXACT)
        assert_close("biases", biases, row.biases, **EXACT)
