"""Checking gradients, and how a processor computes them fast: columns of windows, Winograd's tiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array
from chainrule.exercises.exercise import Asked, Case, Exercise, Random, slope
from chainrule.exercises.topics.counting import asked
from chainrule.exercises.values import CALLBACKS, Callback


def _check(name: str, a: Array, x: Array, step: float) -> Case:
    """Central differences: their error falls with the square of the step, which tells them from one-sided ones."""
    f = Callback(name, (a,))
    made = {
        key: np.array([_difference(f, x, index, step, key) for index in np.ndindex(*x.shape)]).reshape(x.shape)
        for key in (
            "central",
            "one_sided_forward",
            "one_sided_backward",
            "half_step_forgotten",
            "not_divided",
            "swapped",
        )
    }
    right = made.pop("central")
    exact = slope(lambda v: CALLBACKS[name](v, a), x)
    wrong = {
        "one_sided": [made["one_sided_forward"], made["one_sided_backward"]],
        "divided_by_one_step": made["half_step_forgotten"],
        "not_divided": [made["not_divided"], right * step],
        "differences_turned_round": made["swapped"],
        "point_not_restored": [_wandering(f, x, step, way) for way in (-1, 1)],
        "all_moved_at_once": np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step)),
        "values_instead_of_differences": np.full(x.shape, f(x)),
    }
    near = float(np.abs(right - exact).max()) / max(float(np.abs(exact).max()), 1e-300)
    asked = Asked({"gradient": right}, {"gradient": wrong}, accuracy=max(1.01 * near, 1e-9))
    return Case({"f": f, "x": x, "step": step}, asked)


def _difference(f: Callback, x: Array, index: tuple[int, ...], step: float, key: str) -> float:
    unit = np.zeros(x.shape)
    unit[index] = step
    above, below, here = f(x + unit), f(x - unit), f(x)
    values = {
        "central": (above - below) / (2 * step),
        "one_sided_forward": (above - here) / step,
        "one_sided_backward": (here - below) / step,
        "half_step_forgotten": (above - below) / step,
        "not_divided": above - below,
        "swapped": (below - above) / (2 * step),
    }
    return values[key]


def _wandering(f: Callback, x: Array, step: float, way: int) -> Array:
    """Each number stays where it was moved last while the next ones are tried."""
    point, found = x.copy(), np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        unit = np.zeros(x.shape)
        unit[index] = step
        found[index] = (f(point + unit) - f(point - unit)) / (2 * step)
        point = point + way * unit
    return found


def _checks(rng: Random) -> Iterator[Case]:
    for name, shape, step in (
        ("waves", (4,), 1e-2),
        ("product", (2, 3), 1e-2),
        ("waves", (1,), 1e-3),
        ("product", (3, 2, 2), 1e-2),
    ):
        yield _check(name, rng.uniform(0.5, 2, shape), rng.normal(size=shape), step)


def _columns(x: Array, kernel: tuple[int, int], stride: int) -> Case:
    """Row (n, p, q), column (d, i, j): the windows of all samples under one another."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    n, channels, rows, columns = windows.shape[:4]

    def arranged(*order: int) -> Array:
        return windows.transpose(order).reshape(n * rows * columns, -1)

    right = arranged(0, 2, 3, 1, 4, 5)
    taps = channels * kernel[0] * kernel[1]
    wrong = {
        "channels_last": arranged(0, 2, 3, 4, 5, 1),
        "kernel_columns_first": arranged(0, 2, 3, 1, 5, 4),
        "places_columns_first": arranged(0, 3, 2, 1, 4, 5),
        "reshaped_not_transposed": windows.reshape(n * rows * columns, -1),
        "jacobian_transposed": right.T,
        "samples_last": windows.transpose(2, 3, 0, 1, 4, 5).reshape(-1, taps),
        "kernel_rotated_in_the_matrix": windows[..., ::-1, ::-1].transpose(0, 2, 3, 1, 4, 5).reshape(-1, taps),
        "stride_ignored": np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
        .transpose(0, 2, 3, 1, 4, 5)
        .reshape(-1, taps),
    }
    axes = {"columns": ("place", "tap")}
    arguments = {"x": x, "kernel": kernel, "stride": stride}
    return Case(arguments, Asked({"columns": right}, {"columns": wrong}, axes))


def _all_columns(rng: Random) -> Iterator[Case]:
    for shape, kernel, stride in (
        ((2, 3, 6, 9), (2, 3), 2),
        ((1, 1, 4, 4), (3, 3), 1),
        ((3, 2, 10, 5), (3, 2), 3),
        ((2, 1, 2, 7), (1, 1), 2),
    ):
        yield _columns(rng.normal(size=shape), kernel, stride)


def _winograd(rows: int, columns: int, tile: int, kernel: int) -> Case:
    """Tiles are counted one by one; each multiplies its (m + r - 1)² transformed numbers once."""
    count = sum(1 for _ in range(0, rows, tile) for _ in range(0, columns, tile))
    side = tile + kernel - 1
    whole = (rows // tile) * (columns // tile)
    wrong = {
        "directly": rows * columns * kernel**2,
        "one_dimension_only": count * side,
        "only_whole_tiles": whole * side**2,
        "tile_of_outputs": count * tile**2,
        "each_output_alone": count * tile**2 * kernel**2,
        "tile_off_by_one": [count * (side + 1) ** 2, count * (side - 1) ** 2 if side - 1 != tile else []],
        "fraction_of_a_tile": rows * columns / tile**2 * side**2,
        "one_tile": side**2,
    }
    arguments = {"rows": rows, "columns": columns, "tile": tile, "kernel": kernel}
    return asked(arguments, {"multiplications": wrong}, multiplications=count * side**2)


def _winograds(rng: Random) -> Iterator[Case]:
    for tile, kernel in ((2, 3), (4, 3), (6, 3), (2, 5), (3, 2)):
        rows, columns = (int(v) for v in rng.integers(5, 30, 2))
        yield _winograd(tile * rows + 1, tile * columns - 1, tile, kernel)
    yield _winograd(24, 12, 4, 3)


EXERCISES = (
    Exercise("gradient-check", 12, "check", "numerical_gradient", ("gradient",), _checks,
             lambda: _check("waves", np.array([1.0, 2.0]), np.array([0.0, 0.0]), 0.001)),
    Exercise("im2col", 13, "matrix", "windows_as_rows", ("columns",), _all_columns,
             lambda: _columns(np.arange(1.0, 10.0).reshape(1, 1, 3, 3), (2, 2), 1)),
    Exercise("winograd", 13, "count", "winograd_multiplications", ("multiplications",), _winograds,
             lambda: _winograd(2, 2, 2, 3)),
)  # fmt: skip
