"""Writes what `main.c` needs: digits.c and digits.h, a small network that reads digits, and pictures.h, what a camera
sees that is mounted a quarter turn around. On the device only the last two layers learn.

    python export.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import data

TRAIN, TEST = 600, 200


def c_array(name: str, kind: str, values: np.ndarray) -> str:
    """A constant array in C."""
    numbers = [str(v) for v in values.ravel()]
    rows = [", ".join(numbers[i : i + 28]) for i in range(0, len(numbers), 28)]
    return f"static const {kind} {name}[{values.size}] = {{\n" + ",\n".join(rows) + "\n};\n"


def main(folder: Path) -> None:
    """Train at home, turn the camera, write the files."""
    digits = data.load("digits")
    net = cr.parse("1x28x28 -> conv 8@5x5 stride 2 -> relu -> maxpool 2 -> fc 32 -> relu -> fc 10")
    net.fit(
        digits.train_images, digits.train_labels, loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.03, momentum=0.9),
        epochs=4, batch_size=32, progress=False,
    )  # fmt: skip
    plan = net.to_c(
        folder / "digits.c", what="train_step", loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.01), last=2
    )  # fmt: skip
    print(plan)
    parts = [f"enum {{ TRAIN = {TRAIN}, TEST = {TEST} }};\n"]
    for name, images, labels, count in (
        ("train", digits.train_images, digits.train_labels, TRAIN),
        ("test", digits.test_images, digits.test_labels, TEST),
    ):
        turned = np.rot90(images[:count], axes=(2, 3))
        parts += [
            c_array(f"{name}_pictures", "unsigned char", turned),
            c_array(f"{name}_labels", "int", labels[:count]),
        ]
    (folder / "pictures.h").write_text("\n".join(parts))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
