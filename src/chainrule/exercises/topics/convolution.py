"""Convolution: the three gradients, both conventions, as a matrix, with strides, dilation and groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis import convolution_bias, convolution_input, convolution_weight  # noqa: F401  fill the table
from chainrule.diagnosis.convolution import Conv2dProblem
from chainrule.exercises.exercise import Asked, Case, Exercise, Random
from chainrule.shapes import Pair, Window

PLAIN = (
    (4, 2, 3, (5, 6), (3, 3)),
    (1, 1, 1, (4, 4), (2, 2)),
    (5, 3, 1, (4, 7), (3, 2)),
    (3, 1, 2, (3, 3), (3, 3)),
    (1, 2, 2, (6, 5), (1, 3)),
)
"""(batch, in, out, map, kernel): a batch of one, one channel, one filter, a kernel as large as the map."""


def _problem(
    rng: Random, n: int, channels: int, filters: int, size: Pair, kernel: Pair, mode: Any = "correlation",
    groups: int = 1, **options: Any,
) -> Conv2dProblem:  # fmt: skip
    window = Window(kernel, **options)
    x, weight = rng.normal(size=(n, channels, *size)), rng.normal(size=(filters, channels // groups, *kernel))
    return Conv2dProblem(x, weight, rng.normal(size=(n, filters, *window.output_size(size))), window, groups, mode)


def _small(
    x: Array, weight: Array, dy: Array, mode: Any = "correlation", groups: int = 1, **options: Any
) -> Conv2dProblem:
    return Conv2dProblem(x, weight, dy, Window((weight.shape[2], weight.shape[3]), **options), groups, mode)


X3 = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
W2 = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
DY2 = np.array([[[[1.0, 0.0], [0.0, 1.0]]]])


def _asks(*names: str) -> Any:
    """A case that gives these of a problem's numbers."""

    def case(p: Conv2dProblem) -> Case:
        stride, dilation = p.window.stride[0], p.window.dilation[0]
        known = {
            "x": p.x, "weight": p.weight, "dy": p.dy, "stride": stride, "padding": p.sides[0], "dilation": dilation,
            "groups": p.groups, "size": p.size,
        }  # fmt: skip
        return Case({name: known[name] for name in names}, p)

    return case


def _plain(case: Any, mode: Any = "correlation") -> Any:
    def cases(rng: Random) -> Iterator[Case]:
        for sizes in PLAIN:
            yield case(_problem(rng, *sizes, mode=mode))

    return cases


_weight, _bias, _input = _asks("x", "dy"), _asks("dy"), _asks("dy", "weight")
_true = _asks("x", "weight", "dy")
_strided = _asks("dy", "weight", "stride", "size")
_dilated = _asks("x", "dy", "dilation", "padding")
_grouped = _asks("x", "weight", "dy", "groups")


def _strides(rng: Random) -> Iterator[Case]:
    for sizes, stride in (
        ((5, 2, 3, (7, 8), (3, 3)), 2),
        ((1, 1, 1, (6, 6), (3, 3)), 2),
        ((3, 1, 2, (8, 7), (2, 3)), 3),
        ((1, 2, 1, (5, 5), (2, 2)), 1),
        ((1, 3, 2, (9, 6), (2, 2)), 4),
    ):
        yield _strided(_problem(rng, *sizes, stride=(stride, stride)))


def _dilations(rng: Random) -> Iterator[Case]:
    for sizes, dilation, padding in (
        ((5, 2, 3, (7, 8), (3, 3)), 2, 1),
        ((1, 1, 1, (6, 6), (2, 2)), 3, 0),
        ((3, 1, 2, (5, 6), (2, 3)), 2, 2),
        ((1, 2, 1, (4, 5), (3, 3)), 1, 1),
    ):
        sides = (padding,) * 4
        yield _dilated(
            _problem(rng, *sizes, dilation=(dilation, dilation), padding=sides),
        )


def _groups(rng: Random) -> Iterator[Case]:
    for sizes, groups in (
        ((3, 4, 6, (4, 5), (2, 2)), 2),
        ((1, 3, 3, (5, 4), (3, 2)), 3),
        ((5, 2, 3, (4, 4), (3, 3)), 1),
        ((1, 2, 8, (4, 6), (2, 3)), 2),
    ):
        yield _grouped(_problem(rng, *sizes, groups=groups))


def _matrix(weight: Array, rows: int, columns: int) -> Case:
    """The matrix of a correlation: column k is the answer to a map with a single one at pixel k."""
    window = Window((len(weight), len(weight[0])))
    kernel = weight[None, None]

    def made(kernel: Array, order: Any = "C") -> Array:
        answers = []
        for unit in np.eye(rows * columns):
            image = unit.reshape(1, 1, rows, columns, order=order)
            places = np.lib.stride_tricks.sliding_window_view(image, window.kernel_size, axis=(2, 3))
            answers.append((places * kernel[:, :, None, None]).sum(axis=(-2, -1)).ravel(order))
        return np.stack(answers, axis=1)

    right = made(kernel)
    wrong = {
        "kernel_rotated_in_the_matrix": made(kernel[..., ::-1, ::-1]),
        "kernel_flipped_on_one_axis": [made(kernel[..., ::-1, :]), made(kernel[..., ::-1])],
        "columns_first": made(kernel, "F"),
        "jacobian_transposed": right.T,
        "rows_wrap_round": _wrapping(weight, rows, columns),
    }
    axes = {"matrix": ("output", "pixel")}
    return Case({"weight": weight, "rows": rows, "columns": columns}, Asked({"matrix": right}, {"matrix": wrong}, axes))


def _wrapping(weight: Array, rows: int, columns: int) -> Array:
    """Every start in reading order, also where the window would wrap round the edge of the image."""
    offsets = [i * columns + j for i in range(len(weight)) for j in range(len(weight[0]))]
    starts = [s for s in range(rows * columns) if s + offsets[-1] < rows * columns]
    made = np.zeros((len(starts), rows * columns))
    for row, start in enumerate(starts):
        made[row, [start + o for o in offsets]] = weight.ravel()
    return made


def _matrices(rng: Random) -> Iterator[Case]:
    for kernel, rows, columns in (((2, 2), 4, 4), ((2, 3), 3, 5), ((3, 1), 4, 3), ((1, 1), 2, 3)):
        yield _matrix(rng.normal(size=kernel), rows, columns)


def _output(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Case:
    """Places are counted one by one."""
    reach = dilation * (kernel - 1)
    right = sum(1 for start in range(-padding, size + padding) if (start + padding) % stride == 0
                and start + reach < size + padding)  # fmt: skip
    room = size + 2 * padding - reach - 1
    wrong = {
        "rounded_up": -(-room // stride) + 1,
        "one_forgotten": room // stride,
        "padding_on_one_side": (size + padding - reach - 1) // stride + 1,
        "padding_forgotten": (size - reach - 1) // stride + 1,
        "dilation_ignored": (size + 2 * padding - kernel) // stride + 1,
        "dilation_times_kernel": (size + 2 * padding - dilation * kernel) // stride + 1,
        "stride_ignored": room + 1,
        "not_rounded": room / stride + 1,
    }
    arguments = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return Case(arguments, Asked({"size": right}, {"size": {k: v for k, v in wrong.items() if v != right}}))


def _outputs(rng: Random) -> Iterator[Case]:
    for kernel, stride, padding, dilation in (
        (3, 2, 1, 2), (2, 3, 2, 3), (5, 1, 0, 1), (3, 4, 1, 1), (1, 2, 0, 1), (4, 3, 3, 2), (2, 2, 0, 4), (3, 3, 2, 2),
    ):  # fmt: skip
        yield _output(int(rng.integers(14, 40)), kernel, stride, padding, dilation)


def _example(case: Any, **more: Any) -> Any:
    return lambda: case(_small(X3, W2, DY2, **more))


EXERCISES = (
    Exercise("correlation-weight", 6, "write", "weight_gradient", ("dweight",), _plain(_weight), _example(_weight)),
    Exercise("correlation-bias", 6, "write", "bias_gradient", ("dbias",), _plain(_bias), _example(_bias)),
    Exercise("correlation-input", 7, "write", "input_gradient", ("dx",), _plain(_input), _example(_input)),
    Exercise("true-convolution", 7, "write", "true_convolution_backward", ("dx", "dweight"),
             _plain(_true, "convolution"), _example(_true, mode="convolution")),
    Exercise("convolution-matrix", 7, "matrix", "correlation_matrix", ("matrix",), _matrices,
             lambda: _matrix(np.array([[1.0, 2.0]]), 2, 3)),
    Exercise("rotation-bug", 7, "bug", "rotated_input_gradient", ("dx",), _plain(_input), _example(_input)),
    Exercise("strided-input", 8, "write", "strided_input_gradient", ("dx",), _strides,
             lambda: _strided(_small(np.zeros((1, 1, 4, 4)), W2, DY2, stride=(2, 2)))),
    Exercise("dilated-weight", 8, "write", "dilated_weight_gradient", ("dweight",), _dilations,
             lambda: _dilated(_small(X3, W2, np.array([[[[1.0]]]]), dilation=(2, 2), padding=(0, 0, 0, 0)))),
    Exercise("groups", 8, "write", "grouped_backward", ("dx", "dweight"), _groups,
             lambda: _grouped(_small(np.array([[[[1.0]], [[2.0]]]]), np.array([[[[3.0]]], [[[4.0]]]]),
                                     np.array([[[[1.0]], [[10.0]]]]), groups=2))),
    Exercise("output-size", 8, "predict", "output_size", ("size",), _outputs, lambda: _output(5, 3, 2, 0, 1)),
)  # fmt: skip
