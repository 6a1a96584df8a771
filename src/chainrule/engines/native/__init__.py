"""The native engine: sixteen samples side by side, each block of them through the whole network at once."""

from chainrule.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]
