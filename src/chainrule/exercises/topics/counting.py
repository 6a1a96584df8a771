"""Counting: parameters, multiply-adds, receptive fields, links. A network's summary knows, or plain counting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.exercises.exercise import Asked, Case, Exercise, Random
from chainrule.layers import Conv2d
from chainrule.network import Sequential, parse


def asked(arguments: dict[str, Any], wrong: dict[str, dict[str, Any]], **right: int) -> Case:
    """Numbers, and the others that mistakes lead to."""
    different = {name: {k: v for k, v in rows.items() if v != right[name]} for name, rows in wrong.items()}
    return Case(arguments, Asked(right, different))


def _parameters(channels: int, filters: int, kernel: int, groups: int, bias: bool) -> Case:
    text = (
        f"{channels}x{kernel}x{kernel} -> conv {filters}@{kernel}x{kernel} groups {groups}{'' if bias else ' nobias'}"
    )
    right = parse(text).summary().parameters
    taps = kernel * kernel
    weights = filters * channels * taps // groups
    wrong: dict[str, Any] = {
        "bias_forgotten": weights if bias else [],
        "bias_counted_although_absent": [] if bias else weights + filters,
        "groups_ignored": filters * channels * taps + bias * filters,
        "divided_by_groups_twice": weights // groups + bias * filters,
        "channels_forgotten": filters * taps + bias * filters,
        "one_bias_for_all": weights + 1 if bias else [],
        "bias_for_each_weight": 2 * weights if bias else [],
        "bias_for_each_input": weights + channels if bias else [],
        "kernel_side_not_squared": filters * channels * kernel // groups + bias * filters,
    }
    arguments = {"channels": channels, "filters": filters, "kernel": kernel, "groups": groups, "bias": bias}
    return asked(arguments, {"parameters": wrong}, parameters=right)


def _all_parameters(rng: Random) -> Iterator[Case]:
    for channels, filters, kernel, groups, bias in (
        (3, 8, 3, 1, True), (6, 16, 5, 1, True), (4, 6, 3, 2, True), (1, 5, 2, 1, False), (12, 12, 3, 12, True),
        (8, 4, 1, 4, False),
    ):  # fmt: skip
        yield _parameters(channels, filters * int(rng.integers(1, 4)), kernel, groups, bias)


def _multiply_adds(size: int, channels: int, filters: int, kernel: int, stride: int, padding: int) -> Case:
    text = f"{channels}x{size}x{size} -> conv {filters}@{kernel}x{kernel} stride {stride} pad {padding}"
    row = parse(text).summary().rows[0]
    side = row.output_shape[1]
    each = channels * kernel * kernel
    wrong = {
        "places_of_the_input": size * size * filters * each,
        "places_forgotten": filters * each,
        "channels_forgotten": side * side * filters * kernel * kernel,
        "filters_forgotten": side * side * each,
        "bias_counted": filters * side * side * (each + 1),
        "stride_ignored": (size + 2 * padding - kernel + 1) ** 2 * filters * each,
        "padding_forgotten": ((size - kernel) // stride + 1) ** 2 * filters * each,
        "padding_on_one_side": ((size + padding - kernel) // stride + 1) ** 2 * filters * each,
        "kernel_side_not_squared": side * side * filters * channels * kernel,
        "counted_twice": 2 * row.multiply_adds,
    }
    arguments = {"size": size, "channels": channels, "filters": filters, "kernel": kernel, "stride": stride,
                 "padding": padding}  # fmt: skip
    return asked(arguments, {"multiply_adds": wrong}, multiply_adds=row.multiply_adds)


def _all_multiply_adds(rng: Random) -> Iterator[Case]:
    for kernel, stride, padding, channels in ((3, 1, 1, 2), (5, 1, 0, 1), (3, 2, 1, 4), (2, 3, 0, 3), (1, 1, 0, 5)):
        yield _multiply_adds(int(rng.integers(9, 30)), channels, int(rng.integers(2, 9)), kernel, stride, padding)


def _receptive(layers: list[tuple[int, int]]) -> Case:
    """The pixels that reach one number at the end are collected going backward, layer by layer."""
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {p * stride + k for p in seen for k in range(kernel)}
    right = max(seen) - min(seen) + 1
    growth = [k - 1 for k, _ in layers]
    jumps = [int(np.prod([s for _, s in layers[:i]], dtype=int)) for i in range(len(layers) + 1)]
    wrong = {
        "strides_ignored": 1 + sum(growth),
        "own_stride_included": 1 + sum(g * j for g, j in zip(growth, jumps[1:], strict=True)),
        "kernels_added": sum(k for k, _ in layers),
        "kernels_multiplied": int(np.prod([k for k, _ in layers])),
        "one_forgotten": right - 1,
        "stride_on_the_whole": _whole(layers),
        "kernel_not_less_one": 1 + sum(k * j for (k, _), j in zip(layers, jumps, strict=False)),
        "last_stride_only": 1 + sum(g * s for g, (_, s) in zip(growth[1:], layers[:-1], strict=True)) + growth[0],
        "from_the_wrong_end": _field(layers[::-1]),
    }
    return asked({"layers": layers}, {"pixels": wrong}, pixels=right)


def _field(layers: list[tuple[int, int]]) -> int:
    """The formula r += (k - 1) j; j *= s."""
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + (kernel - 1) * j, j * stride
    return r


def _whole(layers: list[tuple[int, int]]) -> int:
    r = 1
    for kernel, stride in layers:
        r = r * stride + kernel
    return r


def _receptives(rng: Random) -> Iterator[Case]:
    yield _receptive([(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)])  # LeNet-5
    yield _receptive([(3, 1), (3, 1), (3, 1)])
    for count in (1, 2, 3, 4):
        yield _receptive([(int(k), int(s)) for k, s in rng.integers((2, 2), (6, 4), (count, 2))])


def _table(table: Array, kernel: int, size: int) -> Case:
    """LeNet-5's third layer: table[i, o] says whether filter o sees map i."""
    channels, filters = table.shape
    layer = Conv2d(channels, filters, kernel, connections=table.T.astype(bool))
    row = Sequential(layer, input_shape=(channels, size, size)).summary().rows[0]
    links, taps, places = int(table.sum()), kernel * kernel, (size - kernel + 1) ** 2
    one_each = int((table > 0).any(axis=0).sum())
    wrong = {
        "table_ignored": channels * filters * taps + filters,
        "bias_forgotten": links * taps,
        "bias_for_each_link": links * (taps + 1),
        "bias_for_each_input": links * taps + channels,
        "kernel_side_not_squared": links * kernel + filters,
        "one_kernel_for_all_maps": one_each * taps + filters,
    }
    connections = {
        **{key: value * places for key, value in wrong.items()},
        "places_forgotten": row.parameters,
        "places_of_the_input": row.parameters * size * size,
        "bias_counted_once": links * taps * places + filters,
    }
    arguments = {"table": table, "kernel": kernel, "size": size}
    return asked(arguments, {"parameters": wrong, "connections": connections}, parameters=row.parameters,
                  connections=row.connections)  # fmt: skip


def _tables(rng: Random) -> Iterator[Case]:
    for channels, filters, kernel, size in ((6, 16, 5, 14), (3, 4, 3, 8), (2, 5, 2, 5), (4, 3, 3, 3)):
        table = (rng.random((channels, filters)) < 0.6).astype(int)
        table[rng.integers(0, channels, filters), np.arange(filters)] = 1  # every filter sees a map
        yield _table(table, kernel, size)


def _image_size(size: int, channels: int) -> Case:
    """The sources' homework: how the number of parameters grows with the image, dense and convolutional."""
    dense = parse(f"{channels}x{size}x{size} -> fc 100 -> fc 10").summary().parameters
    tail = "conv 6@5x5 -> avgpool 2 -> conv 16@5x5 -> avgpool 2 -> fc 10"
    cnn = parse(f"{channels}x{size}x{size} -> {tail}").summary()
    convs = sum(row.parameters for row in cnn.rows[:4])
    flat = cnn.rows[-1].parameters
    side = (((size - 4) // 2) - 4) // 2
    wrong_dense = {
        "channels_forgotten": 101 * 10 + (size * size + 1) * 100,
        "bias_forgotten": [channels * size * size * 100 + 1000 + bias for bias in (0, 10, 100)],
        "last_layer_forgotten": (channels * size * size + 1) * 100,
    }
    wrong_cnn = {
        "dense_end_forgotten": convs,
        "bias_forgotten": 150 * channels + 2400 + (flat - 10),
        "channels_forgotten": [
            6 * (25 * first + 1) + 16 * (25 * second + 1) + flat for first, second in ((1, 6), (channels, 1), (1, 1))
        ],
        "pooling_forgotten": convs + (16 * (size - 8) ** 2 + 1) * 10,
        "second_pooling_forgotten": convs + (16 * ((size - 4) // 2 - 4) ** 2 + 1) * 10,
        "maps_not_flattened": [convs + (side * side + 1) * 10, convs + 170],
        "same_padding_assumed": convs + (16 * (size // 4) ** 2 + 1) * 10,
    }
    arguments = {"size": size, "channels": channels}
    return asked(arguments, {"dense": wrong_dense, "cnn": wrong_cnn}, dense=dense, cnn=cnn.parameters)


def _image_sizes(rng: Random) -> Iterator[Case]:
    for size, channels in ((28, 1), (33, 3), (46, 1), (int(rng.integers(50, 80)), 2), (int(rng.integers(20, 28)), 3)):
        yield _image_size(size, channels)


EXERCISES = (
    Exercise("parameters", 10, "count", "convolution_parameters", ("parameters",), _all_parameters,
             lambda: _parameters(1, 2, 1, 1, True)),
    Exercise("multiply-adds", 10, "count", "multiply_adds", ("multiply_adds",), _all_multiply_adds,
             lambda: _multiply_adds(3, 1, 1, 2, 1, 0)),
    Exercise("receptive-field", 10, "count", "receptive_field", ("pixels",), _receptives,
             lambda: _receptive([(3, 1), (3, 1)])),
    Exercise("connection-table", 10, "count", "table_counts", ("parameters", "connections"), _tables,
             lambda: _table(np.array([[1, 0], [1, 1]]), 2, 3)),
    Exercise("image-size", 10, "count", "parameters_by_image_size", ("dense", "cnn"), _image_sizes,
             lambda: _image_size(16, 1)),
)  # fmt: skip
