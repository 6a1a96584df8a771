"""The layers: one file per family, each layer its forward equation beside its backward equations."""

from chainrule.layers.activations import Identity, LeakyReLU, ReLU, ScaledTanh, Sigmoid, Softmax, Tanh
from chainrule.layers.base import Context, Layer, Node
from chainrule.layers.convolution import Conv2d, LocallyConnected2d
from chainrule.layers.dense import RBF, Linear
from chainrule.layers.dropout import Dropout
from chainrule.layers.joins import Add, Concat, Flatten
from chainrule.layers.normalization import BatchNorm1d, BatchNorm2d, LocalResponseNorm
from chainrule.layers.pooling import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    GaussianPool2d,
    LPPool2d,
    MaxPool2d,
    TrainablePool2d,
)

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Linear,
        Conv2d,
        LocallyConnected2d,
        MaxPool2d,
        AvgPool2d,
        LPPool2d,
        GaussianPool2d,
        TrainablePool2d,
        AdaptiveAvgPool2d,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        ScaledTanh,
        Softmax,
        Identity,
        LocalResponseNorm,
        BatchNorm1d,
        BatchNorm2d,
        Dropout,
        Flatten,
        Add,
        Concat,
        RBF,
    )
}
"""Every layer of the package by class name."""

__all__ = [
    "LAYERS",
    "RBF",
    "AdaptiveAvgPool2d",
    "Add",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Concat",
    "Context",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GaussianPool2d",
    "Identity",
    "LPPool2d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected2d",
    "MaxPool2d",
    "Node",
    "ReLU",
    "ScaledTanh",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "TrainablePool2d",
]
