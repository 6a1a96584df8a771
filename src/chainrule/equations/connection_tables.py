"""LeNet-5's connection table of layer C3 (LeCun et al. 1998, Table I): which maps of S2 each map of C3 sees.

Six maps see three neighbours each, six see four neighbours, three see four maps in two pairs, and the last
sees all: 60 crosses, 25 * 60 + 16 = 1516 parameters. The table printed in S2 is corrupt (ER2-34).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

C3_INPUTS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""The maps of S2, 0 to 5, that each of the 16 maps of C3 takes as input."""


def connection_table(inputs: tuple[tuple[int, ...], ...], in_channels: int) -> NDArray[np.bool_]:
    """Input sets as a bool table (out, in), as `Conv2d(connections=...)` takes it."""
    table = np.zeros((len(inputs), in_channels), np.bool_)
    for out, channels in enumerate(inputs):
        table[out, list(channels)] = True
    return table


LENET5_C3_TABLE = connection_table(C3_INPUTS, 6)
LENET5_C3_TABLE.flags.writeable = False
