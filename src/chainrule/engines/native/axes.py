"""One spatial axis of a convolution as runs of outputs that share their taps, for the native kernels.

A tap that falls on the padding, or on a zero that a stride leaves, is in no run: the kernels never multiply by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd


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

    def numbers(self) -> list[int]:
        """In the order of the C++ record."""
        head = [self.size, self.source_size, self.kernel, self.stride, self.padding, self.dilation]
        return head + [n for run in self.runs for n in run.numbers()]


def forward_axis(source_size: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Output p, tap i reads source p stride - padding + i dilation."""
    runs: list[Run] = []
    for p in range(size):
        shift = p * stride - padding
        first = max(0, -(shift // dilation)) if shift < 0 else 0
        last = min(kernel - 1, (source_size - 1 - shift) // dilation)
        taps = max(0, last - first + 1)
        if taps == 0:
            first = 0
        previous = runs[-1] if runs else None
        if previous is not None and (previous.first, previous.taps) == (first, taps):
            runs[-1] = Run(**{**previous.__dict__, "count": previous.count + 1})
        else:
            runs.append(Run(p, 1, 1, stride, first, taps, shift + first * dilation if taps else 0, 1, dilation))
    return Axis(size, source_size, kernel, stride, padding, dilation, tuple(runs))


def backward_axis(source_size: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Input x, tap i reads dy at (x + padding - i dilation) / stride, where that is whole and inside.

    `source_size` and `size` are the forward pass's: here `source_size` pixels are computed from `size` deltas.
    """
    shared = gcd(stride, dilation)
    tap_step, source_step = stride // shared, -(dilation // shared)
    runs: list[Run] = []
    for phase in range(min(stride, source_size)):
        phase_runs: list[Run] = []
        for x in range(phase, source_size, stride):
            hits = [
                i
                for i in range(kernel)
                if (x + padding - i * dilation) % stride == 0 and 0 <= (x + padding - i * dilation) // stride < size
            ]
            first, taps = (hits[0], len(hits)) if hits else (0, 0)
            previous = phase_runs[-1] if phase_runs else None
            if previous is not None and (previous.first, previous.taps) == (first, taps):
                phase_runs[-1] = Run(**{**previous.__dict__, "count": previous.count + 1})
            else:
                source = (x + padding - first * dilation) // stride if taps else 0
                phase_runs.append(Run(x, 1, stride, 1 if taps else 0, first, taps, source, tap_step, source_step))
        runs += phase_runs
    return Axis(source_size, size, kernel, stride, padding, dilation, tuple(runs))
