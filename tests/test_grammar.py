"""S2-E09, S3-E01..E04, ERX-03: texts become networks and networks become texts; every mistake names its column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import layers
from chainrule.errors import ArgumentError, GrammarError
from chainrule.grammar import Blueprint, parse_text, write_text
from chainrule.grammar.words import BY_LAYER
from chainrule.graph import Graph, Input
from chainrule.layers import (
    RBF,
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GaussianPool2d,
    Layer,
    LeakyReLU,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LPPool2d,
    MaxPool2d,
    ReLU,
    TrainablePool2d,
)
from chainrule.layers.base import Context, Node, Values
from tests.layers.rows import PLAIN

DESIGN = "1x28x28 -> [[conv 6@5x5 pad 2 -> relu]*1 -> maxpool 2]*1 -> [fc 120 -> relu]*1 -> fc 10"
S2 = "1x28x28 → [conv 6@3x3 pad 1×N → pool 2×M]×L → fc 10×K"
S3 = "INPUT 1x28x28 -> [[CONV 6@3x3 pad 1 -> RELU]*N -> POOL 2?]*M -> [FC 120 -> RELU]*K -> FC 10"


def kinds(blueprint: Blueprint) -> str:
    """The layers as one word: c conv, p pool, r relu, f fc; Flatten is left out."""
    letters = {Conv2d: "c", MaxPool2d: "p", ReLU: "r", Linear: "f", Flatten: ""}
    return "".join(letters[type(layer)] for layer in blueprint.layers)  # type: ignore[index]


def same(a: Layer, b: Layer) -> bool:
    return repr(a) == repr(b) and type(a) is type(b)


def chain(blueprint: Blueprint) -> Graph:
    first = node = Input(blueprint.input_shape)
    for layer in blueprint.layers:
        node = layer(node)
    return Graph(first, node)


# --- what can be written ---------------------------------------------------------------------------------------------


def test_S2_E09_S3_E01_the_example_of_the_design() -> None:
    blueprint = parse_text(DESIGN)
    expected = [Conv2d(1, 6, 5, padding=2), ReLU(), MaxPool2d(2), Flatten(), Linear(1176, 120), ReLU(), Linear(120, 10)]
    assert blueprint.input_shape == (1, 28, 28)
    assert [repr(layer) for layer in blueprint.layers] == [repr(layer) for layer in expected]


IMAGE, VECTOR = "4x12x12", "8"
LAYERS: list[tuple[str, str, Layer]] = [
    (IMAGE, "conv 6@5", Conv2d(4, 6, 5)),
    (IMAGE, "conv 6@5x3 stride 2x1", Conv2d(4, 6, (5, 3), (2, 1))),
    (IMAGE, "conv 6@3 pad same dilation 2 groups 2 nobias", Conv2d(4, 6, 3, 1, "same", 2, 2, False)),
    (IMAGE, "conv 6@3 pad valid", Conv2d(4, 6, 3)),
    (IMAGE, "conv 6@3 flipped pad 1,2", Conv2d(4, 6, 3, padding=(1, 2), mode="convolution")),
    (IMAGE, "conv 6@2 pad 0, 1, 0, 1", Conv2d(4, 6, 2, padding=(0, 1, 0, 1))),
    (IMAGE, "local 6@3x3 stride 3 pad 1 dilation 1 nobias", LocallyConnected2d(4, 6, 3, 3, 1, bias=False)),
    (IMAGE, "pool 2", MaxPool2d(2)),
    (IMAGE, "maxpool 3 stride 1 pad 1", MaxPool2d(3, 1, 1)),
    (IMAGE, "avgpool 2x3 stride 2", AvgPool2d((2, 3), 2)),
    (IMAGE, "lppool 2 norm 1.5 stride 1", LPPool2d(1.5, 2, 1)),
    (IMAGE, "gaussianpool 3 stride 2 sigma .5", GaussianPool2d(3, 2, sigma=0.5)),
    (IMAGE, "trainablepool 2", TrainablePool2d(4, 2)),
    (IMAGE, "adaptiveavgpool 1x2", AdaptiveAvgPool2d((1, 2))),
    (IMAGE, "batchnorm", BatchNorm2d(4)),
    (IMAGE, "lrn 5 alpha 1e-3 beta 0.5 k 2", LocalResponseNorm(5, 1e-3, 0.5, 2)),
    (IMAGE, "flatten", Flatten()),
    (VECTOR, "batchnorm", BatchNorm1d(8)),
    (VECTOR, "fc 120", Linear(8, 120)),
    (VECTOR, "fc 120 nobias", Linear(8, 120, False)),
    (VECTOR, "fc 120 sharedbias", Linear(8, 120, "shared")),
    (VECTOR, "rbf 10", RBF(8, 10)),
    (VECTOR, "leakyrelu", LeakyReLU()),
    (VECTOR, "leakyrelu -0.2", LeakyReLU(-0.2)),
    (VECTOR, "dropout 0.25", Dropout(0.25)),
    *[(VECTOR, name.upper(), layers.LAYERS[name]()) for name in (*PLAIN, "Softmax")],
]


def test_every_layer_with_one_input_has_a_word_and_is_tried() -> None:
    assert set(BY_LAYER) == set(layers.LAYERS.values()) - {Add, layers.Concat}
    assert {type(layer) for _, _, layer in LAYERS} == set(BY_LAYER)


@pytest.mark.parametrize("shape, text, expected", LAYERS, ids=[f"{shape} {text}" for shape, text, _ in LAYERS])
def test_every_word_and_option(shape: str, text: str, expected: Layer) -> None:
    (layer,) = parse_text(f"{shape} -> {text}").layers
    assert same(layer, expected), f"{layer!r} is not {expected!r}"


def test_the_text_may_be_spaced_and_written_with_signs() -> None:
    plain = parse_text("1x8x8->[conv 2@3->relu]*2->pool 2->fc 3")
    for text in (
        "input 1×8×8 → [ Conv 2 @ 3 → ReLU ] × 2 → POOL 2 → FC 3",
        "\n  Input 1X8X8\n  -> [conv 2@3X3 -> relu]* 2\n\t-> pool 2x2 -> fc 3\n",
    ):
        assert [repr(layer) for layer in parse_text(text).layers] == [repr(layer) for layer in plain.layers]


def test_channels_are_inferred_and_each_repetition_is_a_layer_of_its_own() -> None:
    blueprint = parse_text("3x8x8 -> [conv 4@3 pad 1]*3 -> fc 2")
    convs = blueprint.layers[:3]
    assert [layer.hyperparameters()["in_channels"] for layer in convs] == [3, 4, 4]
    assert len({id(layer) for layer in convs}) == 3


def test_dense_layers_flatten_maps_once() -> None:
    assert [type(x) for x in parse_text("2x3x3 -> fc 4 -> rbf 2").layers] == [Flatten, Linear, RBF]
    assert [type(x) for x in parse_text("2x3x3 -> flatten -> fc 4").layers] == [Flatten, Linear]
    assert [type(x) for x in parse_text("9 -> fc 4").layers] == [Linear]


def test_counts_of_numpy_integers() -> None:
    assert len(parse_text("4 -> relu*N", counts={"N": np.int64(3)}).layers) == 3  # type: ignore[dict-item]


# --- repetitions and their edge values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, counts, built",
    [
        ("4 -> relu*0 -> fc 2", {}, "f"),
        ("4 -> [relu -> fc 3]*0 -> fc 2", {}, "f"),
        ("4 -> [relu*0]*7 -> fc 2", {}, "f"),
        ("4 -> [[relu]*2 -> fc 3]*2", {}, "rrfrrf"),
        ("4 -> relu?", {}, "r"),
        ("4 -> relu? -> fc 2", {"optional": 0}, "f"),
        ("4 -> [relu -> fc 3]? -> fc 2", {"optional": 1}, "rff"),
        ("4 -> fc 3*N", {"N": 1}, "f"),
        ("4 -> fc 3*depth", {"depth": 3}, "fff"),
        ("4 -> fc 3 -> relu*2", {"optional": 0}, "frr"),
    ],
)
def test_repetitions(text: str, counts: dict[str, int], built: str) -> None:
    assert kinds(parse_text(text, counts=counts)) == built


@pytest.mark.parametrize("N", [0, 1, 3])
@pytest.mark.parametrize("M", [0, 1, 2])
@pytest.mark.parametrize("K", [0, 1, 3])
@pytest.mark.parametrize("optional", [0, 1])
def test_S3_E01_to_E04_every_edge_value(N: int, M: int, K: int, optional: int) -> None:
    blueprint = parse_text(S3, structure="S3", counts={"N": N, "M": M, "K": K, "optional": optional})
    assert kinds(blueprint) == ("cr" * N + "p" * optional) * M + "fr" * K + "f"


@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize("M", [0, 1, 2])
@pytest.mark.parametrize("L", [0, 1, 2])
@pytest.mark.parametrize("K", [1, 2])
def test_S2_E09_every_edge_value(N: int, M: int, L: int, K: int) -> None:
    blueprint = parse_text(S2, structure="S2", counts={"N": N, "M": M, "L": L, "K": K})
    assert kinds(blueprint) == ("c" * N + "p" * M) * L + "f" * K


@pytest.mark.parametrize(
    "counts, column",
    [
        ({"N": 0, "M": 1, "L": 1, "K": 1}, "conv"),
        ({"N": 0, "M": 0, "L": 2, "K": 1}, "conv"),
        ({"N": 1, "M": 1, "L": 1, "K": 0}, None),
    ],
)
def test_S2_E09_N_and_K_are_at_least_1(counts: dict[str, int], column: str | None) -> None:
    with pytest.raises(GrammarError, match="K >= 1" if column is None else "N >= 1") as error:
        parse_text(S2, structure="S2", counts=counts)
    assert error.value.column == (len(S2) if column is None else S2.index(column))


LENET = "1x28x28 -> conv 6@5 -> relu -> pool 2 -> conv 16@5 -> relu -> pool 2 -> fc 120 -> relu -> fc 10"


@pytest.mark.parametrize(
    "text, S2, S3",
    [
        (LENET, True, True),
        (LENET.replace(" -> relu", ""), True, False),
        (LENET.replace("relu", "tanh"), True, False),
        ("1x9x9 -> conv 2@3 -> relu -> pool 2 -> pool 2 -> fc 3", True, False),
        ("1x9x9 -> [[conv 2@3 -> relu]*1 -> pool 2*2]*1 -> fc 3", True, False),
        ("1x9x9 -> [[conv 2@3 -> relu]*0 -> pool 2]*2 -> fc 3", False, True),
        ("1x9x9 -> pool 2*2 -> fc 3", False, False),
        ("1x9x9 -> pool 2 -> fc 3", False, True),
        ("1x9x9 -> fc 3", True, True),
        ("1x9x9 -> flatten -> fc 3", True, True),
        ("9 -> fc 4 -> fc 3", True, False),
        ("9 -> fc 4 -> relu", True, False),
        ("9 -> relu -> fc 4", True, False),
        ("1x9x9 -> conv 2@3", False, False),
        ("1x9x9 -> conv 2@3 -> relu -> relu -> fc 2", True, False),
        ("1x9x9 -> fc 9 -> relu -> dropout 0.5 -> fc 2", False, False),
        ("1x9x9 -> local 2@3 -> relu -> avgpool 2 -> rbf 2", True, True),
    ],
)
def test_ERX_03_two_structures_two_validators(text: str, S2: bool, S3: bool) -> None:
    parse_text(text)
    for structure, valid in (("S2", S2), ("S3", S3)):
        if valid:
            parse_text(text, structure=structure)  # type: ignore[arg-type]
        else:
            with pytest.raises(GrammarError, match=structure):
                parse_text(text, structure=structure)  # type: ignore[arg-type]


def test_ERX_03_no_conv_after_an_fc() -> None:
    with pytest.raises(GrammarError, match=r"no conv can follow an fc") as error:
        parse_text("1x9x9 -> fc 9 -> conv 2@3 -> fc 2", structure="S2")
    assert error.value.column == 17


# --- mistakes --------------------------------------------------------------------------------------------------------

MISTAKES = [
    ("", "", "empty"),
    ("   ", "^", "empty"),
    ("conv 6@5x5", "^", "shape of the input"),
    ("28x28 -> fc 10", "^", "shape of the input"),
    ("1x0x28 -> fc 10", "^", "must lie between 1"),
    ("1x28x28", "       ^", '"->" and a layer'),
    ("1x28x28 fc 10", "        ^", '"->" and a layer'),
    ("9 ->", "    ^", "expected a layer, not the end"),
    ("9 -> -> fc 2", "     ^", 'expected a layer, not "->"'),
    ("9 => fc 2", "  ^", "an arrow is written"),
    ("9 -> dens 2", "     ^", 'no layer is named "dens"'),
    ("9 -> sigmod", "     ^", 'did you mean "sigmoid"'),
    ("9 -> Dense 2", "     ^", 'did you mean "fc"'),
    ("9 -> fc", "       ^", "needs a number"),
    ("9 -> fc ten", "        ^", "needs a number"),
    ("9 -> fc 2.5", "        ^", "as an integer"),
    ("9 -> fc -2", "        ^", "as an integer"),
    ("9 -> fc 0", "        ^", "must lie between 1"),
    ("9 -> fc 99999999999999999999", "        ^", "too large"),
    ("9 -> fc 4000000000", "        ^", "must lie between"),
    ("9 -> fc 2 3", "          ^", 'expected "->" before "3"'),
    ("9 -> fc 2 relu", "          ^", 'expected "->" before "relu"'),
    ("9 -> fc 2 nobiass", "          ^", 'did you mean "nobias"'),
    ("9 -> fc 2 nobias sharedbias", "                 ^", "given twice"),
    ("9 -> relu 3", "          ^", 'expected "->"'),
    ("9 -> dropout", "            ^", "needs a number"),
    ("9 -> dropout 1.5", "             ^", "p must"),
    ("9 -> leakyrelu 1x2", "               ^", "as a number"),
    ("9 -> fc10", "     ^", 'a space is missing: write "fc 10"'),
    ("9 -> relu6", "     ^", 'did you mean "relu"'),
    ("9 -> fc 2147483647", "     ^", "its weight.* 2147483647x9 "),
    ("1x9x9 -> conv 1@1 pad 2147483647", "         ^", "its output.* 1x4294967303x4294967303"),
    ("9 -> [relu", "     ^", "never closed"),
    ("9 -> relu]", "         ^", "closes no"),
    ("9 -> []", "      ^", "expected a layer"),
    ("9 -> relu*", "          ^", "how often"),
    ("9 -> relu*2.5", "          ^", "a number of repetitions"),
    ("9 -> relu*-1", "          ^", "a number of repetitions"),
    ("9 -> relu*1000000000", "          ^", "at most 10,000"),
    ("9 -> relu*" + "9" * 5000, "          ^", "too large"),
    ("9 -> [[relu*100]*100]*100", "     ^", "builds 1,000,000 layers"),
    ("9 -> relu*N", "          ^", "N has no value"),
    ("9 -> relu*2?", "           ^", 'expected "->"'),
    ("9 -> conv 2@3", "     ^", "maps"),
    ("1x9x9 -> conv 2", "               ^", 'expected "@"'),
    ("1x9x9 -> conv 2@", "                ^", "needs a number"),
    ("1x9x9 -> conv 2@3x", "                ^", "such as 5 or 5x3"),
    ("1x9x9 -> conv 2@3x3x3", "                ^", "such as 5 or 5x3"),
    ("1x9x9 -> conv 2@0", "                ^", "must lie between 1"),
    ("1x9x9 -> conv 2@3×3", "                ^", "a size or a repetition"),
    ("1x9x9 -> conv 2@3 strid 2", "                  ^", 'did you mean "stride"'),
    ("1x9x9 -> conv 2@3 stride", "                        ^", "is missing"),
    ("1x9x9 -> conv 2@3 stride 0", "                         ^", "stride must lie between 1"),
    ("1x9x9 -> conv 2@3 stride 1 stride 2", "                           ^", "given twice"),
    ("1x9x9 -> conv 2@3 pad 1,2,3", "                      ^", "1, 2 .* or 4"),
    ("1x9x9 -> conv 2@3 groups 3", "                         ^", "must divide"),
    ("1x9x9 -> maxpool 2 pad 2", "                       ^", "at most half"),
    ("1x9x9 -> gaussianpool 3", "                       ^", 'needs "sigma"'),
    ("1x9x9 -> lppool 3 norm 0.5", "                       ^", "norm_type must"),
    ("1x9x9 -> conv 2@3*5 -> fc 2", "         ^", "3x3 does not fit a map of 1x1"),
    ("9 -> relu*0", "^", "nothing is left"),
    ("9 -> relu # comment", "          ^", "unexpected character"),
    ("[" * 10, "^", "shape of the input"),
    ("9 -> " + "[" * 5000, " " * 37 + "^", "nested more than 32"),
]


@pytest.mark.parametrize("text, caret, message", MISTAKES, ids=[text[:40] or "nothing" for text, *_ in MISTAKES])
def test_every_mistake_names_its_column(text: str, caret: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message) as error:
        parse_text(text)
    assert error.value.column == max(caret.find("^"), 0), error.value
    lines = str(error.value).splitlines()
    assert f"(column {error.value.column + 1})" in lines[0]
    if len(text) <= 200:
        assert lines[1:] == [f"  {text}", f"  {' ' * error.value.column}^"]
    else:  # only what stands around the column is shown
        assert len(lines[1]) < 220
        assert lines[1][lines[2].index("^")] == text[error.value.column]


@pytest.mark.parametrize(
    "counts, message",
    [
        ({"N": -1}, "N must lie between 0"),
        ({"N": 1.5}, "N must be an integer"),
        ({"N": True}, "N must be an integer"),
        ({"N": 10**9}, "at most 10,000"),
        ({"N": 1, "sed": 3}, "sed=3 is given, but nothing"),
        ({"N": 1, "optional": 2}, "optional must be at most 1"),
        ({"n": 1}, "N has no value"),
    ],
)
def test_counts_that_cannot_be_used(counts: dict[str, Any], message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        parse_text("9 -> relu*N -> relu?", counts=counts)


def test_newlines_keep_the_caret_in_its_column() -> None:
    with pytest.raises(GrammarError) as error:
        parse_text("9\n-> relu\n-> what")
    assert str(error.value).splitlines()[1:] == ["  9 -> relu -> what", "               ^"]


def test_arguments_that_are_no_texts() -> None:
    with pytest.raises(ArgumentError, match="by a text, not by int"):
        parse_text(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match='"S2", "S3" or None'):
        parse_text("9 -> fc 1", structure="S4")  # type: ignore[arg-type]


def test_absurd_repetitions_are_refused_without_building() -> None:
    # building 10^36 layers, or counting nothing 10^8 times, would not end
    for text in ("9 -> " + "[" * 9 + "relu" + "*9999]" * 9, "9 -> [" + "[relu*0]*9999" + "]*9999"):
        with pytest.raises(GrammarError):
            parse_text(text)


@given(st.text(alphabet="1 9x×@*?[]->→,.conv relu fc maxpool pad NM\n", max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_text_is_read_or_refused_with_a_column(text: str) -> None:
    try:
        parse_text(text, counts={"optional": 1})
    except GrammarError as error:
        column = error.column
    else:
        column = 0
    assert 0 <= column <= len(text)


# --- writing ---------------------------------------------------------------------------------------------------------

pairs = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = (
    st.integers(0, 3) | st.tuples(*[st.integers(0, 3)] * 2) | st.tuples(*[st.integers(0, 2)] * 4) | st.just("same")
)
finite = st.floats(1e-8, 10)


@st.composite
def layers_for(draw: st.DrawFn, shape: tuple[int, ...]) -> Layer:
    """A layer for an input of `shape` that the language has words for."""
    anywhere: list[Any] = [
        *[st.builds(layers.LAYERS[name]) for name in (*PLAIN, "Softmax", "Flatten")],
        st.builds(LeakyReLU, finite),
        st.builds(Dropout, st.floats(0, 1)),
    ]
    if len(shape) == 1:
        return draw(
            st.one_of(
                *anywhere,
                st.builds(Linear, st.just(shape[0]), st.integers(1, 9), st.sampled_from([True, False, "shared"])),
                st.builds(RBF, st.just(shape[0]), st.integers(1, 9)),
                st.just(BatchNorm1d(shape[0])),
            )
        )
    c = st.just(shape[0])
    groups = draw(st.sampled_from([1, shape[0]]))
    filters = st.integers(1, 4).map(lambda n: n * groups)
    bias, mode = st.booleans(), st.sampled_from(["correlation", "convolution"])
    return draw(
        st.one_of(
            *anywhere,
            st.builds(Conv2d, c, filters, pairs, pairs, paddings, pairs, st.just(groups), bias, mode=mode),
            st.builds(LocallyConnected2d, c, st.integers(1, 4), pairs, pairs, paddings, pairs, bias),
            st.builds(MaxPool2d, st.integers(2, 3), st.none() | pairs, st.integers(0, 1)),
            st.builds(AvgPool2d, pairs, st.none() | pairs),
            st.builds(LPPool2d, st.floats(1, 9), pairs, st.none() | pairs),
            st.builds(GaussianPool2d, pairs, st.none() | pairs, sigma=finite),
            st.builds(TrainablePool2d, c, pairs, st.none() | pairs),
            st.builds(AdaptiveAvgPool2d, pairs),
            st.just(BatchNorm2d(shape[0])),
            st.builds(LocalResponseNorm, st.integers(1, 5), finite, finite, finite),
        )
    )


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    shape = draw(st.sampled_from([(3, 12, 12), (4, 9, 7), (11,)]))
    first = node = Input(shape)
    for _ in range(draw(st.integers(1, 6))):
        try:
            node = draw(layers_for(node.shape))(node)
        except ValueError:  # a window that no longer fits
            break
    return Graph(first, node)


@given(networks())
@settings(deadline=None, max_examples=150)
def test_what_is_written_reads_back_to_the_same_network(graph: Graph) -> None:
    if not graph.steps:
        return
    text = write_text(graph)
    again = chain(parse_text(text))
    assert text.count("\n") == 0
    assert list(map(repr, again.layers.values())) == list(map(repr, graph.layers.values()))
    assert again.shapes == graph.shapes
    assert write_text(again) == text


@pytest.mark.parametrize("shape, text, expected", LAYERS, ids=[f"{shape} {text}" for shape, text, _ in LAYERS])
def test_every_layer_with_words_is_written_with_them(shape: str, text: str, expected: Layer) -> None:
    graph = chain(parse_text(f"{shape} -> {text}"))
    (again,) = parse_text(write_text(graph)).layers
    assert same(again, expected)


def test_the_canonical_text() -> None:
    assert write_text(chain(parse_text(DESIGN))) == (
        "1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> fc 120 -> relu -> fc 10"
    )
    for text in ("2x4x4 -> flatten -> relu -> fc 3", "9 -> flatten -> fc 3", "9 -> rbf 3 -> flatten"):
        assert write_text(chain(parse_text(text))) == text


class Halve(Layer):
    """A layer of a user's own."""

    def output_shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        return shapes[0]

    def forward(self, parameters: Values, *xs: Any, context: Context) -> tuple[Any, None]:
        return xs[0] / 2, None

    def backward_input(self, parameters: Values, dy: Any, saved: None) -> Any:
        return dy / 2


def listing(*layers: Layer, shape: tuple[int, ...] = (2, 6, 6)) -> list[str]:
    first = node = Input(shape)
    for layer in layers:
        node = layer(node)
    return write_text(Graph(first, node)).splitlines()


@pytest.mark.parametrize(
    "layer, line",
    [
        (Halve(), "halve1 = Halve() of input -> 2x6x6"),
        (BatchNorm2d(2, eps=0.1), "batchnorm1 = BatchNorm2d(2, eps=0.1) of input -> 2x6x6"),
        (
            Conv2d(2, 2, 3, connections=np.eye(2)),
            "conv1 = Conv2d(2, 2, 3, connections=<2x2 table>) of input -> 2x4x4",
        ),
        (
            Conv2d(2, 2, 3, initialization="lecun"),
            "conv1 = Conv2d(2, 2, 3, initialization='lecun') of input -> 2x4x4",
        ),
    ],
)
def test_what_has_no_word_is_listed(layer: Layer, line: str) -> None:
    assert listing(layer) == ["input 2x6x6", line]


def test_shapes_without_words_are_listed() -> None:
    assert listing(ReLU(), shape=(5, 6)) == ["input 5x6", "relu1 = ReLU() of input -> 5x6"]
    x: Node = Input((3,))
    assert write_text(Graph(x, x)) == "input 3"


def test_a_chain_with_a_shared_layer_is_listed() -> None:
    x = Input((2,))
    fc = Linear(2, 2)
    assert write_text(Graph(x, fc(fc(x)))).splitlines() == [
        "input 2",
        "linear1 = Linear(2, 2) of input -> 2",
        "linear1@2 = linear1, Linear(2, 2) of linear1 -> 2",
    ]


def test_joins_and_shared_layers_are_listed() -> None:
    x = Input((2, 4, 4))
    conv = Conv2d(2, 2, 3, padding=1)
    graph = Graph(x, Add()(conv(conv(x)), x))
    assert write_text(graph).splitlines() == [
        "input 2x4x4",
        "conv1 = Conv2d(2, 2, 3, padding=1) of input -> 2x4x4",
        "conv1@2 = conv1, Conv2d(2, 2, 3, padding=1) of conv1 -> 2x4x4",
        "add1 = Add() of conv1@2, input -> 2x4x4",
    ]
