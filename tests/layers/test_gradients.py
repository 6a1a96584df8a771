"""Every row of the table against central differences: the input gradients and all parameter gradients, in float64.

The scalar is a random linear functional of the outputs, sum dy y. The differences are of fourth order: they agree
to 1e-9 of the largest gradient where second order would give 1e-7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.helpers import Array, assert_close
from tests.layers.rows import IDS, ROWS, Row

TOLERANCE = 1e-9


def differences(f: Callable[[], float], x: Array, step: float = 1e-3) -> Array:
    """df/dx by (8 (f(+h) - f(-h)) - (f(+2h) - f(-2h))) / 12h, moving one element of `x` at a time, in place."""
    gradient = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        kept, total = x[index], 0.0
        for offset, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            x[index] = kept + offset * step
            total += weight * f()
        x[index] = kept
        gradient[index] = total / (12 * step)
    return gradient


def _check(name: str, actual: Array, expected: Array) -> None:
    assert_close(name, actual, expected, atol=TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0))))


def _value(row: Row, values: dict[str, Array], xs: list[Array], dy: Array) -> float:
    y, _ = row.layer.forward(values, *xs, context=row.context())
    return float((dy * y).sum())


def backward(row: Row, values: dict[str, Array], xs: list[Array], dy: Array) -> tuple[tuple[Array, ...], Any]:
    """(dxs, dparameters) of one forward and backward pass."""
    _, saved = row.layer.forward(values, *xs, context=row.context())
    dx = row.layer.backward_input(values, dy, saved)
    return dx if isinstance(dx, tuple) else (dx,), row.layer.backward_parameters(values, dy, saved)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_input_gradients_equal_central_differences(row: Row) -> None:
    values, xs, dy = row.arrays()
    dxs, _ = backward(row, values, xs, dy)
    assert len(dxs) == len(xs)
    for i, (x, dx) in enumerate(zip(xs, dxs, strict=True)):
        _check(f"dx[{i}]", dx, differences(lambda: _value(row, values, xs, dy), x))


@pytest.mark.parametrize("row", [r for r in ROWS if r.layer.parameter_shapes(*r.shapes)], ids=lambda r: r.name)
def test_parameter_gradients_equal_central_differences(row: Row) -> None:
    values, xs, dy = row.arrays()
    _, gradients = backward(row, values, xs, dy)
    assert set(gradients) == set(row.parameters(values))
    for name, gradient in gradients.items():
        _check(f"d{name}", gradient, differences(lambda: _value(row, values, xs, dy), values[name]))


def test_the_differences_see_a_wrong_gradient() -> None:
    x = np.linspace(-1, 1, 7)
    with pytest.raises(AssertionError, match="dx: 7 of 7"):
        _check("dx", np.cos(x) + 1e-8, differences(lambda: float(np.sin(x).sum()), x))
