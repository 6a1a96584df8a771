"""The cases that the package `onnx` has for backends: each one comes in and computes what it should, or is refused for
one of the reasons below, by a sentence. Nothing is skipped; CHAINRULE_LONG_TESTS=1 looks at every operator there is.

A case is a model with the operands as inputs; all but the first are made constants, as they are in networks.
"""

from __future__ import annotations

import importlib
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.errors import ChainruleError
from tests.engines.comparing import LONG
from tests.helpers import Array
from tests.interchange.onnx.judging import answers, imported, numpy_helper, onnx

MODULES = [
    "abs", "add", "averagepool", "batchnorm", "cast", "clip", "concat", "conv", "div", "dropout", "flatten", "gemm",
    "globalaveragepool", "globalmaxpool", "identity", "leakyrelu", "lppool", "lrn", "matmul", "max", "maxpool", "mean",
    "min", "mul", "neg", "pad", "prelu", "reduce_mean", "reducel1", "reducel2", "reducemax", "reducemean", "reducesum",
    "relu", "reshape", "sigmoid", "softmax", "squeeze", "sub", "sum", "tanh", "transpose", "unsqueeze",
]  # fmt: skip
"""Where the cases of the operators stand that our layers can express."""

REASONS = {
    "an operator that no layer computes": (
        "no layer computes this operator", "operators of this domain have no layer", "no branches or loops",
        "defines functions",
    ),
    "numbers of a kind that layers do not compute with": (
        "does not hold real numbers", "into ONNX's type", "is not read", "holds .* numbers", "a single number, without",
        "must hold real numbers",
    ),
    "no input, or none that the output depends on": (
        "does not depend on any input", "a constant, which no layer takes", "is left out", "has no output",
    ),
    "several inputs that cannot be constants": ("inputs, .* and a network has one", "is computed from the network's"),
    "samples are mixed": (
        "do(es)? not keep the samples apart", "samples must stay", "samples are not mixed", "do not mix samples",
        "do not leave the samples", "do not join samples", "pads the samples", "layers do not turn",
    ),
    "two computed values are multiplied, divided or compared": (
        "two computed values", "divides by a computed value", "by weights from the right",
    ),
    "a number per sample or place": (
        "does not fit samples", "from place to place", "compare with one", "several slopes", "one number for each of",
    ),
    "shapes that no layer takes": (
        "one or two spatial axes", "layers slide over one or two", "takes a vector of as many", "Add takes one shape",
        "must lie between", "is left open", "do not fit together", "is (turned|reshaped) to", "more than one number",
        "list of axes is missing", "at one place and as", "and layers take vectors or maps",
    ),
    "training": ("training_mode", "a file for inference"),
    "attributes that no layer has": (
        "its attributes? ", "pads with", "cut parts off", r"its output \d is used", "over all numbers of a map",
        "in an order that no layer", "its bounds",
    ),
    "constants that cannot be computed": ("cannot be computed", "is not a short list", "is not known"),
}  # fmt: skip
"""Why a case is refused, and by which words that is known."""


def cases() -> Iterator[Any]:
    """Those of the operators above, or all."""
    from onnx.backend.test.case.node import _NodeTestCases, collect_testcases

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if LONG:
            yield from collect_testcases(None)
            return
        for name in MODULES:
            try:
                importlib.import_module(f"onnx.backend.test.case.node.{name}")
            except ModuleNotFoundError:
                continue  # named otherwise in another version
        yield from _NodeTestCases


def with_constants(case: Any) -> tuple[Any, Array, Array]:
    """The model with all operands but the first as initializers, the first, and the answer."""
    proto = onnx.ModelProto()
    proto.CopyFrom(case.model)
    given, wanted = case.data_sets[0]
    for info, value in list(zip(proto.graph.input, given, strict=False))[1:]:
        array = np.zeros(0, object) if isinstance(value, list) else np.asarray(value)  # lists are sequences of tensors
        if array.dtype.kind in "fiub":
            proto.graph.initializer.append(numpy_helper.from_array(array, info.name))
    first = given[0] if given and not isinstance(given[0], list) else np.zeros(())
    return (
        proto,
        np.asarray(first),
        np.asarray(wanted[0]) if wanted and not isinstance(wanted[0], list) else np.zeros(()),
    )


def verdict(case: Any) -> str:
    """ "right", "wrong", or the reason why it is refused."""
    proto, x, wanted = with_constants(case)
    output = proto.graph.output[0].name if proto.graph.output else None
    try:
        made = imported(proto, output=output)
        samples = x if x.ndim else x.reshape(1)
        if samples[:1].size != np.prod(made.net.input_shape):
            return "a file whose data has another shape than it says"
        y = answers(made, samples.astype(np.float64) if samples.dtype != np.uint8 else samples)
    except ChainruleError as error:
        return reason(str(error))
    right = np.asarray(wanted).astype(np.float64).reshape(y.shape) if np.size(wanted) == y.size else None
    if right is None or not np.allclose(y, right, rtol=max(case.rtol, 1e-5), atol=max(case.atol, 1e-6)):
        return f"wrong: {case.name}"
    return "right"


def reason(text: str) -> str:
    for name, patterns in REASONS.items():
        if any(re.search(pattern, text) for pattern in patterns):
            return name
    return f"unknown: {text}"


@cache
def table() -> Counter[str]:
    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases():
            counts[verdict(case)] += 1
    return counts


def test_every_case_is_right_or_refused_for_a_known_reason(capsys: pytest.CaptureFixture[str]) -> None:
    counts = table()
    with capsys.disabled():
        print(f"\n{sum(counts.values()):5} cases")
        for name, count in counts.most_common():
            print(f"{count:5} {name}")
    odd = [name for name in counts if name.startswith(("wrong", "unknown"))]
    assert not odd
    assert counts["right"] >= 130


LIGHT = sorted(Path(onnx.__file__).parent.glob("backend/test/data/light/*.onnx"))
CANNOT = {
    "light_inception_v1": "count_include_pad is 0",
    "light_inception_v2": "count_include_pad is 0",
    "light_shufflenet": "is turned to",
}
"""Networks of the package that no layers express, and why."""
COMPUTED = ("light_squeezenet", "light_resnet50", "light_densenet121")
"""The smaller ones are also computed. The others, of 61 to 144 million parameters, take gigabytes to build:
CHAINRULE_LARGE_MODELS=1."""


@pytest.mark.skipif(not LONG, reason="the networks are large: CHAINRULE_LONG_TESTS=1")
@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_light_models(path: Path) -> None:
    import chainrule as cr

    if path.stem not in (*CANNOT, *COMPUTED) and not os.environ.get("CHAINRULE_LARGE_MODELS"):
        pytest.skip("of gigabytes: CHAINRULE_LARGE_MODELS=1")
    if path.stem in CANNOT:
        with pytest.raises(ChainruleError, match=CANNOT[path.stem]):
            cr.from_onnx(path)
        return
    net = cr.from_onnx(path)
    if path.stem not in COMPUTED:
        return
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).random((1, *net.input_shape), np.float32)
    names = {given.name for given in session.get_inputs()} - {
        weight.name for weight in onnx.load(path).graph.initializer
    }
    wanted = session.run(None, dict.fromkeys(names, x))[0]
    np.testing.assert_allclose(net(x).ravel(), wanted.ravel(), rtol=1e-3, atol=1e-5)
