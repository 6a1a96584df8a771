"""Writes networks in C, samples for them, and what they must have learned from those: a folder for each case.

    python -m tests.interchange.c.emulated.write_cases FOLDER [STEPS]

`expected.bin` is the losses, the outputs and the parameters that NumPy comes to in the order of the C. A network with
batch normalisation has none: there the first processor says what the others must come to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import data
from chainrule.zoo.lenet5 import lenet5
from tests.helpers import Array
from tests.interchange.c.networks import GROUPS, branches
from tests.interchange.c.twin import Twin


def write(
    folder: Path, net: cr.Network, loss: cr.Loss, optimizer: cr.Optimizer, x: Array, targets: Array, batch: int,
    *, twin: bool = True,
) -> None:  # fmt: skip
    """One case."""
    folder.mkdir(parents=True)
    rate = optimizer.learning_rate
    print(f"{folder.name}: {net.to_c(folder / 'net', what='train_step', loss=loss, optimizer=optimizer, batch=batch)}")
    by_class = targets.dtype.kind in "iu"
    x.astype("<f4").tofile(folder / "inputs.bin")
    targets.astype("<i4" if by_class else "<f4").tofile(folder / "targets.bin")
    target = "int" if by_class else "float"
    lines = [f"#define STEP {batch}", f"#define EACH {targets[0].size}", f"#define TARGET {target}"]
    (folder / "setting.h").write_text("\n".join([*lines, f"#define RATE {rate!r}f", ""]))
    if twin:
        _expect(folder, Twin(net, loss, optimizer), x, targets, batch)


def _expect(folder: Path, twin: Twin, x: Array, targets: Array, batch: int) -> None:
    rate = twin.optimizer.learning_rate
    starts = range(0, len(x), batch)
    losses = [twin.train_step(x[i : i + batch], targets[i : i + batch], rate) for i in starts]
    parts = [np.array(losses), twin.predict(x[-batch:][:1]), twin.learned()]
    with (folder / "expected.bin").open("wb") as file:
        for part in parts:
            file.write(part.astype("<f4").tobytes())


def main(folder: Path, steps: int) -> None:
    """All cases."""
    digits = data.load("digits")
    images = digits.train_images[:steps].astype(np.float32) / np.float32(255)
    write(folder / "lenet5", lenet5(), cr.CrossEntropyLoss(), cr.SGD(0.01), images, digits.train_labels[:steps], 1)
    rng = np.random.default_rng(3)
    mixed = [row for name, rows in GROUPS.items() if name != "coupled" for row in rows[::4]]
    for name, rows in (("layers", mixed), ("normalised", GROUPS["coupled"])):
        net = branches(rows, seed=4)
        x, targets = (rng.normal(size=(8, *shape)).astype(np.float32) for shape in (net.input_shape, net.output_shape))
        write(folder / name, net, cr.MSELoss(), cr.Adam(0.01), x, targets, 4, twin=name == "layers")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
