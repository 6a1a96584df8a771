"""The digits that come with the package: 5,000 + 1,000 images drawn from the training part of MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chainrule.data.dataset import Dataset
from chainrule.data.folder import load_folder
from chainrule.data.preparation import MNIST_DIGIT

DIGITS_FOLDER: Final = Path(__file__).parent / "digits"


def load_digits() -> Dataset:
    """5,000 training and 1,000 test images of digits, (n, 1, 28, 28) uint8, equally many of each class.

    Both parts come from MNIST's training part and have no image in common; MNIST's test part stays unseen.
    """
    return load_folder(DIGITS_FOLDER, name="digits", preparation=MNIST_DIGIT)
