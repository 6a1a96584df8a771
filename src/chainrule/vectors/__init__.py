"""Gradient vectors: a documented, versioned set of cases for authors of other kernels to test against.

Every layer with every option, and the places where implementations differ: ties, strides that leave pixels over,
one-sided padding, pixels under no window, a batch of one, extreme values. Inputs, parameters, outputs, the incoming
gradient and all outgoing ones, in float64. docs/vectors.md says how to read them.
"""

from __future__ import annotations

from chainrule.vectors.write import TOLERANCE, VERSION, write_vectors

__all__ = ["TOLERANCE", "VERSION", "write_vectors"]
