"""What convolutions and dense layers become in a native program: the plain sum, or Winograd's algorithm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chainrule.engines.native.axes import Axis, backward_axis, forward_axis
from chainrule.engines.native.lowering import NOWHERE, Lowering, Rules, pool_of_pairs
from chainrule.engines.native.program import Slot
from chainrule.graph import Step
from chainrule.layers import Conv2d, Linear
from chainrule.shapes import Pair, Window

_ONE = forward_axis(1, 1, 1, 1, 0, 1)
_CACHED_WEIGHTS = 256 * 1024  # bytes: larger weights are walked once, maps many times
LARGE_WEIGHTS = 2**20
"""Bytes of weights that still stay in a core's cache from block to block. Several blocks use larger ones together."""
_TILE_WEIGHTS, _TILE_FILTERS = 256, 16  # at most: see kernels/large_convolution.hpp

# --- geometry ----------------------------------------------------------------------------------------------------


class _Geometry:
    """A Conv2d or Linear as the one kind of convolution that the kernels know."""

    def __init__(self, step: Step) -> None:
        layer = step.layer
        self.flip, self.mask = False, None
        if isinstance(layer, Linear):
            self.groups, self.inputs, self.outputs = 1, layer.in_features, layer.out_features
            self.rows = self.columns = _ONE
            self.rows_back = self.columns_back = _ONE
            return
        assert isinstance(layer, Conv2d)
        self.groups = layer.groups
        self.inputs, self.outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        size = (step.input_shapes[0][1], step.input_shapes[0][2])
        (self.rows, self.columns), (self.rows_back, self.columns_back) = axes(layer.window, size)
        self.flip = layer.mode == "convolution" and self.taps > 1
        self.mask = layer.connections

    @property
    def taps(self) -> int:
        return self.rows.kernel * self.columns.kernel

    @property
    def dense(self) -> bool:
        """Whether each input has one weight for each output, used once."""
        one = all(axis.size == axis.source_size == axis.kernel == 1 for axis in (self.rows, self.columns))
        return one and self.groups == 1 and self.mask is None

    @property
    def plain(self) -> bool:
        """Whether kernels are stored as they are used, all of them."""
        return not self.flip and self.mask is None

    def mask_numbers(self) -> list[int]:
        return [] if self.mask is None else [int(link) for link in self.mask.reshape(-1)]


def axes(window: Window, size: Pair) -> tuple[tuple[Axis, Axis], tuple[Axis, Axis]]:
    """(rows, columns) of a sliding window, for the forward pass and for the input gradient."""
    top, _, left, _ = window.sides(size)
    out = window.output_size(size)
    numbers = [
        (size[k], out[k], window.kernel_size[k], window.stride[k], before, window.dilation[k])
        for k, before in ((0, top), (1, left))
    ]
    forward = (forward_axis(*numbers[0]), forward_axis(*numbers[1]))
    return forward, (backward_axis(*numbers[0]), backward_axis(*numbers[1]))


# --- Winograd's algorithm ----------------------------------------------------------------------------------------

_POINTS = (6, 8)
"""More points take fewer products, but round a little more and leave more of a short row unused."""
_MOST_STRIP_ROWS = 32
_STRIP_BYTES = 640 * 1024
"""What a strip may take at the points: most of a core's second cache."""
_PRODUCTS_OF_STRIP = 512
"""Numbers that a weight's sum should take at once, so that loading and storing the sums costs little."""
_VALUE_COST = 5.0
"""What it costs to make a value at a point and to use one, in multiply-adds: loads, stores and additions."""
_MADE_COST = 3.0
"""To make one alone; a weight gradient's end with the step, not with the block."""
_KEPT_COST = 2.0
"""To use one that has not left its register."""
_IN_REGISTERS = (False, True)
"""Whether the sums at the points may stay in registers: forward, on processors that have 32."""
_NEAR_BYTES = 32 * 1024
"""Of the inputs that a tile reaches, which all filters pass over: they should lie in a core's first cache."""
_WORTH = 0.9
"""The largest part of the plain sum's cost at which the algorithm is taken."""


@dataclass(frozen=True)
class _Winograd:
    """A convolution with values at points along its columns; see kernels/winograd.hpp."""

    geometry: _Geometry
    points: int
    lanes: int
    number_bytes: int
    in_registers: bool = False

    @property
    def outputs(self) -> int:
        """Of a tile: as many as so many inputs give."""
        return self.points + 1 - self.geometry.columns.kernel

    @property
    def tiles(self) -> int:
        """Of a row."""
        return -(-self.geometry.columns.size // self.outputs)

    def possible(self) -> bool:
        """Without stride and dilation, and with kernels as they are."""
        geometry = self.geometry
        both = (geometry.rows, geometry.columns)
        steady = all(axis.stride == axis.dilation == 1 and axis.padding < axis.kernel for axis in both)
        reached = geometry.inputs * geometry.rows.kernel * self.points * self.lanes * self.number_bytes
        near = not self.in_registers or reached <= _NEAR_BYTES
        return self.lanes > 1 and steady and 2 <= geometry.columns.kernel <= 5 and geometry.plain and near

    def strip(self, *, weights: bool = False, backward: bool = False) -> int:
        """Rows of the result at a time."""
        rows, halo = self.geometry.rows, self.geometry.rows.kernel - 1
        size = rows.source_size if backward else rows.size
        source, result = self._values_of_row(backward)
        line = self.lanes * self.number_bytes
        strip = (_STRIP_BYTES // line - halo * source) // (source + (0 if self.in_registers else result))
        if weights:
            strip = max(strip, -(-_PRODUCTS_OF_STRIP // (self.tiles * self.lanes)))
        strip = max(1, min(strip, size, _MOST_STRIP_ROWS))
        return -(-size // -(-size // strip))  # strips of nearly the same height

    def _values_of_row(self, backward: bool) -> tuple[int, int]:
        """Values at the points in one row of what is read and of what is made."""
        source, result = self.geometry.inputs, self.geometry.outputs
        if backward:
            source, result = result, source
        return source * self.points * self.tiles, result * self.points * self.tiles

    def slots(self, low: Lowering, label: str, strip: int, backward: bool = False) -> dict[str, Any]:
        """Memory for a strip."""
        source, result = self._values_of_row(backward)
        halo = self.geometry.rows.kernel - 1
        sources = low.program.slot(f"{label}: sources at the points", (strip + halo) * source)
        results = low.program.slot(f"{label}: results at the points", strip * result)
        return {"source_points": sources, "result_points": NOWHERE if self.in_registers else results}

    def cost(self, *, weights: bool = False, backward: bool = False) -> float:
        """In multiply-adds of all lanes."""
        geometry = self.geometry
        strip = self.strip(weights=weights, backward=backward)
        source, result = self._values_of_row(backward)
        size = geometry.rows.source_size if backward else geometry.rows.size
        sources, results = -(-size // strip) * (strip + geometry.rows.kernel - 1) * source, size * result
        products = geometry.inputs * geometry.outputs * _taps(geometry.rows) * self.points * self.tiles
        cost = _MADE_COST if weights else _VALUE_COST
        return products + cost * sources + (_KEPT_COST if self.in_registers else cost) * results


def _taps(axis: Axis) -> int:
    """All pairs (output, tap) inside the map."""
    return sum(run.count * run.taps for run in axis.runs)


def _winograd(low: Lowering, geometry: _Geometry, *, weights: bool = False, backward: bool = False) -> _Winograd | None:
    """The cheapest way to do it, if that is cheaper than the plain sum."""
    ways = [
        _Winograd(geometry, points, low.program.lanes, low.program.number_bytes, in_registers)
        for points in _POINTS
        for in_registers in ((False,) if weights or backward or low.registers < 32 else _IN_REGISTERS)
    ]
    plain = geometry.inputs * geometry.outputs * _taps(geometry.rows) * _taps(geometry.columns)
    possible = [way for way in ways if way.possible()]
    best = min(possible, key=lambda way: way.cost(weights=weights, backward=backward), default=None)
    if best is None or best.cost(weights=weights, backward=backward) >= _WORTH * plain:
        return None
    return best


def _emit_winograd(low: Lowering, name: str, label: str, way: _Winograd, **fields: Any) -> None:
    geometry = way.geometry
    defaults = {"turned": NOWHERE, "weight": None, "bias": None, "raw": None, "padded_in": 0, "starts": False}
    defaults |= {"in_registers": way.in_registers, "pairs": False, "winners": None}
    axes = {"rows": replace(geometry.rows, runs=()), "columns": replace(geometry.columns, runs=())}
    channels = {"groups": geometry.groups, "in": geometry.inputs, "out": geometry.outputs, "points": way.points}
    low.program.emit(name, label, **{**defaults, **axes, **channels, **fields})


# --- rules -------------------------------------------------------------------------------------------------------


def _packed_weight(low: Lowering, step: Step, geometry: _Geometry, backward: bool) -> int | None:
    """The weight in the order that a convolution walks it; the natural one where that is the same."""
    natural = low.parameter(step, "weight")
    if geometry.plain and backward and geometry.taps == 1:
        return natural
    if geometry.plain and not backward and (geometry.outputs == 1 or geometry.inputs * geometry.taps == 1):
        return natural
    numbers = geometry.groups * geometry.outputs * geometry.inputs * geometry.taps
    pack = _pack(geometry, natural, backward)
    return low.packed(("weight", step.layer_name, backward), numbers, **pack)


def _pack(geometry: _Geometry, natural: int | None, backward: bool) -> dict[str, Any]:
    channels = {"groups": geometry.groups, "out": geometry.outputs, "in": geometry.inputs}
    form = {"taps": geometry.taps, "flip": geometry.flip, "mask": geometry.mask_numbers()}
    return {"natural": natural, "backward": backward, **channels, **form}


def _packed_points(low: Lowering, step: Step, way: _Winograd, backward: bool) -> int:
    """The weight's values at the points."""
    geometry = way.geometry
    numbers = geometry.groups * way.points * geometry.outputs * geometry.inputs * geometry.rows.kernel
    pack = _pack(geometry, low.parameter(step, "weight"), backward)
    key = ("points", step.layer_name, backward, way.points, way.in_registers)
    form = {"points": way.points, "point_taps": geometry.columns.kernel, "in_registers": way.in_registers}
    return low.packed(key, numbers, **pack, **form)


def _bias(low: Lowering, step: Step) -> int | None:
    layer = step.layer
    natural = low.parameter(step, "bias")
    if isinstance(layer, Linear) and layer.bias == "shared":
        return low.packed(("bias", step.layer_name), layer.out_features, natural=natural, copies=layer.out_features)
    return natural


def _convolution_forward(low: Lowering, step: Step) -> None:
    geometry = _Geometry(step)
    x, bias = low.x(step), _bias(low, step)
    fast = _winograd(low, geometry)
    if fast is not None:
        _winograd_forward(low, step, fast, x, bias)
        return
    y = low.new_value(step)
    rows, columns = geometry.rows, geometry.columns
    if _wants_border(low, geometry):
        x, rows, columns = _padded(low, step, geometry, x)
    _emit_convolution(low, step, step.name, geometry, False, x=x, y=y, bias=bias, rows=rows, columns=columns)


def _emit_convolution(
    low: Lowering, step: Step, label: str, geometry: _Geometry, backward: bool, *, x: Slot, **fields: Any
) -> None:
    """The plain sum, forward or backward, in the way that suits the size of the weights."""
    source, result = (geometry.outputs, geometry.inputs) if backward else (geometry.inputs, geometry.outputs)
    fields |= {"x": x, "groups": geometry.groups, "in": source, "out": result}
    lanes, number_bytes = low.program.lanes, low.program.number_bytes
    weight_bytes = source * result * geometry.taps * number_bytes
    smaller_maps = x.elements * lanes * number_bytes < 2 * weight_bytes
    fields["filters_outer"] = weight_bytes > _CACHED_WEIGHTS and smaller_maps
    if lanes == 1 or weight_bytes <= LARGE_WEIGHTS or not smaller_maps:
        low.program.emit("convolve", label, weight=_packed_weight(low, step, geometry, backward), **fields)
        return
    turned = geometry.plain and not backward
    weight = low.parameter(step, "weight") if turned else _packed_weight(low, step, geometry, backward)
    tile = low.program.slot(
        f"{label}: a tile of weights", -(-max(_TILE_WEIGHTS, geometry.taps) * _TILE_FILTERS // lanes)
    )
    low.program.emit("convolve_large", label, weight=weight, tile=tile, turned=turned, **fields)


def _winograd_forward(low: Lowering, step: Step, way: _Winograd, x: Slot, bias: int | None) -> None:
    """Down to the maxima of pairs of rows and columns, if those are all that is wanted."""
    pool = pool_of_pairs(low, step) if way.in_registers and _by_pairs(low, step, way) else None
    label, pairs = step.name, dict[str, Any]()
    if pool is None:
        y = low.new_value(step)
    else:
        label = f"{step.name}, {pool.name}"
        y = low.program.slot(label, pool.shape, locked=low.backward)
        low.values.append(y)
        pairs = {"pairs": True}
        if low.backward:
            pairs["winners"] = low.program.slot(f"winners of {pool.name}", pool.shape)
        low.memory["pooled", pool.index] = True
        low.memory["pairs", step.index] = pairs
    strip = way.strip()
    fields = {"x": x, "y": y, "weight": _packed_points(low, step, way, False), "bias": bias, "strip": strip}
    fields |= {**pairs, **way.slots(low, step.name, strip)}
    _emit_winograd(low, "winograd_forward", label, way, **fields)


def _by_pairs(low: Lowering, step: Step, forward: _Winograd) -> bool:
    """Whether tiles have pairs of outputs, here and wherever gradients of the outputs are read."""
    ways: list[_Winograd | None] = [forward]
    if low.backward and low.trains(step, "weight"):
        ways.append(_winograd(low, forward.geometry, weights=True) if _alone(low, step) else None)
    if low.backward and low.needs(step.inputs[0]):
        ways.append(_winograd(low, forward.geometry, backward=True))
    return all(way is not None and way.outputs % 2 == 0 for way in ways)


def _alone(low: Lowering, step: Step) -> bool:
    """Whether this is the layer's only use. All add to one raw gradient; maps of other sizes might want it in the other
    form."""
    return sum(other.layer_name == step.layer_name for other in low.graph.steps) == 1


def _wants_border(low: Lowering, geometry: _Geometry) -> bool:
    """Whether the kernel for one sample will take vectors of pixels, and rows of them be cut short by padding."""
    columns, vector = geometry.columns, low.channel_vector
    vectors = -(-columns.size // vector) * geometry.outputs
    by_pixels = columns.stride == 1 and columns.size >= vector
    by_pixels = by_pixels and vectors < -(-geometry.outputs // vector) * columns.size
    return low.program.lanes == 1 and by_pixels and len(columns.runs) > 1


def _padded(low: Lowering, step: Step, geometry: _Geometry, x: Slot) -> tuple[Slot, Axis, Axis]:
    """(input with a border of zeros, rows, columns)."""
    whole = [
        forward_axis(axis.reach, axis.size, axis.kernel, axis.stride, 0, axis.dilation)
        for axis in (geometry.rows, geometry.columns)
    ]
    rows, columns = whole
    channels = geometry.groups * geometry.inputs
    y = low.program.slot(f"{step.name}: input with a border", (channels, rows.source_size, columns.source_size))
    size = {"rows": geometry.rows.source_size, "columns": geometry.columns.source_size, "channels": channels}
    size |= {"padded_rows": rows.source_size, "padded_columns": columns.source_size}
    size |= {"top": geometry.rows.padding, "left": geometry.columns.padding}
    low.program.emit("pad", f"border of {step.name}", x=x, y=y, **size)
    return y, rows, columns


def _convolution_backward(low: Lowering, step: Step) -> None:
    geometry = _Geometry(step)
    dy = low.gradient(step).slot
    if low.trains(step, "weight"):
        _weight_gradient(low, step, geometry, dy)
    if "bias" in step.layer.parameter_shapes(*step.input_shapes) and low.trains(step, "bias"):
        _bias_gradient(low, step, geometry, dy)
    if low.needs(step.inputs[0]):
        _input_gradient(low, step, geometry, dy)


def _bias_gradient(low: Lowering, step: Step, geometry: _Geometry, dy: Slot) -> None:
    shared = isinstance(step.layer, Linear) and step.layer.bias == "shared"
    out = geometry.groups * geometry.outputs
    numbers = (1 if shared else out) * low.program.lanes
    low.program.emit(
        "bias_gradient",
        f"d {step.layer_name}.bias",
        dy=dy,
        raw=low.raw_gradient(step, "bias", numbers, layout=0, rows=1, columns=1 if shared else out),
        out=out,
        places=dy.elements // out,
        shared=shared,
    )


def _input_gradient(low: Lowering, step: Step, geometry: _Geometry, dy: Slot) -> None:
    label = f"d input of {step.name}"
    dx = low.new_gradient(step)
    fast = _winograd(low, geometry, backward=True)
    if fast is not None:
        strip = fast.strip(backward=True)
        weight = _packed_points(low, step, fast, True)
        slots = fast.slots(low, label, strip, True)
        fields = {
            "x": dy,
            "y": dx,
            "weight": weight,
            "strip": strip,
            **slots,
            **low.memory.get(("pairs", step.index), {}),
        }
        _emit_winograd(low, "winograd_backward_input", label, fast, **fields)
        return
    axes = {"rows": geometry.rows_back, "columns": geometry.columns_back}
    _emit_convolution(low, step, label, geometry, True, x=dy, y=dx, bias=None, **axes)


def _weight_gradient(low: Lowering, step: Step, geometry: _Geometry, dy: Slot) -> None:
    """By vectors of channels where there are enough of them, else by vectors of lanes."""
    finish: dict[str, Any] = {"rows": geometry.groups * geometry.outputs, "columns": geometry.inputs * geometry.taps}
    finish |= {"taps_rows": geometry.rows.kernel, "taps_columns": geometry.columns.kernel}
    finish |= {"flip": geometry.flip, "mask": geometry.mask_numbers()}
    label = f"d {step.layer_name}.weight"
    by_channels = geometry.inputs >= low.channel_vector
    padded = -(-geometry.inputs // low.channel_vector) * low.channel_vector if by_channels else 0
    alone = _alone(low, step)
    if alone and by_channels and geometry.dense and low.small:
        xt = low.program.slot(f"{step.name} turned", padded, outlives=True)
        low.program.emit("turn", label, x=low.x(step), xt=xt, padded_in=padded, **{"in": geometry.inputs})
        dy.outlives = True
        low.starting_gradient(step, "weight", 0, **finish, layout=3, padded_in=padded, xt=xt, dy=dy)
        return
    fast = _winograd(low, geometry, weights=True) if alone else None
    taps = geometry.rows.kernel * (geometry.columns.kernel if fast is None else fast.points)
    numbers = finish["rows"] * (padded or geometry.inputs) * taps
    finish |= {"layout": 1 if by_channels else 2, "padded_in": padded}
    if fast is not None:
        finish |= {"points": fast.points, "point_rows": geometry.outputs}
    raw, starts = low.starting_gradient(step, "weight", numbers, **finish)
    fields: dict[str, Any] = {"x": low.x(step), "raw": raw, "starts": starts}
    if fast is not None:
        strip = fast.strip(weights=True)
        slots = fast.slots(low, label, strip)
        map_values = (strip + geometry.rows.kernel - 1) * fast.tiles * padded
        by_lanes = -(-numbers // low.program.lanes) * low.program.lanes
        slots["turned"] = low.program.slot(f"{label}: turned", map_values if by_channels else by_lanes)
        fields |= {"y": dy, "strip": strip, "padded_in": padded, **slots, **low.memory.get(("pairs", step.index), {})}
        _emit_winograd(low, "winograd_weight_gradient", label, fast, **fields)
        return
    fields |= {"dy": dy, "groups": geometry.groups, "in": geometry.inputs, "out": geometry.outputs}
    fields |= {"rows": geometry.rows, "columns": geometry.columns}
    if by_channels:
        places = geometry.rows.source_size * geometry.columns.source_size
        fields["xt"] = low.program.slot(f"{step.name} turned", places * padded)
        low.program.emit("channel_gradient", label, padded_in=padded, **fields)
        return
    turned = geometry.rows.size * geometry.columns.size * (geometry.outputs + low.channel_vector)
    by_lanes = -(-numbers // low.program.lanes) * low.program.lanes
    fields["sums"] = low.program.slot(f"{label} sums", turned if low.program.lanes == 1 else by_lanes)
    low.program.emit("weight_gradient", label, **fields)


CONVOLUTION = Rules(_convolution_forward, _convolution_backward)
