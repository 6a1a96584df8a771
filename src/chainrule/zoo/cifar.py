"""Deeper networks for small colour images: convolutions in blocks (VGG) and with shortcuts (ResNet)."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.errors import ArgumentError
from chainrule.graph import Input
from chainrule.layers import AdaptiveAvgPool2d, Add, BatchNorm2d, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU
from chainrule.layers.base import Node
from chainrule.network import Network

CIFAR = (3, 32, 32)
WIDTHS = (64, 128, 256)


def _image(input_shape: Sequence[int], widths: Sequence[int]) -> Node:
    if len(input_shape) != 3:
        raise ArgumentError(f"input_shape must be (channels, rows, columns), not {tuple(input_shape)}")
    if not widths:
        raise ArgumentError("widths must name the channels of at least one block, such as (64, 128, 256)")
    return Input(input_shape)


def _apply(node: Node, *layers: Layer) -> Node:
    for layer in layers:
        node = layer(node)
    return node


def _conv(
    node: Node, channels: int, kernel_size: int, stride: int, batch_norm: bool, initialization: str = "he"
) -> Node:
    """A convolution that keeps the size at stride 1, and batch normalisation, which makes its bias superfluous."""
    conv = Conv2d(
        node.shape[0],
        channels,
        kernel_size,
        stride=stride,
        padding=kernel_size // 2,
        bias=not batch_norm,
        initialization=initialization,
    )
    return _apply(node, conv, *([BatchNorm2d(channels)] if batch_norm else []))


def vgg_like(
    input_shape: Sequence[int] = CIFAR,
    classes: int = 10,
    *,
    widths: Sequence[int] = WIDTHS,
    batch_norm: bool = False,
    seed: int = 0,
) -> Network:
    """Two 3x3 convolutions and a pool for each width, then dense layers of the last width and `classes`."""
    x = node = _image(input_shape, widths)
    for width in widths:
        for _ in range(2):
            node = _apply(_conv(node, width, 3, 1, batch_norm), ReLU())
        node = MaxPool2d(2)(node)
    node = Flatten()(node)
    node = _apply(node, Linear(node.shape[0], widths[-1]), ReLU(), Linear(widths[-1], classes))
    return Network(x, node, seed=seed)


def resnet_like(
    input_shape: Sequence[int] = CIFAR,
    classes: int = 10,
    *,
    widths: Sequence[int] = WIDTHS,
    blocks: int = 2,
    batch_norm: bool = True,
    seed: int = 0,
) -> Network:
    """`blocks` residual blocks for each width, halving the map at each new width, then a global average (S2-B05).

    Without batch normalisation the second convolution of each block is initialised to zero, so that the network
    starts as its shortcuts alone and its values do not grow with depth.
    """
    x = node = _image(input_shape, widths)
    node = _apply(_conv(node, widths[0], 3, 1, batch_norm), ReLU())
    for number, width in enumerate(widths):
        for block in range(blocks):
            node = _residual(node, width, 2 if number > 0 and block == 0 else 1, batch_norm)
    node = _apply(node, AdaptiveAvgPool2d(1), Flatten(), Linear(widths[-1], classes))
    return Network(x, node, seed=seed)


def _residual(x: Node, channels: int, stride: int, batch_norm: bool) -> Node:
    """relu(conv(relu(conv(x))) + shortcut(x)); the shortcut is x itself where the shapes agree."""
    inner = _apply(_conv(x, channels, 3, stride, batch_norm), ReLU())
    inner = _conv(inner, channels, 3, 1, batch_norm, "he" if batch_norm else "zeros")
    shortcut = x if x.shape == inner.shape else _conv(x, channels, 1, stride, batch_norm)
    return _apply(Add()(inner, shortcut), ReLU())
