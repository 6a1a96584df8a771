"""What the tests of the command line share: a small data set, a small network, and both ways to run a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

SMALL = "1x6x6 -> conv 2@3x3 -> relu -> fc 3"


def small_data(path: str | Path) -> None:
    """60 images of 6x6 in three classes; the class is a bright row."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = rng.integers(0, 60, (60, 1, 6, 6), dtype=np.uint8)
    images[np.arange(60), 0, 2 * labels] += 180
    with Path(path).open("wb") as file:
        np.savez(
            file,
            train_images=images[:45],
            train_labels=labels[:45],
            test_images=images[45:],
            test_labels=labels[45:],
        )


def picture(path: str | Path, row: int = 0, ink: int = 0, ground: int = 255) -> Path:
    """A PNG file of 90x90 with a bar at one of three places."""
    from PIL import Image

    pixels = np.full((90, 90), ground, np.uint8)
    pixels[20:70, 30 + 10 * row : 40 + 10 * row] = ink
    Image.fromarray(pixels).save(path, format="png")
    return Path(path)


def program(*arguments: Any, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """`python -m chainrule ...` in a process of its own."""
    command = [sys.executable, "-m", "chainrule", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=120, check=False, **options)
