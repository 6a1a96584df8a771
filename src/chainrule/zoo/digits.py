"""The ten digits as 7x12 drawings: the targets that LeNet-5's output units compare their 84 inputs with.

LeNet-5 took such drawings from a printed character set; these are our own.
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array

DRAWINGS = """
.#####.  ...##..  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
##...##  ..###..  ##...##  ##...##  ...###.  ##.....  .##....  #######  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  ....##.  .....##  ##..##.  ######.  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ...##..  ..####.  ##..##.  .....##  ######.  ....##.  .#####.  ##...##
##...##  ...##..  ..##...  ..####.  ##..##.  .....##  ##...##  ...##..  .#####.  .######
##...##  ...##..  .##....  .....##  #######  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  ##.....  .....##  #######  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  ##...##  ....##.  ##...##  ##...##  .##....  ##...##  ....##.
.#####.  .######  #######  .#####.  ....##.  .#####.  .#####.  .##....  .#####.  .####..
"""


def digit_centres() -> Array:
    """(10, 84): each digit's drawing row by row, +1 where there is ink and -1 elsewhere."""
    rows = [line.split() for line in DRAWINGS.strip().splitlines()]
    ink = np.array([[[mark == "#" for mark in row[digit]] for row in rows] for digit in range(10)])
    return np.where(ink, 1.0, -1.0).reshape(10, -1)
