"""The runs of a convolution's axes against the two sentences that define them."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.engines.native.axes import Axis, backward_axis, forward_axis

Pairs = dict[int, list[tuple[int, int]]]


def pairs(axis: Axis) -> Pairs:
    """(tap, source) of every output, in the order of the walk."""
    found: Pairs = {}
    for run in axis.runs:
        for k in range(run.count):
            output, source = run.begin + k * run.step, run.source + k * run.source_move
            assert output not in found
            found[output] = [(run.first + t * run.tap_step, source + t * run.source_step) for t in range(run.taps)]
    return found


@settings(max_examples=1000)
@given(
    st.integers(1, 12), st.integers(1, 6), st.integers(1, 7), st.integers(0, 9), st.integers(0, 9), st.integers(1, 6)
)
def test_runs_hold_every_tap_on_the_map_and_no_other(
    source_size: int, kernel: int, stride: int, before: int, after: int, dilation: int
) -> None:
    room = source_size + before + after - dilation * (kernel - 1) - 1
    assume(room >= 0)
    size = room // stride + 1
    forward: Pairs = {p: [] for p in range(size)}
    backward: Pairs = {x: [] for x in range(source_size)}
    for p in range(size):
        for tap in range(kernel):
            x = p * stride - before + tap * dilation
            if 0 <= x < source_size:
                forward[p].append((tap, x))
                backward[x].append((tap, p))
    numbers = (source_size, size, kernel, stride, before, dilation)
    assert pairs(forward_axis(*numbers)) == forward
    assert pairs(backward_axis(*numbers)) == {x: sorted(found) for x, found in backward.items()}


def test_long_axes_cost_nothing() -> None:
    """The number of runs depends on the window, not on the map."""
    for axis in (forward_axis, backward_axis):
        assert len(axis(10**9, 10**9, 5, 1, 2, 1).runs) == 5
        assert len(axis(10**8, 10**8 // 4, 5, 4, 2, 1).runs) <= 12
