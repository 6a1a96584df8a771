"""Where a convolution goes by Winograd's algorithm, and in which form: what it costs beside the plain sum."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainrule.engines.native import core
from chainrule.engines.native.axes import Axis
from chainrule.engines.native.fusion import Task
from chainrule.engines.native.program import Program
from chainrule.engines.native.records.convolution import Kernels, Strips
from chainrule.engines.native.rules.geometry import Geometry
from chainrule.graph import Step

POINTS = {3: (6, 8), 5: (8,)}
"""That the core was built with, for kernels of so many columns: others are rare, and all cost time to build. More
points take fewer products, but round a little more and leave more of a short row unused."""
STRIP_BYTES = 640 * 1024
"""What a strip may take at the points: most of a core's second cache."""
PRODUCTS_OF_STRIP = 512
"""Numbers that a weight's sum should take at once, so that loading and storing the sums costs little."""
VALUE_COST = 5.0
"""What it costs to make a value at a point and to use one, in multiply-adds: loads, stores and additions."""
MADE_COST = 3.0
"""To make one alone; a weight gradient's end with the step, not with the block."""
KEPT_COST = 2.0
"""To use one that has not left its register."""
IN_REGISTERS = (False, True)
"""Whether the sums at the points may stay in registers: forward, on processors that have 32."""
NEAR_BYTES: float = 32 * 1024
"""Of the inputs that a tile reaches, which all filters pass over: they should lie in a core's first cache."""
WORTH = 0.9
"""The largest part of the plain sum's cost at which the algorithm is taken."""


@dataclass(frozen=True)
class Winograd:
    """A convolution with values at points along its columns; see kernels/winograd_points.hpp."""

    geometry: Geometry
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
        near = not self.in_registers or reached <= NEAR_BYTES
        return self.lanes > 1 and steady and geometry.plain and near

    def has_registers(self) -> bool:
        """Whether the core was built with sums in registers for this; see kernels/winograd_registers.cpp."""
        return self.geometry.outputs > 1

    def strip(self, *, weights: bool = False, backward: bool = False) -> int:
        """Rows of the result at a time."""
        rows, halo = self.geometry.rows, self.geometry.rows.kernel - 1
        size = rows.source_size if backward else rows.size
        source, result = self._values_of_row(backward)
        line = self.lanes * self.number_bytes
        strip = (STRIP_BYTES // line - halo * source) // (source + (0 if self.in_registers else result))
        if weights:
            strip = max(strip, -(-PRODUCTS_OF_STRIP // (self.tiles * self.lanes)))
        strip = max(1, min(strip, size, core.limits()["strip_rows"]))
        return -(-size // -(-size // strip))  # strips of nearly the same height

    def _values_of_row(self, backward: bool) -> tuple[int, int]:
        """Values at the points in one row of what is read and of what is made."""
        source, result = self.geometry.inputs, self.geometry.outputs
        if backward:
            source, result = result, source
        return source * self.points * self.tiles, result * self.points * self.tiles

    def strips(self, program: Program, label: str, *, weights: bool = False, backward: bool = False) -> Strips:
        """What the three operations have in common, with memory for a strip."""
        source, result = self._values_of_row(backward)
        geometry, strip = self.geometry, self.strip(weights=weights, backward=backward)
        sources = program.slot(f"{label}: sources at the points", (strip + geometry.rows.kernel - 1) * source)
        rows, columns = replace(geometry.rows, runs=()), replace(geometry.columns, runs=())
        kernels = Kernels(in_=geometry.inputs, out=geometry.outputs, rows=rows, columns=columns)
        results = program.slot(f"{label}: results at the points", strip * result)
        return Strips(
            kernels=kernels,
            groups=geometry.groups,
            points=self.points,
            strip=strip,
            source_points=sources,
            result_points=None if self.in_registers else results,
        )

    def cost(self, *, weights: bool = False, backward: bool = False) -> float:
        """In multiply-adds of all lanes."""
        geometry = self.geometry
        strip = self.strip(weights=weights, backward=backward)
        source, result = self._values_of_row(backward)
        size = geometry.rows.source_size if backward else geometry.rows.size
        sources, results = -(-size // strip) * (strip + geometry.rows.kernel - 1) * source, size * result
        products = geometry.inputs * geometry.outputs * _taps(geometry.rows) * self.points * self.tiles
        cost = MADE_COST if weights else VALUE_COST
        return products + cost * sources + (KEPT_COST if self.in_registers else cost) * results


def _taps(axis: Axis) -> int:
    """All pairs (output, tap) inside the map."""
    return sum(run.count * run.taps for run in axis.runs)


def winograd(task: Task, geometry: Geometry, *, weights: bool = False, backward: bool = False) -> Winograd | None:
    """The cheapest way to do it, if that is cheaper than the plain sum."""
    ways = [
        Winograd(geometry, points, task.lanes, task.number_bytes, in_registers)
        for points in POINTS.get(geometry.columns.kernel, ())
        for in_registers in ((False,) if weights or backward or task.registers < 32 else IN_REGISTERS)
    ]
    plain = geometry.inputs * geometry.outputs * _taps(geometry.rows) * _taps(geometry.columns)
    possible = [way for way in ways if way.possible()]
    best = min(possible, key=lambda way: way.cost(weights=weights, backward=backward), default=None)
    if best is None or best.cost(weights=weights, backward=backward) >= WORTH * plain:
        return None
    if best.in_registers and not best.has_registers():
        return replace(best, in_registers=False)  # as many points: the same numbers, if not as fast
    return best


def takes_pairs(task: Task, step: Step) -> bool:
    """Whether the algorithm is taken here in registers, and wherever gradients of the outputs are read."""
    forward = winograd(task, Geometry(step))
    if forward is None or not forward.in_registers:
        return False
    ways: list[Winograd | None] = [forward]
    if task.backward and task.trains(step, "weight"):
        ways.append(winograd(task, forward.geometry, weights=True) if task.used_once(step) else None)
    if task.backward and task.needed[step.inputs[0]]:
        ways.append(winograd(task, forward.geometry, backward=True))
    return None not in ways
