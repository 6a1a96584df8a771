"""The words for layers: one table, from which texts are read and written.

conv 6@5x5 [stride 2] [pad 2 | pad 1,2 | pad 0,1,0,1 | pad same] [dilation 2] [groups 2] [nobias] [flipped]
local 6@3x3 [stride] [pad] [dilation] [nobias]
maxpool 2 [stride] [pad]    avgpool 2 [stride] [pad]    lppool 2 norm 2 [stride]    gaussianpool 3 sigma 1 [stride]
trainablepool 2 [stride]    adaptiveavgpool 1           (pool is another word for maxpool)
fc 120 [nobias | sharedbias]    rbf 10    flatten
relu    leakyrelu [0.1]    sigmoid    tanh    scaledtanh    softmax    identity, and so on: activations by their names
dropout 0.5    batchnorm    lrn 5 [alpha 0.0001] [beta 0.75] [k 1]
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from chainrule import layers
from chainrule.grammar.values import COUNT, KERNEL, NUMBER, PADDING, SIZE, Kind
from chainrule.layers.activations import Activation
from chainrule.layers.base import Layer

Role: TypeAlias = Literal["conv", "pool", "fc", "relu", "activation", "flatten", "other"]
"""What a layer is to the structures of the sources."""


@dataclass(frozen=True)
class Argument:
    """A value that stands right after the word; `mark` stands before it."""

    parameter: str
    kind: Kind
    required: bool = True
    mark: str = ""


@dataclass(frozen=True)
class Option:
    """A word that sets a constructor's parameter, to the value after it or (without a kind) to `value`."""

    parameter: str
    kind: Kind | None = None
    value: Any = None
    required: bool = False


@dataclass(frozen=True)
class Word:
    """A word for a layer. `inferred` is the parameter that the input's shape tells."""

    name: str
    layer: type[Layer]
    role: Role
    example: str
    arguments: tuple[Argument, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    inferred: str | None = None
    flattens: bool = False
    vector_layer: type[Layer] | None = None

    def layer_for(self, ndim: int) -> type[Layer]:
        """The class for inputs of `ndim` axes."""
        return self.vector_layer if self.vector_layer is not None and ndim == 1 else self.layer


_STRIDE = {"stride": Option("stride", SIZE)}
_PAD = {"pad": Option("padding", PADDING)}
_NOBIAS = {"nobias": Option("bias", value=False)}
_WINDOW = _STRIDE | _PAD | {"dilation": Option("dilation", SIZE)}
_FILTERS = (Argument("out_channels", COUNT), Argument("kernel_size", KERNEL, mark="@"))
_KERNEL = (Argument("kernel_size", SIZE),)
_CONV = _WINDOW | {"groups": Option("groups", COUNT)} | _NOBIAS | {"flipped": Option("mode", value="convolution")}
_FC = _NOBIAS | {"sharedbias": Option("bias", value="shared")}
_LRN = {name: Option(name, NUMBER) for name in ("alpha", "beta", "k")}


def _pool(name: str, layer: type[Layer], example: str, **rest: Any) -> Word:
    return Word(name, layer, "pool", example, _KERNEL, **rest)


def _is_plain_activation(layer: type[Layer]) -> bool:
    """Whether it has no options; one that has needs a word of its own."""
    return issubclass(layer, Activation) and set(inspect.signature(layer).parameters) <= {"name"}


def _activation(layer: type[Layer]) -> Word:
    """An activation without options is called as its class, in small letters."""
    name = layer.__name__.lower()
    return Word(name, layer, "relu" if layer is layers.ReLU else "activation", name)


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("conv", layers.Conv2d, "conv", "conv 6@5x5", _FILTERS, _CONV, "in_channels"),
        Word("local", layers.LocallyConnected2d, "conv", "local 6@3x3", _FILTERS, _WINDOW | _NOBIAS, "in_channels"),
        _pool("maxpool", layers.MaxPool2d, "maxpool 2", options=_STRIDE | _PAD),
        _pool("avgpool", layers.AvgPool2d, "avgpool 2", options=_STRIDE | _PAD),
        _pool(
            "lppool",
            layers.LPPool2d,
            "lppool 2 norm 2",
            options={"norm": Option("norm_type", NUMBER, required=True)} | _STRIDE,
        ),
        _pool(
            "gaussianpool",
            layers.GaussianPool2d,
            "gaussianpool 3 sigma 1",
            options={"sigma": Option("sigma", NUMBER, required=True)} | _STRIDE,
        ),
        _pool("trainablepool", layers.TrainablePool2d, "trainablepool 2", options=_STRIDE, inferred="channels"),
        Word(
            "adaptiveavgpool",
            layers.AdaptiveAvgPool2d,
            "pool",
            "adaptiveavgpool 1",
            (Argument("output_size", SIZE),),
        ),
        Word("fc", layers.Linear, "fc", "fc 120", (Argument("out_features", COUNT),), _FC, "in_features", True),
        Word("rbf", layers.RBF, "fc", "rbf 10", (Argument("out_features", COUNT),), {}, "in_features", flattens=True),
        Word("flatten", layers.Flatten, "flatten", "flatten"),
        *(_activation(layer) for layer in layers.LAYERS.values() if _is_plain_activation(layer)),
        Word(
            "leakyrelu",
            layers.LeakyReLU,
            "activation",
            "leakyrelu 0.1",
            (Argument("negative_slope", NUMBER, required=False),),
        ),
        Word("dropout", layers.Dropout, "other", "dropout 0.5", (Argument("p", NUMBER),)),
        Word(
            "batchnorm",
            layers.BatchNorm2d,
            "other",
            "batchnorm",
            inferred="num_features",
            vector_layer=layers.BatchNorm1d,
        ),
        Word("lrn", layers.LocalResponseNorm, "other", "lrn 5", (Argument("size", COUNT),), _LRN),
    )
}

NAMED = "as"
"""Stands before the name of a layer or a group."""

OTHER_NAMES = {"pool": "maxpool"}
"""Words of the sources that are read, but not written."""

NOT_OURS = {
    "linear": "fc", "dense": "fc", "locallyconnected": "local", "localresponsenorm": "lrn", "conv2d": "conv",
    "convolution": "conv", "meanpool": "avgpool", "maxpooling": "maxpool", "l2pool": "lppool", "bn": "batchnorm",
}  # fmt: skip
"""Words that people know from elsewhere, and ours for them: named in errors."""

BY_LAYER: dict[type[Layer], Word] = {
    layer: word for word in WORDS.values() for layer in (word.layer, word.vector_layer) if layer is not None
}
