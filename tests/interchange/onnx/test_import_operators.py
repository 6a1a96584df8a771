"""Each operator that our layers can express computes what ONNX's own reference computes, in float64; the network is
the one that one would have written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.errors import FileFormatError
from tests.helpers import Array
from tests.interchange.onnx.judging import answers, check_against_reference, imported, model, node

RNG = np.random.default_rng(11)


def drawn(*shape: int) -> Array:
    return RNG.normal(size=shape)


CONV = {"w": drawn(4, 3, 3, 3), "b": drawn(4)}
ROW = {"w": drawn(4, 3, 3), "b": drawn(4)}
NORM = {"s": drawn(3), "b": drawn(3), "m": drawn(3), "v": np.abs(drawn(3)) + 0.5}
SHAPE = np.array([0, -1])

CASES: dict[str, tuple[list[Any], tuple[int, ...], dict[str, Any], str]] = {
    "conv": ([node("Conv", "x w b")], (3, 8, 7), CONV, "conv 4@3x3"),
    "conv without bias": ([node("Conv", "x w")], (3, 8, 7), CONV, "conv 4@3x3 nobias"),
    "conv of all attributes": (
        [node("Conv", "x w b", pads=[2, 0, 1, 3], strides=[2, 1], dilations=[1, 2], kernel_shape=[3, 3])],
        (3, 8, 7),
        CONV,
        "conv 4@3x3 stride 2x1 pad 2,1,0,3 dilation 1x2",
    ),
    "conv in groups": ([node("Conv", "x w b", group=2)], (6, 5, 5), CONV, "conv 4@3x3 groups 2"),
    "conv same upper": (
        [node("Conv", "x w b", auto_pad="SAME_UPPER", strides=[2, 2])],
        (3, 8, 7),
        CONV,
        "conv 4@3x3 stride 2 pad 0,1,1,1",
    ),
    "conv same lower": (
        [node("Conv", "x w b", auto_pad="SAME_LOWER", strides=[2, 2])],
        (3, 8, 7),
        CONV,
        "conv 4@3x3 stride 2 pad 1,0,1,1",
    ),
    "conv valid": ([node("Conv", "x w b", auto_pad="VALID")], (3, 8, 7), CONV, "conv 4@3x3"),
    "conv along one axis": (
        [node("Conv", "x w b", pads=[2, 1], strides=[2], dilations=[2])],
        (3, 9),
        ROW,
        "conv 4@1x3 stride 1x2 pad 0,0,2,1 dilation 1x2",
    ),
    "pad before conv": (
        [node("Pad", "x p", "h"), node("Conv", "h w b", pads=[0, 1, 0, 0])],
        (3, 8, 7),
        CONV | {"p": np.array([0, 0, 1, 0, 0, 0, 2, 3])},
        "conv 4@3x3 pad 1,2,1,3",
    ),
    "pad with a number and axes": (
        [node("Pad", "x p z a", "h"), node("Conv", "h w b")],
        (3, 8, 7),
        CONV | {"p": np.array([1, 2]), "z": np.array(0.0), "a": np.array([-1])},
        "conv 4@3x3 pad 0,0,1,2",
    ),
    "pad by itself": (
        [node("Pad", "x p")],
        (2, 4, 3),
        {"p": np.array([0, 0, 1, 0, 0, 0, 0, 2])},
        "conv 2@1x1 pad 1,0,0,2 groups 2 nobias",
    ),
    "bias behind conv": (
        [node("Conv", "x w", "h"), node("Add", "c h")],
        (3, 8, 7),
        CONV | {"c": drawn(1, 4, 1, 1)},
        "conv 4@3x3",
    ),
    "scale behind conv": (
        [node("Conv", "x w b", "h"), node("Mul", "h c")],
        (3, 8, 7),
        CONV | {"c": drawn(4, 1, 1)},
        "conv 4@3x3",
    ),
    "gemm": (
        [node("Gemm", "x w b", alpha=0.5, beta=2.0)],
        (5,),
        {"w": drawn(5, 4), "b": drawn(1, 4)},
        "fc 4",
    ),
    "gemm turned": ([node("Gemm", "x w", transB=1)], (5,), {"w": drawn(4, 5)}, "fc 4 nobias"),
    "gemm with one number": ([node("Gemm", "x w b")], (5,), {"w": drawn(5, 4), "b": np.array(0.3)}, "fc 4"),
    "matmul and add": (
        [node("MatMul", "x w", "h"), node("Add", "h b")],
        (5,),
        {"w": drawn(5, 4), "b": drawn(4)},
        "fc 4",
    ),
    "matmul at each place": ([node("MatMul", "x w")], (6, 5), {"w": drawn(5, 4)}, "conv 4@1x1 nobias"),
    "max pool": (
        [node("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1])],
        (2, 8, 7),
        {},
        "maxpool 3x2 stride 2x1 pad 1,0,0,1",
    ),
    "max pool rounded up": (
        [node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)],
        (2, 8, 7),
        {},
        "maxpool 3 stride 2 pad 0,1,0,0",
    ),
    "max pool without a window in the padding": (
        [node("MaxPool", "x", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)],
        (1, 2, 2),
        {},
        "maxpool 1 stride 2",
    ),
    "max pool along one axis": (
        [node("MaxPool", "x", kernel_shape=[3], strides=[2])],
        (2, 7),
        {},
        "maxpool 1x3 stride 1x2",
    ),
    "average pool": (
        [node("AveragePool", "x", kernel_shape=[2, 3], strides=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)],
        (2, 7, 7),
        {},
        "avgpool 2x3 stride 2 pad 1,0,0,1",
    ),
    "average pool behind pad": (
        [node("Pad", "x p", "h"), node("AveragePool", "h", kernel_shape=[2, 2])],
        (2, 6, 6),
        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])},
        "avgpool 2 stride 1 pad 1",
    ),
    "average pool with wide padding": (
        [node("AveragePool", "x", kernel_shape=[2, 2], pads=[2, 2, 2, 2], count_include_pad=1)],
        (2, 4, 4),
        {},
        "conv 2@2x2 pad 2 groups 2 nobias",
    ),
    "average pool with gaps": (
        [node("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 3])],
        (2, 6, 7),
        {},
        "conv 2@2x2 dilation 2x3 groups 2 nobias",
    ),
    "lp pool": ([node("LpPool", "x", kernel_shape=[2, 2], p=2)], (2, 4, 4), {}, "lppool 2 norm 2 stride 1"),
    "lp pool of odd order": (
        [node("LpPool", "x", kernel_shape=[2, 2], strides=[2, 2], p=3, pads=[1, 0, 0, 0])],
        (2, 5, 4),
        {},
        "leakyrelu -1 -> conv 2@1x1 pad 1,0,0,0 groups 2 nobias -> lppool 2 norm 3",
    ),
    "global average": ([node("GlobalAveragePool", "x")], (2, 4, 5), {}, "adaptiveavgpool 1"),
    "global maximum": ([node("GlobalMaxPool", "x")], (2, 4, 5), {}, "maxpool 4x5"),
    "mean over places": (
        [node("ReduceMean", "x a", keepdims=0)],
        (3, 4, 5),
        {"a": np.array([2, -1])},
        "adaptiveavgpool 1 -> flatten",
    ),
    "norm over places": ([node("ReduceL2", "x a")], (3, 4, 5), {"a": np.array([2, 3])}, "lppool 4x5 norm 2 -> flatten"),
    "batch norm of maps": ([node("BatchNormalization", "x s b m v")], (3, 4, 5), NORM, "batchnorm"),
    "batch norm of vectors": ([node("BatchNormalization", "x s b m v")], (3,), NORM, "batchnorm"),
    "batch norm of rows": ([node("BatchNormalization", "x s b m v")], (3, 4), NORM, ""),
    "flatten": ([node("Flatten", "x")], (2, 3, 2), {}, "flatten"),
    "reshape to a vector": (
        [node("Reshape", "x t", "h"), node("Gemm", "h w")],
        (2, 3, 2),
        {"t": SHAPE, "w": drawn(12, 2)},
        "fc 2 nobias",
    ),
    "relu family": (
        [node("Relu", "x", "a"), node("LeakyRelu", "a", "c", alpha=0.25), node("Sigmoid", "c", "d"), node("Tanh", "d")],
        (6,),
        {},
        "relu -> leakyrelu 0.25 -> sigmoid -> tanh",
    ),
    "prelu": ([node("PRelu", "x s")], (2, 3, 4), {"s": np.full((2, 1, 1), 0.2)}, "leakyrelu 0.2"),
    "absolute value": ([node("Abs", "x")], (4,), {}, "leakyrelu -1"),
    "clip from 0": ([node("Clip", "x l")], (4,), {"l": np.array(0.0)}, "relu"),
    "max with 0": ([node("Max", "x l")], (4,), {"l": np.array([0.0])}, "relu"),
    "scaled tanh": (
        [node("Mul", "x c", "h"), node("Tanh", "h", "t"), node("Mul", "t d")],
        (4,),
        {"c": np.array(2 / 3), "d": np.array(1.7159)},
        "scaledtanh",
    ),
    "softmax": ([node("Softmax", "x")], (4,), {}, "softmax"),
    "softmax over channels": ([node("Softmax", "x", axis=1)], (4, 2, 3), {}, "softmax"),
    "dropout": ([node("Dropout", "x r")], (4,), {"r": np.array(0.25)}, "dropout 0.25"),
    "what changes nothing": (
        [node("Identity", "x", "a"), node("Cast", "a", "c", to=11), node("Relu", "c")],
        (4,),
        {},
        "relu",
    ),
    "turned back before it matters": (
        [
            node("Transpose", "x", "a", perm=[0, 2, 3, 1]),
            node("Relu", "a", "c"),
            node("Transpose", "c", "d", perm=[0, 3, 1, 2]),
            node("Conv", "d w b"),
        ],
        (3, 5, 4),
        CONV,
        "relu -> conv 4@3x3",
    ),
    "turning an axis of one": (
        [node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w")],
        (5, 4, 1),
        {"w": drawn(2, 1, 2, 2)},
        "conv 2@2x2 nobias",
    ),
    "flattened channels last": (
        [
            node("Conv", "x w b", "h"),
            node("Transpose", "h", "t", perm=[0, 2, 3, 1]),
            node("Reshape", "t s", "f"),
            node("MatMul", "f v"),
        ],
        (3, 5, 5),
        CONV | {"s": SHAPE, "v": drawn(36, 2)},
        "conv 4@3x3 -> fc 2 nobias",
    ),
    "a vector that is a picture": (
        [node("Reshape", "x s", "h"), node("Conv", "h w")],
        (30,),
        {"s": np.array([-1, 1, 5, 6]), "w": drawn(2, 1, 2, 2)},
        "conv 2@2x2 nobias",
    ),
    "rows beside rows": (
        [node("Concat", "x x", "c", axis=2), node("Flatten", "c", "f"), node("Gemm", "f w")],
        (2, 2, 3),
        {"w": drawn(24, 2)},
        "",
    ),
    "channels beside channels": ([node("Relu", "x", "a"), node("Concat", "x a x", axis=1)], (2, 2, 3), {}, ""),
    "sums": (
        [node("Relu", "x", "a"), node("Sum", "x a c", "s"), node("Mean", "s x")],
        (3, 2, 2),
        {"c": drawn(3, 1, 1)},
        "",
    ),
    "difference": (
        [node("Sigmoid", "x", "a"), node("Sub", "x a", "s"), node("Sub", "c s")],
        (3,),
        {"c": np.array(1.0)},
        "",
    ),
    "clip to 6": ([node("Clip", "x l u")], (3, 2, 2), {"l": np.array(0.0), "u": np.array(1.0)}, ""),
    "clip to an interval": ([node("Clip", "x l u")], (5,), {"l": np.array(-0.5), "u": np.array(0.5)}, ""),
    "clip from above": ([node("Min", "x u")], (3, 2, 2), {"u": np.array(0.5)}, ""),
    "arithmetic on vectors": (
        [node("Div", "x c", "h"), node("Neg", "h")],
        (3,),
        {"c": np.array([2.0, 4.0, 8.0])},
        "fc 3",
    ),
    "standardised pictures": (
        [node("Sub", "x m", "a"), node("Div", "a s", "h"), node("Conv", "h w b")],
        (3, 5, 5),
        CONV | {"m": drawn(3, 1, 1), "s": np.array([2.0, 3.0, 4.0]).reshape(3, 1, 1)},
        "trainablepool 1 -> conv 4@3x3",
    ),
    "a shape that is computed": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s z", "n"),
            node("Unsqueeze", "n a", "u"),
            node("Concat", "u m", "t", axis=0),
            node("Reshape", "x t", "f"),
            node("Gemm", "f w"),
        ],
        (2, 3, 2),
        {"z": np.array(0), "a": np.array([0]), "m": np.array([-1]), "w": drawn(12, 3)},
        "fc 3 nobias",
    ),
    "weights that are computed": (
        [
            node("Transpose", "q", "t", perm=[1, 0]),
            node("Cast", "t", "c", to=11),
            node("Mul", "c k", "w"),
            node("MatMul", "x w"),
        ],
        (5,),
        {"q": np.arange(20, dtype=np.int8).reshape(4, 5), "k": np.array(0.1)},
        "fc 4 nobias",
    ),
    "squeezed": (
        [node("GlobalAveragePool", "x", "g"), node("Squeeze", "g a", "s"), node("Gemm", "s w")],
        (3, 4, 4),
        {"a": np.array([2, 3]), "w": drawn(3, 2)},
        "adaptiveavgpool 1 -> fc 2 nobias",
    ),
    "pooled by a mean and convolved again": (
        [node("ReduceMean", "x a", "g"), node("Conv", "g w")],
        (3, 4, 4),
        {"a": np.array([2, 3]), "w": drawn(2, 3, 1, 1)},
        "adaptiveavgpool 1 -> conv 2@1x1 nobias",
    ),
    "scaler": ([node("Scaler", "x", domain="ai.onnx.ml", offset=[1.0, 2.0], scale=[0.5, 0.25])], (2,), {}, "fc 2"),
    "single numbers": ([node("Relu", "x")], (), {}, "relu"),
}
"""Name: nodes, the shape of a sample, constants, and the network as text ("" where it is no chain)."""


@pytest.mark.parametrize("name", CASES)
def test_it_computes_what_the_reference_computes(name: str) -> None:
    nodes, shape, constants, text = CASES[name]
    proto = model(nodes, ("n", *shape), constants)
    made = check_against_reference(proto, drawn(3, *shape))
    if text:
        assert str(made.net).partition(" -> ")[2] == text


@pytest.mark.parametrize(
    "nodes, constants, opset",
    [
        ([node("Dropout", "x", ratio=0.3)], {}, 10),
        ([node("Clip", "x", min=0.0)], {}, 6),
        ([node("Pad", "x", pads=[0, 0, 1, 1, 0, 0, 1, 1])], {}, 2),
        ([node("ReduceMean", "x", axes=[2, 3])], {}, 13),
        ([node("Squeeze", "x", "a", axes=[3]), node("Unsqueeze", "a", axes=[3])], {}, 11),
        ([node("Reshape", "x t")], {"t": np.array([0, 4])}, 5),
        ([node("Flatten", "x")], {}, 9),
    ],
)
def test_older_versions_of_operators(nodes: list[Any], constants: dict[str, Any], opset: int) -> None:
    shape = (1, 4, 1) if nodes[0].op_type == "Squeeze" else (4, 1, 1)
    check_against_reference(model(nodes, ("n", *shape), constants, opset=opset), drawn(3, *shape))


def test_softmax_went_over_all_axes_before_version_13() -> None:
    """From `axis` on, which was 1. The reference computes the newer rule here, so the formula stands in its place."""
    x = drawn(2, 4, 1, 1)
    powers = np.exp(x.reshape(2, 4))
    made = imported(model([node("Softmax", "x")], ("n", 4, 1, 1), opset=11))
    np.testing.assert_allclose(answers(made, x), powers / powers.sum(axis=1, keepdims=True))
    nodes = [node("Conv", "x w", "c"), node("Softmax", "c")]
    proto = model(nodes, ("n", 2, 3, 3), {"w": drawn(4, 2, 1, 1)}, opset=11)
    with pytest.raises(FileFormatError, match="over all numbers of a map"):
        imported(proto)


def test_lrn() -> None:
    """The reference leaves channels beyond the number of samples as they are, so the formula stands in its place."""
    x = drawn(2, 5, 2, 3)
    proto = model([node("LRN", "x", size=3, alpha=0.5, beta=0.25, bias=2.0)], ("n", 5, 2, 3))
    squares = np.pad(x**2, [(0, 0), (1, 1), (0, 0), (0, 0)])
    sums = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]
    made = imported(proto)
    np.testing.assert_allclose(answers(made, x), (x / (2 + 0.5 / 3 * sums) ** 0.25).reshape(2, -1))
    assert str(made.net) == "5x2x3 -> lrn 3 alpha 0.5 beta 0.25 k 2"


def test_addition_with_an_axis_as_it_was_before_version_7() -> None:
    proto = model([node("Add", "x c", axis=1, broadcast=1)], ("n", 3, 2, 2), {"c": np.array([1.0, 2.0, 3.0])}, opset=6)
    x = drawn(2, 3, 2, 2)
    wanted = x + np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    np.testing.assert_allclose(answers(imported(proto), x), wanted.reshape(2, -1))


def test_weights_that_the_file_shares_are_shared() -> None:
    nodes = [node("Conv", "x w b", "a"), node("Relu", "a", "c"), node("Conv", "c w b")]
    made = check_against_reference(
        model(nodes, ("n", 4, 6, 6), {"w": drawn(4, 4, 3, 3), "b": drawn(4)}), drawn(2, 4, 6, 6)
    )
    assert [step.name for step in made.net.steps] == ["conv1", "relu1", "conv1@2"]


def test_what_is_no_weight_in_the_file_stays_as_it_is_in_training() -> None:
    nodes = [node("Div", "x c", "h"), node("Conv", "h w b")]
    made = imported(model(nodes, ("n", 3, 5, 5), CONV | {"c": np.array(255.0)}))
    assert made.net.frozen == {"trainablepool1.weight", "trainablepool1.bias"}


def test_bytes_that_the_file_divides_by_255_are_divided_once() -> None:
    from onnx import TensorProto

    nodes = [node("Cast", "x", "f", to=11), node("Mul", "f c", "h"), node("Conv", "h w b")]
    proto = model(nodes, ("n", 3, 5, 5), CONV | {"c": np.array(1 / 255)}, kind=TensorProto.UINT8)
    x = RNG.integers(0, 256, (2, 3, 5, 5)).astype(np.uint8)
    made = check_against_reference(proto, x)
    assert str(made.net) == "3x5x5 -> conv 4@3x3"
    raw = model([node("Cast", "x", "f", to=11), node("Conv", "f w b")], ("n", 3, 5, 5), CONV, kind=TensorProto.UINT8)
    check_against_reference(raw, x, atol=1e-9)


def test_every_size_of_batch_that_a_file_fixes_is_one_of_many() -> None:
    nodes = [node("Reshape", "x t", "f"), node("Gemm", "f w")]
    proto = model(nodes, (1, 2, 3), {"t": np.array([1, 6]), "w": drawn(6, 2)})
    made = imported(proto)
    x = drawn(4, 2, 3)
    each = np.concatenate([answers(made, one[None]) for one in x])
    np.testing.assert_allclose(answers(made, x), each, rtol=1e-13)
