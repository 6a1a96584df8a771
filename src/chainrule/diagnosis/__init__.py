"""Diagnosis of gradients that somebody else computed: not only that they are wrong, but which mistake was made.

For plain arrays (`diagnose_conv2d`, `diagnose_linear`, ...) and, through `check_gradients`, for layers of one's own.
The right gradient comes from the equations. Where the given one differs by more than rounding can explain, a table
of planted mistakes is tried, and those that reproduce the given numbers are named.

    truth        the right numbers and what rounding may do to them
    problem      a layer at given numbers; the table of suspects
    convolution, dense, pooling, activations, normalization, losses   the layers, and a function for each mistake
    generic      mistakes that need no layer: signs, factors, axes
    naming       which of them fit
    layers       the same for a user's own layer inside a network
    planting     the other direction: a layer of a traced network with one of these mistakes in its gradient
    chinese      what is said, in Chinese
"""

from __future__ import annotations

from chainrule.diagnosis.entrances import (
    diagnose_activation,
    diagnose_batchnorm,
    diagnose_conv2d,
    diagnose_dropout,
    diagnose_linear,
    diagnose_loss,
    diagnose_pool2d,
)
from chainrule.diagnosis.naming import Finding
from chainrule.diagnosis.report import Diagnosis, TensorDiagnosis

__all__ = [
    "Diagnosis",
    "Finding",
    "TensorDiagnosis",
    "diagnose_activation",
    "diagnose_batchnorm",
    "diagnose_conv2d",
    "diagnose_dropout",
    "diagnose_linear",
    "diagnose_loss",
    "diagnose_pool2d",
]
