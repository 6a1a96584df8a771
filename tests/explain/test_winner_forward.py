"""The value of a maximum is told with its window, in which the winner is marked: the first among equals."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.parametrize(("stride", "padding"), [(2, 0), (1, 0), (2, 1), (3, 1)])
def test_the_window_of_a_maximum_marks_its_winner(stride: int, padding: int) -> None:
    pool = cr.MaxPool2d(3, stride, padding)
    net = cr.Sequential(pool, cr.Flatten(), input_shape=(2, 7, 6))
    x = np.random.default_rng(stride + padding).integers(0, 4, (1, 2, 7, 6)).astype(float)
    targets = np.zeros((1, *net.output_shape))
    _, rows, columns = net.shapes[1]
    for row, column in [(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)]:
        told = cr.explain(
            net, x, targets, cr.MSELoss(), of=f"maxpool1[1,{row},{column}]", quantity="value", training=False
        )
        (table,) = told.steps[-1].parts[0].tables
        top, left = row * stride - padding, column * stride - padding
        part = x[0, 1, max(0, top) : top + 3, max(0, left) : left + 3]
        np.testing.assert_array_equal(np.array(table.cells), part)
        assert table.row_labels[0] == str(max(0, top))
        assert table.marks == {tuple(map(int, np.unravel_index(part.argmax(), part.shape))): "winner"}
        assert told.value == part.max()
