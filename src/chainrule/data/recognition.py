"""Images that are known wherever they lie: MNIST's, whose pictures need a preparation that no look at them tells."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.data.preparation import MNIST_DIGIT, Preparation

MNIST_IMAGES: Final = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
"""SHA-256 of the decompressed file of MNIST's training images."""
MNIST_COUNT: Final = 60_000


def known_preparation(images: NDArray[Any]) -> Preparation | None:
    """How the pictures of these training images (n, channels, rows, columns) were prepared, if they are MNIST's."""
    if images.dtype != np.uint8 or images.shape != (MNIST_COUNT, 1, 28, 28):
        return None
    head = b"\0\0\x08\x03" + np.array([MNIST_COUNT, 28, 28], ">u4").tobytes()  # as their IDX file begins
    digest = hashlib.sha256(head)
    digest.update(np.ascontiguousarray(images).data)
    return MNIST_DIGIT if digest.hexdigest() == MNIST_IMAGES else None
