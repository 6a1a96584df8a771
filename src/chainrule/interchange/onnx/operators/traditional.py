"""Operators of the domain ai.onnx.ml that stand around networks: ZipMap and Scaler."""

from __future__ import annotations

import numpy as np

from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.building import Builder, importer
from chainrule.interchange.onnx.operators.affine import affine
from chainrule.interchange.onnx.values import Value


@importer("ZipMap", domain="ai.onnx.ml")
def zip_map(b: Builder, operation: Operation) -> Value:
    """Probabilities by class, as scikit-learn's exporter ends its classifiers: the network has the probabilities, and
    the classes as its class names."""
    (x,) = b.inputs(operation, 1, 1)
    labels = operation.texts("classlabels_strings") or operation.integers("classlabels_int64s")
    b.class_names = None if labels is None else tuple(str(label) for label in labels)
    return b.value(x)


@importer("Scaler", domain="ai.onnx.ml")
def scaler(b: Builder, operation: Operation) -> Value:
    """(x - offset) scale."""
    (x,) = b.inputs(operation, 1, 1)
    offset, scale = (np.array(operation.numbers(name), np.float64) for name in ("offset", "scale"))
    if not np.isfinite(offset).all() or not np.isfinite(scale).all():
        raise FileFormatError("its attributes offset and scale must be numbers")
    return affine(b, b.value(x), scale, -offset * scale)
