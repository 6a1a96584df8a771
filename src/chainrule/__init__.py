"""chainrule: feed-forward and convolutional networks whose every backward pass is written by hand from the chain rule.

import chainrule as cr
net = cr.parse("1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> fc 10")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule import errors, layers
from chainrule.arrays import one_hot
from chainrule.engines.native.threads import set_threads, threads
from chainrule.errors import ChainruleError
from chainrule.explain import explain
from chainrule.explorer import explorer
from chainrule.graph import Graph, Input
from chainrule.layers import *  # noqa: F403  what its __all__ lists
from chainrule.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfSquaredErrorLoss,
    HuberLoss,
    L1Loss,
    Loss,
    MAPLoss,
    MSELoss,
)
from chainrule.network import Network, Sequential, load, parse
from chainrule.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from chainrule.schedules import Constant, Cosine, OneCycle, Schedule, StepDecay

if TYPE_CHECKING:
    from chainrule.diagnosis import (
        Diagnosis,
        diagnose_activation,
        diagnose_batchnorm,
        diagnose_conv2d,
        diagnose_dropout,
        diagnose_linear,
        diagnose_loss,
        diagnose_pool2d,
    )
    from chainrule.explain import Derivation
    from chainrule.gradient_check import check_gradients
    from chainrule.interchange.keras import load_keras
    from chainrule.interchange.onnx.importing import from_onnx
    from chainrule.interchange.torch import from_torch, load_torch

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BCEWithLogitsLoss",
    "ChainruleError",
    "Constant",
    "Cosine",
    "CrossEntropyLoss",
    "Derivation",
    "Diagnosis",
    "Graph",
    "HalfSquaredErrorLoss",
    "HuberLoss",
    "Input",
    "L1Loss",
    "Loss",
    "MAPLoss",
    "MSELoss",
    "Network",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "Sequential",
    "StepDecay",
    "check_gradients",
    "diagnose_activation",
    "diagnose_batchnorm",
    "diagnose_conv2d",
    "diagnose_dropout",
    "diagnose_linear",
    "diagnose_loss",
    "diagnose_pool2d",
    "errors",
    "explain",
    "explorer",
    "from_onnx",
    "from_torch",
    "load",
    "load_keras",
    "load_torch",
    "one_hot",
    "parse",
    "set_threads",
    "threads",
]
__all__ += layers.__all__


_LAZY = {
    "Derivation": "chainrule.explain.derivation",
    "Diagnosis": "chainrule.diagnosis",
    "check_gradients": "chainrule.gradient_check",
    "diagnose_activation": "chainrule.diagnosis",
    "diagnose_batchnorm": "chainrule.diagnosis",
    "diagnose_conv2d": "chainrule.diagnosis",
    "diagnose_dropout": "chainrule.diagnosis",
    "diagnose_linear": "chainrule.diagnosis",
    "diagnose_loss": "chainrule.diagnosis",
    "diagnose_pool2d": "chainrule.diagnosis",
    "from_onnx": "chainrule.interchange.onnx.importing",
    "from_torch": "chainrule.interchange.torch",
    "load_keras": "chainrule.interchange.keras",
    "load_torch": "chainrule.interchange.torch",
}
"""What is imported when it is asked for, so that `import chainrule` stays fast."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
