"""Draw the bundled digits from the training part of MNIST: python scripts/make_digits.py MNIST_FOLDER

The same MNIST gives the same four files, byte for byte on the same version of zlib.
"""

from __future__ import annotations

import sys

import numpy as np

from chainrule.data.bundled import DIGITS_FOLDER
from chainrule.data.folder import load_folder
from chainrule.data.idx import write_idx

SEED = 28
PER_CLASS = {"train": 500, "t10k": 100}


def main(source: str) -> None:
    """Write the four files of the bundled data set; only MNIST's training part is looked at."""
    mnist = load_folder(source)
    images, labels = mnist.train_images[:, 0], mnist.train_labels
    rng = np.random.default_rng(SEED)
    drawn: dict[str, list[np.ndarray]] = {part: [] for part in PER_CLASS}
    for digit in range(10):
        order = rng.permutation(np.flatnonzero(labels == digit))
        start = 0
        for part, count in PER_CLASS.items():
            drawn[part].append(order[start : start + count])
            start += count
    for part, groups in drawn.items():
        chosen = rng.permutation(np.concatenate(groups))
        write_idx(DIGITS_FOLDER / f"{part}-images-idx3-ubyte.gz", images[chosen])
        write_idx(DIGITS_FOLDER / f"{part}-labels-idx1-ubyte.gz", labels[chosen].astype(np.uint8))
        print(f"{part}: {len(chosen)} images")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
