"""The public surface: a name added or removed must be meant, and is seen in review."""

from __future__ import annotations

import chainrule as cr

NAMES = [
    "Adam", "AdamW", "AdaptiveAvgPool2d", "Add", "AvgPool2d", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d",
    "ChainruleError", "Concat", "Constant", "Context", "Conv2d", "Cosine", "CrossEntropyLoss", "Derivation",
    "Diagnosis", "Dropout", "Flatten", "GaussianPool2d", "Graph", "HalfSquaredErrorLoss", "Identity", "Input",
    "LPPool2d", "Layer", "LeakyReLU", "Linear", "LocalResponseNorm", "LocallyConnected2d", "Loss", "MAPLoss",
    "MSELoss", "MaxPool2d", "Network", "Node", "OneCycle", "Optimizer", "RBF", "ReLU", "SGD", "ScaledTanh",
    "Schedule", "Sequential", "Sigmoid", "Softmax", "StepDecay", "Tanh", "TrainablePool2d", "check_gradients",
    "diagnose_activation", "diagnose_conv2d", "diagnose_linear", "diagnose_loss", "diagnose_pool2d", "errors",
    "explain", "load", "one_hot", "parse", "set_threads", "threads",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert sorted(cr.__all__) == NAMES


def test_every_public_name_exists_and_is_documented() -> None:
    for name in cr.__all__:
        thing = getattr(cr, name)
        assert thing.__doc__, f"{name} has no docstring"


def test_the_version_is_a_version() -> None:
    assert cr.__version__.count(".") == 2
