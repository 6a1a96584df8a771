"""The cases of all other layers, and of the losses."""

from __future__ import annotations

from chainrule import layers
from chainrule.layers.dense import RBF, Linear
from chainrule.layers.dropout import Dropout
from chainrule.layers.joins import Add, Concat, Flatten
from chainrule.layers.normalization import BatchNorm1d, BatchNorm2d, LocalResponseNorm
from chainrule.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfSquaredErrorLoss,
    HuberLoss,
    L1Loss,
    MAPLoss,
    MSELoss,
    Reduction,
)
from chainrule.vectors.cases import Family, LayerCase, LossCase


def dense() -> list[LayerCase]:
    """Linear and RBF."""
    f = Family("linear", ("S4-E38", "S4-E08", "S4-E18", "S4-E24"))
    f.add("plain", Linear(5, 3), (5,))
    f.add("one number", Linear(1, 1), (1,), batch=1)
    f.add("no bias", Linear(3, 4, bias=False), (3,), batch=3)
    f.add("one bias for all outputs (ERX-08)", Linear(3, 4, "shared"), (3,))
    f.add("inputs around 2^45", Linear(4, 3), (4,), kind="large")
    g = Family("rbf", ("S2-H03",))
    g.add("plain", RBF(4, 3), (4,))
    g.add("one number", RBF(1, 1), (1,), batch=1)
    return f.cases + g.cases


def activations() -> list[LayerCase]:
    """Activations: ordinary numbers, zeros, and numbers at which exp overflows."""
    cases: list[LayerCase] = []
    for stem, layer, sources, exact in (
        ("relu", layers.ReLU(), ("S0-E37", "ER1-16"), True),
        ("leaky_relu", layers.LeakyReLU(0.25), ("ER1-16",), True),
        ("sigmoid", layers.Sigmoid(), ("S0-E19", "S0-E25"), False),
        ("tanh", layers.Tanh(), ("S4-E10",), False),
        ("scaled_tanh", layers.ScaledTanh(), ("S4-E10",), False),
        ("identity", layers.Identity(), ("S4-E10",), True),
    ):
        f = Family(stem, sources)
        f.add("a vector", layer, (5,), exact=exact)
        f.add("maps, with zeros among the numbers", layer, (2, 3, 4), kind="ties", exact=exact)
        f.add("extreme values", layer, (24,), kind="extreme", exact=exact)
        cases += f.cases
    f = Family("softmax", ("S3-F09",))
    f.add("classes", layers.Softmax(), (4,), exact=False)
    f.add("channels of maps", layers.Softmax(), (3, 2, 2), exact=False)
    f.add("one class", layers.Softmax(), (1,), batch=1)
    f.add("extreme values", layers.Softmax(), (6,), batch=4, kind="extreme", exact=False)
    return cases + f.cases


def normalizations() -> list[LayerCase]:
    """Batch and local response normalisation, dropout."""
    f = Family("batch_norm1d", ("S2-P04",))
    f.add("training: statistics of the batch", BatchNorm1d(3), (3,), batch=5, training=True, exact=False)
    f.add("training: statistics over the length too", BatchNorm1d(2), (2, 4), batch=3, training=True, exact=False)
    f.add("inference: running statistics", BatchNorm1d(3), (3,), exact=False)
    f.add("training, every option", BatchNorm1d(3, 0.25, 0.5, affine=False), (3,), batch=4, training=True, exact=False)
    g = Family("batch_norm2d", ("S2-P04",))
    g.add("training", BatchNorm2d(2), (2, 3, 4), training=True, exact=False)
    g.add("training, one sample", BatchNorm2d(2), (2, 3, 4), batch=1, training=True, exact=False)
    g.add("training, other eps and momentum", BatchNorm2d(2, 0.25, 0.5), (2, 3, 4), training=True, exact=False)
    g.add("training, no weight and bias", BatchNorm2d(2, affine=False), (2, 3, 4), training=True, exact=False)
    g.add(
        "training, constant maps: the variance is 0",
        BatchNorm2d(2),
        (2, 3, 3),
        training=True,
        kind="constant",
        exact=False,
    )
    g.add("inference", BatchNorm2d(2), (2, 3, 4), exact=False)
    h = Family("local_response_norm", ("S2-B05",))
    h.add("plain", LocalResponseNorm(3), (5, 2, 3), exact=False)
    h.add("even size, all options", LocalResponseNorm(4, 0.5, 0.5, 2.0), (6, 2, 2), exact=False)
    h.add("wider than the channels", LocalResponseNorm(9, 1.0, 1.0, 1.0), (3, 2, 2), exact=False)
    d = Family("dropout", ("S2-B05",))
    d.add("training: the mask is in the file", Dropout(0.5), (3, 4), batch=3, training=True)
    d.add("training, p = 0.75", Dropout(0.75), (16,), training=True)
    d.add("training, p = 1: nothing passes", Dropout(1.0), (4,), training=True)
    d.add("inference: everything passes", Dropout(0.5), (4,))
    return f.cases + g.cases + h.cases + d.cases


def joins() -> list[LayerCase]:
    """Layers that move values."""
    f = Family("flatten", ("S2-F04",))
    f.add("maps", Flatten(), (2, 3, 4))
    g = Family("add", ("S2-B05",))
    g.add("two inputs", Add(), (2, 3, 3), (2, 3, 3))
    g.add("three vectors", Add(), (4,), (4,), (4,))
    h = Family("concat", ("S2-B05",))
    h.add("channels", Concat(), (2, 3, 3), (1, 3, 3))
    h.add("three vectors", Concat(), (2,), (1,), (3,))
    return f.cases + g.cases + h.cases


def losses() -> list[LossCase]:
    """Every loss with both reductions, soft targets and extreme outputs."""
    cases: list[LossCase] = []
    reductions: tuple[Reduction, ...] = ("mean", "sum")
    for reduction in reductions:
        cross, mean = CrossEntropyLoss(reduction), reduction
        w15, e22 = ("ER4-27",), ("S0-E22", "S0-E24", "ER4-27")
        made = [
            LossCase(f"cross_entropy_{mean}_1", "class indices", cross, (4,), "classes", sources=w15),
            LossCase(f"cross_entropy_{mean}_2", "probabilities as targets", cross, (4,), "probabilities", sources=w15),
            LossCase(f"cross_entropy_{mean}_3", "a class for each pixel", cross, (3, 2, 2), "classes", sources=w15),
            LossCase(f"cross_entropy_{mean}_4", "extreme logits", cross, (6,), "classes", kind="extreme", sources=w15),
            LossCase(f"mse_{mean}", "values", MSELoss(reduction), (4,), "values", batch=4, exact=True, sources=w15),
            LossCase(
                f"half_squared_error_{mean}",
                "values",
                HalfSquaredErrorLoss(reduction),
                (3,),
                "values",
                batch=4,
                exact=True,
                sources=e22,
            ),
            LossCase(f"bce_with_logits_{mean}_1", "0 to 1", BCEWithLogitsLoss(reduction), (4,), "shares", sources=w15),
            LossCase(
                f"bce_with_logits_{mean}_2",
                "extreme logits",
                BCEWithLogitsLoss(reduction),
                (8,),
                "shares",
                kind="extreme",
                sources=w15,
            ),
            LossCase(
                f"map_{mean}",
                "penalties of radial basis units",
                MAPLoss(2.0, reduction),
                (4,),
                "classes",
                kind="positive",
                sources=("S2-H03",),
            ),
        ]
        cases += made
        cases += _weighted_losses(reduction)
    return cases


def _weighted_losses(reduction: Reduction) -> list[LossCase]:
    """Weights of classes, smoothing, and the losses of distances."""
    weight, mean, er = [0.5, 2.0, 1.0, 0.25], reduction, ("ER4-27",)
    weighted = CrossEntropyLoss(reduction, weight=weight, label_smoothing=0.25)
    binary = BCEWithLogitsLoss(reduction, weight=weight, pos_weight=[4.0, 1.0, 0.5, 2.0])
    return [
        LossCase(f"cross_entropy_{mean}_5", "weights, smoothing, class indices", weighted, (4,), "classes", sources=er),
        LossCase(f"cross_entropy_{mean}_6", "the same, probabilities", weighted, (4,), "probabilities", sources=er),
        LossCase(f"bce_with_logits_{mean}_3", "weights of outputs and positives", binary, (4,), "shares", sources=er),
        LossCase(f"l1_{mean}", "values", L1Loss(reduction), (4,), "values", batch=4, exact=True, sources=er),
        LossCase(f"huber_{mean}", "values", HuberLoss(reduction, 0.5), (4,), "values", batch=4, exact=True, sources=er),
    ]
