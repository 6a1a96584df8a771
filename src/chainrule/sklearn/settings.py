"""Names and numbers among the hyperparameters become the objects that `Network.fit` takes."""

from __future__ import annotations

from chainrule.errors import ArgumentError
from chainrule.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from chainrule.schedules import Constant, Cosine, OneCycle, Schedule, StepDecay
from chainrule.shapes import Shape, choice, integer, product, shape_text, shown

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "cosine", "one-cycle", "step")


def optimizer_of(name: str, learning_rate: float, momentum: float, weight_decay: float) -> Optimizer:
    """The optimizer of a name. The momentum is that of sgd and rmsprop; the others have means of their own."""
    choice("optimizer", name, OPTIMIZERS)
    if name == "sgd":
        return SGD(learning_rate, momentum=momentum, weight_decay=weight_decay)
    if name == "rmsprop":
        return RMSprop(learning_rate, momentum=momentum, weight_decay=weight_decay)
    return (Adam if name == "adam" else AdamW)(learning_rate, weight_decay=weight_decay)


def schedule_of(name: str, epochs: int) -> Schedule:
    """The schedule of a name; "step" divides the rate by ten at each third of the epochs."""
    choice("schedule", name, SCHEDULES)
    if name == "step":
        return StepDecay(max(1, -(-epochs // 3)))
    if name == "one-cycle":
        return OneCycle()
    return Constant() if name == "constant" else Cosine()


def input_shape_of(image_shape: object, features: int) -> Shape:
    """(channels, rows, columns) of a row of X, or (features,) where it is no image."""
    if image_shape is None:
        return (features,)
    if not isinstance(image_shape, tuple | list) or len(image_shape) not in (2, 3):
        raise ArgumentError(
            f"image_shape must be (rows, columns) or (channels, rows, columns), not {shown(image_shape)}"
        )
    shape = tuple(integer("image_shape", extent, 1) for extent in image_shape)
    shape = (1, *shape) if len(shape) == 2 else shape
    if product(shape) != features:
        raise ArgumentError(
            f"image_shape {shape_text(shape)} has {product(shape)} pixels, but X has {features} features; "
            f"set it to the shape of the images in X"
        )
    return shape


def network_text(network: object, shape: Shape, outputs: int) -> str:
    """The whole network in the grammar of `parse`: input, hidden layers, output."""
    if not isinstance(network, str):
        raise ArgumentError(f'network must be a text such as "conv 8@3x3 -> relu -> maxpool 2", not {shown(network)}')
    hidden = [network] if network.strip() else []
    return " -> ".join([shape_text(shape), *hidden, f"fc {outputs}"])
