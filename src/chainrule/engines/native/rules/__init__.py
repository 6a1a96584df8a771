"""What each layer, and each loss, of the package becomes in a native program."""

from __future__ import annotations

from chainrule import layers
from chainrule.engines.native.lowering import Rules, alias
from chainrule.engines.native.records.activations import PAIRS
from chainrule.engines.native.rules.convolution import CONVOLUTION
from chainrule.engines.native.rules.elementwise import DROPOUT, LEAKY_RELU, SOFTMAX, activation
from chainrule.engines.native.rules.joins import ADD, CONCAT, LOCALLY_CONNECTED, RADIAL_BASIS
from chainrule.engines.native.rules.normalization import BATCH_NORM, RESPONSE_NORM
from chainrule.engines.native.rules.pooling import ADAPTIVE_POOL, LP_POOL, MAX_POOL, TRAINABLE_POOL, WEIGHTED_POOL
from chainrule.layers import Layer

LAYER_RULES: dict[type[Layer], Rules] = {
    layers.Linear: CONVOLUTION,
    layers.Conv2d: CONVOLUTION,
    layers.LocallyConnected2d: LOCALLY_CONNECTED,
    layers.MaxPool2d: MAX_POOL,
    layers.AvgPool2d: WEIGHTED_POOL,
    layers.GaussianPool2d: WEIGHTED_POOL,
    layers.LPPool2d: LP_POOL,
    layers.TrainablePool2d: TRAINABLE_POOL,
    layers.AdaptiveAvgPool2d: ADAPTIVE_POOL,
    **{layer: activation(*pair) for layer, pair in PAIRS.items()},
    layers.LeakyReLU: LEAKY_RELU,
    layers.Softmax: SOFTMAX,
    layers.Dropout: DROPOUT,
    layers.LocalResponseNorm: RESPONSE_NORM,
    layers.BatchNorm1d: BATCH_NORM,
    layers.BatchNorm2d: BATCH_NORM,
    layers.Add: ADD,
    layers.Concat: CONCAT,
    layers.RBF: RADIAL_BASIS,
    layers.Flatten: Rules(alias),
    layers.Identity: Rules(alias),
}
"""Every layer of the package. A subclass may compute something else, and is not found here."""
