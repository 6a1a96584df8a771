"""The gradient check: every analytic gradient of a network beside one made from loss values alone.

The two ways share nothing but the forward pass, so that agreement to 1e-7 proves the backward pass.
"""

from __future__ import annotations

from chainrule.differences import numerical_gradient
from chainrule.gradient_check.check import check_gradients
from chainrule.gradient_check.report import GradientReport, Kink, TensorCheck

__all__ = ["GradientReport", "Kink", "TensorCheck", "check_gradients", "numerical_gradient"]
