"""What makes layers of the operators of ONNX, one module per family. Importing this package registers all of them."""

from chainrule.interchange.onnx.operators import (
    arithmetic,
    convolutions,
    dense,
    normalizations,
    pointwise,
    pools,
    reductions,
    shapes,
    traditional,
)

__all__ = [
    "arithmetic",
    "convolutions",
    "dense",
    "normalizations",
    "pointwise",
    "pools",
    "reductions",
    "shapes",
    "traditional",
]
