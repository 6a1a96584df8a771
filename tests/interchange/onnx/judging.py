"""Models made from a few lines, and a network imported from one beside ONNX's own reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from chainrule.interchange.onnx.importing import Imported, network_of  # noqa: E402
from chainrule.interchange.onnx.reading import model_of  # noqa: E402
from tests.helpers import Array  # noqa: E402

FOLDER = Path()


def node(kind: str, inputs: str, outputs: str = "y", domain: str = "", **attributes: Any) -> Any:
    """node("Conv", "x w b", strides=[2, 2]); "-" leaves an input out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, names, outputs.split(), domain=domain, **attributes)


def model(
    nodes: Sequence[Any],
    shape: Sequence[int | str | None],
    constants: Mapping[str, Any] | None = None,
    opset: int = 21,
    kind: int = TensorProto.DOUBLE,
    output: str = "y",
) -> Any:
    """A model of one input x with the stated shape, and one output."""
    initializers = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(output, kind, None)],
        initializers,
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def imported(proto: Any, **options: Any) -> Imported:
    """The network of a model in memory."""
    return network_of(model_of(proto, FOLDER), **options)


def answers(made: Imported, x: Array) -> Array:
    """(n, numbers) in the file's order, for samples in the file's order."""
    flat = x.reshape(len(x), -1) if x.ndim else x.reshape(1, 1)
    if made.input_places is not None:
        laid = np.empty_like(flat)
        laid[:, made.input_places.ravel()] = flat
        flat = laid
    y = made.net(flat.reshape(len(flat), *made.net.input_shape), dtype="float64")
    y = y.reshape(len(y), -1)
    return y if made.output_places is None else y[:, made.output_places.ravel()]


def check_against_reference(proto: Any, x: Array, atol: float = 1e-12, **options: Any) -> Imported:
    """The imported network computes what ONNX's reference does."""
    from onnx.reference import ReferenceEvaluator

    made = imported(proto, **options)
    wanted = np.asarray(ReferenceEvaluator(proto).run(None, {"x": x})[0])
    np.testing.assert_allclose(answers(made, x), wanted.reshape(len(x), -1), rtol=atol, atol=atol)
    return made
