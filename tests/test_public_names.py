"""The public surface: a name added or removed must be meant, and is seen in review."""

from __future__ import annotations

import chainrule as cr
from tests.layers.rows import ROWS

NAMES = [
    "Adam", "AdamW", "BCEWithLogitsLoss", "ChainruleError", "Constant", "Context", "Cosine", "CrossEntropyLoss",
    "Derivation", "Diagnosis", "Graph", "HalfSquaredErrorLoss", "HuberLoss", "Input", "L1Loss", "Layer", "Loss",
    "MAPLoss", "MSELoss", "Network", "Node", "OneCycle", "Optimizer", "RMSprop", "SGD", "Schedule", "Sequential",
    "StepDecay", "check_gradients", "diagnose_activation", "diagnose_batchnorm", "diagnose_conv2d",
    "diagnose_dropout", "diagnose_linear", "diagnose_loss",
    "diagnose_pool2d", "errors", "explain", "explorer", "from_onnx", "from_torch", "load", "load_keras",
    "load_torch", "one_hot", "parse", "set_threads", "threads",
]  # fmt: skip
"""All but the layers, which stand in the table of layers."""


def test_the_public_names_are_these() -> None:
    assert sorted(cr.__all__) == sorted({*NAMES, *(type(row.layer).__name__ for row in ROWS)})


def test_every_public_name_exists_and_is_documented() -> None:
    for name in cr.__all__:
        thing = getattr(cr, name)
        assert thing.__doc__, f"{name} has no docstring"


def test_the_version_is_a_version() -> None:
    assert cr.__version__.count(".") == 2
