"""The local terms of every layer, by class: which terms add up to one scalar."""

from __future__ import annotations

from chainrule import layers
from chainrule.explain.local.activations import ELEMENTWISE, DropoutTerms, SoftmaxTerms
from chainrule.explain.local.base import Local
from chainrule.explain.local.convolution import ConvTerms, LocalConvTerms
from chainrule.explain.local.dense import LinearTerms, RBFTerms
from chainrule.explain.local.joins import AddTerms, ConcatTerms, FlattenTerms
from chainrule.explain.local.normalization import BatchNormTerms, ResponseTerms
from chainrule.explain.local.numeric import NumericTerms
from chainrule.explain.local.pooling import AdaptiveTerms, LPTerms, MaxTerms, TrainableTerms, WeightedTerms

LOCAL: dict[type[layers.Layer], Local] = {
    layers.Linear: LinearTerms(),
    layers.RBF: RBFTerms(),
    layers.Conv2d: ConvTerms(),
    layers.LocallyConnected2d: LocalConvTerms(),
    layers.MaxPool2d: MaxTerms(),
    layers.AvgPool2d: WeightedTerms("S0-E39", "S2-E41", "ER4-23", mean=True),
    layers.GaussianPool2d: WeightedTerms("S2-F06", "ER2-06", mean=False),
    layers.LPPool2d: LPTerms(),
    layers.TrainablePool2d: TrainableTerms(),
    layers.AdaptiveAvgPool2d: AdaptiveTerms(),
    **ELEMENTWISE,
    layers.Softmax: SoftmaxTerms(),
    layers.Dropout: DropoutTerms(),
    layers.Flatten: FlattenTerms(),
    layers.Add: AddTerms(),
    layers.Concat: ConcatTerms(),
    layers.BatchNorm1d: BatchNormTerms(),
    layers.BatchNorm2d: BatchNormTerms(),
    layers.LocalResponseNorm: ResponseTerms(),
}
"""Every layer of the package. By exact class: a subclass may compute something else."""

_NUMERIC = NumericTerms()


def local_terms(layer: layers.Layer) -> Local:
    """The local terms of a layer; for one of the user's own, those that its backward pass tells."""
    return LOCAL.get(type(layer), _NUMERIC)


__all__ = ["LOCAL", "Local", "local_terms"]
