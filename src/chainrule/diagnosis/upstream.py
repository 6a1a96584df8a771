"""Mistakes in dz = dy f'(z): what comes in from above when the layer ends in an activation function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.activations import ACTIVATIONS
from chainrule.errors import NameLookupError

FORMULA = ("dz = dy ⊙ f'(z)", "S4-E10, S1-E12, S0-E25")


@dataclass(frozen=True)
class Upstream:
    """y = f(z) with dL/dy = dy; the layer itself made z."""

    activation: str
    z: Array
    dy: Array
    doubt: Array | float = 0.0
    """How far rounding may have moved z."""

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise NameLookupError("activation", str(self.activation), ACTIVATIONS)

    @property
    def y(self) -> Array:
        """The activations."""
        return ACTIVATIONS[self.activation].function(self.z)

    def slope_from(self, value: Array) -> Array:
        """The formula of f' in terms of the output, applied to `value`."""
        return ACTIVATIONS[self.activation].derivative_from_output(value)

    def dz(self) -> Array:
        """The right delta."""
        return self.dy * self.slope_from(self.y)

    def size(self) -> Array:
        """What rounding of f' is a share of: no f' here exceeds 1.15."""
        return 1.2 * np.abs(self.dy)

    def slack(self) -> Array:
        """The error in dz that comes from a rounded z: at a kink, all of dy."""
        here, z, doubt = self.slope_from(self.y), self.z, self.doubt
        function = ACTIVATIONS[self.activation].function
        moved = [self.slope_from(function(v)) for v in (z + doubt, z - doubt)]
        moved.append(np.where(np.abs(z) <= doubt, self.slope_from(function(np.zeros_like(z))), here))
        result: Array = np.abs(self.dy) * np.max([np.abs(slope - here) for slope in moved], axis=0)
        return result

    def mistakes(self) -> Iterator[tuple[str, str, Array]]:
        """(key, sentence, the wrong dz)."""
        name, y, z, dy = self.activation, self.y, self.z, self.dy
        slope = self.slope_from(y)
        yield "slope_missing", f"The factor f' of {name} is missing: dy was used as if it were dz.", dy
        yield "slope_twice", f"The factor f' of {name} was applied twice.", dy * slope * slope
        yield (
            "slope_from_z",
            f"The formula of f' in the output y of {name} was fed with z, such as z (1 - z) for the sigmoid.",
            dy * self.slope_from(z),
        )
        yield (
            "slope_at_y",
            f"f' of {name} was taken at y instead of at z: f was applied once more before the derivative.",
            dy * self.slope_from(ACTIVATIONS[name].function(y)),
        )
        yield "value_instead_of_slope", f"dy was multiplied by f(z) instead of f'(z) of {name}.", dy * y
        if name == "relu":
            yield from _of_relu(z, dy)
        if name == "tanh":
            yield "square_forgotten", "f' of tanh is 1 - y², not 1 - y.", dy * (1 - y)
            yield "sign_in_slope", "f' of tanh is 1 - y², not 1 + y².", dy * (1 + y * y)
        if name == "sigmoid":
            yield "sign_in_slope", "f' of sigmoid is y (1 - y), not y (1 + y).", dy * y * (1 + y)
            yield "square_forgotten", "f' of sigmoid is y (1 - y), not 1 - y.", dy * (1 - y)
            yield "brackets_missing", "Brackets are missing: dy y (1 - y) became dy y - y.", dy * y - y
        for other, pair in ACTIVATIONS.items():
            if other != name:
                wrong = dy * pair.derivative_from_output(pair.function(z))
                yield "other_slope", f"The derivative of {other} was used; the function is {name}.", wrong


def _of_relu(z: Array, dy: Array) -> Iterator[tuple[str, str, Array]]:
    yield (
        "slope_one_at_zero",
        "f'(0) = 1 was taken for ReLU; chainrule and PyTorch take 0 (ER1-16). Both are subgradients.",
        dy * (z >= 0),
    )
    yield "mask_from_gradient", "ReLU's mask was made from the sign of dy, not of z.", dy * (dy > 0)
    yield (
        "mask_from_both",
        "ReLU's mask was made from the signs of dy and z, as for guided pictures; for a gradient z alone counts.",
        dy * (dy > 0) * (z > 0),
    )
    yield "mask_inverted", "ReLU's mask is inverted: the gradient passes where z <= 0.", dy * np.less_equal(z, 0)
