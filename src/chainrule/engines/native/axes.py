"""One spatial axis of a convolution as runs of outputs that share their taps, for the native kernels.

A tap that falls on the padding, or on a zero that a stride leaves, is in no run: the kernels never multiply by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd

from chainrule.errors import EngineError
from chainrule.shapes import LARGEST


@dataclass(frozen=True)
class Run:
    """Outputs begin, begin + step, ... (count of them) with `taps` taps: first, first + tap_step, ... over sources
    source, source + source_step, ...; from one output to the next the sources move by source_move."""

    begin: int
    count: int
    step: int
    source_move: int
    first: int
    taps: int
    source: int
    tap_step: int
    source_step: int

    def numbers(self) -> list[int]:
        """In the order of the C++ record."""
        return [
            self.begin, self.count, self.step, self.source_move,
            self.first, self.taps, self.source, self.tap_step, self.source_step,
        ]  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """`size` outputs over `source_size` sources; kernel, stride, padding before and dilation of the forward pass."""

    size: int
    source_size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    runs: tuple[Run, ...]

    @property
    def reach(self) -> int:
        """Sources and padding that the windows cover, and all sources."""
        last = (self.size - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
        return max(last, self.padding + self.source_size)

    def numbers(self) -> list[int]:
        """In the order of the C++ record."""
        head = [self.size, self.source_size, self.kernel, self.stride, self.padding, self.dilation]
        return head + [n for run in self.runs for n in run.numbers()]


def forward_axis(source_size: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Output p, tap i reads source p stride - padding + i dilation."""
    _check(source_size, size, kernel, stride, padding, dilation)
    runs: list[Run] = []
    p = 0
    while p < size:
        shift = p * stride - padding
        first = max(0, -(shift // dilation))
        last = min(kernel - 1, (source_size - 1 - shift) // dilation)
        changes = [size]  # where the first tap comes in, and where the last goes out
        if first > 0:
            changes.append(-((-padding + (first - 1) * dilation) // stride))
        if last >= 0:
            changes.append((source_size - 1 - last * dilation + padding) // stride + 1)
        following = min(change for change in changes if change > p)
        taps = max(0, last - first + 1)
        source = shift + first * dilation
        _append(runs, Run(p, following - p, 1, stride, first, taps, source, 1, dilation))
        p = following
    return Axis(size, source_size, kernel, stride, padding, dilation, tuple(runs))


def backward_axis(source_size: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Input x, tap i reads dy at (x + padding - i dilation) / stride, where that is whole and inside.

    `source_size` and `size` are the forward pass's: here `source_size` pixels are computed from `size` deltas.
    """
    _check(source_size, size, kernel, stride, padding, dilation)
    shared = gcd(stride, dilation)
    tap_step, source_step = stride // shared, -(dilation // shared)
    runs: list[Run] = []
    for phase in range(min(stride, source_size)):
        phase_runs: list[Run] = []
        if (phase + padding) % shared:  # no tap's distance is a whole number of strides
            _append(
                phase_runs, Run(phase, -(-(source_size - phase) // stride), stride, 0, 0, 0, 0, tap_step, source_step)
            )
        else:
            residue = (phase + padding) // shared * pow(dilation // shared, -1, tap_step) % tap_step
            _walk_phase(phase_runs, phase, residue, (source_size, size, kernel, stride, padding, dilation))
        runs += phase_runs
    return Axis(source_size, size, kernel, stride, padding, dilation, tuple(runs))


def _walk_phase(runs: list[Run], x: int, residue: int, axis: tuple[int, int, int, int, int, int]) -> None:
    """The runs of inputs x, x + stride, ...; their taps are residue, residue + tap_step, ..."""
    source_size, size, kernel, stride, padding, dilation = axis
    shared = gcd(stride, dilation)
    tap_step = stride // shared
    reach = (size - 1) * stride
    while x < source_size:
        place = x + padding
        lowest, highest = max(0, -((reach - place) // dilation)), min(kernel - 1, place // dilation)
        first = residue + max(0, -((residue - lowest) // tap_step)) * tap_step
        last = residue + (highest - residue) // tap_step * tap_step
        changes = [first * dilation + reach + 1]  # the first tap has passed the last delta
        if last + tap_step < kernel:
            changes.append((last + tap_step) * dilation)  # another tap reaches the first delta
        steps = min(-((x + padding - change) // stride) for change in changes if change > place)
        count = min(steps, -(-(source_size - x) // stride))
        taps = max(0, (last - first) // tap_step + 1)
        source = (place - first * dilation) // stride
        _append(runs, Run(x, count, stride, 1, first, taps, source, tap_step, -(dilation // shared)))
        x += count * stride


def _append(runs: list[Run], run: Run) -> None:
    """Add a run, or lengthen the last where the taps are the same; a run without taps points nowhere."""
    if run.taps == 0:
        run = replace(run, first=0, source=0, source_move=0)
    if runs and (runs[-1].first, runs[-1].taps) == (run.first, run.taps):
        runs[-1] = replace(runs[-1], count=runs[-1].count + run.count)
    else:
        runs.append(run)


def _check(source_size: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    """The core counts pixels in 32 bits, also those beyond the map that a window reaches."""
    farthest = max(source_size, size * stride, padding) + kernel * dilation + padding
    if farthest > LARGEST:
        raise EngineError(
            f"a window of {kernel} pixels with stride {stride}, padding {padding} and dilation {dilation} on "
            f"{source_size} pixels reaches {farthest} pixels far; the native engine can index {LARGEST}"
        )
