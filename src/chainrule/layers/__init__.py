"""The layers: one file per family, each layer its forward equation beside its backward equations.

A family's `__all__` is the one list of its layers: this package, `chainrule` itself and `LAYERS` are made from it.
"""

# ruff: noqa: F403  what the families list
from chainrule.layers import activations, convolution, dense, dropout, joins, normalization, pooling
from chainrule.layers.activations import *
from chainrule.layers.base import Context, Layer, Node
from chainrule.layers.convolution import *
from chainrule.layers.dense import *
from chainrule.layers.dropout import *
from chainrule.layers.joins import *
from chainrule.layers.normalization import *
from chainrule.layers.pooling import *

LAYERS: dict[str, type[Layer]] = {
    name: getattr(family, name)
    for family in (dense, convolution, pooling, activations, normalization, dropout, joins)
    for name in family.__all__
}
"""Every layer of the package by class name."""

__all__ = ["Context", "Layer", "Node"]
__all__ += activations.__all__
__all__ += convolution.__all__
__all__ += dense.__all__
__all__ += dropout.__all__
__all__ += joins.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
