"""BatchNormalization with its running statistics, and LRN."""

from __future__ import annotations

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation, shortest
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.values import Value, as_map, laid_out
from chainrule.layers import BatchNorm1d, BatchNorm2d, LocalResponseNorm
from chainrule.shapes import shape_text


@importer("BatchNormalization")
def batch_normalization(b: Builder, operation: Operation) -> Value:
    """BatchNorm2d of maps, BatchNorm1d of vectors. ONNX's momentum says what is kept, ours what is new."""
    x, *rest = b.inputs(operation, 5, 5)
    value = b.value(x)
    operation.require("training_mode", operation.integer("training_mode", 0), 0, "a file for inference is expected")
    operation.require("spatial", operation.integer("spatial", 1), 1, "layers have one number per channel")
    operation.integer("is_test", 1)
    operation.integers("consumed_inputs")
    names = ("scale", "bias", "mean", "variance")
    weight, bias, mean, var = (
        b.weights(known, f"its {name}").reshape(-1) for name, known in zip(names, rest, strict=True)
    )
    eps = operation.number("epsilon", 1e-5)
    momentum = shortest(1 - operation.number("momentum", 0.9))
    if len(value.shape) == 1:
        node = value.node
        if value.places is not None or len(node.shape) != 1:
            raise FileFormatError("its input is a map that is flattened in another order than ours")
    elif len(value.shape) == 2 and value.places is None and value.node.shape == value.shape:
        node = value.node
    elif len(value.shape) in (2, 3):
        node = as_map(value)
    else:
        raise FileFormatError(
            f"its input has {shape_text(value.shape)} for each sample, and layers take vectors or maps"
        )
    kind = BatchNorm2d if len(node.shape) == 3 else BatchNorm1d
    layer = kind(value.shape[0], eps, momentum)
    made = b.add(layer, node, key=operation.inputs[1:], weight=weight, bias=bias, running_mean=mean, running_var=var)
    return Value(made, value.shape)


@importer("LRN")
def lrn(b: Builder, operation: Operation) -> Value:
    """LocalResponseNorm; of an even number of channels ONNX and torch take one more on different sides."""
    (x,) = b.inputs(operation, 1, 1)
    value = b.value(x)
    size = operation.integer("size", 0)
    if size % 2 == 0 and value.shape and value.shape[0] > 1:
        raise FileFormatError(
            f"its attribute size is {size}, and over an even number of channels LocalResponseNorm takes the odd one "
            "from the other side"
        )
    same = value.places is None and value.node.shape[:1] == value.shape[:1]
    node = laid_out(value, value.node.shape if same else value.shape)
    alpha, beta, k = (operation.number(n, d) for n, d in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    return Value(b.add(LocalResponseNorm(size, alpha, beta, k), node), value.shape)
