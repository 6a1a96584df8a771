"""What each layer, loss and optimizer of the package is in C: which values its two directions read, and what they keep.

The C itself stands in `templates/`, one file for each name here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chainrule.expressions import letters
from chainrule.graph import Step
from chainrule.layers import Layer
from chainrule.layers.activations import Activation
from chainrule.optimizers import Optimizer
from chainrule.shapes import product

Sizes = Mapping[str, int]


def _nothing(step: Step) -> Sizes:
    return {}


def _winners(step: Step) -> Sizes:
    return {"winners": product(step.shape)}


def _scale(step: Step) -> Sizes:
    return {"scale": product(step.shape)}


def _through(step: Step) -> Sizes:
    return {"through": product(step.shape)}


def _statistics(step: Step) -> Sizes:
    return {"mean": step.shape[0], "deviation": step.shape[0]}


@dataclass(frozen=True)
class Rule:
    """One kind of layer.

    input_reads       what the input's gradient reads beside dy: "x", "y" or both
    parameter_reads   the same for each parameter's
    in_place          whether y may lie where x lay, and dx where dy lay
    saves, scratch    further numbers: what forward keeps for backward, and what backward needs for a moment
    whole_batch       whether its C looks at all samples of a batch at once
    saves_always      whether `saves` is needed in inference too
    has_training      whether forward is another one in training
    """

    template: str
    input_reads: str = ""
    parameter_reads: Mapping[str, str] = field(default_factory=dict)
    in_place: bool = False
    saves: Callable[[Step], Sizes] = _nothing
    scratch: Callable[[Step], Sizes] = _nothing
    whole_batch: bool = False
    saves_always: bool = False
    has_training: bool = False


WEIGHTED = {"weight": "x"}
NORMALIZED = Rule("batchnorm", "x", WEIGHTED, in_place=True, saves=_statistics, whole_batch=True, has_training=True)

LAYER_RULES: dict[str, Rule] = {
    "Linear": Rule("linear", "", WEIGHTED),
    "RBF": Rule("rbf", "x", WEIGHTED),
    "Conv2d": Rule("conv2d", "", WEIGHTED),
    "LocallyConnected2d": Rule("locallyconnected2d", "", WEIGHTED),
    "MaxPool2d": Rule("maxpool2d", saves=_winners),
    "AvgPool2d": Rule("avgpool2d"),
    "GaussianPool2d": Rule("gaussianpool2d"),
    "LPPool2d": Rule("lppool2d", "xy"),
    "TrainablePool2d": Rule("trainablepool2d", "", WEIGHTED),
    "AdaptiveAvgPool2d": Rule("adaptiveavgpool2d"),
    "ReLU": Rule("relu", "y", in_place=True),
    "LeakyReLU": Rule("leakyrelu", "x", in_place=True),
    "Sigmoid": Rule("sigmoid", "y", in_place=True),
    "Tanh": Rule("tanh", "y", in_place=True),
    "ScaledTanh": Rule("scaledtanh", "y", in_place=True),
    "Softmax": Rule("softmax", "y", in_place=True),
    "LocalResponseNorm": Rule(
        "localresponsenorm", "x", in_place=True, saves=_scale, scratch=_through, saves_always=True
    ),
    "BatchNorm1d": NORMALIZED,
    "BatchNorm2d": NORMALIZED,
    "Dropout": Rule("dropout", in_place=True, has_training=True),
    "Add": Rule("add"),
    "Concat": Rule("concat"),
}
"""By class name. Layers that only rename their input (Identity, Flatten) need no C: their output is their input."""


@dataclass(frozen=True)
class Update:
    """One kind of optimizer: its template, the numbers that it remembers for each parameter, and whether a step begins
    with something that is common to all parameters."""

    template: str
    memories: Callable[[Optimizer], tuple[str, ...]]
    begins: bool = False


LOSS_TEMPLATES = {
    "CrossEntropyLoss": "crossentropyloss",
    "MSELoss": "mseloss",
    "L1Loss": "l1loss",
    "HuberLoss": "huberloss",
    "HalfSquaredErrorLoss": "halfsquarederrorloss",
    "BCEWithLogitsLoss": "bcewithlogitsloss",
    "MAPLoss": "maploss",
}


def _averages(optimizer: Optimizer) -> tuple[str, ...]:
    return ("mean", "square")


def _velocity(optimizer: Optimizer) -> tuple[str, ...]:
    return ("velocity",) if optimizer.memories else ()


def _rms(optimizer: Optimizer) -> tuple[str, ...]:
    options = optimizer.hyperparameters()
    return ("square", *(("mean",) if options["centered"] else ()), *(("velocity",) if options["momentum"] else ()))


OPTIMIZER_TEMPLATES: dict[str, Update] = {
    "SGD": Update("sgd", _velocity),
    "Adam": Update("adam", _averages, begins=True),
    "AdamW": Update("adam", _averages, begins=True),
    "RMSprop": Update("rmsprop", _rms),
}


def in_c(layer: Layer, training: bool) -> Rule | None:
    """The rule of a layer; None for one whose output is its input."""
    return None if layer.is_identity(training) else rule_of(layer)


def rule_of(layer: Layer) -> Rule:
    """The rule of a layer that computes something; a curve without a template is written from its expressions."""
    own = LAYER_RULES.get(type(layer).__name__)
    if own is not None or not isinstance(layer, Activation):
        return LAYER_RULES[type(layer).__name__]
    curve = layer.curve()
    assert curve is not None
    return Rule("curve", "".join(sorted(letters(curve.derivative))), in_place=True)
