"""Windows that every form of convolution is tried on: one row per option and per awkward combination."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from chainrule.equations import Convention, window_of
from chainrule.shapes import Window


class Case(NamedTuple):
    """One convolution layer: input size, kernel, options."""

    name: str
    size: tuple[int, int] = (6, 6)
    kernel: tuple[int, int] = (3, 3)
    options: dict[str, Any] = {}  # noqa: RUF012  never changed
    channels: int = 2
    filters: int = 3
    groups: int = 1
    batch: int = 2

    def window(self) -> Window:
        """The case's window, checked."""
        return window_of(self.kernel, **self.options)

    def arrays(self, rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:
        """x, weight, bias and dy of this case."""
        x = rng.normal(size=(self.batch, self.channels, *self.size))
        weight = rng.normal(size=(self.filters, self.channels // self.groups, *self.kernel))
        bias = rng.normal(size=self.filters)
        dy = rng.normal(size=(self.batch, self.filters, *self.window().output_size(self.size)))
        return x, weight, bias, dy


CASES = [
    Case("plain"),
    Case("one_by_one", kernel=(1, 1)),
    Case("whole_map", size=(3, 3)),
    Case("one_pixel", size=(1, 1), kernel=(1, 1), batch=1, channels=1, filters=1),
    Case("even_kernel", size=(5, 4), kernel=(2, 4)),
    Case("rectangle", size=(4, 7), kernel=(2, 3), channels=3, filters=2),
    Case("stride_divides", size=(7, 7), options={"stride": 2}),
    Case("stride_leaves_pixels", size=(8, 8), options={"stride": 2}),
    Case("stride_leaves_two", size=(8, 6), kernel=(3, 2), options={"stride": (3, 3)}),
    Case("stride_beyond_kernel", size=(7, 6), kernel=(2, 1), options={"stride": (3, 2)}),
    Case("padding", options={"padding": 1}),
    Case("padding_beyond_kernel", size=(2, 3), kernel=(2, 2), options={"padding": 3}),
    Case("one_sided_padding", size=(5, 5), kernel=(2, 2), options={"padding": (0, 1, 0, 1), "stride": 2}),
    Case("four_paddings", size=(5, 4), options={"padding": (2, 0, 1, 3), "stride": (1, 2)}),
    Case("same", options={"padding": "same"}),
    Case("same_even", kernel=(4, 2), options={"padding": "same"}),
    Case("dilation", options={"dilation": 2}),
    Case("dilation_same", size=(5, 7), options={"dilation": (1, 2), "padding": "same"}),
    Case("stride_dilation", size=(9, 8), options={"stride": 2, "dilation": (2, 3), "padding": (1, 0, 2, 1)}),
    Case("groups", channels=4, filters=6, groups=2, options={"stride": 2, "padding": 1}),
    Case("depthwise", channels=3, filters=3, groups=3),
    Case("depthwise_many", channels=2, filters=4, groups=2, options={"dilation": 2, "padding": 2}),
]
NAMES = [case.name for case in CASES]
MODES: list[Convention] = ["correlation", "convolution"]
