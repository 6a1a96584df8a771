"""S2-H03, W09, W11: what a summary counts, and how it prints."""

from __future__ import annotations

import json

import pytest

from chainrule.errors import NameLookupError
from chainrule.graph import Graph, Input
from chainrule.layers import (
    RBF,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
)
from chainrule.network import Network, Sequential, parse
from chainrule.summary import WIDTH, Summary, summarize

LENET = "1x32x32 -> conv 6@5 -> avgpool 2 -> conv 16@5 -> relu -> avgpool 2 -> fc 120 -> relu -> fc 84 -> relu -> fc 10"


def test_W09_modern_lenet5_row_by_row() -> None:
    summary = parse(LENET).summary()
    rows = {r.name: (r.output_shape, r.parameters, r.connections) for r in summary.rows if r.connections}
    assert rows == {
        "conv1": ((6, 28, 28), 156, 122304),
        "avgpool1": ((6, 14, 14), 0, 4704),
        "conv2": ((16, 10, 10), 2416, 241600),
        "avgpool2": ((16, 5, 5), 0, 1600),
        "linear1": ((120,), 48120, 48120),
        "linear2": ((84,), 10164, 10164),
        "linear3": ((10,), 850, 850),
    }
    assert (summary.parameters, summary.fixed, summary.connections) == (61706, 0, 429342)
    assert summary.multiply_adds == 28 * 28 * 150 + 100 * 2400 + 48000 + 10080 + 840


FIELDS = {
    "1x32x32 -> conv 6@5 -> pool 2 -> conv 16@5 -> pool 2 -> conv 120@5": [5, 6, 14, 16, 32],
    "1x32x32 -> conv 6@5 -> pool 2 -> conv 16@5 -> pool 2 -> flatten -> fc 120": [5, 6, 14, 16, 16, 32],
    "1x9x9 -> conv 1@3 -> conv 1@3 -> conv 1@3": [3, 5, 7],
    "1x12x12 -> conv 1@3 -> pool 2 -> conv 1@3": [3, 4, 8],
    "1x20x20 -> conv 1@5 -> pool 2 -> conv 1@5": [5, 6, 14],
    "1x20x20 -> conv 1@5 -> conv 1@5": [5, 9],
    "1x20x20 -> pool 2 -> conv 1@2": [2, 4],
    "1x20x20 -> pool 2 -> conv 1@3": [2, 6],
    "1x20x20 -> pool 2 -> conv 1@5": [2, 10],
    "1x4x4 -> conv 1@2 -> conv 1@2": [2, 3],
    "1x20x20 -> conv 1@3 dilation 2 -> conv 1@3 stride 2 -> conv 1@3": [5, 7, 11],
    "1x20x20 -> conv 1@3 pad 1 -> adaptiveavgpool 1": [3, 22],
}


@pytest.mark.parametrize("text", FIELDS)
def test_W11_S2_F05_receptive_fields(text: str) -> None:
    assert [row.receptive_field for row in parse(text).summary().rows] == [(r, r) for r in FIELDS[text]]


def test_a_field_has_two_axes() -> None:
    assert parse("1x9x9 -> conv 1@3x5 -> maxpool 2x1").summary()["maxpool1"].receptive_field == (4, 5)


def test_joins_see_what_the_widest_input_sees() -> None:
    x = Input((2, 8, 8))
    far = Conv2d(2, 2, 5, padding=2)(Conv2d(2, 2, 3, padding=1)(x))
    near = Conv2d(2, 2, 1)(x)
    for join in (Add(), Concat()):
        summary = summarize(Graph(x, join(near, far)))
        assert summary.rows[-1].receptive_field == (7, 7)


def test_a_vector_has_no_field() -> None:
    summary = parse("9 -> fc 3 -> relu").summary()
    assert [row.receptive_field for row in summary.rows] == [None, None]
    assert "field" not in str(summary)


def shared() -> Network:
    x = Input((2, 4, 4))
    conv = Conv2d(2, 2, 3, padding=1)
    return Network(x, ReLU()(conv(conv(x))))


def test_a_shared_layer_counts_its_parameters_once_and_its_connections_twice() -> None:
    summary = shared().summary()
    assert [(r.name, r.parameters, r.connections, r.shared) for r in summary.rows[:2]] == [
        ("conv1", 38, 608, False),
        ("conv1@2", 0, 608, True),
    ]
    assert summary.parameters == shared().parameter_count == 38
    assert "shared" in str(summary)


def test_fixed_parameters_are_not_trainable() -> None:
    net = Sequential(Linear(4, 84), RBF(84, 10))
    summary = net.summary()
    assert (summary["rbf1"].parameters, summary["rbf1"].fixed) == (0, 840)
    assert (summary.parameters, summary.fixed) == (420, 840)
    net.unfreeze("rbf1.weight")
    net.freeze("*.bias")
    assert (net.summary().parameters, net.summary().fixed) == (336 + 840, 84)
    assert net.summary().parameters == net.parameter_count


def test_buffers_are_no_parameters() -> None:
    net = Sequential(BatchNorm2d(3), input_shape=(3, 2, 2))
    assert net.summary().parameters == 6


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(NameLookupError, match="conv1"):
        _ = parse(LENET).summary()["conv"]


def test_to_dict_is_plain() -> None:
    data = json.loads(json.dumps(shared().summary().to_dict()))
    assert data["input_shape"] == [2, 4, 4]
    assert data["totals"] == {"parameters": 38, "fixed": 0, "connections": 1216, "multiply_adds": 1152}
    assert data["rows"][1]["shared"] is True
    assert data["rows"][0] == {
        "name": "conv1",
        "layer": "conv 2@3x3 pad 1",
        "output_shape": [2, 4, 4],
        "parameters": 38,
        "fixed": 0,
        "connections": 608,
        "multiply_adds": 576,
        "receptive_field": [3, 3],
        "shared": False,
    }


# --- printing --------------------------------------------------------------------------------------------------------


def test_the_printed_table() -> None:
    text = "1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> fc 10"
    assert str(parse(text).summary()).splitlines() == [
        "name      arguments     output  params  connections  mult-adds  field",
        "---------------------------------------------------------------------",
        "input                  1x28x28",
        "conv1     6@5x5 pad 2  6x28x28     156      122,304    117,600    5x5",
        "relu1                  6x28x28                                    5x5",
        "maxpool1  2            6x14x14                4,704               6x6",
        "flatten1                  1176                                    6x6",
        "linear1   10                10  11,770       11,770     11,760  32x32",
        "---------------------------------------------------------------------",
        "total                           11,926      138,778    129,360",
    ]


class AnExtraordinarilyLongLayerNameOfTheUsersOwn(ReLU):
    """A layer whose name would not fit a table."""

    def __init__(self, remark: str = "") -> None:
        self.remark = remark


def wide() -> list[Summary]:
    x = Input((3, 224, 224))
    node = x
    for width in (64, 512):
        node = Conv2d(node.shape[0], width, 3, padding=(1, 2, 1, 2), bias=False)(node)
    node = AdaptiveAvgPool2d(7)(AnExtraordinarilyLongLayerNameOfTheUsersOwn("x" * 99)(MaxPool2d(2)(node)))
    own = Network(x, RBF(25088, 10)(Flatten()(node)))
    x = Input((3, 32, 32))
    tall = Network(
        x, Linear(10, 10)(RBF(10, 10)(Linear(512, 10)(Flatten()(AdaptiveAvgPool2d(1)(Conv2d(3, 512, 3)(x))))))
    )
    counted = parse("3x32x32 -> conv 64@3 pad 1 -> fc 64").summary()
    return [own.summary(), tall.summary(), counted, parse(LENET).summary(), shared().summary()]


@pytest.mark.parametrize("number", range(5))
def test_any_table_is_readable_at_80_columns(number: int) -> None:
    summary = wide()[number]
    lines = str(summary).splitlines()
    assert len(lines) == len(summary.rows) + 5
    assert max(map(len, lines)) <= WIDTH == 80
    assert str(summary).isascii()
    assert repr(summary) == str(summary)
    for row, line in zip(summary.rows, lines[3:], strict=False):
        for number_of in (row.connections, row.multiply_adds):  # numbers are never cut
            assert f"{number_of:,}" in line or not number_of


def test_the_html_table_escapes_what_users_wrote() -> None:
    layer = AnExtraordinarilyLongLayerNameOfTheUsersOwn("<script>alert(1)</script>")
    page = Sequential(Linear(2, 3), layer).summary()._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<tr>") == 5
    assert page.startswith("<table>")
    assert page.endswith("</table>")
