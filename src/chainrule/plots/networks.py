"""Plots of what a network has learned: its first filters, and one sample on its way through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_batch, compute_dtype, to_floats
from chainrule.engines.reference import State, run_forward
from chainrule.errors import ArgumentError
from chainrule.graph import Graph
from chainrule.layers import Conv2d
from chainrule.plots.canvas import BLUE, bare, drawing
from chainrule.plots.results import picture
from chainrule.shapes import shape_text

FILTERS = 64
MAPS = 10
"""Largest number of pictures in a row of feature maps."""


def first_convolution(net: Graph) -> str | None:
    """The name of the first Conv2d, or None."""
    return next((step.layer_name for step in net.steps if isinstance(step.layer, Conv2d)), None)


def plot_filters(net: Graph, path: str | Path) -> None:
    """The kernels of the first Conv2d: red above 0, blue below, all on one scale. Colour where it sees three channels.

    Raises ArgumentError where the network has no Conv2d.
    """
    name = first_convolution(net)
    if name is None:
        raise ArgumentError("the network has no Conv2d, so that there are no filters to draw")
    weight = net.parameters[f"{name}.weight"]
    colored = weight.shape[1] == 3
    pictures = [picture(w) for w in weight] if colored else [m for w in weight for m in w]
    pictures, limit = pictures[:FILTERS], float(np.abs(weight).max())
    columns = min(8, len(pictures))
    rows = -(-len(pictures) // columns)
    with drawing(path, max(1.1 * columns, 4.5) + 0.6, 1.25 * rows + 0.6) as figure:
        panels = figure.subplots(rows, columns, squeeze=False)
        shown: Any = None
        for place, axes in enumerate(panels.flat):
            if place >= len(pictures):
                axes.set_axis_off()
                continue
            shown = axes.imshow(pictures[place], cmap="RdBu_r", vmin=-limit, vmax=limit)
            bare(axes)
            axes.set_title(_filter_name(place, weight.shape[1], colored), fontsize=8, loc="center")
        if not colored:
            figure.colorbar(shown, ax=panels, shrink=0.9, aspect=12 * rows)
        title = f"{name}: {weight.shape[0]} filters of {shape_text(weight.shape[1:])}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")


def _filter_name(place: int, channels: int, colored: bool) -> str:
    return f"{place}" if colored or channels == 1 else f"{place // channels},{place % channels}"


def plot_feature_maps(net: Graph, x: ArrayLike, path: str | Path) -> None:
    """One sample on its way through the network, node by node; x of shape input_shape or (1, *input_shape).

    The maps of a node share one scale, red above 0 and blue below.
    """
    sample = as_array(x, "x")
    batch = as_batch(sample[None] if sample.shape == net.input_shape else sample, net.input_shape)[:1]
    dtype = compute_dtype(batch, None)
    values = run_forward(net, State.of(net, dtype), to_floats(batch, dtype)).values
    nodes = [(n, v[0]) for n, v in zip(net.names, values, strict=True) if not _same_as_before(net, n)]
    heights = [1.0 if value.ndim == 3 else 0.45 for _, value in nodes]
    heights[-1] = 1.2
    with drawing(path, 10.5, sum(heights) + 0.2, layout=None) as figure:
        stripes = figure.subfigures(len(nodes), 1, height_ratios=heights, squeeze=False)[:, 0]
        for stripe, (name, value) in zip(stripes, nodes, strict=True):
            label = f"{name}\n{shape_text(value.shape)}"
            stripe.text(0.012, 0.5, label, ha="left", va="center", fontsize=9)
            _draw_node(stripe, value, first=name == net.names[0], last=name == net.names[-1])


def _same_as_before(net: Graph, name: str) -> bool:
    position = net.names.index(name)
    return position > 0 and net.steps[position - 1].layer.is_identity(False)


MOST_BARS = 400
"""Of more numbers the bars touch, and are drawn as one shape: each bar of its own costs milliseconds."""
LEFT, RIGHT = 0.12, 0.925
"""Where the pictures of a stripe begin and end, as shares of its width; the scale stands behind them."""


def _draw_node(figure: Any, value: Array, *, first: bool, last: bool) -> None:
    if value.ndim == 3:
        _draw_maps(figure, value, first=first)
        return
    flat = value.reshape(-1)
    axes = figure.subplots(gridspec_kw={"left": LEFT, "right": RIGHT, "bottom": 0.25 if last else 0.12, "top": 0.88})
    if not last:
        shown = axes.imshow(flat[None], aspect="auto", **_scale(value, first=first))
        bare(axes)
        _draw_scale(figure, shown)
        return
    if len(flat) <= MOST_BARS:
        axes.bar(range(len(flat)), flat, color=BLUE)
    else:
        axes.stairs(flat, np.arange(len(flat) + 1) - 0.5, fill=True, color=BLUE)
    axes.axhline(0, color="#9ca3af", linewidth=0.8)
    if len(flat) <= 30:
        axes.set_xticks(range(len(flat)))
    axes.tick_params(labelsize=8)


def _draw_maps(figure: Any, value: Array, *, first: bool) -> None:
    """The maps of a node, all on one scale, which is drawn behind them; an input in colour is one picture."""
    colored = first and len(value) == 3
    maps = [picture(value)] if colored else list(value[:MAPS])
    grid = figure.subplots(
        1, MAPS, gridspec_kw={"left": LEFT, "right": RIGHT, "bottom": 0.06, "top": 0.94, "wspace": 0.08}
    )
    shown: Any = None
    for place, axes in enumerate(grid):
        axes.set_axis_off()
        if place < len(maps):
            shown = axes.imshow(maps[place], **_scale(value, first=first))
    if not colored:
        _draw_scale(figure, shown)
    if len(value) > MAPS:
        figure.text(LEFT - 0.006, 0.5, f"{MAPS} of {len(value)}", ha="right", va="center", fontsize=7, rotation=90)


def _scale(value: Array, *, first: bool) -> dict[str, Any]:
    """The colours of a node: grey from black to white for the input, else red above 0 and blue below."""
    if first:
        low, high = min(float(value.min()), 0.0), max(float(value.max()), 1.0)
        return {"cmap": "gray", "vmin": low, "vmax": high}
    limit = float(np.abs(value).max()) or 1.0
    return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}


def _draw_scale(figure: Any, shown: Any) -> None:
    """A bar of colours at the right end of a stripe, with its least and its largest number."""
    axes = figure.add_axes((RIGHT + 0.012, 0.14, 0.008, 0.72))
    figure.colorbar(shown, cax=axes, ticks=shown.get_clim())
    axes.set_yticklabels([f"{number:.2g}" for number in shown.get_clim()], fontsize=7)
    axes.tick_params(length=0, pad=2)
