"""W01, W09, W10: the networks of the zoo have the sizes that the sources give, and they compute and learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import zoo
from chainrule.data import load_digits
from chainrule.equations.derivations.image_size import image_size_row
from chainrule.errors import ArgumentError, ShapeError
from chainrule.grammar import parse_text
from chainrule.losses import CrossEntropyLoss, HalfSquaredErrorLoss, MAPLoss
from chainrule.network import Network, load, parse
from chainrule.optimizers import SGD, Adam
from chainrule.zoo.savings import count_parameters
from tests.helpers import assert_close

# --- W09: LeNet-5 ----------------------------------------------------------------------------------------------------

W09: dict[str, tuple[dict[str, Any], list[tuple[tuple[int, ...], int, int, int]]]] = {
    "1998": (
        {"form": "1998"},
        [
            ((6, 28, 28), 156, 0, 122304),
            ((6, 14, 14), 12, 0, 5880),
            ((16, 10, 10), 1516, 0, 151600),
            ((16, 5, 5), 32, 0, 2000),
            ((120, 1, 1), 48120, 0, 48120),
            ((84,), 10164, 0, 10164),
            ((10,), 0, 840, 840),
        ],
    ),
    "modern": (
        {"form": "modern"},
        [
            ((6, 28, 28), 156, 0, 122304),
            ((6, 14, 14), 0, 0, 4704),
            ((16, 10, 10), 2416, 0, 241600),
            ((16, 5, 5), 0, 0, 1600),
            ((120,), 48120, 0, 48120),
            ((84,), 10164, 0, 10164),
            ((10,), 850, 0, 850),
        ],
    ),
}
both_sizes = pytest.mark.parametrize("input_size", [28, 32])


@both_sizes
@pytest.mark.parametrize("form", W09)
def test_W09_S2_H03_every_row(form: str, input_size: Any) -> None:
    options, expected = W09[form]
    net = zoo.lenet5(input_size=input_size, **options)
    rows = [r for r in net.summary().rows if r.connections]
    assert [(r.output_shape, r.parameters, r.fixed, r.connections) for r in rows] == expected


def corrupt_table() -> Any:
    """The table as S2 prints it (ER2-34)."""
    printed = [
        "X..XX.X.XXXX.X..",
        "XX..XX..XXXX.X..",
        "XXX...XXX.X.XXX.",
        ".XXX..XXXX.X.XX.",
        "..XXX..XXXX.XXX.",
        "...XXX..XXXX.XX.",
    ]
    return np.array([[mark == "X" for mark in row] for row in printed]).T


TOTALS: list[tuple[str, dict[str, Any], int, int, int]] = [
    ("modern, max pools", {}, 61706, 0, 429342),
    ("modern, average pools", {"pool": "avg"}, 61706, 0, 429342),
    ("1998", {"form": "1998"}, 60000, 840, 340908),
    ("1998, dense output", {"form": "1998", "output": "fc"}, 60850, 0, 340918),
    ("Table I, pools without parameters, dense", {"connections": "table"}, 60806, 0, 339342),
    ("the same from 1998", {"form": "1998", "pool": "avg", "output": "fc"}, 60806, 0, 339342),
    ("full C3, trainable pools, dense", {"pool": "trainable"}, 61750, 0, 430918),
    ("S2's corrupt table, RBF", {"form": "1998", "connections": corrupt_table()}, 59925, 840, 333408),
]


@both_sizes
@pytest.mark.parametrize("name, options, parameters, fixed, connections", TOTALS, ids=[t[0] for t in TOTALS])
def test_W09_ER2_34_every_combination(
    name: str, options: dict[str, Any], parameters: int, fixed: int, connections: int, input_size: Any
) -> None:
    net = zoo.lenet5(input_size=input_size, **options)
    summary = net.summary()
    assert (summary.parameters, summary.fixed, summary.connections) == (parameters, fixed, connections)
    assert net.parameter_count == parameters


def test_W09_centres_counted() -> None:
    net = zoo.lenet5("1998")
    net.unfreeze("rbf1.weight")
    assert net.parameter_count == 60840


def test_W09_ER2_34_C3_of_the_corrupt_table() -> None:
    row = zoo.lenet5("1998", connections=corrupt_table()).summary()["conv2"]
    assert (row.parameters, row.connections) == (1441, 144100)


def test_W11_C5_sees_the_whole_image() -> None:
    summary = zoo.lenet5("1998", 32).summary()
    fields = [summary[name].receptive_field for name in ("conv1", "trainablepool1", "conv2", "trainablepool2", "conv3")]
    assert fields == [(5, 5), (6, 6), (14, 14), (16, 16), (32, 32)]


def test_lenet5_of_1998_squashes_from_C1_to_F6() -> None:
    names = list(zoo.lenet5("1998").layers)
    assert names == [
        "conv1", "scaledtanh1", "trainablepool1", "scaledtanh2",
        "conv2", "scaledtanh3", "trainablepool2", "scaledtanh4",
        "conv3", "scaledtanh5", "flatten1", "linear1", "scaledtanh6", "rbf1",
    ]  # fmt: skip


def test_lenet5_today_in_words() -> None:
    assert str(zoo.lenet5()) == (
        "1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> conv 16@5x5 -> relu -> maxpool 2 "
        "-> fc 120 -> relu -> fc 84 -> relu -> fc 10"
    )
    assert repr(parse(str(zoo.lenet5())).summary()) == repr(zoo.lenet5().summary())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"form": "1999"}, "form must be 'modern' or '1998'"),
        ({"input_size": 30}, "input_size must be 28 or 32"),
        ({"pool": ""}, "pool must be"),
        ({"output": "softmax"}, "output must be"),
        ({"connections": "half"}, "connections must be"),
        ({"connections": np.ones((6, 16))}, "connections must be a bool table"),
    ],
)
def test_lenet5_has_no_other_forms(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        zoo.lenet5(**options)


def test_the_drawings_of_the_digits_differ() -> None:
    centres = zoo.digit_centres()
    assert centres.shape == (10, 84)
    assert set(np.unique(centres)) == {-1.0, 1.0}
    different = (centres[:, None] != centres[None]).sum(axis=2) + 99 * np.eye(10, dtype=int)
    assert different.min() >= 6
    assert_close("rbf centres", zoo.lenet5("1998", seed=3).parameters["rbf1.weight"], centres)


# --- they learn ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["modern", "1998"])
def test_S2_F11_lenet5_learns_digits(form: Any) -> None:
    data = load_digits()
    net = zoo.lenet5(form)
    loss = net.loss or CrossEntropyLoss()
    assert isinstance(loss, MAPLoss if form == "1998" else CrossEntropyLoss)
    x, targets = data.train_images[::13], data.train_labels[::13]
    net.fit(x, targets, loss=loss, optimizer=Adam(0.003), epochs=4, batch_size=20, progress=False)
    result = net.evaluate(data.test_images[::4], data.test_labels[::4])
    assert result.accuracy is not None
    assert result.accuracy > 0.7


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("network", [zoo.vgg_like, zoo.resnet_like])
def test_deep_networks_fit_a_few_images(network: Any, batch_norm: bool) -> None:
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(8, 3, 8, 8)), np.arange(8) % 4
    net = network((3, 8, 8), 4, widths=(4, 8, 8), batch_norm=batch_norm, seed=1)
    before = net.evaluate(x, targets).loss
    net.fit(x, targets, loss=CrossEntropyLoss(), optimizer=Adam(0.01), epochs=60, batch_size=8, progress=False)
    loss, _, _ = net.gradients(x, targets, loss=CrossEntropyLoss())
    assert loss < 0.3 * before
    assert ("batchnorm1" in net.layers) is batch_norm
    assert ("conv1.bias" in net.parameters) is not batch_norm


def test_deep_networks_at_full_size() -> None:
    assert zoo.vgg_like().parameter_count == 2_196_810
    assert zoo.vgg_like(batch_norm=True).parameter_count == 2_197_706
    assert zoo.resnet_like().parameter_count == 2_777_674
    assert zoo.resnet_like().output_shape == zoo.vgg_like().output_shape == (10,)


def test_a_residual_network_without_batch_norm_begins_as_its_shortcuts() -> None:
    net = zoo.resnet_like((3, 8, 8), widths=(4,), blocks=3, batch_norm=False)
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    trace = net.trace(x, np.zeros(2, int), loss=CrossEntropyLoss(), engine="reference")
    assert_close("last block", trace["relu7"].value, trace["relu1"].value)


def test_deep_networks_refuse_what_is_no_image() -> None:
    with pytest.raises(ArgumentError, match=r"\(channels, rows, columns\)"):
        zoo.vgg_like((784,))
    with pytest.raises(ArgumentError, match="widths must name"):
        zoo.resnet_like(widths=())
    with pytest.raises(ShapeError, match="does not fit"):
        zoo.vgg_like((3, 4, 4))


def test_mlp() -> None:
    assert str(zoo.mlp()) == "1x28x28 -> fc 256 -> relu -> fc 128 -> relu -> fc 10"
    assert zoo.mlp().parameter_count == 784 * 256 + 256 + 256 * 128 + 128 + 1290
    assert str(zoo.mlp((4,), (), 3)) == "4 -> fc 3"


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_every_network_is_saved_and_loaded(name: str, tmp_path: Any) -> None:
    net: Network = zoo.NETWORKS[name]()
    net.save(tmp_path / "net")
    again = load(tmp_path / "net")
    assert again.parameters.flat.tobytes() == net.parameters.flat.tobytes()
    assert str(again) == str(net)
    assert repr(again.loss) == repr(net.loss)


# --- W01: the network of S0 ------------------------------------------------------------------------------------------


def test_W01_the_2_2_2_network() -> None:
    net = zoo.two_two_two()
    loss = net.loss
    assert isinstance(loss, HalfSquaredErrorLoss)
    x, targets = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    trace = net.trace(x, targets, loss=loss, engine="reference")
    assert_close("net_h", trace["linear1"].value, [[0.3775, 0.39249999999999996]], 1e-15)
    assert_close("out_h", trace["sigmoid1"].value, [[0.5932699921071872, 0.596884378259767]], 1e-15)
    assert_close("net_o", trace["linear2"].value, [[1.10590596705977, 1.2249214040964653]], 1e-15)
    assert_close("out_o", trace["sigmoid2"].value, [[0.7513650695523157, 0.7729284653214625]], 1e-15)
    assert_close("delta_o", trace["linear2"].gradient, [[0.13849856162855695, -0.038098236516556236]], 1e-14)
    assert_close("delta_h", trace["linear1"].gradient, [[0.00877135468948693, 0.009954254705217196]], 1e-14)
    value, gradients, _ = net.gradients(x, targets, loss=loss, engine="reference")
    assert_close("E", value, 0.2983711087600027, 1e-15)
    w1 = [[0.0004385677344743465, 0.000877135468948693], [0.0004977127352608599, 0.0009954254705217198]]
    w2 = [[0.08216704056423077, 0.08266762784753325], [-0.02260254047747507, -0.022740242215978222]]
    assert_close("w1..w4", gradients["linear1.weight"], w1, 1e-13)
    assert_close("w5..w8", gradients["linear2.weight"], w2, 1e-13)
    assert_close("b1", gradients["linear1.bias"], [0.018725609394704128], 1e-13)
    assert_close("b2", gradients["linear2.bias"], [0.10040032511200071], 1e-13)


def test_W01_one_update_with_frozen_biases() -> None:
    net = zoo.two_two_two()
    net.freeze("*.bias")
    assert net.parameter_count == 8
    assert net.loss is not None
    x, targets = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    net.fit(x, targets, loss=net.loss, optimizer=SGD(0.5), progress=False, engine="reference")
    w1 = [[0.1497807161327628, 0.19956143226552567], [0.24975114363236958, 0.29950228726473915]]
    assert_close("w1..w4", net.parameters["linear1.weight"], w1, 1e-14)
    assert_close("E", net.evaluate(x, targets, engine="reference").loss, 0.29102777369359933, 1e-14)


# --- W10: fully connected against convolutional ----------------------------------------------------------------------

W10 = [
    (28, 79510, 256, 44426, 236310),
    (32, 103510, 400, 61706, 308310),
    (64, 410710, 2704, 338186, 1229910),
    (128, 1639510, 13456, 1628426, 4916310),
    (224, 5018710, 44944, 5406986, 15053910),
]


def test_W10_S2_H01_gray_images() -> None:
    expected = [(f"{n}x{n}", dense, 2572, head, 2742, flat) for n, dense, flat, head, _ in W10]
    assert list(zoo.parameters_by_image_size().rows) == expected


def test_W10_S2_H01_colour_images() -> None:
    table = zoo.parameters_by_image_size(channels=3)
    assert table.column("fully connected") == [rgb for *_, rgb in W10]
    assert table.column("convolutions") == [2872] * 5
    assert table.column("average head") == [3042] * 5


@pytest.mark.parametrize("size, channels", [(16, 1), (28, 3), (33, 2), (100, 4)])
def test_W10_the_closed_form_agrees(size: int, channels: int) -> None:
    (row,) = zoo.parameters_by_image_size([size], channels).rows
    form = image_size_row(size, channels)
    assert row[1:] == (form.dense, form.convolution, form.flattened_head, form.average_head, form.flattened)


def test_W10_a_built_network_has_the_counted_parameters() -> None:
    (row,) = zoo.parameters_by_image_size([32]).rows
    assert row[3] == zoo.lenet5(input_size=32).parameter_count
    assert row[1] == parse("1x32x32 -> fc 100 -> fc 10").parameter_count


@pytest.mark.parametrize("size, dense", [(4, 153), (8, 3185), (16, 57825), (28, 572265), (32, 985025)])
def test_W10_S2_F02_block_detector(size: int, dense: int) -> None:
    places = (size - 1) ** 2
    assert count_parameters(parse_text(f"1x{size}x{size} -> fc {places}")) == dense
    assert count_parameters(parse_text(f"1x{size}x{size} -> conv 1@2")) == 5


def test_W10_S2_H02_ways_to_save() -> None:
    counts = zoo.ways_to_save().column("parameters")
    assert counts == [4821600, 122304, 156, 153, 5, 985025, 5, 1106040, 48120]
    for maps, expected in (("16x20x20", 768120), ("16x4x4", 30840)):
        assert count_parameters(parse_text(f"{maps} -> fc 120")) == expected


def test_the_tables_print_at_80_columns() -> None:
    for table in (zoo.parameters_by_image_size(channels=3), zoo.ways_to_save()):
        assert max(map(len, str(table).splitlines())) <= 80
        assert repr(table) == str(table)
    assert "224x224       15,053,910" in str(zoo.parameters_by_image_size(channels=3))


def test_images_that_are_too_small() -> None:
    with pytest.raises(ShapeError, match="images of 1x15x15 do not fit"):
        zoo.parameters_by_image_size([15])
    with pytest.raises(ShapeError, match="at least one"):
        zoo.parameters_by_image_size([])
