"""The rules of the package's layers, one file per family, as in `chainrule.layers`."""

from chainrule.interchange.onnx.layers import activations, convolution, dense, joins, normalization, pooling

__all__ = ["activations", "convolution", "dense", "joins", "normalization", "pooling"]
