"""Pipelines in ONNX: what `skl2onnx` needs to know about the estimators. `import chainrule.sklearn` registers it, if
`skl2onnx` is there.

    onnx_model = skl2onnx.to_onnx(make_pipeline(StandardScaler(), CNNClassifier()), X[:1].astype(np.float32))
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.sklearn.classifier import CNNClassifier
from chainrule.sklearn.regressor import CNNRegressor


def register_converters() -> None:
    """Tell `skl2onnx` of both estimators, where it is installed."""
    if find_spec("skl2onnx") is None:
        return
    from skl2onnx import update_registered_converter

    update_registered_converter(
        CNNClassifier,
        "ChainruleCNNClassifier",
        _shape_classifier,
        _convert_classifier,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]},
    )
    update_registered_converter(CNNRegressor, "ChainruleCNNRegressor", _shape_regressor, _convert_regressor)


def _shape_classifier(operator: Any) -> None:
    """As those of all classifiers; of several labels each has its column."""
    from skl2onnx.common.data_types import Int64TensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    estimator = operator.raw_operator
    if not estimator._several:
        calculate_linear_classifier_output_shapes(operator)
        return
    shape = [operator.inputs[0].get_first_dimension(), len(estimator.classes_)]
    operator.outputs[0].type = Int64TensorType(shape)
    operator.outputs[1].type = _numbers(operator, shape)


def _shape_regressor(operator: Any) -> None:
    shape = [operator.inputs[0].get_first_dimension(), operator.raw_operator.n_outputs_]
    operator.outputs[0].type = _numbers(operator, shape)


def _numbers(operator: Any, shape: list[Any]) -> Any:
    """The pipeline's own kind of numbers."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    return (DoubleTensorType if isinstance(operator.inputs[0].type, DoubleTensorType) else FloatTensorType)(shape)


SINGLE = {"Conv", "ConvTranspose", "AveragePool", "GlobalAveragePool", "LRN", "LpPool"}
"""Operators that ONNX Runtime has in float32 alone. All others compute in float64, so that what rounding does to
probabilities stays below a millionth."""


def _outputs_of_network(scope: Any, operator: Any, container: Any) -> str:
    """The network's nodes, put among those of the pipeline; the name of its outputs, in float64."""
    from onnx import TensorProto, load, numpy_helper

    estimator = operator.raw_operator
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        estimator.network_.to_onnx(path, dtype="float64")
        graph = load(path).graph
    shape = _array(scope, container, np.array([-1, *estimator.network_.input_shape], np.int64))
    x = _node(scope, container, "Cast", [operator.inputs[0].full_name], to=TensorProto.DOUBLE)
    names = {"": "", graph.input[0].name: _node(scope, container, "Reshape", [x, shape])}
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    single = {name for node in graph.node if node.op_type in SINGLE for name in node.input if name in arrays}
    for name, array in arrays.items():
        names[name] = _array(scope, container, array.astype(np.float32) if name in single else array)
    for node in graph.node:
        inputs = [names[name] for name in node.input]
        attributes = {each.name: _value(each) for each in node.attribute}
        if node.op_type not in SINGLE:
            found = [_unique(scope, name) for name in node.output]
            _add(scope, container, node.op_type, inputs, found, node.domain, **attributes)
            names |= zip(node.output, found, strict=True)
            continue
        narrow = [
            own if name in arrays or not name else _node(scope, container, "Cast", [own], to=TensorProto.FLOAT)
            for name, own in zip(node.input, inputs, strict=True)
        ]
        result = _node(scope, container, node.op_type, narrow, **attributes)
        names[node.output[0]] = _node(scope, container, "Cast", [result], to=TensorProto.DOUBLE)
    return names[graph.output[0].name]


def _unique(scope: Any, name: str) -> str:
    found: str = scope.get_unique_variable_name(f"network_{name}")
    return found


def _add(
    scope: Any, container: Any, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any
) -> None:
    name = scope.get_unique_operator_name(kind)
    container.add_node(
        kind, inputs, outputs, op_domain=domain, op_version=container.target_opset, name=name, **attributes
    )


def _value(attribute: Any) -> Any:
    from onnx import helper

    value = helper.get_attribute_value(attribute)
    return value.decode() if isinstance(value, bytes) else value


def _array(scope: Any, container: Any, array: np.ndarray) -> str:
    from onnx import helper

    name: str = scope.get_unique_variable_name("constant")
    container.add_initializer(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.ravel().tolist())
    return name


def _node(
    scope: Any, container: Any, kind: str, inputs: list[str], output: str | None = None, **attributes: Any
) -> str:
    """One node with one output; its name."""
    name: str = output or scope.get_unique_variable_name(kind.lower())
    _add(scope, container, kind, inputs, [name], **attributes)
    return name


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    from onnx import TensorProto

    estimator, logits = operator.raw_operator, _outputs_of_network(scope, operator, container)
    labels, probabilities = (variable.full_name for variable in operator.outputs)
    if estimator._several:
        chances = _node(scope, container, "Sigmoid", [logits])
        _probabilities(scope, operator, container, chances, probabilities)
        above = _node(scope, container, "Greater", [logits, _array(scope, container, np.zeros(1))])
        _node(scope, container, "Cast", [above], labels, to=TensorProto.INT64)
        return
    chances = _node(scope, container, "Softmax", [logits], axis=1)
    _probabilities(scope, operator, container, chances, probabilities)
    largest = _node(scope, container, "ArgMax", [logits], axis=1, keepdims=0)
    classes = estimator.classes_
    if classes.dtype.kind in "OUS":
        name = scope.get_unique_variable_name("classes")
        container.add_initializer(
            name, TensorProto.STRING, classes.shape, [str(label).encode() for label in classes.tolist()]
        )
    else:
        name = _array(scope, container, classes.astype(np.int64))
    _node(scope, container, "Gather", [name, largest], labels, axis=0)


def _probabilities(scope: Any, operator: Any, container: Any, chances: str, output: str) -> None:
    """In the type that the pipeline promises."""
    from skl2onnx.common.data_types import guess_proto_type

    _node(scope, container, "Cast", [chances], output, to=guess_proto_type(operator.outputs[1].type))


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common.data_types import guess_proto_type

    outputs = _outputs_of_network(scope, operator, container)
    proto = guess_proto_type(operator.outputs[0].type)
    _node(scope, container, "Cast", [outputs], operator.outputs[0].full_name, to=proto)
